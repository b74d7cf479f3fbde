"""Journals that break a promise; see `tests.simulation.mutants`."""

import copy
import dataclasses
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.simulation.disk import Disk, JournalOnDisk
from triochat.journal import Draft, Entry, Journal, MemoryJournal, Outcome, Page
from triochat.journal.sqlite import SqliteJournal


@contextmanager
def acknowledges_early(_: random.Random) -> Iterator[None]:
    """It says that something is kept, and a crash shows that the last eight batches were not."""
    append, kill = JournalOnDisk.append, JournalOnDisk.kill
    before: deque[dict[str, object]] = deque(maxlen=8)

    async def early(journal: JournalOnDisk, drafts: Sequence[Draft]) -> list[Outcome]:
        if isinstance(journal._journal, MemoryJournal):
            before.append(copy.deepcopy(journal._journal.__dict__))
        return await append(journal, drafts)

    def lose(journal: JournalOnDisk) -> None:
        if before:
            journal._journal.__dict__.update(before.popleft())
            before.clear()
        kill(journal)

    with patch.object(JournalOnDisk, "append", early), patch.object(JournalOnDisk, "kill", lose):
        yield


@contextmanager
def forgets_tags(_: random.Random) -> Iterator[None]:
    """What is sent again is kept again."""
    append = JournalOnDisk.append

    async def forget(journal: JournalOnDisk, drafts: Sequence[Draft]) -> list[Outcome]:
        return await append(journal, [draft._replace(session=None) for draft in drafts])

    with patch.object(JournalOnDisk, "append", forget):
        yield


@contextmanager
def goes_on_one_too_late(_: random.Random) -> Iterator[None]:
    """Who returns misses the first of what it missed."""
    read_after = JournalOnDisk.read_after

    async def late(journal: JournalOnDisk, log: str, after: int, limit: int) -> Page:
        return await read_after(journal, log, after + (after > 0), limit)

    with patch.object(JournalOnDisk, "read_after", late):
        yield


@contextmanager
def loses_what_is_not_in_the_database(_: random.Random) -> Iterator[None]:
    """A crash takes what stood in the write-ahead log only."""
    copy_of = Disk._copy

    def forget(disk: Disk, of: Path | None) -> Path:
        folder = copy_of(disk, of)
        (folder / "journal-wal").unlink(missing_ok=True)
        return folder

    with patch.object(Disk, "_copy", forget):
        yield


@contextmanager
def turns_over_two_pages(choose: random.Random) -> Iterator[None]:
    """Now and then the last entry of a page is not on it."""
    read_before = JournalOnDisk.read_before

    async def shorten(journal: JournalOnDisk, log: str, before: int | None, limit: int) -> Page:
        page = await read_before(journal, log, before, limit)
        return dataclasses.replace(page, entries=page.entries[: -1 if choose.random() < 0.2 else None])

    with patch.object(JournalOnDisk, "read_before", shorten):
        yield


@contextmanager
def finds_nothing(choose: random.Random) -> Iterator[None]:
    """Now and then a search does not find what is there."""
    search = JournalOnDisk.search

    async def miss(journal: JournalOnDisk, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        found = await search(journal, log, query, limit)
        return found if choose.random() > 0.2 else []

    with patch.object(JournalOnDisk, "search", miss):
        yield


@contextmanager
def has_holes(_: random.Random) -> Iterator[None]:
    """A journal that does not give back everything that it was given."""

    def without_some(read_after: Callable[..., Awaitable[Page]]) -> Callable[..., Awaitable[Page]]:
        async def read(journal: Journal, log: str, after: int, limit: int) -> Page:
            page = await read_after(journal, log, after, limit)
            return dataclasses.replace(page, entries=[one for one in page.entries if one.id % 10 != 7])

        return read

    with ExitStack() as stack:
        for kind in (MemoryJournal, SqliteJournal):
            stack.enter_context(patch.object(kind, "read_after", without_some(kind.read_after)))
        yield
