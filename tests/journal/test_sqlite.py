"""What the journal in a file does beyond the contract: it outlives its process, and its disk's faults."""

# ruff: noqa: ASYNC220, ASYNC240 -- nothing else runs here that a look at a file could delay

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from hashlib import blake2b
from pathlib import Path

import pytest
import trio

import triochat
from tests.journal.drafts import KEY, draft, fill, run
from triochat.journal import (
    Each,
    Head,
    JournalUnavailable,
    JournalUnusable,
    Kept,
    NoRoom,
    Page,
    Repeated,
    SqliteJournal,
    TagTaken,
    Unknown,
    open_sqlite_journal,
)
from triochat.journal.file import JournalFile
from triochat.journal.ledger import Ledger
from triochat.journal.schema import APPLICATION_ID, ID_BITS, MIGRATIONS
from triochat.journal.tag_runs import MAX_RUN

DAY = 86_400_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with open_sqlite_journal(path, durability="normal") as journal:
        yield journal


async def tidy(journal: SqliteJournal, ms: int = 1000) -> int:
    """All that there is to tidy; how many steps it took."""
    steps = 1
    while await journal.tidy(ms):
        steps += 1
    return steps


async def texts(journal: SqliteJournal, log: str = "#dev") -> list[str]:
    return [entry.text for entry in (await journal.read_after(log, 0, 10_000)).entries]


def count(journal: SqliteJournal, table: str) -> int:
    """Rows that are really in the file."""
    found: int = journal._file.reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


# --- opened again -------------------------------------------------------------------------------


async def test_all_of_it_is_there_when_it_is_opened_again(path: Path) -> None:
    topic = draft("topic", kind="topic")
    async with open_sqlite_journal(path) as journal:
        await journal.append([draft("1", key=KEY), topic, run("3", "4", tags=("8", "9"))])
        await journal.append([draft("hi", log="@bob", target="@Bob")])
    async with open_sqlite_journal(path) as journal:
        assert await journal.heads() == {"#dev": Head(4, topic.entry(2)), "@bob": Head(1, None)}
        assert await texts(journal) == ["1", "topic", "3", "4"]
        assert [e.target for e in (await journal.read_after("@bob", 0, 9)).entries] == ["@Bob"]
        assert await journal.append([draft("1", key=KEY)]) == [Repeated(1)]
        assert await journal.append([draft("x", key=KEY)]) == [TagTaken()]
        assert await journal.append([run("3", "4", tags=("8", "9"))]) == [Each([Repeated(3), Repeated(4)])]
        assert await journal.append([run("5", "6", tags=("10", "7"))]) == [Kept(5)]
    async with open_sqlite_journal(path) as journal:
        assert await journal.append([run("5", "6", tags=("10", "7"))]) == [Each([Repeated(5), Repeated(6)])]


