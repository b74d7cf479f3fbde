"""A journal in a file: what was acknowledged is there after whatever happens to the process.

A batch is one transaction, in a worker thread, and the whole of it inside one call that no cancellation
interrupts: so all of it is kept or nothing is, and the connection is never left in the middle. Law 3 of
docs/architecture.md hangs on that.

Readers have a connection and a thread of their own, and searches have another, since one may take a hundred
times as long as a page. The write-ahead log lets them read while a batch waits for the disk.

What waits for a convenient time, deleting what retention lets go and indexing words, is done by `tidy` in
small steps. It makes no difference to what is read: a page begins where retention says, whatever is still in
the file, and a search puts first into the index what is not in it yet.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final, TypeVar

import trio

from triochat.journal import tag_runs
from triochat.journal.batch import Batch
from triochat.journal.file import Durability, JournalFile
from triochat.journal.interface import Draft, Entry, Head, JournalUnavailable, Outcome, Page
from triochat.journal.ledger import Ledger, Log
from triochat.journal.schema import ID_BITS, LAST_ID, NAME_OF_KIND
from triochat.journal.tag_runs import MAX_RUN, MAX_UNINDEXED, UNINDEXED_AT_EASE
from triochat.journal.upkeep import LOGS_IN_STEP, Settle, index, prune, prune_tags

_T = TypeVar("_T")
_Row = tuple[int, int, str | None, str, str, int]

_COLUMNS: Final = "key, kind, target, nick, text, ms"


@asynccontextmanager
async def open_sqlite_journal(
    path: str | PathLike[str],
    *,
    durability: Durability = "full",
    retention: int | None = None,
    max_age: float | None = None,
    max_tags: int = 1_000_000,
    max_rooms: int = 100_000,
    max_inboxes: int = 10_000,
) -> AsyncIterator["SqliteJournal"]:
    """Open the journal in that file, made if need be, and close it at the end of the block.

    Args:
        path: of the file; beside it lie ``-wal`` and ``-shm`` while it is open, and ``.lock``.
        durability: see `triochat.journal.file.Durability`.
        retention: entries that can be read of each log; None: all.
        max_age: seconds for which an entry is kept at least; `tidy` lets go of it then. None: no limit.
        max_tags: tags that are remembered at least, the newest of all sessions; one that comes alone costs
            about 100 octets, one of a run a tenth of that.
        max_rooms: logs of rooms.
        max_inboxes: logs of what was said to one nick alone.

    Raises:
        JournalUnusable: the file can't be used; its message says why, and what to do.
        ValueError: a bound is not positive.
    """
    bounds = [max_tags, max_rooms, max_inboxes, 1 if retention is None else retention]
    if min(bounds) < 1 or (max_age is not None and max_age <= 0):
        raise ValueError("every bound of a journal is 1 or more, and an age more than 0")

    def open_and_read() -> tuple[JournalFile, Ledger]:
        file = JournalFile(Path(path), durability)
        try:
            return file, Ledger.read(file.reader, retention)
        except sqlite3.Error as error:
            file.close()
            raise file.unusable(error) from error

    file, ledger = await trio.to_thread.run_sync(open_and_read)
    try:
        yield SqliteJournal(file, ledger, max_age, max_tags, max_rooms, max_inboxes)
    finally:
        file.close()  # not in a thread: whatever else is to be cleaned up, this is done


class SqliteJournal:
    """See `triochat.journal.interface.Journal`. Made by `open_sqlite_journal`."""

    def __init__(
        self,
        file: JournalFile,
        ledger: Ledger,
        max_age: float | None,
        max_tags: int,
        max_rooms: int,
        max_inboxes: int,
    ) -> None:
        self._file = file
        self._ledger = ledger
        self._max_age_ms = None if max_age is None else int(max_age * 1000)
        self._max_tags = max_tags
        self._max_rooms = max_rooms
        self._max_inboxes = max_inboxes
        # Who writes keeps its turn until the ledger knows of it.
        self._turn = trio.Lock()
        self._writing = trio.CapacityLimiter(1)
        self._reading = trio.CapacityLimiter(1)
        self._searching = trio.CapacityLimiter(1)

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Keep a batch; see `Journal.append`."""

        def work() -> tuple[list[Outcome], Settle]:
            batch = Batch(self._ledger, self._file.writer, self._max_rooms, self._max_inboxes)
            outcomes = [batch.append(draft) for draft in drafts]
            batch.write()
            return outcomes, batch.settle

        while len(self._ledger.unindexed) > MAX_UNINDEXED:  # there was no time to tidy up
            await self._write(self._index_tags, lazily=True)
        return await self._write(work)

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`."""
        known = self._ledger.find(log)
        if known is None:
            return self._nothing(log)
        first = known.first_of(self._ledger.retention)
        if after >= known.last:  # as of most who return
            return Page((), first, known.last)
        return await self._page(log, known, after + 1, None, limit)

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`."""
        known = self._ledger.find(log)
        if known is None:
            return self._nothing(log)
        behind = known.last + 1 if before is None else min(before, known.last + 1)
        return await self._page(log, known, behind - limit, behind, limit)

    async def heads(self) -> dict[str, Head]:
        """See `Journal.heads`; never waits."""
        return {log.name: Head(log.last, log.topic) for log in self._ledger if log.name is not None}

    async def tidy(self, ms: int) -> bool:
        """Delete some of what is let go, or put some words into the index; see `Journal.tidy`."""
        too_old = None if self._max_age_ms is None else ms - self._max_age_ms
        if not self._is_untidy(too_old):
            return False
        await self._write(partial(self._tidy, too_old), lazily=True)
        return self._is_untidy(too_old)

    async def search(self, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        """Entries of a log that hold all of these words, newest first.

        Args:
            log: which one.
            query: whole words, as `triochat.journal.words.words` gives them. Without any nothing is found.
            limit: how many entries at most.
        """
        known = self._ledger.find(log)
        if known is None or not query:
            return []
        last = known.last

        def catch_up() -> tuple[None, Settle]:
            logs = [known] if known.indexed < last and known.name is not None else []
            return None, index(self._ledger, self._file.writer, logs)

        while known.indexed < last and known.name is not None:
            await self._write(catch_up, lazily=True)
        work = partial(self._search, log, known.number, last, query, limit)
        return await self._read(self._file.searcher, self._searching, work)

    # --- writing ----------------------------------------------------------------------------------

    async def _write(self, work: Callable[[], tuple[_T, Settle]], *, lazily: bool = False) -> _T:
        """Do `work` in a transaction, and settle it when that is committed.

        Args:
            work: what to do in the worker thread.
            lazily: it need not be on the disk before what is appended next.
        """
        try:  # most often; to wait would be a turn of the scheduler
            self._turn.acquire_nowait()
        except trio.WouldBlock:
            await self._turn.acquire()
        try:
            with self._unavailable():
                # Not abandoned: a cancellation is noticed when the transaction has ended.
                result, settle = await trio.to_thread.run_sync(
                    self._transact, work, lazily, limiter=self._writing
                )
            settle()
        finally:
            self._turn.release()
        return result

    def _transact(self, work: Callable[[], tuple[_T, Settle]], lazily: bool) -> tuple[_T, Settle]:
        connection = self._file.writer
        if lazily:
            (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
            connection.execute("PRAGMA synchronous = normal")
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite has ended it itself when a disk is full
                    connection.execute("ROLLBACK")
                raise
        finally:
            if lazily:
                connection.execute(f"PRAGMA synchronous = {synchronous}")
        return result

    def _tidy(self, too_old: int | None) -> tuple[None, Settle]:
        """One step, of whatever is to be done first."""
        ledger, connection = self._ledger, self._file.writer
        if self._too_many_tags():
            return None, prune_tags(ledger, connection, self._max_tags)
        if len(ledger.unindexed) > UNINDEXED_AT_EASE:
            return self._index_tags()
        retention = ledger.retention
        logs: list[Log] = []
        for log in ledger.untidy:
            if log.name is None or log.floor < log.first_of(retention):
                logs.append(log)
                if len(logs) == LOGS_IN_STEP:
                    break
        if logs:
            return None, prune(ledger, connection, logs, None)
        if too_old is not None and (old := ledger.too_old(too_old, LOGS_IN_STEP)):
            return None, prune(ledger, connection, old, too_old)
        logs = [log for log, _ in zip(ledger.untidy, range(LOGS_IN_STEP), strict=False)]
        logs.sort(key=lambda log: log.number)
        return None, index(ledger, connection, logs)

    def _index_tags(self) -> tuple[None, Settle]:
        return None, tag_runs.index(self._file.writer, self._ledger.unindexed)

    def _is_untidy(self, too_old: int | None) -> bool:
        ledger = self._ledger
        return (
            bool(ledger.untidy)
            or self._too_many_tags()
            or len(ledger.unindexed) > UNINDEXED_AT_EASE
            or (too_old is not None and ledger.is_any_too_old(too_old))
        )

    def _too_many_tags(self) -> bool:
        # A row goes as a whole, so there is none to go yet when there are but a few too many.
        return self._ledger.next_tag - self._ledger.oldest_tag > self._max_tags + MAX_RUN

    # --- reading ----------------------------------------------------------------------------------

    def _nothing(self, log: str) -> Page:
        """A page of a log that there is not, or not any more."""
        last = self._ledger.let_go if log.startswith("@") else 0
        return Page((), last + 1, last)

    async def _page(self, name: str, log: Log, first: int, behind: int | None, limit: int) -> Page:
        # No further than what the hub knows of, though more may be in the file already: it will be published.
        work = partial(self._read_page, name, log.number, log.last, first, behind, limit)
        return await self._read(self._file.reader, self._reading, work)

    async def _read(
        self,
        connection: sqlite3.Connection,
        limiter: trio.CapacityLimiter,
        work: Callable[[sqlite3.Connection], _T],
    ) -> _T:
        """Do `work` in a thread, with a view of the file as it is at one moment."""

        def read() -> _T:
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                connection.execute("COMMIT")

        with self._unavailable():
            return await trio.to_thread.run_sync(read, limiter=limiter)

    def _read_page(
        self,
        name: str,
        number: int,
        last: int,
        first: int,
        behind: int | None,
        limit: int,
        connection: sqlite3.Connection,
    ) -> Page:
        oldest = self._oldest(connection, number, last)
        low = max(first, oldest)
        high = (low + limit if behind is None else behind) - 1
        base = number << ID_BITS
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM entry WHERE key BETWEEN ? AND ? ORDER BY key",
            (base + low, base + min(high, last)),
        )
        return Page(tuple([_entry(name, row) for row in rows]), oldest, last)

    def _search(
        self,
        name: str,
        number: int,
        last: int,
        query: Sequence[str],
        limit: int,
        connection: sqlite3.Connection,
    ) -> list[Entry]:
        oldest = self._oldest(connection, number, last)
        base = number << ID_BITS
        found = connection.execute(
            "SELECT rowid FROM word WHERE word MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?",
            (" AND ".join(f'"{word}"' for word in query), base + oldest, base + last, limit),
        ).fetchall()
        select = f"SELECT {_COLUMNS} FROM entry WHERE key = ?"
        rows = (connection.execute(select, key).fetchone() for key in found)
        # The index may know words of what is gone: they are told to it when that is deleted, and another
        # Python, with other tables of Unicode, may take a text apart in another way.
        return [_entry(name, row) for row in rows if row is not None]

    def _oldest(self, connection: sqlite3.Connection, number: int, last: int) -> int:
        """The first id that a log keeps, as the file is now, for one who knows of it up to `last`."""
        row = connection.execute("SELECT first FROM log WHERE number = ?", (number,)).fetchone()
        retention = self._ledger.retention
        first = last + 1 if row is None else row[0]
        return min(first if retention is None else max(first, last - retention + 1), last + 1)

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        """A disk that is full or fails is no fault of ours, and may pass; a damaged file is one."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise JournalUnavailable(f"{self._file.path}: {error}") from error


def _entry(name: str, row: _Row) -> Entry:
    key, kind, target, nick, text, ms = row
    return Entry(name, key & LAST_ID, NAME_OF_KIND[kind], name if target is None else target, nick, text, ms)
