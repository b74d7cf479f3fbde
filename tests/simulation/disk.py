"""A journal whose server can be killed at any moment, and whose disk is slow, or full.

What it kept is there for the next server; what it was about to keep is gone as a whole.
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import trio

from triochat.journal import Draft, Entry, Head, Journal, JournalUnavailable, MemoryJournal, Outcome, Page

_T = TypeVar("_T")


class Disk:
    """What outlives a server.

    Args:
        choose: of all chances here.
        retention: entries that are kept of each log.

    Attributes:
        slow: seconds that it takes for an append at most.
        full: nothing can be kept for now.
        appends: how often a batch was kept.
        torn: how often a server was killed while one was on its way.
    """

    def __init__(self, choose: random.Random, retention: int) -> None:
        self.slow = 0.0
        self.full = False
        self.appends = 0
        self.torn = 0
        self.retention = retention
        self._choose = choose
        self._memory = MemoryJournal(retention=retention)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["JournalOnDisk"]:
        """The journal for one server."""
        yield JournalOnDisk(self, self._memory)

    async def everything(self) -> dict[str, Page]:
        """All that is kept, by log."""
        return {log: await self._memory.read_after(log, 0, 10**9) for log in await self._memory.heads()}

    def delay(self) -> float:
        """Seconds that something takes now."""
        return self._choose.random() * self.slow


class JournalOnDisk:
    """See `triochat.journal.interface.Journal`. Once it is killed, nobody hears from it any more."""

    def __init__(self, disk: Disk, journal: Journal) -> None:
        self._disk = disk
        self._journal = journal
        self._killed = False
        self._working: dict[trio.CancelScope, None] = {}

    def kill(self) -> None:
        """The process is gone, whatever it was doing."""
        self._killed = True
        self._disk.torn += len(self._working)
        for scope in list(self._working):
            scope.cancel()

    async def _work(self, work: Callable[[], Awaitable[_T]]) -> _T:
        """Do this as a thread would: whoever waits for it is not cancelled, but by the end of the process."""
        await trio.lowlevel.checkpoint()
        with trio.CancelScope(shield=True) as scope:
            self._working[scope] = None
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

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """See `Journal.append`."""

        async def keep() -> list[Outcome]:
            if self._disk.full:
                raise JournalUnavailable("the disk is full")
            outcomes = await self._journal.append(drafts)
            self._disk.appends += 1
            return outcomes

        return await self._work(keep)

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`."""
        return await self._work(lambda: self._journal.read_after(log, after, limit))

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`."""
        return await self._work(lambda: self._journal.read_before(log, before, limit))

    async def search(self, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        """See `Journal.search`."""
        return await self._work(lambda: self._journal.search(log, query, limit))

    async def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        return await self._work(self._journal.heads)

    async def tidy(self, ms: int) -> bool:
        """See `Journal.tidy`."""
        return await self._work(lambda: self._journal.tidy(ms))
