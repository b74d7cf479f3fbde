"""A network in memory that is slow, tears what is sent into other pieces, and breaks when it is told to.

It behaves as TCP does: octets arrive in their order, once, until the connection breaks; then what was under
way is lost, and neither end knows how much of it the other had.
"""

import math
import operator
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import trio

BUFFER: Final = 65536
UNREACHABLE: Final = 130.0
"""Seconds after which a system gives up an attempt to connect that nobody answers, about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How a connection is.

    Attributes:
        latency: seconds that each octet is under way at least.
        jitter: seconds that are added to that, at most.
        buffer: octets of each direction that are sent and not read, at most; then who sends waits.
        torn: how likely it is that a read gets only a part of what is there.
    """

    latency: float = 0.001
    jitter: float = 0.0
    buffer: int = BUFFER
    torn: float = 0.0


class _Direction:
    """Octets on their way from one end to the other."""

    def __init__(self, conditions: Conditions, choose: random.Random) -> None:
        self._conditions = conditions
        self._choose = choose
        self._under_way: deque[tuple[float, bytes]] = deque()  # when it arrives, and what
        self._held = 0
        self._end: float | None = None  # when the news arrives that this was all
        self._broken = False
        self._cut = False
        self._deaf = False
        self._silent_until = 0.0
        self._changed = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return self._held

    @property
    def dead(self) -> bool:
        return self._broken or self._deaf

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        rest = bytes(data)
        await trio.lowlevel.checkpoint()
        self._check_open()
        while rest:
            room = await self._room()
            self._under_way.append((self._arrival(), rest[:room]))
            self._held += len(rest[:room])
            rest = rest[room:]
            self._changed.unpark_all()

    async def wait_for_room(self) -> None:
        await trio.lowlevel.checkpoint()
        await self._room()

    async def _room(self) -> int:
        """How many octets may be sent now; waits until it is one or more."""
        while True:
            self._check_open()
            if (room := self._conditions.buffer - self._held) > 0:
                return room
            await self._changed.park()

    def _check_open(self) -> None:
        if self._end is not None and not self._cut:
            raise trio.ClosedResourceError("this end was closed")
        if self._broken or self._deaf or self._cut:
            raise trio.BrokenResourceError("the other end is gone")

    def _arrival(self) -> float:
        # What is sent later may have a shorter way; it is read in its turn all the same.
        delay = self._conditions.latency + self._choose.random() * self._conditions.jitter
        return trio.current_time() + delay

    async def receive_some(self, most: int | None) -> bytes:
        await trio.lowlevel.checkpoint()
        while True:
            if self._deaf:
                raise trio.ClosedResourceError("this end was closed")
            if self._broken:
                raise trio.BrokenResourceError("the other end is gone")
            now = trio.current_time()
            if self._silent_until > now:
                await self._wait(self._silent_until)
            elif self._under_way:
                if self._under_way[0][0] <= now:
                    return self._take(now, most)
                await self._wait(self._under_way[0][0])
            elif self._end is not None and self._end <= now:
                return b""
            else:
                await self._wait(math.inf if self._end is None else self._end)

    async def _wait(self, until: float) -> None:
        if until == math.inf:
            await self._changed.park()
            return
        with trio.move_on_at(until):
            await self._changed.park()

    def _take(self, now: float, most: int | None) -> bytes:
        arrived = bytearray()
        while self._under_way and self._under_way[0][0] <= now:
            arrived += self._under_way.popleft()[1]
        count = len(arrived) if most is None else min(most, len(arrived))
        if self._choose.random() < self._conditions.torn:
            count = self._choose.randint(1, count)
        if count < len(arrived):
            self._under_way.appendleft((now, bytes(arrived[count:])))
        self._held -= count
        self._changed.unpark_all()
        return bytes(arrived[:count])

    def end(self) -> None:
        """This was all."""
        self._cut = False
        if self._end is None:
            self._end = self._arrival()
            self._changed.unpark_all()

    def cut(self) -> None:
        """This was all, though who sends has not said so."""
        if self._end is None:
            self.end()
            self._cut = True

    def stop_listening(self) -> None:
        """The receiver is gone, and who sends will find out."""
        self._deaf = True
        self._under_way.clear()
        self._held = 0
        self._changed.unpark_all()

    def break_(self) -> None:
        """Lose what is under way."""
        self._broken = True
        self._under_way.clear()
        self._held = 0
        self._changed.unpark_all()

    def be_silent(self, until: float) -> None:
        """Nothing arrives before that time."""
        self._silent_until = max(self._silent_until, until)
        self._changed.unpark_all()

    def heal(self) -> None:
        """What was held back arrives."""
        self._silent_until = 0.0
        self._changed.unpark_all()


