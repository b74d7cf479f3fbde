"""Which files are opened, how, and what is said of those that are not."""

# ruff: noqa: ASYNC240 -- nothing else runs here that a look at a file could delay

import os
import sqlite3
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.journal.drafts import draft, fill
from tests.journal.looks import texts, tidy
from triochat.journal import (
    JournalUnusable,
    Kept,
    Repeated,
    open_sqlite_journal,
)
from triochat.journal.schema import APPLICATION_ID, ID_BITS, MIGRATIONS


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


async def test_what_is_no_ordinary_file(path: Path) -> None:
    """A pipe with a name, whose reader would wait for ever; a device is the same."""
    os.mkfifo(path)
    link = path.with_name("link.db")
    link.symlink_to(path)
    for name in (path, link):
        assert await refused(name) == (
            f"{path} is no ordinary file; nothing was written to it; choose another file with --data"
        )
    assert sorted(path.parent.iterdir()) == [path, link]


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
