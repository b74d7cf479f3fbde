"""A small file that a program keeps for the next one in its place.

It is never changed, but replaced as a whole: whatever kills us, there is the old one or the new one. So what
is there and is no file is refused: root would put a file in the place of a device such as /dev/null.
Beside it stands a file that ends in ``.lock``, which the system holds locked as long as we live: two
programs would undo each other's work. (Windows has no such locks; there nobody looks.)
"""

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path


class InUse(Exception):  # noqa: N818 -- it names what is the case
    """Another program holds the file."""


class KeptFile:
    """A file, locked until it is closed.

    Args:
        path: where it is, or shall be.

    Raises:
        InUse: another program has it.
        OSError: it can't be locked, or what is there is no file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.name in ("", ".."):  # such as "/": no name can be made of it for what lies beside it
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        refuse_what_is_no_file(self.path)
        self._lock = self._locked()

    def close(self) -> None:
        """Let others use it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read(self, most: int) -> bytes | None:
        """What stands in it, up to `most` octets and one; None if there is none.

        Raises:
            OSError: it can't be read.
        """
        try:
            with self.path.open("rb") as file:
                return file.read(most + 1)
        except FileNotFoundError:
            return None

    def replace(self, content: str) -> None:
        """Replace what stands in it. It is on the disk when this returns; that takes a while.

        Raises:
            OSError: that is not possible; what stood in it still does.
        """
        temporary = self._beside(".new")
        # Nobody else shall read it. So it is never written into what lies there already, a link or a file
        # with other rights, be it left by a crash.
        temporary.unlink(missing_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(self.path.parent)

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    def _locked(self) -> int | None:
        if sys.platform == "win32":
            return None
        import fcntl

        fd = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise InUse(self.path) from None
        except OSError:
            os.close(fd)
            raise
        return fd


def refuse_what_is_no_file(path: Path) -> None:
    """Look, without opening it, whether something else than a file is there: some of that has no end.

    Raises:
        OSError: there is.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not an ordinary file", str(path))


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk as well, where the system can do that."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
