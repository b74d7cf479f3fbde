"""Fill a new journal with what another one had, ids and times included: all or nothing.

What comes in is what a `Snapshot` told, by whatever way: so none of it is trusted. Each entry must be one
that can be said, and the ids of a log have no holes but the gap in front.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from triochat.journal.file import JournalFile
from triochat.journal.interface import Entry, JournalUnusable
from triochat.journal.schema import ID_BITS, NAME_OF_KIND
from triochat.journal.snapshot import INBOXES, Gap, Item, open_snapshot
from triochat.protocol.errors import LocalProtocolError
from triochat.protocol.grammar import fold, is_target

MAX_ID: Final = 1 << (ID_BITS - 1)
"""The highest id that is taken in; as many are left behind it: whoever made them up, a server can go on."""

_AT_ONCE: Final = 1000


class Unfit(ValueError):  # noqa: N818 -- it names what is the case
    """This can't be the next of a journal. The message is a sentence that quotes well-formed names only."""


@contextmanager
def open_restoration(path: Path) -> Iterator["Restoration"]:
    """Fill the journal in that file, made if need be; an exception in the block leaves it empty.

    Raises:
        JournalUnusable: there is something in it already, or a server has it, or it can't be used.
    """
    if os.path.isfile(path) and os.path.getsize(path):  # noqa: PTH113, PTH202 -- Path's raise where one may not look
        # That changes nothing, and brings nothing up to date.
        with open_snapshot(path) as snapshot:
            _refuse_what_is_not_empty(path, snapshot.connection)
    file = JournalFile(path, "full")
    with closing(file):
        connection = file.writer
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                _refuse_what_is_not_empty(path, connection)
                restoration = Restoration(connection)
                yield restoration
                restoration.finish()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise file.unusable(error) from error


def _refuse_what_is_not_empty(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT EXISTS (SELECT * FROM log) OR let_go FROM inboxes").fetchone()[0]:
        raise JournalUnusable(f"there is something in {path} already; name a new file with --data")


@dataclass(slots=True, eq=False)
class _Log:
    """A log as far as it is filled; `start` is the id in front of its first."""

    number: int
    start: int
    last: int
    topic: Entry | None = None


class Restoration:
    """Made by `open_restoration`.

    Attributes:
        entries: how many there are by now.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._logs: dict[str, _Log] = {}
        self._rows: list[tuple[int, int, str | None, str, str, int]] = []
        self._let_go = 0
        self.entries = 0

    def add(self, item: Item) -> None:
        """Put in the next part. The logs may come one after the other or mixed.

        Raises:
            Unfit: it can't be the next; what was put in before is as it was.
        """
        if isinstance(item, Gap):
            self._add_gap(item)
            return
        _check(item)
        log = self._logs.get(item.log)
        if log is None:
            log = self._begin(item.log, item.id - 1)
        if item.kind == "topic" and item.id <= log.start and log.last == log.start and log.topic is None:
            log.topic = item  # it stays, though its entry is not kept
            return
        if item.id <= log.last:
            raise Unfit(f"the id {item.id} of {item.log} can't come behind {log.last}")
        if item.id > log.last + 1:
            raise Unfit(f"the ids {log.last + 1} to {item.id - 1} of {item.log} are missing")
        log.last = item.id
        if item.kind == "topic":
            log.topic = item
        self._rows.append((log.number << ID_BITS | item.id, *_columns(item)))
        self.entries += 1
        if len(self._rows) == _AT_ONCE:
            self._write_rows()

    def finish(self) -> None:
        """Write what is left to be written; the transaction is the caller's."""
        self._write_rows()
        # What is not in the index of words yet is put there by the server, when it has time.
        self._connection.executemany(
            "INSERT INTO log (number, name, floor, first, last, used, indexed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (log.number, name, log.start + 1, log.start + 1, log.last, log.number, log.start)
                for name, log in self._logs.items()
            ),
        )
        self._connection.executemany(
            "INSERT INTO topic (log, id, target, nick, text, ms) VALUES (?, ?, ?, ?, ?, ?)",
            (
                (log.number, log.topic.id, *_columns(log.topic)[1:])
                for log in self._logs.values()
                if log.topic is not None
            ),
        )
        self._connection.execute("UPDATE inboxes SET let_go = ?", (self._let_go,))

    def _add_gap(self, gap: Gap) -> None:
        _check_id(gap.last)
        if gap.log == INBOXES:
            self._let_go = max(self._let_go, gap.last)
            return
        _check_name(gap.log)
        if gap.log in self._logs:
            raise Unfit(f"a gap of {gap.log} can't come behind what else there is of it")
        self._begin(gap.log, gap.last)

    def _begin(self, name: str, start: int) -> _Log:
        log = self._logs[name] = _Log(len(self._logs) + 1, start, start)
        return log

    def _write_rows(self) -> None:
        self._connection.executemany(
            "INSERT INTO entry (key, kind, target, nick, text, ms) VALUES (?, ?, ?, ?, ?, ?)", self._rows
        )
        self._rows.clear()


def _columns(entry: Entry) -> tuple[int, str | None, str, str, int]:
    target = None if entry.target == entry.log else entry.target
    return NAME_OF_KIND.index(entry.kind), target, entry.nick, entry.text, entry.ms


def _check(entry: Entry) -> None:
    """Raise `Unfit` if that can't be an entry of any journal."""
    _check_name(entry.log)
    if fold(entry.target) != entry.log:
        raise Unfit(f"a target of {entry.log} is that name, in whatever case")
    _check_id(entry.id)
    try:
        entry.event()
    except LocalProtocolError as error:
        raise Unfit(error.sentence) from None


def _check_name(name: str) -> None:
    if not is_target(name) or fold(name) != name:
        raise Unfit(
            "a room is '#', then up to 32 of a-z, 0-9, '_' or '-'; an inbox '@', then a nick in lower case"
        )


def _check_id(number: int) -> None:
    if not 1 <= number <= MAX_ID:
        raise Unfit(f"an id is 1 to {MAX_ID}, so that there are more for what is said next")
