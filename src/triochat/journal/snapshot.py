"""A journal's file as it was at one moment, for who only reads it: a server may go on meanwhile.

The file is opened for reading, in one transaction. So everything that is read is of the same moment, however
long that takes, and however much is said and let go meanwhile. The server's lock is not asked for, and where
there is no file none is made. What it costs: as long as a snapshot is open, the write-ahead log can't be
emptied, and grows by all that is written.

Only columns are read that every version of the tables has; so a file need not be brought up to date first.
"""

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from triochat.journal.file import BUSY_TIMEOUT, of_another_program, refuse_newer, resolve, unusable
from triochat.journal.interface import Entry, JournalUnusable
from triochat.journal.schema import APPLICATION_ID, ID_BITS, NAME_OF_KIND

INBOXES: Final = "@"
"""Stands in a `Gap` for all inboxes that are not named."""


class Gap(NamedTuple):
    """What is not there of a log, no longer kept or left out: its entries up to the id `last`.

    In a gap of `INBOXES`, no inbox that is not named has an entry above `last`.
    """

    log: str
    last: int


Item = Entry | Gap
"""A part of a log. Of each log: first a gap if it does not begin with id 1, then the entry that set the topic
if that is in the gap, since a topic stays when its entry goes, then the entries, whose ids have no holes."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a log stood; see the tables in `triochat.journal.schema`."""

    number: int
    first: int
    last: int
    topic: Entry | None


@contextmanager
def open_snapshot(path: Path) -> Iterator["Snapshot"]:
    """Look at the file as it is now, until the end of the block.

    Raises:
        JournalUnusable: it can't be read; its message says why, and what to do.
    """
    path = resolve(path)
    _refuse_what_is_no_file(path)
    try:
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro", uri=True, timeout=BUSY_TIMEOUT, isolation_level=None
        )
    except sqlite3.Error as error:
        raise _unreadable(path, error) from error
    with closing(connection):
        try:
            connection.execute("BEGIN")
            _refuse_what_is_not_ours(path, connection)
            snapshot = Snapshot(path, connection)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from error
        yield snapshot


class Snapshot:
    """Made by `open_snapshot`.

    Args:
        path: of the file.
        connection: in a transaction.

    Attributes:
        path: of the file, where it really is.
        connection: only to be read.
        logs: where each stood; the rooms by name, then the inboxes, the one that got something last at the
            end. That is all that is held in memory.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self.connection = connection
        rows = connection.execute(
            "SELECT l.number, l.name, l.first, l.last, t.id, t.target, t.nick, t.text, t.ms"
            " FROM log l LEFT JOIN topic t ON t.log = l.number WHERE l.name IS NOT NULL"
            " ORDER BY l.name LIKE '@%', CASE WHEN l.name LIKE '@%' THEN l.used ELSE l.name END"
        )
        self.logs: dict[str, Standing] = {}
        for number, name, first, last, topic_id, target, nick, text, ms in rows:
            topic = (
                None if topic_id is None else Entry(name, topic_id, "topic", target or name, nick, text, ms)
            )
            self.logs[name] = Standing(number, first, last, topic)
        self._let_go: int
        (self._let_go,) = connection.execute("SELECT let_go FROM inboxes").fetchone()

    def items(
        self, names: Sequence[str] | None = None, *, inboxes: bool = False, since: int | None = None
    ) -> Iterator[Item]:
        """All that is kept, a log after the other; read as it is asked for.

        Args:
            names: of the logs; None: all rooms.
            inboxes: with all rooms, also all inboxes.
            since: Unix time in milliseconds. Of each log all in front of the first entry that was said then
                or later is a gap.

        Raises:
            KeyError: there is no such log.
            JournalUnusable: the file can't be read to the end.
        """
        if names is None:
            chosen = [name for name in self.logs if inboxes or not name.startswith(INBOXES)]
        else:
            chosen = list(dict.fromkeys(names))
        try:
            for name in chosen:
                yield from self._log(name, self.logs[name], since)
            if names is None and (last := self._highest_unnamed(inboxes)):
                yield Gap(INBOXES, last)
        except sqlite3.Error as error:
            raise _unreadable(self.path, error) from error

    def _log(self, name: str, log: Standing, since: int | None) -> Iterator[Item]:
        base = log.number << ID_BITS
        first = log.first
        if since is not None:
            row = self.connection.execute(
                "SELECT key FROM entry WHERE key BETWEEN ? AND ? AND ms >= ? ORDER BY key LIMIT 1",
                (base + first, base + log.last, since),
            ).fetchone()
            first = log.last + 1 if row is None else row[0] - base
        if first > 1:
            yield Gap(name, first - 1)
        if log.topic is not None and log.topic.id < first:
            yield log.topic
        rows = self.connection.execute(
            "SELECT key, kind, target, nick, text, ms FROM entry WHERE key BETWEEN ? AND ? ORDER BY key",
            (base + first, base + log.last),
        )
        for key, kind, target, nick, text, ms in rows:
            yield Entry(name, key - base, NAME_OF_KIND[kind], target or name, nick, text, ms)

    def _highest_unnamed(self, inboxes: bool) -> int:
        """The highest id in inboxes that are not told of: none of them may come again."""
        if inboxes:
            return self._let_go
        lasts = [log.last for name, log in self.logs.items() if name.startswith(INBOXES)]
        return max(self._let_go, *lasts, 0)


def _refuse_what_is_no_file(path: Path) -> None:
    # Without opening it: to close any descriptor of a file takes the locks that its process has on it.
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise JournalUnusable(f"{path} is a folder; name a file in it with --data")
        if not stat.S_ISREG(mode):
            raise JournalUnusable(f"{path} is no ordinary file; name the file of your server with --data")
        if not os.access(path, os.R_OK, effective_ids=True):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except FileNotFoundError:
        raise JournalUnusable(f"there is no file {path}; name the one of your server with --data") from None
    except OSError as error:
        right = "run this as the user of the server"
        other = "name the file of your server with --data"
        hint = right if isinstance(error, PermissionError) else other
        raise JournalUnusable(f"{path} can't be opened for reading ({error.strerror}); {hint}") from None


def _refuse_what_is_not_ours(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
        raise JournalUnusable(f"there is no journal in {path} yet; name the one of your server with --data")
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise of_another_program(path)
    refuse_newer(path, connection.execute("PRAGMA user_version").fetchone()[0])


def _unreadable(path: Path, error: sqlite3.Error) -> JournalUnusable:
    """What a fault of the database means for who reads it."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY:
            return JournalUnusable(
                f"{path} can't be read by who may not write beside it, where SQLite keeps its locks; run this"
                " as the user of the server, or copy it, with its -wal, into a folder of your own"
            )
        case sqlite3.SQLITE_NOTADB:
            return JournalUnusable(f"{path} is no database; name the file of your server with --data")
        case _:
            return unusable(path, error)
