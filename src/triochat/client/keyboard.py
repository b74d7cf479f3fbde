"""Lines from the standard input, whatever it is, while everything else goes on.

The descriptor is never made non-blocking: that would hold for everybody who shares it, above all for
the shell that started us. So it is waited for, and read only when there is something. What the system
can't wait for (epoll refuses regular files and says EPERM) is read in a thread, which is abandoned if
nobody wants its answer any more.
"""

import errno
import os
from dataclasses import dataclass

import trio

from triochat.protocol.escape import clean
from triochat.protocol.lines import LineBuffer

READ_SIZE = 65536
LIMIT = 65536
"""Octets in a line: many times of what a message may hold, so it bounds memory and nothing else."""

QUOTED = 40
"""Octets of a bad line that are quoted, so that it is found again."""
_GONE = (errno.EIO, errno.EBADF)
"""How reading fails if the terminal was closed, and if there never was an input."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """Stands where a line was that can't be used."""

    sentence: str


class Keyboard:
    """Reads a descriptor line by line; one task at a time may wait for a line.

    Args:
        fd: the descriptor; -1 for an input that has ended.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lines = LineBuffer(LIMIT)
        self._eof = False
        self._in_thread = fd < 0

    @property
    def is_terminal(self) -> bool:
        """Whether there is a person at the other end."""
        return os.isatty(self._fd)

    async def next_line(self) -> str | BadLine | None:
        """The next line without its end; None at the end of the input.

        Cancelled, it has taken nothing, and the next call gets the line; only what a thread has to read
        may be lost by that.

        Raises:
            OSError: the input can't be read.
        """
        await trio.lowlevel.checkpoint()
        while (line := self._lines.next_line()) is None:
            if self._eof:
                return None
            data = await self._read()
            if not data:
                self._eof = True
                rest = self._lines.take_rest()
                data = rest + b"\n" if rest else b""  # the last line counts without its end
            self._lines.feed(data)
        if not isinstance(line, bytes):
            return BadLine(f"that line is longer than {LIMIT} octets, so it was not sent")
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            begins = clean(line[:QUOTED].decode("utf-8", "backslashreplace"))
            more = "…" if len(line) > QUOTED else ""
            return BadLine(f"that line is not valid UTF-8, so it was not sent: “{begins}{more}”")

    async def _read(self) -> bytes:
        try:
            if not self._in_thread:
                try:
                    await trio.lowlevel.wait_readable(self._fd)
                except OSError:
                    self._in_thread = True
            if self._in_thread:
                return await trio.to_thread.run_sync(os.read, self._fd, READ_SIZE, abandon_on_cancel=True)
            return os.read(self._fd, READ_SIZE)
        except OSError as error:
            if error.errno in _GONE:
                return b""
            raise
