"""Every journal there is, for the one suite that all of them pass; and a folder with rights to be taken."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from triochat.journal import Draft, Journal, MemoryJournal, Outcome, open_sqlite_journal

RETENTION = 5
"""Entries that each journal here keeps of each log."""


@asynccontextmanager
async def open_memory_journal(folder: Path) -> AsyncIterator[Journal]:
    yield MemoryJournal(retention=RETENTION)


@asynccontextmanager
async def open_file_journal(folder: Path) -> AsyncIterator[Journal]:
    async with open_sqlite_journal(folder / "chat.db", durability="normal", retention=RETENTION) as journal:
        yield journal


@asynccontextmanager
async def open_tidied_file_journal(folder: Path) -> AsyncIterator[Journal]:
    """One that tidies up whenever it can: that must make no difference."""
    async with open_sqlite_journal(folder / "chat.db", durability="normal", retention=RETENTION) as journal:
        append = journal.append

        async def append_and_tidy(drafts: list[Draft]) -> list[Outcome]:
            outcomes = await append(drafts)
            while await journal.tidy(2000):
                pass
            return outcomes

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("triochat.journal.sqlite.UNINDEXED_AT_EASE", 0)
            patch.setattr(journal, "append", append_and_tidy)
            yield journal


JOURNALS: dict[str, Callable[[Path], AbstractAsyncContextManager[Journal]]] = {
    "memory": open_memory_journal,
    "sqlite": open_file_journal,
    "sqlite, tidied": open_tidied_file_journal,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a file that is not there yet."""
    return tmp_path / "chat.db"


@pytest.fixture(params=JOURNALS)
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    async with JOURNALS[request.param](tmp_path) as journal:
        yield journal


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that others may enter; and to be one of them, if need be, since root may write anything."""
    # Whatever is the place for temporary files: others may have to get there.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "within").mkdir()
        yield folder / "within"
        (folder / "within").chmod(0o755)


@pytest.fixture
def nobody(open_folder: Path) -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.chown(open_folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
