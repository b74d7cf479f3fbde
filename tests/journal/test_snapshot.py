"""A journal's file as it was at one moment, read while somebody else writes in it."""

# ruff: noqa: ASYNC240 -- nothing else runs here that a look at a file could delay

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journal.drafts import draft, fill, run
from tests.journal.older import make_first_version
from triochat.journal import Entry, JournalUnusable, SqliteJournal, open_sqlite_journal
from triochat.journal.schema import MIGRATIONS
from triochat.journal.snapshot import Gap, Item, open_snapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat #1?.db"  # what means something in an address


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with open_sqlite_journal(path, durability="normal") as journal:
        yield journal


def items(path: Path, *names: str, inboxes: bool = False, since: int | None = None) -> list[Item]:
    with open_snapshot(path) as snapshot:
        return list(snapshot.items(names or None, inboxes=inboxes, since=since))


def short(items: list[Item]) -> list[str]:
    """``#dev 1``, ``#dev ..3``."""
    return [f"{one.log} {one.id if isinstance(one, Entry) else f'..{one.last}'}" for one in items]


async def tidy(journal: SqliteJournal, ms: int) -> None:
    while await journal.tidy(ms):
        pass


# --- what is told ---------------------------------------------------------------------------------


async def test_every_entry_of_every_room(journal: SqliteJournal, path: Path) -> None:
    said = [draft("1", log="#ops"), draft("2", nick="bob", ms=2000), draft("3", kind="topic", ms=3000)]
    await journal.append(said)
    assert items(path) == [said[1].entry(1), said[2].entry(2), said[0].entry(1)]


async def test_the_rooms_that_are_named(journal: SqliteJournal, path: Path) -> None:
    await journal.append([draft(log=log) for log in ("#a", "#b", "#c", "@d")])
    assert short(items(path, "#c", "#a", "#c")) == ["#c 1", "#a 1"]
    assert short(items(path, "@d")) == ["@d 1"]
    with pytest.raises(KeyError):
        items(path, "#d")


async def test_inboxes_only_if_asked_for_but_no_id_comes_again(path: Path) -> None:
    async with open_sqlite_journal(path, max_inboxes=2) as journal:
        await fill(journal, 1)
        await fill(journal, 3, log="@gone")
        await journal.append([draft(log="@a"), draft("hi", log="@b", target="@B"), draft("again", log="@a")])
        assert short(items(path)) == ["#dev 1", "@ ..4"]
        everything = ["#dev 1", "@b ..3", "@b 4", "@a 1", "@a 2", "@ ..3"]
        assert short(items(path, inboxes=True)) == everything
        assert items(path, "@b")[-1] == draft("hi", log="@b", target="@B").entry(4)


async def test_what_retention_has_let_go_is_a_gap(path: Path) -> None:
    async with open_sqlite_journal(path, retention=2) as journal:
        await journal.append([draft("topic", kind="topic")])
        await fill(journal, 5)
        await tidy(journal, 1000)
        assert short(items(path)) == ["#dev ..4", "#dev 1", "#dev 5", "#dev 6"], "the topic stays"


async def test_a_room_of_which_nothing_is_left(path: Path) -> None:
    async with open_sqlite_journal(path, max_age=1) as journal:
        await fill(journal, 3)
        await tidy(journal, 10_000)
        assert items(path) == [Gap("#dev", 3)]
        await journal.append([draft("later", ms=10_000)])
        assert short(items(path)) == ["#dev ..3", "#dev 4"]


async def test_since_a_time(journal: SqliteJournal, path: Path) -> None:
    times = [1000, 3000, 2000, 4000]  # a clock was set back
    await journal.append([draft(str(ms), ms=ms) for ms in times])
    await journal.append([draft("topic", log="#ops", kind="topic", ms=1000), draft(log="#ops", ms=2000)])
    assert short(items(path, since=1000)) == ["#dev 1", "#dev 2", "#dev 3", "#dev 4", "#ops 1", "#ops 2"]
    assert short(items(path, since=2500)) == ["#dev ..1", "#dev 2", "#dev 3", "#dev 4", "#ops ..2", "#ops 1"]
    assert short(items(path, since=4001)) == ["#dev ..4", "#ops ..2", "#ops 1"]


