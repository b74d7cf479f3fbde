"""A copy of a journal, of one moment, while somebody writes in it."""

# ruff: noqa: ASYNC240 -- nothing else runs here that a look at a file could delay

import errno
import os
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journal.drafts import KEY, draft, fill, run
from triochat.journal import JournalUnusable, Repeated, SqliteJournal, open_sqlite_journal
from triochat.journal.backup import NoBackup, back_up
from triochat.journal.snapshot import open_snapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "server").mkdir()
    return tmp_path / "server" / "chat.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with open_sqlite_journal(path, durability="normal") as journal:
        yield journal


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies" / "copy.db"


async def test_all_that_was_kept_is_in_the_copy(journal: SqliteJournal, path: Path, target: Path) -> None:
    await journal.append([draft("hello", key=KEY), draft("topic", kind="topic"), draft(log="@bob")])
    await journal.tidy(1000)
    back_up(path, target)
    await fill(journal, 1)
    assert [file.name for file in target.parent.iterdir()] == ["copy.db"]
    assert target.stat().st_mode & 0o777 == 0o600
    async with open_sqlite_journal(target) as copy:
        assert (await copy.read_after("#dev", 0, 9)).entries == (
            draft("hello").entry(1),
            draft("topic", kind="topic").entry(2),
        )
        assert await copy.append([draft("hello", key=KEY)]) == [Repeated(1)], "what a client sends again, too"
        assert (await copy.heads())["#dev"].topic == draft("topic", kind="topic").entry(2)
        assert [found.id for found in await copy.search("#dev", ["hello"], 9)] == [1]


async def test_what_is_written_meanwhile_does_not_make_it_begin_anew(
    journal: SqliteJournal, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append([run(*("x" * 1000 for _ in range(2000)))])
    steps = []
    writer = journal._file.writer

    def write_something(status: int, remaining: int, total: int) -> None:
        steps.append(remaining)
        writer.execute("UPDATE log SET used = used + 1")

    monkeypatch.setattr("triochat.journal.backup.PAGES_AT_ONCE", 10)
    monkeypatch.setattr("triochat.journal.backup._look_for_signals", write_something)
    back_up(path, target)
    assert len(steps) > 20
    assert steps == sorted(steps, reverse=True)
    with open_snapshot(target) as snapshot, sqlite3.connect(path) as connection:
        assert sum(1 for _ in snapshot.items()) == 2000
        assert snapshot.connection.execute("SELECT used FROM log").fetchone() == (1,)
        assert snapshot.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT used FROM log").fetchone() == (1 + len(steps),)
    connection.close()


async def test_it_can_be_read_where_nothing_may_be_written(open_folder: Path, nobody: None) -> None:
    async with open_sqlite_journal(open_folder / "chat.db") as journal:
        await fill(journal, 1)
        (open_folder / "archive").mkdir()
        back_up(open_folder / "chat.db", open_folder / "archive" / "chat.db")
    (open_folder / "archive").chmod(0o555)
    try:
        with open_snapshot(open_folder / "archive" / "chat.db") as snapshot:
            assert list(snapshot.logs) == ["#dev"]
    finally:
        (open_folder / "archive").chmod(0o755)


# --- what goes wrong ---------------------------------------------------------------------------------


async def test_nothing_is_overwritten(journal: SqliteJournal, path: Path, target: Path) -> None:
    target.write_text("Dear Bob,\n")
    with pytest.raises(NoBackup, match="there is something at"):
        back_up(path, target)
    assert target.read_text() == "Dear Bob,\n"
    target.unlink()
    target.symlink_to("nowhere")
    with pytest.raises(NoBackup, match="already"):
        back_up(path, target)
    with pytest.raises(NoBackup, match="already"):
        back_up(path, path)


@pytest.mark.parametrize("links", [True, False], ids=["a disk with hard links", "one without"])
async def test_nor_is_what_appears_while_it_is_made(
    journal: SqliteJournal, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr("os.link", no_links)
    monkeypatch.setattr(
        "triochat.journal.backup._look_for_signals", lambda *_: target.write_text("Dear Bob,\n")
    )
    with pytest.raises(NoBackup, match="there is something at"):
        back_up(path, target)
    assert target.read_text() == "Dear Bob,\n"
    assert list(target.parent.iterdir()) == [target]


def no_links(source: Path, target: Path) -> None:
    """As on a memory stick."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


async def test_a_disk_without_hard_links(
    journal: SqliteJournal, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(journal, 1)
    monkeypatch.setattr("os.link", no_links)
    back_up(path, target)
    assert list(target.parent.iterdir()) == [target]
    with open_snapshot(target) as snapshot:
        assert list(snapshot.logs) == ["#dev"]


async def test_a_folder_that_is_not_there(journal: SqliteJournal, path: Path, target: Path) -> None:
    missing = target.parent / "missing"
    with pytest.raises(NoBackup, match=rf"No such file or directory\); make the folder {missing} first, or"):
        back_up(path, missing / "copy.db")
    (target.parent / "file").touch()
    with pytest.raises(NoBackup, match="Not a directory"):
        back_up(path, target.parent / "file" / "copy.db")
    assert [entry.name for entry in target.parent.iterdir()] == ["file"]


async def test_a_folder_in_which_nothing_may_be_written(open_folder: Path, nobody: None) -> None:
    async with open_sqlite_journal(open_folder / "chat.db"):
        (open_folder / "copies").mkdir()
        (open_folder / "copies").chmod(0o555)
        with pytest.raises(NoBackup, match=r"Permission denied\); name a place where this user may write"):
            back_up(open_folder / "chat.db", open_folder / "copies" / "copy.db")
        assert list((open_folder / "copies").iterdir()) == []


async def test_a_name_that_is_too_long(journal: SqliteJournal, path: Path, target: Path) -> None:
    with pytest.raises(NoBackup, match=r"File name too long\); name another place"):
        back_up(path, target.with_name("x" * 300))
    assert list(target.parent.iterdir()) == []


async def test_a_name_that_does_not_get_to_the_disk(
    journal: SqliteJournal, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        if os.path.isdir(f"/dev/fd/{descriptor}") or target.exists():  # noqa: PTH112 -- that is no Path
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(NoBackup, match="Input/output error"):
        back_up(path, target)
    assert list(target.parent.iterdir()) == []


def test_no_journal_to_be_copied(path: Path, target: Path) -> None:
    with pytest.raises(JournalUnusable, match="there is no file"):
        back_up(path, target)
    assert list(target.parent.iterdir()) == []


async def test_a_full_disk(journal: SqliteJournal, path: Path, target: Path) -> None:
    await journal.append([run(*("x" * 1000 for _ in range(2000)))])
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1][1]))
    try:
        with pytest.raises(NoBackup, match="make room"):
            back_up(path, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        signal.signal(signal.SIGXFSZ, before[0])
    assert list(target.parent.iterdir()) == []


async def test_who_changes_his_mind_leaves_nothing_behind(
    journal: SqliteJournal, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.append([run(*("x" * 1000 for _ in range(200)))])

    def ctrl_c(status: int, remaining: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("triochat.journal.backup.PAGES_AT_ONCE", 10)
    monkeypatch.setattr("triochat.journal.backup._look_for_signals", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        back_up(path, target)
    assert list(target.parent.iterdir()) == []


async def test_the_last_moment_is_told(
    journal: SqliteJournal, path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c() -> None:
        assert not target.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(path, target, at_last=ctrl_c)
    assert list(target.parent.iterdir()) == []
