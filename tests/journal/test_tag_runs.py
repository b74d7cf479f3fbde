"""Where the tags of a file are looked for, and what becomes of the oldest."""

import sqlite3
from collections.abc import Iterator, Sequence

import pytest

from tests.journal.drafts import draft, run
from triochat.journal import tag_runs
from triochat.journal.schema import MIGRATIONS, migrate
from triochat.journal.tag_runs import Run, Unindexed, checksums, in_rows

A, B = b"a" * 16, b"b" * 16


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, 0)
    yield connection
    connection.close()


def rows(number: int, tags: Sequence[str], *, session: bytes = A, highest: str = "") -> list[Run]:
    """What a draft with these tags becomes; the ids are ten times the numbers."""
    return list(in_rows(number, session, highest, tags, number * 10, range(len(tags))))


def shape(runs: Sequence[Run]) -> list[tuple[int, bool, list[str], int, list[int]]]:
    return [(one.number, one.stray, list(one.tags), one.id, list(one.said or ())) for one in runs]


def index_all(connection: sqlite3.Connection, unindexed: Unindexed) -> None:
    while unindexed:
        tag_runs.index(connection, unindexed)()


# --- rows -------------------------------------------------------------------------------------------


def test_tags_that_ascend_are_one_row() -> None:
    assert shape(rows(5, ["8", "9", "10"])) == [(5, False, ["8", "9", "10"], 50, [0, 1, 2])]


def test_a_tag_that_is_not_above_all_before_it_is_a_stray() -> None:
    assert shape(rows(1, ["3", "7", "5", "4", "8", "9"], highest="4")) == [
        (1, True, ["3"], 10, [0]),
        (2, False, ["7"], 11, [1]),
        (3, True, ["5"], 12, [2]),
        (4, True, ["4"], 13, [3]),
        (5, False, ["8", "9"], 14, [4, 5]),
    ]


def test_a_tag_that_was_forgotten_may_come_again_as_a_stray() -> None:
    assert shape(rows(1, ["4"], highest="4")) == [(1, True, ["4"], 10, [0])]


def test_a_row_is_not_longer_than_is_looked_through_quickly() -> None:
    tags = [str(number) for number in range(1, 2 * tag_runs.MAX_RUN + 2)]
    assert [len(one.tags) for one in rows(1, tags)] == [tag_runs.MAX_RUN, tag_runs.MAX_RUN, 1]


def test_checksums_tell_texts_logs_and_kinds_apart() -> None:
    said = [draft("a"), draft("b"), draft("a", log="#ops"), draft("a", kind="topic"), draft("")]
    assert len({sum_ for one in said for sum_ in checksums(one)}) == 5
    assert checksums(run("a", "b")) == [*checksums(draft("a")), *checksums(draft("b"))]


# --- in memory --------------------------------------------------------------------------------------


def test_those_that_are_not_in_the_index_are_found_in_memory() -> None:
    unindexed = Unindexed(rows(1, ["1", "2"]))
    assert (unindexed.find(A, "2"), unindexed.find(A, "3"), unindexed.find(B, "1")) == ((11, 1), None, None)
    unindexed.add([*rows(3, ["3"]), *rows(4, ["1"], session=B)])
    assert (unindexed.find(A, "3"), unindexed.find(B, "1")) == ((30, 0), (40, 0))
    unindexed.drop(3)
    assert (len(unindexed), unindexed.find(A, "1"), unindexed.find(A, "3")) == (2, None, (30, 0))
    unindexed.add(rows(5, ["4"]))
    assert unindexed.find(A, "4") == (50, 0)
    unindexed.drop(6)
    assert (len(unindexed), unindexed.find(A, "4"), unindexed.find(B, "1")) == (0, None, None)
    assert unindexed._by_session == {}, "of sessions that have nothing there, nothing is left"


def test_the_highest_tag_in_memory() -> None:
    unindexed = Unindexed()
    assert unindexed.highest(A) == ""
    unindexed.add(rows(1, ["20", "5"]))
    assert unindexed.highest(A) == "20"
    unindexed.drop(2)
    assert unindexed.highest(A) == "5", "a stray that has outlived what was above it"


# --- in the file ------------------------------------------------------------------------------------