# --- one moment -------------------------------------------------------------------------------------


async def test_it_is_of_one_moment(path: Path) -> None:
    async with open_sqlite_journal(path, retention=3) as journal:
        await fill(journal, 3)
        with open_snapshot(path) as snapshot:
            before = list(snapshot.items())
            reading = snapshot.items()
            assert next(reading) == before[0]
            await journal.append([run(*"45678"), draft(log="#new"), draft(log="@bob")])
            await tidy(journal, 1000)
            assert [before[0], *reading] == before
            assert list(snapshot.items()) == before
        assert short(items(path)) == ["#dev ..5", "#dev 6", "#dev 7", "#dev 8", "#new 1", "@ ..1"]


async def test_the_server_may_come_and_go(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    with open_snapshot(path) as snapshot:
        async with open_sqlite_journal(path) as journal:
            await fill(journal, 2)
        assert short(list(snapshot.items())) == ["#dev 1"]
    assert short(items(path)) == ["#dev 1", "#dev 2", "#dev 3"]


async def test_nothing_can_be_written_by_it(journal: SqliteJournal, path: Path) -> None:
    await fill(journal, 1)
    with open_snapshot(path) as snapshot, pytest.raises(sqlite3.OperationalError, match="readonly"):
        snapshot.connection.execute("DELETE FROM entry")


async def test_it_reads_as_it_is_asked(journal: SqliteJournal, path: Path) -> None:
    await journal.append([run(*map(str, range(5000)))])
    with open_snapshot(path) as snapshot:
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1

        snapshot.connection.set_progress_handler(step, 100)
        reading = snapshot.items()
        next(reading)
        begun = steps
        assert sum(1 for _ in reading) == 4999
        assert steps > begun + 100


# --- files that can't be read --------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(JournalUnusable) as caught, open_snapshot(path):
        pass
    return str(caught.value)


def test_where_there_is_no_file_none_is_made(path: Path) -> None:
    assert refused(path) == f"there is no file {path}; name the one of your server with --data"
    assert list(path.parent.iterdir()) == []


def test_what_is_no_journal(path: Path) -> None:
    assert "is a folder" in refused(path.parent)
    path.touch()
    assert "there is no journal in" in refused(path)
    path.write_text("Dear Bob,\n" * 200)
    assert "is no database" in refused(path)
    loop = path.with_name("loop")
    loop.symlink_to(loop)
    assert "leads nowhere" in refused(loop) or "can't be opened for reading" in refused(loop)


def test_what_is_no_ordinary_file(path: Path) -> None:
    os.mkfifo(path)
    assert refused(path) == f"{path} is no ordinary file; name the file of your server with --data"
    assert list(path.parent.iterdir()) == [path]


def test_a_database_of_another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE log (number)")
    connection.close()
    assert "of another program" in refused(path)


async def test_a_newer_file(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    assert "newer triochat" in refused(path)


def test_a_file_of_the_first_version_as_it_is(path: Path) -> None:
    make_first_version(path)
    before = path.read_bytes()
    assert items(path) == [draft().entry(1)]
    assert path.read_bytes() == before


async def test_a_damaged_file(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await journal.append([run(*("x" * 500 for _ in range(200)))])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = b"\xff" * 20_000
    path.write_bytes(data)
    with pytest.raises(JournalUnusable, match="is damaged"):
        items(path)


async def test_a_file_that_may_not_be_read(open_folder: Path, nobody: None) -> None:
    path = open_folder / "chat.db"
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    path.chmod(0)
    assert "can't be opened for reading (Permission denied)" in refused(path)
    path.chmod(0o600)
    open_folder.chmod(0o600)
    assert "can't be opened for reading" in refused(path)


async def test_a_folder_that_may_not_be_written(open_folder: Path, nobody: None) -> None:
    path = open_folder / "chat.db"
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    (open_folder / "chat.db.lock").unlink()
    open_folder.chmod(0o555)
    assert "who may not write beside it" in refused(path)
    assert [file.name for file in open_folder.iterdir()] == ["chat.db"]
