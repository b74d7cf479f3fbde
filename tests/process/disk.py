"""A disk of its own for a server, small enough to be filled to the last octet.

It is a tmpfs within a mount namespace that a process of ours holds, so nobody else sees it, and it is gone
with that process. That needs root, or a system that lets everybody have namespaces of users; a virtual disk
that refuses is the same ENOSPC to a program as a real one.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNSHARE = (["unshare", "--mount"], ["unshare", "--user", "--map-root-user", "--mount"])
"""As root; as anybody."""
_HOLD = 'mount -t tmpfs -o "size=$1,mode=0777" tmpfs "$2" && echo mounted && exec cat'


class Disk:
    """A mounted disk; see `open_disk`.

    Args:
        folder: where it is mounted, for those that `command` starts.
        holder: the process that holds it.
        of_anybody: whether the namespace is one of users as well.
    """

    def __init__(self, folder: Path, holder: int, of_anybody: bool) -> None:
        self.folder = folder
        self._outside = Path(f"/proc/{holder}/root", *folder.parts[1:])
        self._enter = ["nsenter", f"--target={holder}", "--mount"]
        if of_anybody:
            self._enter += ["--user", "--preserve-credentials"]

    def command(self, *command: str) -> list[str]:
        """The same command, run by a process that has this disk."""
        return [*self._enter, *command]

    def fill(self) -> None:
        """Leave no room for a single page."""
        with (self._outside / "ballast").open("ab", buffering=0) as ballast:
            size = 65536
            while size:
                try:
                    ballast.write(bytes(size))
                except OSError:
                    size //= 2

    def make_room(self) -> None:
        """Take away what filled it."""
        (self._outside / "ballast").unlink()


@contextmanager
def open_disk(folder: Path, octets: int) -> Iterator[Disk | str]:
    """A disk of that size, mounted on a folder within this block; or why this machine has none."""
    why = ""
    for unshare in _UNSHARE:
        command = [*unshare, "sh", "-c", _HOLD, "sh", str(octets), str(folder)]
        pipe = subprocess.PIPE
        try:
            holder = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        except OSError as error:
            yield str(error)
            return
        with holder:
            assert holder.stdout is not None
            assert holder.stderr is not None
            try:
                if holder.stdout.readline() == "mounted\n":
                    yield Disk(folder, holder.pid, "--user" in unshare)
                    return
                why = holder.stderr.read().strip()
            finally:
                holder.kill()
    yield why
