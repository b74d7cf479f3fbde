"""What waits to be written to one client: bounded, and the only thing that touches its socket.

Keeps law 5 of docs/architecture.md. Data goes straight to the kernel by one non-blocking write if
nothing is queued and the writer sleeps; a wake-up of the writer's task, five times as dear, is paid
only when the kernel's buffer is full. A stream that is no plain socket (TLS, a test's memory
stream), and a platform without such a write, always takes the writer's way: same order, same bounds.
"""

import os
import sys
from collections import deque
from dataclasses import dataclass

import trio

CHUNK = 65536
"""Octets for which one send timeout is allowed."""


@dataclass(frozen=True, slots=True)
class OutboxStatistics:
    """`backlog`: octets that wait. `direct`, `written`: writes made straight, and by the writer."""

    backlog: int
    direct: int
    written: int


class Outbox:
    """A byte-bounded backlog in front of one stream.

    Args:
        stream: what the bytes go to; nobody else may send on it.
        limit: octets that may wait before the next `put`. What comes at once does not count: who has
            read everything is never cut off, however much a batch brings.
        send_timeout: seconds that `CHUNK` octets may take.
    """

    def __init__(self, stream: trio.abc.SendStream, *, limit: int, send_timeout: float) -> None:
        self._stream = stream
        self._limit = limit
        self._send_timeout = send_timeout
        # Never the descriptor itself: by the time of a write it may be somebody else's connection.
        self._socket = (
            stream.socket if isinstance(stream, trio.SocketStream) and sys.platform != "win32" else None
        )
        self._queue: deque[bytes | memoryview] = deque()
        self._backlog = 0
        self._asleep = False
        self._finishing = False
        self._wake_writer = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._direct = 0
        self._written = 0

    def put(self, data: bytes) -> bool:
        """Hand on `data`, now or as soon as the peer reads. Synchronous.

        Returns:
            False if more than the limit was still waiting: the peer is too slow, cut it off.
        """
        if self._finishing or not data:
            return True
        if self._asleep and self._socket is not None:
            try:
                sent = os.write(self._socket.fileno(), data)
            except OSError:  # full, or broken: the writer will wait for it, or find out
                sent = 0
            self._direct += 1
            if sent == len(data):
                return True
            data = data[sent:]
        in_time = self._backlog <= self._limit
        self._queue.append(data)
        self._backlog += len(data)
        if self._asleep:
            self._wake()
        return in_time

    def finish(self) -> None:
        """Take nothing more; `run` ends when what is queued is written."""
        self._finishing = True
        if self._asleep:
            self._wake()

    @property
    def crowded(self) -> bool:
        """Whether more than half of the limit is used."""
        return self._backlog * 2 > self._limit

    async def wait_for_room(self) -> None:
        """Wait until it is not crowded: for those who can put as much as they like."""
        await trio.lowlevel.checkpoint()
        while self.crowded:
            await self._room.park()

    async def run(self) -> None:
        """Write what `put` could not, until `finish`.

        Raises:
            trio.TooSlowError: the peer did not take a chunk within the send timeout.
            trio.BrokenResourceError, trio.ClosedResourceError: the stream is gone.
        """
        while True:
            while self._queue:
                chunk = self._next_chunk()
                with trio.fail_after(self._send_timeout):
                    await self._stream.send_all(chunk)
                self._written += 1
                self._backlog -= len(chunk)
                if not self.crowded:
                    self._room.unpark_all()
            if self._finishing:
                return
            self._asleep = True
            try:
                await self._wake_writer.park()
            finally:
                self._asleep = False

    def statistics(self) -> OutboxStatistics:
        """How it stands."""
        return OutboxStatistics(self._backlog, self._direct, self._written)

    def _wake(self) -> None:
        self._asleep = False
        self._wake_writer.unpark()

    def _next_chunk(self) -> bytes | memoryview:
        """Up to `CHUNK` octets, joined: one write for what many puts have left."""
        pieces = [self._queue.popleft()]
        size = len(pieces[0])
        while self._queue and size + len(self._queue[0]) <= CHUNK:
            pieces.append(self._queue.popleft())
            size += len(pieces[-1])
        if size <= CHUNK:
            return b"".join(pieces)
        whole = memoryview(pieces[0])  # not copied for each chunk of it
        self._queue.appendleft(whole[CHUNK:])
        return whole[:CHUNK]