def test_the_index_finds_the_row_that_a_tag_is_in(connection: sqlite3.Connection) -> None:
    runs = [*rows(1, ["2", "4", "9", "10"]), *rows(5, ["5"], highest="10"), *rows(6, ["12"], highest="10")]
    tag_runs.write(connection, [*runs, *rows(7, ["4", "5"], session=B)])
    unindexed, oldest, behind = tag_runs.read(connection)
    assert (shape(unindexed.oldest(3)), oldest, behind) == (shape(runs), 1, 9)
    assert tag_runs.find(connection, A, "2") is None, "it is not in the index yet"
    index_all(connection, unindexed)
    found = {tag: tag_runs.find(connection, A, tag) for tag in ["2", "4", "5", "9", "10", "12"]}
    assert found == {"2": (10, 0), "4": (11, 1), "5": (50, 0), "9": (12, 2), "10": (13, 3), "12": (60, 0)}
    for tag in ("1", "3", "6", "11", "13", "100", "a"):
        assert tag_runs.find(connection, A, tag) is None
    assert tag_runs.find(connection, B, "4") == (70, 0)
    assert [tag_runs.highest(connection, session) for session in (A, B, b"c")] == ["12", "5", ""]
    assert len(tag_runs.read(connection)[0]) == 0, "and it is known that they are in the index"


def test_an_index_is_made_in_steps(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tag_runs, "RUNS_IN_STEP", 2)
    runs = [one for number in range(1, 6) for one in rows(number, [str(number)])]
    tag_runs.write(connection, runs)
    unindexed = Unindexed(runs)
    settle = tag_runs.index(connection, unindexed)
    assert len(unindexed) == 5, "what is not committed makes no difference"
    settle()
    assert len(unindexed) == 3
    assert (tag_runs.find(connection, A, "2"), unindexed.find(A, "2")) == ((20, 0), None)
    assert (tag_runs.find(connection, A, "3"), unindexed.find(A, "3")) == (None, (30, 0))
    assert shape(tag_runs.read(connection)[0].oldest(9)) == shape(runs[2:])


@pytest.mark.parametrize("indexed", [True, False])
def test_the_oldest_are_forgotten_a_row_at_a_time(connection: sqlite3.Connection, indexed: bool) -> None:
    runs = [*rows(1, ["1", "2"]), *rows(3, ["3", "4"]), *rows(5, ["5"])]
    tag_runs.write(connection, runs)
    unindexed = Unindexed(runs)
    if indexed:
        index_all(connection, unindexed)
    oldest, settle = tag_runs.forget(connection, unindexed, 4)
    settle()
    assert oldest == 3
    again, oldest, behind = tag_runs.read(connection)
    assert (oldest, behind) == (3, 6)
    for known in (unindexed, again):
        found = [known.find(A, tag) or tag_runs.find(connection, A, tag) for tag in "12345"]
        assert found == [None, None, (30, 0), (31, 1), (50, 0)]
    assert connection.execute("SELECT count(*) FROM tag_run_of_session").fetchone() == (2 * indexed,)


def test_a_stray_that_has_outlived_what_was_above_it_is_still_known(connection: sqlite3.Connection) -> None:
    runs = rows(1, ["20", "5"])
    tag_runs.write(connection, runs)
    unindexed = Unindexed(runs)
    index_all(connection, unindexed)
    tag_runs.forget(connection, unindexed, 2)
    assert tag_runs.highest(connection, A) == "5", "or it would be taken for a new one when it comes again"


def test_tags_of_an_older_file_are_taken_over(connection: sqlite3.Connection) -> None:
    older = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS[:2]:
        migration(older)
    tags = ["1", "2", "10", "b", "9"]
    older.executemany(
        "INSERT INTO tag VALUES (?, ?, ?, ?, ?, ?)",
        [(7 + i, A, len(tag), tag, 100 + i, b"12345678") for i, tag in enumerate(tags)],
    )
    migrate(older, 2)
    unindexed, oldest, behind = tag_runs.read(older)
    assert (len(unindexed), oldest, behind) == (0, 7, 12)
    assert [tag_runs.find(older, A, tag) for tag in tags] == [(100 + i, None) for i in range(5)]
    assert tag_runs.highest(older, A) == "10"
    older.close()
