"""A copy of a journal's file, of one moment, while a server goes on writing in it.

The copy gets its name when it is complete and on the disk. So whatever goes wrong, under that name there is a
whole back-up or none. It needs no other file beside it, and can be read where nothing may be written.
"""

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

from triochat.journal.snapshot import open_snapshot

PAGES_AT_ONCE: Final = 1000
"""Between so many, 4 MB, whoever waits may change his mind: that is when Python looks for a Ctrl-C."""


class NoBackup(Exception):  # noqa: N818 -- it names what is the case
    """No back-up was made, and nothing was changed. The message is a sentence: why, and what to do."""


def back_up(path: Path, target: Path) -> None:
    """Copy the journal in the file `path` to a new file `target`, for its owner's eyes only.

    What was kept when this was called is in the copy.

    Raises:
        JournalUnusable: the journal can't be read.
        NoBackup: the copy can't be written there.
    """
    with open_snapshot(path) as snapshot:
        if os.path.lexists(target):
            raise NoBackup(f"there is something at {target} already; name a new file, or move that one away")
        try:
            with tempfile.TemporaryDirectory(prefix=".triochat-backup-", dir=target.parent) as folder:
                copy = Path(folder) / target.name
                _copy(snapshot.connection, copy)
                copy.rename(target)
            _sync(target.parent)
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise NoBackup(
                f"can't write the back-up {target} ({why}); make room, or name another place"
            ) from error


def _copy(source: sqlite3.Connection, path: Path) -> None:
    path.touch(0o600)
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = off")  # it is all brought to the disk at the end, or deleted
        source.backup(copy, pages=PAGES_AT_ONCE, progress=_look_for_signals)
        copy.execute("PRAGMA journal_mode = DELETE")  # a write-ahead log would be a second file
    _sync(path)


def _look_for_signals(status: int, remaining: int, total: int) -> None:
    """Nothing to do but to be Python."""


def _sync(path: Path) -> None:
    """Have it on the disk, be it a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
