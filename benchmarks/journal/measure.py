"""What is measured of an open journal: pages, searches, and how fast entries come in."""

import math
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count, islice
from statistics import median
from typing import Any, Final

import trio

from benchmarks.journal.contents import EVERYWHERE, LEFT, RARE, RIGHT, Contents, common
from triochat.journal import Head, Journal, SqliteJournal
from triochat.journal.upkeep import STEP
from triochat.server.housekeeping import run_housekeeping

PAGE: Final = 50
FOUND: Final = 50
BATCH: Final = 32
"""Drafts that are appended at once: some 270 entries."""
EVERY: Final = 0.02
"""Seconds between two batches of what is said beside, of `BESIDE` drafts: some 1,700 entries a second."""
BESIDE: Final = 4
ENOUGH: Final = 150_000
"""Entries that may be said beside at most: for a minute and a half."""
WORST: Final = [LEFT, RIGHT]
"""Each is in half of all texts, and none has both: so all that has either is looked at."""
PAUSE: Final = 0.005
"""Seconds between two tries, so that they meet what happens beside in all its phases."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in milliseconds, each time."""

    all: Sequence[float]

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.all)

    @property
    def nearly_all(self) -> float:
        """What nine of ten do not exceed."""
        return self.of(0.9)

    def of(self, share: float) -> float:
        """What such a share of them, above 0 and up to 1, do not exceed."""
        return sorted(self.all)[math.ceil(len(self.all) * share) - 1]

    @property
    def worst(self) -> float:
        """The longest."""
        return max(self.all)


async def timed(tries: int, do: Callable[[], Awaitable[object]]) -> Times:
    """Do it so often."""
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        await do()
        times.append((time.perf_counter() - began) * 1e3)
        await trio.sleep(PAUSE)
    return Times(times)


# --- pages ------------------------------------------------------------------------------------------


def random_pages(
    heads: Mapping[str, Head], contents: Contents, choose: random.Random
) -> Iterator[tuple[str, int, bool]]:
    """Log, id and whether backwards from there: every second page is from the largest room."""
    names = list(heads)
    for number in count():
        log = contents.huge if number % 2 else choose.choice(names)
        yield log, choose.randint(0, heads[log].last), bool(number % 4 < 2)


async def pages(journal: Journal, contents: Contents, tries: int) -> Times:
    """Pages at random depths, in both directions."""
    wanted = random_pages(await journal.heads(), contents, random.Random(2))

    async def read() -> None:
        log, depth, backwards = next(wanted)
        if backwards:
            await journal.read_before(log, depth, PAGE)
        else:
            await journal.read_after(log, depth, PAGE)

    return await timed(tries, read)


# --- searches ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """A search, and where."""

    words: str
    query: Sequence[str]
    room: str
    log: str

    def __str__(self) -> str:
        """For a table."""
        return f"search: {self.words}; {self.room}"


def queries(contents: Contents) -> Iterator[Query]:
    """Easy ones, and those that one would suspect."""
    rooms = {
        "the largest room": contents.huge,
        "a room without the commonest word": contents.quiet,
        "the last and smallest room": contents.small,
    }
    for room, log in rooms.items():
        yield Query("a rare word", [RARE], room, log)
        yield Query("the commonest word", [EVERYWHERE], room, log)
        yield Query("a rare and a common word", [RARE, LEFT], room, log)
        yield Query("two common words that meet", [EVERYWHERE, LEFT], room, log)
        yield Query("two common words that never meet", WORST, room, log)
        yield Query("32 common words", common(32), room, log)


async def search(journal: Journal, query: Query, tries: int) -> Times:
    """One search, again and again."""
    return await timed(tries, lambda: journal.search(query.log, query.query, FOUND))


# --- what happens beside ----------------------------------------------------------------------------


@asynccontextmanager
async def talk(journal: Journal, contents: Contents) -> AsyncIterator[None]:
    """Within this block people talk on, at a steady pace, and the housekeeping does its work."""
    # Made beforehand: to make up texts takes time that no server would need.
    drafts = list(Contents(ENOUGH, contents.rooms).drafts("beside"))

    async def append() -> None:
        for first in range(0, len(drafts), BESIDE):
            await journal.append(drafts[first : first + BESIDE])
            await trio.sleep(EVERY)
        raise RuntimeError("they have nothing left to say")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(append)
        nursery.start_soon(run_housekeeping, journal)
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def searching(journal: Journal, query: Query) -> AsyncIterator[None]:
    """Within this block somebody searches, again as soon as it has its answer."""

    async def ask() -> None:
        while True:
            await journal.search(query.log, query.query, FOUND)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        yield
        nursery.cancel_scope.cancel()


async def fill(journal: Journal, contents: Contents, speaker: str = "person") -> float:
    """Append all of it; entries a second. What it takes to make up the texts does not count."""
    spent = 0.0
    drafts = contents.drafts(speaker)
    while batch := list(islice(drafts, BATCH)):
        began = time.perf_counter()
        await journal.append(batch)
        spent += time.perf_counter() - began
    return contents.entries / spent


async def tidy(journal: Journal) -> float:
    """All that there is to tidy, without a pause; seconds."""
    began = time.perf_counter()
    while await journal.tidy(0):
        pass
    return time.perf_counter() - began


class _Counted:
    """A journal for the housekeeping alone: what it does is counted."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal
        self.steps = 0

    async def tidy(self, ms: int) -> bool:
        self.steps += 1
        return await self._journal.tidy(ms)


async def housekeeping(journal: SqliteJournal, seconds: float) -> float:
    """Entries that a server puts into the index in a second, if there is always something to do."""
    counted: Any = _Counted(journal)
    with trio.move_on_after(seconds):
        await run_housekeeping(counted)
    return float(counted.steps) * STEP / seconds
