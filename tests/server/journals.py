"""A journal that takes its time, as a disk or another machine does, and that fails when it is told to."""

from collections.abc import Sequence

import trio

from triochat.journal import Draft, Entry, Head, JournalUnavailable, MemoryJournal, Outcome, Page


class LateJournal:
    """A `MemoryJournal` behind a wire.

    Args:
        there: seconds that a request is under way.
        back: seconds that the answer is; what is kept can be read meanwhile.

    Attributes:
        readable: how many reads succeed before one fails; None: all.
    """

    def __init__(self, *, there: float = 0.0, back: float = 0.0) -> None:
        self.there = there
        self.back = back
        self.readable: int | None = None
        self._memory = MemoryJournal()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        await trio.sleep(self.there)
        outcomes = await self._memory.append(drafts)
        await trio.sleep(self.back)
        return outcomes

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        await self._read()
        page = await self._memory.read_after(log, after, limit)
        await trio.sleep(self.back)
        return page

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        await self._read()
        page = await self._memory.read_before(log, before, limit)
        await trio.sleep(self.back)
        return page

    async def search(self, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        await self._read()
        return await self._memory.search(log, query, limit)

    async def heads(self) -> dict[str, Head]:
        return await self._memory.heads()

    async def tidy(self, ms: int) -> bool:
        return await self._memory.tidy(ms)

    async def _read(self) -> None:
        await trio.sleep(self.there)
        if self.readable is not None:
            if self.readable == 0:
                raise JournalUnavailable("the wire is cut")
            self.readable -= 1
