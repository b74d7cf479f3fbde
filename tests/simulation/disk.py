"""A journal whose server can be killed at any moment, and whose disk is slow, fails, or is full.

What it kept is there for the next server; what it was about to keep is gone as a whole. It is one of two: the
journal in memory, which stands for any that keeps its word, or the real one in a file. Of that the next
server gets what the system has of the file at the moment of the kill, write-ahead log and all, and has to
make of it what it can.
"""

import copy
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, TypeVar
from unittest.mock import patch

import trio

from triochat.journal import (
    Draft,
    Entry,
    Head,
    Journal,
    JournalUnavailable,
    MemoryJournal,
    Outcome,
    Page,
    open_sqlite_journal,
)
from triochat.journal.sqlite import SqliteJournal

_T = TypeVar("_T")

MOST_PAGES: Final = 2**32 - 2
"""What SQLite allows a file that is not full."""
NARROW: Final = {
    "batch.MAX_RUN": 3,
    "sqlite.MAX_RUN": 3,
    "sqlite.MAX_UNINDEXED": 5,
    "sqlite.UNINDEXED_AT_EASE": 2,
    "sqlite.LOGS_IN_STEP": 2,
    "tag_runs.MAX_RUN": 3,
    "tag_runs.RUNS_IN_STEP": 2,
    "upkeep.STEP": 7,
}
"""Bounds of the journal in a file with which some hundred messages reach all that a million does."""


class Disk:
    """What outlives a server.

    Args:
        choose: of all chances here.
        retention: entries that are kept of each log.
        max_age: seconds for which they are kept; None: no limit.
        folder: for the journal in a file; None: it is the one in memory.

    Attributes:
        slow: seconds that it takes for an append at most.
        full: nothing can be kept for now.
        failing: nothing can be read for now.
        appends: how often a batch was kept.
        torn: how often a server was killed while one was on its way.
    """

    def __init__(
        self,
        choose: random.Random,
        retention: int,
        *,
        max_age: float | None = None,
        folder: Path | None = None,
    ) -> None:
        self.slow = 0.0
        self.full = False
        self.failing = False
        self.appends = 0
        self.torn = 0
        self._retention = retention
        self._max_age = max_age
        self._choose = choose
        self._memory = MemoryJournal(retention=retention, max_age=max_age)
        self._folder = folder
        self._copies = 0
        self._found: Path | None = None  # the folder in which the next server finds its file
        self._back_up: MemoryJournal | Path | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["JournalOnDisk"]:
        """The journal for one server."""
        async with self._opened() as journal:
            yield JournalOnDisk(self, journal)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Journal]:
        if self._folder is None:
            yield self._memory
        else:
            # A process dies, the system doesn't: it keeps what it was given.
            async with open_sqlite_journal(
                self._file(), durability="normal", retention=self._retention, max_age=self._max_age
            ) as journal:
                yield journal

    def _file(self) -> Path:
        if self._found is None:
            self._found = self._copy(None)
        return self._found / "journal"

    def _copy(self, of: Path | None) -> Path:
        """A folder with what the system has of the file in that one."""
        assert self._folder is not None
        self._copies += 1
        folder = self._folder / f"{self._copies}"
        folder.mkdir(parents=True)
        for file in () if of is None else (of / "journal", of / "journal-wal"):
            if file.exists():
                shutil.copyfile(file, folder / file.name)
        return folder

    def keep_what_is_there(self) -> None:
        """The process is gone now: whatever is done to the file by who does not know yet counts no more."""
        if self._folder is not None:
            self._found = self._copy(self._found)

    def back_up(self) -> None:
        """Copy what is kept now."""
        self._back_up = copy.deepcopy(self._memory) if self._folder is None else self._copy(self._found)

    def set_back(self) -> None:
        """The next server finds the last back-up, or nothing if there is none."""
        if isinstance(self._back_up, MemoryJournal):
            self._memory = copy.deepcopy(self._back_up)
        elif self._folder is None:
            self._memory = MemoryJournal(retention=self._retention, max_age=self._max_age)
        else:
            self._found = self._copy(self._back_up)

    async def everything(self) -> dict[str, Page]:
        """All that is kept, by log."""
        async with self._opened() as journal:
            return {log: await journal.read_after(log, 0, 10**9) for log in await journal.heads()}

    def delay(self) -> float:
        """Seconds that something takes now."""
        return self._choose.random() * self.slow


@contextmanager
def narrow() -> Iterator[None]:
    """Give the journal in a file bounds that are soon reached."""
    with ExitStack() as stack:
        for name, bound in NARROW.items():
            stack.enter_context(patch(f"triochat.journal.{name}", bound))
        yield


class JournalOnDisk:
    """See `triochat.journal.interface.Journal`. Once it is killed, nobody hears from it any more."""

    def __init__(self, disk: Disk, journal: Journal) -> None:
        self._disk = disk
        self._journal = journal
        self._killed = False
        self._working: dict[trio.CancelScope, bool] = {}  # and whether somebody waits for it

    @property
    def awaited(self) -> bool:
        """Whether it does something that somebody has asked for, and no housekeeping."""
        return any(self._working.values())

    def kill(self) -> None:
        """The process is gone, whatever it was doing."""
        self._disk.keep_what_is_there()
        self._killed = True
        self._disk.torn += len(self._working)
        for scope in list(self._working):
            scope.cancel()

    async def _work(self, work: Callable[[], Awaitable[_T]], *, awaited: bool = True) -> _T:
        """Do this as a thread would: whoever waits for it is not cancelled, but by the end of the process."""
        await trio.lowlevel.checkpoint()
        with trio.CancelScope(shield=True) as scope:
            self._working[scope] = awaited
            try:
                if self._killed:
                    scope.cancel()
                await trio.sleep(self._disk.delay())
                with trio.CancelScope(shield=True):
                    result = await work()
                await trio.sleep(self._disk.delay())
                return result
            finally:
                del self._working[scope]
        await trio.sleep_forever()  # until the server's own scope is cancelled, which is about to happen
        raise AssertionError

    async def _read(self, work: Callable[[], Awaitable[_T]]) -> _T:
        async def read() -> _T:
            if self._disk.failing:
                raise JournalUnavailable("the disk can't be read")
            return await work()

        return await self._work(read)

    def _limit(self) -> None:
        """Let SQLite have no more of the disk than it has, or all of it."""
        if isinstance(self._journal, SqliteJournal):
            pages = 1 if self._disk.full else MOST_PAGES  # it takes no less than it has
            self._journal._file.writer.execute(f"PRAGMA max_page_count = {pages}").fetchone()
        elif self._disk.full:
            raise JournalUnavailable("the disk is full")

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """See `Journal.append`."""

        async def keep() -> list[Outcome]:
            self._limit()
            outcomes = await self._journal.append(drafts)
            self._disk.appends += 1
            return outcomes

        return await self._work(keep)

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`."""
        return await self._read(lambda: self._journal.read_after(log, after, limit))

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`."""
        return await self._read(lambda: self._journal.read_before(log, before, limit))

    async def search(self, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        """See `Journal.search`."""
        return await self._read(lambda: self._journal.search(log, query, limit))

    async def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        return await self._work(self._journal.heads)

    async def tidy(self, ms: int) -> bool:
        """See `Journal.tidy`."""

        async def tidy() -> bool:
            self._limit()
            return await self._journal.tidy(ms)

        return await self._work(tidy, awaited=False)
