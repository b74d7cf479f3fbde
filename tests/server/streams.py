"""In-memory connections with a bounded buffer, so that slow readers exist.

trio's own `memory_stream_pair` takes whatever is sent: nobody is ever slow. Here each direction holds
so many octets and no more, as a kernel does; a writer waits until its peer has read.
"""

import trio

LIMIT = 65536
"""Octets that one direction holds by default."""


class _Pipe:
    """One direction."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = bytearray()
        self._ended = False  # the sender has said that this is all
        self._broken = False  # one of the two is gone without a word
        self._deaf = False  # the receiver has closed its end
        self._stuck = False  # nothing gets through any more
        self._changed = trio.lowlevel.ParkingLot()
        self.writes = 0

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        rest = memoryview(bytes(data))
        self.writes += 1
        await trio.lowlevel.checkpoint()
        while True:
            if self._ended:
                raise trio.ClosedResourceError("this end was closed")
            if self._broken or self._deaf:
                raise trio.BrokenResourceError("the other end is gone")
            room = self._limit - len(self._held)
            if room > 0 and rest:
                self._held += rest[:room]
                rest = rest[room:]
                self._changed.unpark_all()
            if not rest:
                return
            await self._changed.park()

    async def receive_some(self, max_bytes: int | None) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            if self._deaf:
                raise trio.ClosedResourceError("this end was closed")
            if self._broken:
                raise trio.BrokenResourceError("the other end is gone")
            if self._held and not self._stuck:
                count = len(self._held) if max_bytes is None else max_bytes
                data = bytes(self._held[:count])
                del self._held[:count]
                self._changed.unpark_all()
                return data
            if self._ended:
                return b""
            await self._changed.park()

    def stick(self) -> None:
        self._stuck = True

    def end(self) -> None:
        self._ended = True
        self._changed.unpark_all()

    def stop_listening(self) -> None:
        self._deaf = True
        self._held.clear()
        self._changed.unpark_all()

    def break_(self) -> None:
        self._broken = True
        self._held.clear()
        self._changed.unpark_all()

    def __len__(self) -> int:
        return len(self._held)


class BoundedStream(trio.abc.HalfCloseableStream):
    """One end of a connection; see `bounded_stream_pair`."""

    def __init__(self, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = False  # shows who breaks law 5

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self._sending:
            raise trio.BusyResourceError("another task is sending on this stream")
        self._sending = True
        try:
            await self._outgoing.send_all(data)
        finally:
            self._sending = False

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._incoming.receive_some(max_bytes)

    async def send_eof(self) -> None:
        await trio.lowlevel.checkpoint()
        self._outgoing.end()

    async def aclose(self) -> None:
        self._outgoing.end()
        self._incoming.stop_listening()
        await trio.lowlevel.checkpoint()

    def stick(self) -> None:
        """Receive nothing more, though it is sent: all of that is lost by the next `reset`."""
        self._incoming.stick()

    def reset(self) -> None:
        """Be gone without a word, as with a TCP reset: what is under way in either direction is lost."""
        self._outgoing.break_()
        self._incoming.break_()

    @property
    def writes(self) -> int:
        """How often the other end has written."""
        return self._incoming.writes

    @property
    def waiting(self) -> int:
        """Octets that wait to be received at this end."""
        return len(self._incoming)


def bounded_stream_pair(limit: int = LIMIT) -> tuple[BoundedStream, BoundedStream]:
    """Two connected streams; each direction holds `limit` octets."""
    there, back = _Pipe(limit), _Pipe(limit)
    return BoundedStream(there, back), BoundedStream(back, there)


class MemoryListener(trio.abc.Listener[trio.abc.HalfCloseableStream]):
    """Hands the other ends of what `connect` returns to whoever serves."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[trio.abc.HalfCloseableStream | OSError](1000)

    def connect(self, limit: int = LIMIT) -> BoundedStream:
        """Connect; raises `trio.BrokenResourceError` if nobody listens any more."""
        ours, theirs = bounded_stream_pair(limit)
        self.hand_over(theirs)
        return ours

    def hand_over(self, theirs: trio.abc.HalfCloseableStream) -> None:
        """Have `accept` return `theirs`."""
        self._send.send_nowait(theirs)

    def fail(self, error: OSError) -> None:
        """Have `accept` raise `error`."""
        self._send.send_nowait(error)

    async def accept(self) -> trio.abc.HalfCloseableStream:
        arrived = await self._receive.receive()
        if isinstance(arrived, OSError):
            raise arrived
        return arrived

    async def aclose(self) -> None:
        self._receive.close()
        await trio.lowlevel.checkpoint()