async def test_of_a_session_only_a_digest_is_in_the_file(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await journal.append([draft("1", key=("secret-session", "tag"))])
    for file in path.parent.iterdir():
        assert b"secret-session" not in file.read_bytes()


async def test_inboxes_that_were_let_go_stay_so(path: Path) -> None:
    async with open_sqlite_journal(path, max_inboxes=2) as journal:
        await fill(journal, 3, log="@a")
        for log in ("@b", "@c"):
            await journal.append([draft(log=log)])
    async with open_sqlite_journal(path, max_inboxes=2) as journal:
        assert await journal.read_after("@a", 0, 9) == Page((), 4, 3)
        assert set(await journal.heads()) == {"@b", "@c"}
        assert await journal.append([draft(log="@b"), draft(log="@a")]) == [Kept(2), Kept(5)]
        assert set(await journal.heads()) == {"@b", "@a"}, "that one was used before the other"
    async with open_sqlite_journal(path, max_inboxes=1) as journal:
        assert await journal.append([draft(log="@d")]) == [Kept(6)]
        assert set(await journal.heads()) == {"@d"}


async def test_a_larger_retention_shows_what_is_still_there(path: Path) -> None:
    async with open_sqlite_journal(path, retention=2) as journal:
        await fill(journal, 5)
        assert (await journal.read_after("#dev", 0, 9)).first == 4
    async with open_sqlite_journal(path, retention=4) as journal:
        assert (await journal.read_after("#dev", 0, 9)).first == 2
        await tidy(journal)
    async with open_sqlite_journal(path) as journal:
        page = await journal.read_after("#dev", 0, 9)
        assert (page.first, [entry.id for entry in page.entries]) == (2, [2, 3, 4, 5])


async def test_it_is_for_its_owner_only(path: Path) -> None:
    async with open_sqlite_journal(path.parent / "new" / "folder" / "chat.db") as journal:
        await fill(journal, 1)
        folder = path.parent / "new" / "folder"
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
async def test_durability(path: Path, durability: str, synchronous: int) -> None:
    async with open_sqlite_journal(path, durability=durability) as journal:  # type: ignore[arg-type]
        for _ in range(2):
            assert journal._file.writer.execute("PRAGMA synchronous").fetchone() == (synchronous,)
            await fill(journal, 1)
            await tidy(journal)
        assert journal._file.writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("bound", ["retention", "max_age", "max_tags", "max_rooms", "max_inboxes"])
async def test_a_bound_is_positive(path: Path, bound: str) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        async with open_sqlite_journal(path, **{bound: 0}):  # type: ignore[arg-type]
            pass
    assert not path.exists()


# --- what can't be used ---------------------------------------------------------------------------


async def refused(path: Path) -> str:
    """The sentence with which it is refused."""
    with pytest.raises(JournalUnusable) as caught:
        async with open_sqlite_journal(path):
            pass
    sentence = str(caught.value)
    assert len(sentence.splitlines()) == 1
    return sentence


async def test_a_second_one_on_the_same_file(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
        sentence = await refused(path)
        assert "in use by another server" in sentence
        link = path.with_name("link.db")
        link.symlink_to(path)
        assert "in use" in await refused(link)
        await fill(journal, 1)
        with sqlite3.connect(path) as reader:
            assert reader.execute("SELECT count(*) FROM entry").fetchone() == (2,), (
                "who reads is not kept out"
            )
        reader.close()
    async with open_sqlite_journal(path) as journal:
        assert (await journal.heads())["#dev"].last == 2


@pytest.mark.parametrize("content", [b"hello\n", b"x" * 10_000, b"SQLite format 4\0" + bytes(4096)])
async def test_what_is_no_database(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is no database" in await refused(path)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path], "nothing is left beside it"


async def test_a_database_of_another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert "of another program" in await refused(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


async def test_a_file_of_a_newer_version(path: Path) -> None:
    async with open_sqlite_journal(path):
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    assert "newer triochat" in await refused(path)
    assert path.read_bytes() == before


async def test_a_damaged_file(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 100)
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * (len(data) - 4096))
    before = path.read_bytes()
    assert "is damaged" in await refused(path)
    assert path.read_bytes() == before


async def test_a_file_that_is_cut_off(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 100)
    with path.open("r+b") as file:
        file.truncate(6000)
    assert "is damaged" in await refused(path)


async def test_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    assert "is a folder" in await refused(path)


async def test_a_folder_that_can_not_be_made(path: Path) -> None:
    path.write_text("a file")
    assert "can't be made" in await refused(path / "chat.db")


async def test_links_in_a_circle(path: Path) -> None:
    path.symlink_to(path)
    assert "leads nowhere" in await refused(path) or "can't" in await refused(path)


async def test_a_folder_that_may_not_be_written(open_folder: Path, nobody: None) -> None:
    open_folder.chmod(0o555)
    assert "can't write in the folder" in await refused(open_folder / "chat.db")
    assert list(open_folder.iterdir()) == []


async def test_a_folder_that_may_not_be_entered(open_folder: Path, nobody: None) -> None:
    open_folder.chmod(0o600)
    assert "can't" in await refused(open_folder / "chat.db")
    assert "can't" in await refused(open_folder / "new" / "chat.db")
    open_folder.chmod(0o755)
    assert list(open_folder.iterdir()) == []


async def test_a_file_that_may_not_be_written(open_folder: Path, nobody: None) -> None:
    path = open_folder / "chat.db"
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    path.chmod(0o444)
    before = path.read_bytes()
    assert "can't be opened for writing" in await refused(path)
    assert path.read_bytes() == before


async def test_a_file_that_was_cut_off_while_it_was_made(path: Path) -> None:
    """It is empty, and is made now."""
    path.touch()
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)


# --- older files ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
async def test_a_file_of_an_older_version_becomes_one_of_this(path: Path, version: int) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for migration in MIGRATIONS[:version]:
        migration(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute(
        "INSERT INTO log (number, name, floor, first, last, used) VALUES (1, '#dev', 1, 1, 2, 1)"
    )
    for number in (1, 2):
        key = 1 << ID_BITS | number
        connection.execute("INSERT INTO entry VALUES (?, 0, NULL, 'al', 'hello', 1000)", (key,))
    if version < 3:
        digest = blake2b(b"session", digest_size=16).digest()
        connection.execute("INSERT INTO tag VALUES (1, ?, 1, '7', 2, x'00')", (digest,))
    connection.close()
    async with open_sqlite_journal(path) as journal:
        assert await texts(journal) == ["hello", "hello"]
        assert [entry.id for entry in await journal.search("#dev", ["hello"], 9)] == [2, 1]
        if version < 3:
            assert await journal.append([draft("hello", key=("session", "7"))]) == [Repeated(2)]
        assert await journal.append([draft("3")]) == [Kept(3)]
    async with open_sqlite_journal(path) as journal:
        assert await texts(journal) == ["hello", "hello", "3"]


# --- killed -----------------------------------------------------------------------------------------

APPENDING = """
import sys, trio
from tests.journal.drafts import run
from triochat.journal import open_sqlite_journal
async def main():
    async with open_sqlite_journal(sys.argv[1]) as journal:
        last = (await journal.heads()).get("#dev")
        number = 0 if last is None else last.last
        while True:
            texts = [str(number + i) for i in range(1, 8)]
            await journal.append([run(*texts[:3], tags=texts[:3]), run(*texts[3:], tags=texts[3:])])
            number += 7
            print(number, flush=True)
trio.run(main)
"""


async def test_what_was_acknowledged_outlives_a_kill_and_no_batch_is_torn(path: Path) -> None:
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": f"{Path(triochat.__file__).parents[1]}:{root}"}
    acknowledged = 0
    for _ in range(3):
        command = [sys.executable, "-c", APPENDING, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
            assert process.stdout is not None
            for _ in range(20):
                acknowledged = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split()
        acknowledged = int(rest[-1]) if rest else acknowledged
        async with open_sqlite_journal(path) as journal:
            last = (await journal.heads())["#dev"].last
            assert last >= acknowledged
            assert last % 7 == 0
            assert await texts(journal) == [str(number) for number in range(1, last + 1)]
            again = [str(number) for number in range(1, last + 1)]
            assert await journal.append([run(*again, tags=again)]) == [
                Each([Repeated(number) for number in range(1, last + 1)])
            ]


async def test_a_cancelled_append_is_kept_whole_or_not_at_all(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        expected: list[str] = []
        for number in range(50):
            words = [f"{number}-{i}" for i in range(5)]
            outcome = None
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:

                    async def stop(scope: trio.CancelScope = scope, number: int = number) -> None:
                        for _ in range(number % 5):
                            await trio.lowlevel.checkpoint()
                        scope.cancel()

                    nursery.start_soon(stop)
                    outcome = await journal.append([run(*words, tags=words)])
            kept = (await journal.heads()).get("#dev", Head(0, None)).last
            if outcome is not None:
                assert kept == len(expected) + 5
            if kept > len(expected):
                expected += words
            assert await texts(journal) == expected
    async with open_sqlite_journal(path) as journal:
        assert await texts(journal) == expected


# --- a disk that is full ----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["entries", "tags"])
async def test_a_full_disk_keeps_nothing_of_a_batch_and_is_survived(path: Path, what: str) -> None:
    async with open_sqlite_journal(path) as journal:
        await journal.append([draft("1", key=("session", "1"))])
        before = await journal.heads()
        writer = journal._file.writer
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages + 1}")
        many = [str(number) for number in range(2, 2000)]
        large = [draft("2", key=("session", "2")), draft("hi", log="#new"), draft("hi", log="@new")]
        large += [draft("x" * 5000 if what == "entries" else "x", key=("session", tag)) for tag in many[1:]]
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="full"):
                await journal.append(large)
            assert await journal.heads() == before
            assert await texts(journal) == ["1"]
            assert await journal.append([draft("1", key=("session", "1"))]) == [Repeated(1)]
        writer.execute("PRAGMA max_page_count = 1000000")
        recall = draft("2", key=("session", "2"), recall=True)
        assert await journal.append([recall]) == [Unknown()]
        outcomes = await journal.append(large)
        assert outcomes[:4] == [Kept(2), Kept(1), Kept(1), Kept(3)]
    async with open_sqlite_journal(path) as journal:
        assert len(await texts(journal)) == len(many) + 1


async def test_what_fails_in_the_middle_of_a_batch_leaves_nothing_of_it_and_is_survived(path: Path) -> None:
    """Other than with a full disk, SQLite has not ended the transaction itself."""
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
        writer = journal._file.writer
        writer.execute("ALTER TABLE tag_run RENAME TO hidden")
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="no such table: tag_run"):
                await journal.append([draft("lost", key=KEY)])
            assert not writer.in_transaction
            assert count(journal, "entry") == 1
        writer.execute("ALTER TABLE hidden RENAME TO tag_run")
        assert await journal.append([draft("2", key=KEY)]) == [Kept(2)]
    async with open_sqlite_journal(path) as journal:
        assert await texts(journal) == ["1", "2"]


async def test_tidying_on_a_full_disk_is_tried_again(path: Path) -> None:
    async with open_sqlite_journal(path, retention=1) as journal:
        await fill(journal, 3)
        writer = journal._file.writer
        writer.execute("PRAGMA query_only = ON")
        with pytest.raises(JournalUnavailable):
            await tidy(journal)
        assert await texts(journal) == ["3"]
        writer.execute("PRAGMA query_only = OFF")
        await tidy(journal)
        assert count(journal, "entry") == 1


async def test_reading_while_it_can_not_be_read(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
        journal._file.writer.execute("ALTER TABLE entry RENAME TO hidden")
        for read in (journal.read_after("#dev", 0, 1), journal.read_before("#dev", None, 1)):
            with pytest.raises(JournalUnavailable):
                await read
        journal._file.writer.execute("ALTER TABLE hidden RENAME TO entry")
        assert await texts(journal) == ["1"]


# --- retention --------------------------------------------------------------------------------------


async def test_what_retention_lets_go_is_deleted_in_steps(path: Path) -> None:
    async with open_sqlite_journal(path, durability="normal", retention=10) as journal:
        for log in ("#dev", "#ops"):
            await journal.append([run(*map(str, range(1000)), log=log), draft("last", log=log)])
        await journal.search("#dev", ["5"], 1)
        before = await journal.read_after("#dev", 0, 100)
        assert (before.first, len(before.entries)) == (992, 10)
        assert count(journal, "entry") == 2002
        steps = 0
        while count(journal, "entry") > 20:
            left = count(journal, "entry")
            await journal.tidy(0)
            assert count(journal, "entry") < left
            assert await journal.read_after("#dev", 0, 100) == before
            steps += 1
        assert steps >= 5
        await tidy(journal)
        assert [entry.id for entry in await journal.search("#dev", ["999"], 9)] == [1000]
        assert await journal.search("#dev", ["5"], 9) == []
        assert not await journal.tidy(0)


async def test_what_is_too_old_is_let_go(path: Path) -> None:
    async with open_sqlite_journal(path, durability="normal", max_age=1) as journal:
        for ms in (1000, 1500, 2500):
            await journal.append([draft(str(ms), ms=ms), draft(str(ms), log="#ops", ms=ms + 10_000)])
        assert await tidy(journal, 1999) == 1, "the index of words, and nothing else"
        assert (await journal.read_after("#dev", 0, 9)).first == 1
        await tidy(journal, 2501)
        assert await texts(journal) == ["2500"]
        assert (await journal.read_after("#dev", 0, 9)).first == 3
        assert (await journal.read_after("#ops", 0, 9)).first == 1
        await tidy(journal, 9000)
        assert await journal.read_after("#dev", 0, 9) == Page((), 4, 3)
        assert await journal.append([draft("4", ms=8500)]) == [Kept(4)]
        await tidy(journal, 9000)
        assert await texts(journal) == ["4"]
    async with open_sqlite_journal(path, max_age=1) as journal:
        assert (await journal.read_after("#dev", 0, 9)).first == 4
        await tidy(journal, 10_000)
        assert await journal.read_after("#dev", 3, 9) == Page((), 5, 4)
        assert await journal.read_before("#dev", None, 9) == Page((), 5, 4)
        await tidy(journal, 20_000)
        assert count(journal, "entry") == 0
        assert journal._file.reader.execute("SELECT 1 FROM word WHERE word MATCH '1500'").fetchall() == []
        assert await journal.append([draft("5", ms=20_000)]) == [Kept(5)]


async def test_age_of_many_logs(path: Path) -> None:
    async with open_sqlite_journal(path, durability="normal", max_age=1) as journal:
        await journal.append([draft("x", log=f"#r{number}", ms=1000) for number in range(200)])
        await journal.append([draft("y", log=f"#r{number}", ms=5000) for number in range(0, 200, 2)])
    async with open_sqlite_journal(path, durability="normal", max_age=1) as journal:
        await tidy(journal, 3000)
        assert count(journal, "entry") == 100
        assert await texts(journal, "#r0") == ["y"]
        assert await texts(journal, "#r1") == []


async def test_inboxes_that_were_let_go_are_deleted_and_their_place_is_used_again(path: Path) -> None:
    async with open_sqlite_journal(path, durability="normal", max_inboxes=1) as journal:
        await journal.append([draft(str(n), log="@a", kind="topic") for n in range(500)])
        await journal.search("@a", ["7"], 1)
        await journal.append([draft("hello", log="@b"), draft("hello", log="@c"), draft("hi", log="@b")])
        assert await journal.heads() == {"@b": Head(503, None)}
        assert await texts(journal, "@b") == ["hi"]
        await tidy(journal)
        assert (count(journal, "entry"), count(journal, "log"), count(journal, "topic")) == (1, 1, 0)
        await journal.append([draft("hey", log="@a")])
        assert [log.number for log in journal._ledger] == [3]
        assert await journal.search("@a", ["7"], 1) == []
    async with open_sqlite_journal(path, durability="normal", max_inboxes=1) as journal:
        assert await texts(journal, "@a") == ["hey"]
        await tidy(journal)
        assert count(journal, "log") == 1


async def test_tags_for_which_there_was_no_time_are_indexed_before_there_are_too_many(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triochat.journal.sqlite.MAX_UNINDEXED", 10)
    monkeypatch.setattr("triochat.journal.tag_runs.RUNS_IN_STEP", 4)
    tags = [str(number) for number in range(1, 101)]
    async with open_sqlite_journal(path, durability="normal") as journal:
        for tag in tags:
            await journal.append([draft(tag, key=("session", tag))])
            assert len(journal._ledger.unindexed) <= 11
        assert 89 <= count(journal, "tag_run_of_session") < 100
    async with open_sqlite_journal(path, durability="normal") as journal:
        outcomes = await journal.append([draft(tag, key=("session", tag)) for tag in tags])
        assert outcomes == [Repeated(number) for number in range(1, 101)]


async def test_the_oldest_tags_are_forgotten_in_steps(path: Path) -> None:
    async with open_sqlite_journal(path, durability="normal", max_tags=100) as journal:
        tags = [str(number) for number in range(1, 5001)]
        await journal.append([run(*tags, tags=tags)])
        recall = [draft(tag, key=("session", tag), recall=True) for tag in tags]
        assert Unknown() not in await journal.append(recall)
        assert await tidy(journal) > 5
        assert count(journal, "tag_run") <= 3
        outcomes = await journal.append(recall)
        gone = outcomes.count(Unknown())
        assert 4900 - MAX_RUN <= gone <= 4900
        assert outcomes == [Unknown()] * gone + [Repeated(number) for number in range(gone + 1, 5001)]
    async with open_sqlite_journal(path, durability="normal", max_tags=100) as journal:
        assert await journal.append(recall) == outcomes
        assert await journal.append([run("a", "b", tags=("5001", "1"))]) == [Kept(5001)]


async def test_further_rooms_are_refused(path: Path) -> None:
    async with open_sqlite_journal(path, max_rooms=2) as journal:
        outcomes = await journal.append([draft(log=log) for log in ("#a", "#b", "#c", "#a")])
        assert outcomes == [Kept(1), Kept(1), NoRoom(), Kept(2)]
        assert await journal.append([draft(log="#c", key=KEY), draft(log="@c", key=KEY)]) == [
            NoRoom(),
            Kept(1),
        ]
    async with open_sqlite_journal(path, max_rooms=2) as journal:
        assert await journal.append([draft(log="#c")]) == [NoRoom()]


# --- search -----------------------------------------------------------------------------------------


def ids(entries: Sequence[object]) -> list[int]:
    return [entry.id for entry in entries]  # type: ignore[attr-defined]


async def test_search(journal: SqliteJournal) -> None:
    said = [
        "Hello world",
        "hello",
        "WORLD hello, hello!",
        "",
        "caf\N{LATIN SMALL LETTER E WITH ACUTE} \u4f60",
    ]
    await journal.append([draft(text, log=log) for text in said for log in ("#dev", "#ops")])
    await journal.append([draft("hello topic", kind="topic"), draft("hello", log="@bob")])
    for _ in range(2):
        assert ids(await journal.search("#dev", ["hello"], 9)) == [6, 3, 2, 1]
        assert ids(await journal.search("#dev", ["hello", "world"], 9)) == [3, 1]
        assert ids(await journal.search("#dev", ["world"], 1)) == [3]
        assert ids(await journal.search("#dev", ["hell"], 9)) == []
        assert ids(await journal.search("#dev", ["cafe", "\u4f60"], 9)) == [5]
        assert ids(await journal.search("#ops", ["hello"], 9)) == [3, 2, 1]
        assert ids(await journal.search("@bob", ["hello"], 9)) == [1]
        assert await journal.search("#none", ["hello"], 9) == []
        assert await journal.search("#dev", [], 9) == []
        await tidy(journal)
    await journal.append([draft("hello again")])
    (newest,) = await journal.search("#dev", ["again"], 9)
    assert newest == draft("hello again").entry(7)
    assert ids(await journal.search("#dev", ["and", "or", "not", "near"], 9)) == []


async def test_a_search_finds_only_what_can_be_read(path: Path) -> None:
    async with open_sqlite_journal(path, durability="normal", retention=3) as journal:
        for _ in range(3):
            await journal.append([draft("hello") for _ in range(300)])
            last = (await journal.heads())["#dev"].last
            assert ids(await journal.search("#dev", ["hello"], 9)) == [last, last - 1, last - 2]
        await tidy(journal)
        assert ids(await journal.search("#dev", ["hello"], 9)) == [last, last - 1, last - 2]
        assert journal._file.writer.execute(
            "SELECT count(*) FROM word WHERE word MATCH 'hello'"
        ).fetchone() == (3,)


async def test_a_word_of_what_is_gone_is_passed_over(journal: SqliteJournal) -> None:
    """One may stay in the index when another Python takes a text apart in another way to delete its words."""
    await journal.append([run("one word", "a word", "the word")])
    assert [found.id for found in await journal.search("#dev", ["word"], 9)] == [3, 2, 1]
    journal._file.writer.execute("DELETE FROM entry WHERE text = 'a word'")
    assert [found.id for found in await journal.search("#dev", ["word"], 9)] == [3, 1]


async def test_a_page_does_not_wait_for_a_search(journal: SqliteJournal) -> None:
    await fill(journal, 3)
    at_work, may_go_on = threading.Event(), threading.Event()

    def wait() -> None:
        at_work.set()
        may_go_on.wait()

    journal._file.searcher.set_progress_handler(wait, 1)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(journal.search, "#dev", ["1"], 9)
            await trio.to_thread.run_sync(at_work.wait)
            with trio.fail_after(10):
                assert await texts(journal) == ["1", "2", "3"]
                await journal.append([draft("4")])
            may_go_on.set()
    finally:
        may_go_on.set()


# --- how it looks for things --------------------------------------------------------------------------


async def test_every_look_is_by_an_index(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what grows with what was said nothing is read through."""
    monkeypatch.setattr("triochat.journal.sqlite.UNINDEXED_AT_EASE", 0)
    seen: set[str] = set()
    connections = (journal._file.reader, journal._file.searcher, journal._file.writer)
    for connection in connections:
        connection.set_trace_callback(seen.add)
    await journal.append([run("a", "b", tags=("1", "2")), draft("hi", log="@bob"), draft("t", kind="topic")])
    await journal.append(
        [run("a", "b", "c", tags=("1", "2", "3")), draft("b", key=("session", "2"), recall=True)]
    )
    await journal.read_after("#dev", 0, 10)
    await journal.read_before("#dev", 3, 2)
    await journal.search("#dev", ["a"], 10)
    await tidy(journal)
    await journal.append([draft("a", key=("session", "1")), run("c", "b", tags=("9", "0"))])
    monkeypatch.setattr(journal._ledger, "retention", 1)
    monkeypatch.setattr(journal, "_max_tags", 1)
    monkeypatch.setattr(journal, "_max_age_ms", 1)
    await journal.append([draft("x")])
    await tidy(journal, 5000)
    for connection in connections:
        connection.set_trace_callback(None)
    looked = 0
    for statement in seen:
        if not statement.startswith(("SELECT", "UPDATE log", "DELETE", "INSERT")) or "word" in statement:
            continue
        for *_, step in journal._file.reader.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall():
            assert not step.startswith("SCAN") or "CONSTANT ROW" in step, (statement, step)
            looked += 1
    assert looked >= 8


async def test_opening_does_not_look_at_entries(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await journal.append([draft("x", log=log, key=("s", log)) for log in ("#a", "#b", "@c")])
    file = JournalFile(path, "full")
    try:
        seen: list[str] = []
        file.reader.set_trace_callback(seen.append)
        Ledger.read(file.reader, 5)
        file.reader.set_trace_callback(None)
    finally:
        file.close()
    assert seen
    assert not any("entry" in statement for statement in seen)


async def test_a_log_whose_ids_are_at_an_end_is_a_fault_and_no_entry_of_the_next(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1, log="#dev")
        await fill(journal, 1, log="#next")
        [dev] = [log for log in journal._ledger if log.name == "#dev"]
        dev.last = (1 << ID_BITS) - 2
        with pytest.raises(OverflowError, match=r"^the log '#dev' has no more ids"):
            await journal.append([draft("one", log="#next"), run("one", "two", log="#dev")])
        assert await journal.append([draft("last", log="#dev")]) == [Kept((1 << ID_BITS) - 1)]
        with pytest.raises(OverflowError, match="no more ids"):
            await journal.append([draft("one more", log="#dev")])
        assert [found.text for found in (await journal.read_after("#next", 0, 9)).entries] == ["1"]
        assert await journal.append([draft("two", log="#next")]) == [Kept(2)]