class _OneAtATime:
    """Shows who does something from two tasks at the same time."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._busy = False

    def __enter__(self) -> None:
        if self._busy:
            raise trio.BusyResourceError(f"another task is {self._doing} on this stream")
        self._busy = True

    def __exit__(self, *_: object) -> None:
        self._busy = False


class SimulatedStream(trio.abc.HalfCloseableStream):
    """One end of a connection."""

    def __init__(self, incoming: _Direction, outgoing: _Direction) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._sending = _OneAtATime("sending")
        self._receiving = _OneAtATime("receiving")

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        with self._sending:
            await self._outgoing.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        with self._sending:
            await self._outgoing.wait_for_room()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if max_bytes is not None and operator.index(max_bytes) < 1:
            raise ValueError("max_bytes must be 1 or more")
        with self._receiving:
            return await self._incoming.receive_some(max_bytes)

    async def send_eof(self) -> None:
        with self._sending:
            await trio.lowlevel.checkpoint()
            self._outgoing.end()

    async def aclose(self) -> None:
        self._outgoing.end()
        self._incoming.stop_listening()
        await trio.lowlevel.checkpoint()


class Connection:
    """One connection, from outside: what can be done to it.

    Attributes:
        number: in the order in which they were made.
        who: made it.
        client, server: the two ends.
        disturbed: something was done to it.
        silenced: that was to hold back what is sent.
    """

    def __init__(self, number: int, who: str, conditions: Conditions, choose: random.Random) -> None:
        self.number = number
        self.who = who
        self.disturbed = self.silenced = False
        self._up = _Direction(conditions, choose)
        self._down = _Direction(conditions, choose)
        self.client = SimulatedStream(self._down, self._up)
        self.server = SimulatedStream(self._up, self._down)

    @property
    def dead(self) -> bool:
        """Whether nobody has anything of it any more."""
        return self._up.dead and self._down.dead

    @property
    def under_way(self) -> int:
        """Octets that were sent and not read, in both directions."""
        return len(self._up) + len(self._down)

    def reset(self) -> None:
        """Break it: both ends find out at once, and what is under way is lost."""
        self.disturbed = True
        self._up.break_()
        self._down.break_()

    def end(self) -> None:
        """End it as a box on the way does that was asked to: both ends read to the end, and that is it."""
        self.disturbed = True
        self._up.cut()
        self._down.cut()

    def heal(self) -> None:
        """What was held back arrives."""
        self._up.heal()
        self._down.heal()

    def be_silent(self, until: float, *, up: bool, down: bool) -> None:
        """Hold back what is sent, in one direction or in both, until that time; math.inf: for ever."""
        self.disturbed = self.silenced = True
        if up:
            self._up.be_silent(until)
        if down:
            self._down.be_silent(until)


class _Listener(trio.abc.Listener[trio.abc.Stream]):
    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](math.inf)

    def hand_over(self, stream: trio.abc.Stream) -> None:
        self._send.send_nowait(stream)

    async def accept(self) -> trio.abc.Stream:
        return await self._receive.receive()

    async def aclose(self) -> None:
        self._receive.close()
        await trio.lowlevel.checkpoint()


class Network:
    """Between a server, when there is one, and all who connect to it.

    Args:
        conditions: draws those of a new connection.
        choose: of all chances here.

    Attributes:
        refusing: nobody gets through, and is told so.
        dialing: how many try to get through now.
        swallowing: nobody gets through, and hears of that only after `UNREACHABLE`.
    """

    def __init__(self, conditions: Callable[[], Conditions], choose: random.Random) -> None:
        self._connections: dict[int, Connection] = {}
        self.refusing = False
        self.swallowing = False
        self.dialing = 0
        self._conditions = conditions
        self._choose = choose
        self._made = 0
        self._listener: _Listener | None = None

    @property
    def connections(self) -> list[Connection]:
        """All that are there, in the order in which they were made."""
        for number in [number for number, connection in self._connections.items() if connection.dead]:
            del self._connections[number]
        return list(self._connections.values())

    @property
    def under_way(self) -> int:
        """Octets that were sent and not read, over all connections."""
        return sum(connection.under_way for connection in self.connections)

    def connection_of(self, stream: trio.abc.Stream) -> Connection | None:
        """The one whose client's end that is, if it is there."""
        return next((each for each in self.connections if each.client is stream), None)

    def listen(self) -> trio.abc.Listener[trio.abc.Stream]:
        """What a server accepts from."""
        self._listener = _Listener()
        return self._listener

    def server_is_gone(self) -> None:
        """Its process has died: the system resets all of its connections."""
        self._listener = None
        for connection in self.connections:
            connection.reset()
        self._connections.clear()

    def reset_all_of(self, who: str) -> None:
        """The program of somebody has died."""
        for connection in self.connections:
            if connection.who == who:
                connection.reset()

    async def dial(self, who: str) -> trio.abc.Stream:
        """Connect.

        Raises:
            OSError: there is no server, or no way to it.
        """
        self.dialing += 1
        try:
            return await self._dial(who)
        finally:
            self.dialing -= 1

    async def _dial(self, who: str) -> trio.abc.Stream:
        conditions = self._conditions()
        await trio.sleep(conditions.latency)
        if self.swallowing:
            await trio.sleep(UNREACHABLE)
            raise TimeoutError("nobody answers")
        if self._listener is None or self.refusing:
            raise ConnectionRefusedError("nobody listens")
        self._made += 1
        connection = Connection(self._made, who, conditions, random.Random(self._choose.getrandbits(64)))
        try:
            self._listener.hand_over(connection.server)
        except trio.BrokenResourceError:
            raise ConnectionRefusedError("nobody listens") from None
        self._connections[connection.number] = connection
        return connection.client
