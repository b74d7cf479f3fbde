"""What is deleted or put into an index later, in steps, and what shows of that: nothing."""

from pathlib import Path

import pytest

from tests.journal.drafts import KEY, draft, run
from tests.journal.looks import count, texts, tidy
from triochat.journal import (
    Head,
    Kept,
    NoRoom,
    Page,
    Repeated,
    Unknown,
    open_sqlite_journal,
)
from triochat.journal.tag_runs import MAX_RUN

DAY = 86_400_000


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
