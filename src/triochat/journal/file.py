"""The file of a journal: opened only if it is ours, of a version that we know, and nobody else's.

What can't be used is refused with one sentence, before anything in it is changed.

A second server is kept out by a lock on a file beside it (``chat.db.lock``). The system takes the lock back
when its process ends, however it ends; the file stays and means nothing. The database itself is not locked:
who reads it while the server runs, a back-up for instance, is welcome.
"""

import fcntl
import os
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Literal

from triochat.journal.interface import JournalUnusable
from triochat.journal.schema import APPLICATION_ID, MIGRATIONS, migrate

Durability = Literal["full", "normal"]
"""What "kept" means: ``full``, on the disk (an fsync for each batch), so that it outlives a power cut;
``normal``, handed to the system, so that it outlives the process, and a power cut takes the last of it."""

BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another program that writes in the file, which none should."""
MAX_WAL: Final = 64 * 1024 * 1024
"""Octets to which the write-ahead log is cut when it was larger."""

_MAGIC: Final = b"SQLite format 3\0"
_ANOTHER: Final = "choose another file with --data"


class JournalFile:
    """An open file, with one connection that writes, one that reads, and one that searches.

    Args:
        path: of the database; it and its folder are made if need be.
        durability: see `Durability`.

    Raises:
        JournalUnusable: it can't be used.
    """

    def __init__(self, path: Path, durability: Durability) -> None:
        self.path = resolve(path)
        with ExitStack() as stack:
            self._open(stack, durability)
            self._opened = stack.pop_all()

    def close(self) -> None:
        """Close all connections, which puts what is in the write-ahead log into the database."""
        self._opened.close()

    def _open(self, stack: ExitStack, durability: Durability) -> None:
        if os.path.isdir(self.path):  # noqa: PTH112 -- Path.is_dir raises where one may not look
            raise JournalUnusable(f"{self.path} is a folder; name a file in it with --data")
        # Before it is opened: who opens a pipe waits for its other end, and a device may do anything.
        if os.path.exists(self.path) and not os.path.isfile(self.path):  # noqa: PTH110, PTH113 -- as above
            raise JournalUnusable(f"{self.path} is no ordinary file; nothing was written to it; {_ANOTHER}")
        self._make_folder()
        lock = self.path.with_name(self.path.name + ".lock")
        new_lock = not os.path.exists(lock)  # noqa: PTH110 -- as above
        stack.callback(os.close, self._lock(lock))
        try:
            self._look_at_header()
        except JournalUnusable:
            if new_lock:  # leave nothing beside a file that is none of ours
                lock.unlink(missing_ok=True)
            raise
        try:
            self.writer = self._connect(stack)
            self._prepare(durability)
            self.reader = self._connect(stack)
            self.searcher = self._connect(stack)
            for connection in (self.reader, self.searcher):
                connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise self.unusable(error) from error

    def _make_folder(self) -> None:
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnusable(
                f"the folder {folder} can't be made ({error.strerror}); {_ANOTHER}"
            ) from None

    def _lock(self, path: Path) -> int:
        """Take the lock that keeps a second server out; return its descriptor."""
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalUnusable(
                f"can't write in the folder {path.parent} ({error.strerror}): give this user the right to,"
                f" or {_ANOTHER}"
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if isinstance(error, BlockingIOError):
                why = f"{self.path} is in use by another server; stop that one, or {_ANOTHER}"
            else:
                why = f"{path} can't be locked ({error.strerror}); {_ANOTHER}, on a disk of this machine"
            raise JournalUnusable(why) from None
        return lock

    def _look_at_header(self) -> None:
        """Refuse what is not ours before SQLite opens it. A new file is made, for its owner's eyes only."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalUnusable(
                f"{self.path} can't be opened for writing ({error.strerror}): give this user the right to,"
                f" or {_ANOTHER}"
            ) from None
        try:
            header = os.read(descriptor, 100)
        finally:
            os.close(descriptor)
        # While a rollback journal lies beside it, its making was cut off: SQLite will make that good first.
        if not header or self.path.with_name(self.path.name + "-journal").exists():
            return
        if not header.startswith(_MAGIC):
            raise JournalUnusable(f"{self.path} is no database; nothing in it was changed; {_ANOTHER}")
        if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
            raise of_another_program(self.path)

    def _connect(self, stack: ExitStack) -> sqlite3.Connection:
        # No transactions but ours; and from any thread, since trio takes whichever is free, one at a time.
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        stack.callback(connection.close)
        return connection

    def _prepare(self, durability: Durability) -> None:
        connection = self.writer
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            version = 0
        elif application != APPLICATION_ID:
            raise of_another_program(self.path)
        refuse_newer(self.path, version)
        # The tables first: so what a file is stands in its header, and not only in the write-ahead log.
        migrate(connection, version)
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise JournalUnusable(f"the disk of {self.path} has no write-ahead log; {_ANOTHER}")
        connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL}")
        connection.execute(f"PRAGMA synchronous = {durability}")

    def unusable(self, error: sqlite3.Error) -> JournalUnusable:
        """See `unusable`."""
        return unusable(self.path, error)


def resolve(path: Path) -> Path:
    """Where that really is.

    Raises:
        JournalUnusable: nowhere.
    """
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a circle of links
        raise JournalUnusable(f"{path} leads nowhere; {_ANOTHER}") from None


def of_another_program(path: Path) -> JournalUnusable:
    """It is a database, and none of ours."""
    return JournalUnusable(f"{path} is a database of another program; nothing in it was changed; {_ANOTHER}")


def refuse_newer(path: Path, version: int) -> None:
    """Raise `JournalUnusable` if that is no version that we know."""
    if version > len(MIGRATIONS):
        raise JournalUnusable(
            f"{path} was written by a newer triochat (its version is {version}, and this one knows"
            f" {len(MIGRATIONS)}); install that one, or {_ANOTHER}"
        )


def unusable(path: Path, error: sqlite3.Error) -> JournalUnusable:
    """What a fault of the database means for whoever opens it."""
    code = getattr(error, "sqlite_errorcode", 0)
    # A full disk has a code of its own where what lies beside the file (-shm) can't be made.
    match sqlite3.SQLITE_FULL if code == sqlite3.SQLITE_IOERR_SHMSIZE else code & 0xFF:
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            why = f"is damaged ({error}); put a back-up in its place, or move it away to begin anew"
        case sqlite3.SQLITE_FULL:
            why = "can't be opened since the disk is full; make room"
        case sqlite3.SQLITE_BUSY:
            why = f"is locked by another program; stop that one, or {_ANOTHER}"
        case _:
            why = f"can't be used ({error}); {_ANOTHER}"
    return JournalUnusable(f"{path} {why}")
