"""Two connections against each other, and ways to drive one; after h11's `ConnectionPair`."""

import sys
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import NamedTuple

from hypothesis import strategies as st

from triochat.protocol import (
    PAUSED,
    Connection,
    Dialect,
    Need,
    RemoteProtocolError,
    Role,
    State,
)
from triochat.protocol import events as e
from triochat.protocol.runs import SayRun


class Refused(NamedTuple):
    """Stands where a `RemoteProtocolError` was raised."""

    code: str
    tag: str | None = None
    fatal: bool = False


Heard = e.Frame | Refused


def drain(connection: Connection) -> list[Heard]:
    """All that there is to take out of a connection."""
    heard: list[Heard] = []
    while not isinstance(one := _next(connection), Need):
        heard.append(one)
    return heard


def drain_runs(connection: Connection) -> tuple[list[Heard], list[SayRun]]:
    """The same as `drain`, the faster way; and which runs there were."""
    heard: list[Heard] = []
    runs: list[SayRun] = []
    while True:
        if (run := connection.next_says()) is not None:
            runs.append(run)
            heard += run.frames()
        elif isinstance(one := _next(connection), Need):
            return heard, runs
        else:
            heard.append(one)


def _next(connection: Connection) -> Heard | Need:
    try:
        return connection.next_event()
    except RemoteProtocolError as error:
        return Refused(error.code, error.tag, error.fatal)


def hear(connection: Connection, data: bytes) -> list[Heard]:
    """What one read leads to."""
    connection.receive_data(data)
    return drain(connection)


def hear_all(connection: Connection, pieces: Iterable[bytes]) -> list[Heard]:
    """What reads lead to, where a server welcomes whoever says hello."""
    heard: list[Heard] = []
    for piece in pieces:
        heard += hear(connection, piece)
        while connection.next_event() is PAUSED:
            connection.send(e.Welcome("welcome", "server"))
            heard += drain(connection)
    return heard


def calls(work: Callable[[], object]) -> int:
    """How many functions, of Python and of C, `work` calls: a measure that is the same every time."""
    counted = 0

    def count(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def held(connection: Connection) -> int:
    """Octets of lines that a connection keeps, wherever it keeps them."""
    return len(connection._first) + connection._lines.size


def octets(data: bytes) -> list[bytes]:
    """`data`, octet by octet."""
    return [data[i : i + 1] for i in range(len(data))]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` in pieces, none of them empty, cut at `places`."""
    ends = sorted({place for place in places if 0 < place < len(data)} | {len(data)})
    return [data[a:b] for a, b in zip([0, *ends], ends, strict=False) if a < b]


CUTS = st.lists(st.integers(0, 400), max_size=30)


def server(state: State = State.CHATTING, dialect: Dialect = Dialect.FRAMED) -> Connection:
    """A server's side, brought to `state` by what a peer called alice says."""
    if state is State.SNIFFING:
        return Connection(Role.SERVER)
    connection = Connection(Role.SERVER, dialect)
    if state is State.NAMING:
        return connection
    hello = b"alice\n" if dialect is Dialect.TEXT else b"NICK alice triochat/1\n"
    assert hear(connection, hello) == [e.Hello("alice")]
    if state is not State.DECIDING:
        connection.send(e.Welcome("alice", "server"))
    if state is State.CLOSED:
        connection.send(e.Bye())
    assert connection.state is state
    return connection


def client(state: State = State.CHATTING, dialect: Dialect = Dialect.FRAMED) -> Connection:
    """A client's side, brought to `state`."""
    connection = Connection(Role.CLIENT, dialect)
    if state is not State.NAMING:
        connection.send(e.Hello("alice"))
    if state in (State.CHATTING, State.CLOSED) and dialect is Dialect.FRAMED:
        hear(connection, b"WELCOME alice server\n")
    if state is State.CLOSED:
        hear(connection, b"BYE :\n")
    assert connection.state is state
    return connection


class Pair:
    """A client and a server of the framed dialect, joined by a perfect network."""

    def __init__(self) -> None:
        self.sides = {role: Connection(role) for role in Role}

    def say(self, role: Role, *frames: e.Frame, expect: Sequence[Heard] | None = None) -> bytes:
        """`role` says `frames`, all in one write; the other side hears them, or what is expected."""
        (other,) = (connection for key, connection in self.sides.items() if key is not role)
        data = b"".join(self.sides[role].send(frame) for frame in frames)
        assert hear(other, data) == list(frames if expect is None else expect)
        return data

    def hears(self, role: Role) -> list[Heard]:
        """What `role` has been told and has not yet taken out."""
        return drain(self.sides[role])

    def assert_both(self, state: State) -> None:
        """Both sides are in the same state."""
        assert {connection.state for connection in self.sides.values()} == {state}

    @classmethod
    def chatting(cls) -> "Pair":
        """A pair whose client is called alice."""
        pair = cls()
        pair.say(Role.CLIENT, e.Hello("alice"))
        pair.say(Role.SERVER, e.Welcome("alice", "server"), e.Ok())
        return pair
