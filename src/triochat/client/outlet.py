"""Whole lines to a descriptor, and how many of them somebody has read, as far as one can know.

Nothing is buffered here, so nothing comes up again when the interpreter exits. A pipe is written in pieces
that it takes at once: it never blocks, and a cancelled write knows to the octet how far it came. What the
system can't wait for, such as a file, is written in a thread.
"""

import os
import select
import stat
import sys
from contextlib import suppress
from typing import Final

import trio

PIECE: Final = getattr(select, "PIPE_BUF", 512)
"""Octets that a pipe takes at once if it takes any."""
CHUNK: Final = 65536
"""Octets that are written to anything else."""
FINISH_TIMEOUT: Final = 1.0
"""Seconds for the rest of a long line, if the end comes in the middle of it."""


class Outlet:
    """Writes to a descriptor; one task at a time may write.

    Args:
        fd: the descriptor.

    Attributes:
        written: octets so far.

    Raises:
        OSError: there is no such descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        self._in_thread = False
        self.written = 0

    async def write(self, data: bytes) -> None:
        """Write whole lines. Cancelled, it has written whole lines, if the reader lets it.

        Raises:
            OSError: it can't be written; `BrokenPipeError` if nobody reads it.
        """
        begin = self.written
        try:
            while (done := self.written - begin) < len(data):
                await self._write_some(data, done)
        except trio.Cancelled:
            done = self.written - begin
            if done and data[done - 1 : done] != b"\n":
                end = data.index(b"\n", done) + 1
                with trio.move_on_after(FINISH_TIMEOUT, shield=True), suppress(OSError):
                    while (done := self.written - begin) < end:
                        await self._write_some(data[:end], done)
            raise

    async def _write_some(self, data: bytes, start: int) -> None:
        if not self._in_thread:
            try:
                await trio.lowlevel.wait_writable(self._fd)
            except OSError:
                self._in_thread = True
        end = start + (CHUNK if self._in_thread else PIECE)
        if end < len(data):
            end = data.rfind(b"\n", start, end) + 1 or end
        piece = data[start:end]
        with suppress(BlockingIOError):  # whoever shares it has made it so, and was faster
            if self._in_thread:
                self.written += await trio.to_thread.run_sync(os.write, self._fd, piece)
            else:
                self.written += os.write(self._fd, piece)

    async def reader_gone(self) -> None:
        """Wait until nobody reads a pipe any more; for ever, where one can't know."""
        if self._is_pipe and sys.platform == "linux":
            await trio.lowlevel.wait_readable(self._fd)
            if self._nobody_reads():
                return
        await trio.sleep_forever()

    def unread(self) -> int:
        """Octets that nobody will read, since whoever did has gone."""
        if not (self._is_pipe and sys.platform == "linux" and self._nobody_reads()):
            return 0
        import fcntl
        import termios

        waiting = fcntl.ioctl(self._fd, termios.FIONREAD, bytes(4))
        return min(self.written, int.from_bytes(waiting, sys.byteorder))

    def _nobody_reads(self) -> bool:
        poll = select.poll()
        poll.register(self._fd, 0)
        return any(happened & select.POLLERR for _, happened in poll.poll(0))
