"""What waits to be written to one client: bounded, and all that writes to its socket goes by it.

Keeps law 5 of docs/architecture.md: it says through `Outbox.direct` whether the socket may be written to past
its queue, as `triochat.server.broadcast` does. Data goes straight to the kernel by one non-blocking write if
nothing is queued; the writer's task, much dearer, is started only when the kernel's buffer is full, and
ends when all is written. A stream that is no plain socket (TLS, a test's memory
stream), and a platform without such a write, always takes the writer's way: same order, same bounds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import trio

CHUNK = 65536
"""Octets for which one send timeout is allowed."""


@dataclass(frozen=True, slots=True)
class OutboxStatistics:
    """`backlog`: octets that wait. `written`: writes that the writer has made."""

    backlog: int
    written: int


class Outbox:
    """A byte-bounded backlog in front of one stream.

    The writer is a task that exists only while something waits; idle, a client has none.

    Args:
        stream: what the bytes go to; nobody else may send on it.
        nursery: where the writer runs. Its failure ends that: `trio.TooSlowError` if the peer did not
            take a chunk within the send timeout, `trio.BrokenResourceError` or
            `trio.ClosedResourceError` if the stream is gone.
        limit: octets that may wait before the next `put`. What comes at once does not count: who has
            read everything is never cut off, however much a batch brings.
        send_timeout: seconds that `CHUNK` octets may take.
        send: writes to the same connection at once what its buffer takes, and says how much that was; raises
            `OSError` if it is nothing. The ``send`` of a non-blocking socket. None: there is no such way.

    Attributes:
        direct: `send` while nothing waits, else None. A broadcast that has very many of them calls it
            itself, and `queue` for what it has not taken, which is what `put` does.
    """

    __slots__ = (
        "_backlog",
        "_excused",
        "_finishing",
        "_limit",
        "_nursery",
        "_progress",
        "_queue",
        "_send",
        "_send_timeout",
        "_stream",
        "_written",
        "direct",
    )

    def __init__(
        self,
        stream: trio.abc.SendStream,
        nursery: trio.Nursery,
        *,
        limit: int,
        send_timeout: float,
        send: Callable[[bytes], int] | None = None,
    ) -> None:
        self._stream = stream
        self._nursery = nursery
        self._limit = limit
        self._send_timeout = send_timeout
        self._send = self.direct = send
        self._queue: list[bytes | memoryview] = []  # an empty deque is half a KiB, and most are empty
        self._backlog = 0  # more than 0: there is a writer, or it has failed and nothing may follow
        self._excused = 0  # of these, at the front, that do not count against the limit
        self._finishing = False
        self._progress: trio.Event | None = None  # made by who waits for the writer
        self._written = 0

    def put(self, data: bytes) -> bool:
        """Hand on `data`, now or as soon as the peer reads. Synchronous.

        Returns:
            False if more than the limit was still waiting: the peer is too slow, cut it off.

        Raises:
            RuntimeError: the nursery is closed, and not all could be written at once.
        """
        if data and self.direct is not None:
            try:
                sent = self.direct(data)
            except OSError:  # full, or broken: the writer will wait for it, or find out
                sent = 0
            if sent == len(data):
                return True
            data = data[sent:]
        return self.queue(data)

    def queue(self, data: bytes) -> bool:
        """Have `data` written by the writer; else as `put`."""
        if self._finishing or not data:
            return True
        if not self._backlog:
            self._nursery.start_soon(self._write)
            self.direct = None
        in_time = self._backlog - self._excused <= self._limit
        self._queue.append(data)
        self._backlog += len(data)
        return in_time

    async def finish(self) -> None:
        """Take nothing more, and wait until what is queued is written."""
        self._finishing = True
        self.direct = None
        await trio.lowlevel.checkpoint()
        while self._backlog:
            await self._wait_for_progress()

    @property
    def crowded(self) -> bool:
        """Whether more than half of the limit is used."""
        return self._backlog * 2 > self._limit

    async def wait_for_room(self) -> None:
        """Wait until it is not crowded: for those who can put as much as they like."""
        await trio.lowlevel.checkpoint()
        while self.crowded:
            await self._wait_for_progress()

    async def wait_down_to(self, backlog: int) -> None:
        """Wait until no more than so many octets wait; a checkpoint."""
        await trio.lowlevel.checkpoint()
        while self._backlog > backlog:
            await self._wait_for_progress()

    def excuse(self) -> None:
        """Let nothing that waits now count against the limit; the caller sees to it that it is bounded."""
        self._excused = self._backlog

    def statistics(self) -> OutboxStatistics:
        """How it stands."""
        return OutboxStatistics(self._backlog, self._written)

    async def _write(self) -> None:
        """Write what `put` could not."""
        while self._queue:
            chunk = self._next_chunk()
            try:
                with trio.fail_after(self._send_timeout):
                    await self._stream.send_all(chunk)
            except BaseException:
                self._queue.clear()  # nothing may follow, and a traceback may keep this frame for long
                raise
            self._written += 1
            self._backlog -= len(chunk)
            self._excused = max(self._excused - len(chunk), 0)
            if self._progress is not None:
                self._progress.set()
                self._progress = None
        if not self._finishing:
            self.direct = self._send

    async def _wait_for_progress(self) -> None:
        if self._progress is None:
            self._progress = trio.Event()
        await self._progress.wait()

    def _next_chunk(self) -> bytes | memoryview:
        """Up to `CHUNK` octets, joined: one write for what many puts have left."""
        size = count = 0
        for piece in self._queue:
            if size + len(piece) > CHUNK:
                break
            size += len(piece)
            count += 1
        if count:
            chunk = b"".join(self._queue[:count])
            del self._queue[:count]
            return chunk
        whole = memoryview(self._queue[0])  # not copied for each chunk of it
        self._queue[0] = whole[CHUNK:]
        return whole[:CHUNK]
