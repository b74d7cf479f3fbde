"""What the journal in a file does beyond the contract: it outlives its process, and its disk's faults."""

# ruff: noqa: ASYNC220, ASYNC240 -- nothing else runs here that a look at a file could delay

import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import trio

import triochat
from tests.journal.drafts import KEY, draft, fill, run
from tests.journal.looks import count, texts, tidy
from triochat.journal import (
    Each,
    Head,
    JournalUnavailable,
    Kept,
    Page,
    Repeated,
    SqliteJournal,
    TagTaken,
    Unknown,
    open_sqlite_journal,
)
from triochat.journal.file import JournalFile
from triochat.journal.ledger import Ledger
from triochat.journal.schema import ID_BITS

DAY = 86_400_000


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with open_sqlite_journal(path, durability="normal") as journal:
        yield journal


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


@pytest.mark.parametrize("bound", ["retention", "max_age", "max_tags", "max_rooms", "max_inboxes"])
async def test_a_bound_is_positive(path: Path, bound: str) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        async with open_sqlite_journal(path, **{bound: 0}):  # type: ignore[arg-type]
            pass
    assert not path.exists()


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
