"""A copy of a journal's file, of one moment, while a server goes on writing in it.

The copy gets its name when it is complete and on the disk. So whatever goes wrong, under that name there is a
whole back-up or none. It needs no other file beside it, and can be read where nothing may be written.
"""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from triochat.journal.snapshot import open_snapshot

PAGES_AT_ONCE: Final = 1000
"""Between so many, 4 MB, whoever waits may change his mind: that is when Python looks for a Ctrl-C."""


class NoBackup(Exception):  # noqa: N818 -- it names what is the case
    """No back-up was made, and nothing was changed. The message is a sentence: why, and what to do."""


def back_up(path: Path, target: Path, *, at_last: Callable[[], None] = lambda: None) -> None:
    """Copy the journal in the file `path` to a new file `target`, for its owner's eyes only.

    What was kept when this was called is in the copy.

    Args:
        path: of the journal.
        target: of the copy.
        at_last: called when the copy is about to get its name: the last moment to change one's mind, by an
            exception.

    Raises:
        JournalUnusable: the journal can't be read.
        NoBackup: the copy can't be written there.
    """
    with open_snapshot(path) as snapshot:
        if os.path.lexists(target):
            raise _is_there(target)
        try:
            with tempfile.TemporaryDirectory(prefix=".triochat-backup-", dir=target.parent) as folder:
                copy = Path(folder) / target.name
                _copy(snapshot.connection, copy)
                at_last()
                _give_name(copy, target)
        except FileExistsError:
            raise _is_there(target) from None
        except (OSError, sqlite3.Error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise NoBackup(f"can't write the back-up {target} ({why}); {_remedy(error, target)}") from error


def _is_there(target: Path) -> NoBackup:
    return NoBackup(f"there is something at {target} already; name a new file, or move that one away")


def _remedy(error: OSError | sqlite3.Error, target: Path) -> str:
    match error.errno if isinstance(error, OSError) else errno.ENOSPC:
        case errno.ENOENT:
            return f"make the folder {target.parent} first, or name another place"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return "name a place where this user may write"
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "make room, or name another place"
        case _:
            return "name another place"


def _give_name(copy: Path, target: Path) -> None:
    """Have the copy under that name as well, unless there is something by now; on the disk, or not at all."""
    try:
        os.link(copy, target)  # which, other than to rename it, never overwrites
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        target.touch(0o600, exist_ok=False)
        try:
            copy.rename(target)  # over that empty file, which is ours
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    try:
        _sync(target.parent)
    except OSError:
        target.unlink()
        raise


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
