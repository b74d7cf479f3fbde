"""Whatever comes, and however it is cut: no surprise, no growing memory, no growing cost."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.pair import (
    CUTS,
    Heard,
    Refused,
    calls,
    client,
    cut,
    drain,
    hear,
    hear_all,
    held,
    octets,
    server,
)
from tests.protocol.samples import EVENTS, REQUESTS
from triochat.protocol import Connection, Dialect, Role, State
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_FRAME

HELLO = b"NICK alice triochat/1\n"

# --- however it is cut, whatever it is -----------------------------------------------------------

BROKEN = [b"broken\n", b"@1 MSG\n", b"\xff\n", b"\n", b"@9 " + b"x" * MAX_FRAME + b"\n"]
REQUEST_LINES = st.lists(st.sampled_from([wire for _, wire in REQUESTS] + BROKEN), max_size=6).map(b"".join)
EVENT_LINES = st.lists(st.sampled_from([wire for _, wire in EVENTS] + BROKEN), max_size=6).map(b"".join)


@given(REQUEST_LINES, CUTS)
def test_how_requests_are_cut_does_not_matter(lines: bytes, places: list[int]) -> None:
    data = HELLO + lines
    heard = hear_all(Connection(Role.SERVER), [data])
    assert hear_all(Connection(Role.SERVER), cut(data, places)) == heard


@given(EVENT_LINES, st.sampled_from([b"", b"NICK"]), CUTS)
def test_how_events_are_cut_does_not_matter(lines: bytes, stray: bytes, places: list[int]) -> None:
    data = b"WELCOME alice server\n" + lines
    heard = hear(client(State.DECIDING), data)
    assert heard[0] == e.Welcome("alice", "server")
    assert hear_all(client(State.DECIDING), cut(stray + data, places)) == heard


FRAGMENTS = st.lists(
    st.binary(max_size=30)
    | st.sampled_from([wire for _, wire in [*REQUESTS, *EVENTS]])
    | st.sampled_from([b"NICK", b"@1 ", b"\n", b"\r\n", b"triochat/1", b" :", b"\\x1b", b"\xff", b"x" * 9000])
    | st.sampled_from(["silence", "accept", "refuse"]),
    max_size=25,
)


def endure(connection: Connection, pieces: list[bytes | str]) -> None:
    """Whatever comes and whenever: nothing is raised but what `drain` expects."""
    for piece in [*pieces, b""]:
        match piece:
            case bytes():
                connection.receive_data(piece)
            case "silence":
                assert connection.timer_expired() in (b"", b"NICK")
            case "accept" if connection.role is Role.SERVER and connection.state is State.DECIDING:
                connection.send(e.Welcome("alice", "server"))
            case "refuse" if connection.role is Role.SERVER and connection.state is State.DECIDING:
                connection.send(e.Prompt())
        drain(connection)


@given(FRAGMENTS, st.sampled_from([None, *Dialect]))
def test_junk_harms_no_server(pieces: list[bytes | str], dialect: Dialect | None) -> None:
    endure(Connection(Role.SERVER, dialect), pieces)


@given(FRAGMENTS, st.sampled_from(Dialect), st.booleans())
def test_junk_harms_no_client(pieces: list[bytes | str], dialect: Dialect, named: bool) -> None:
    connection = Connection(Role.CLIENT, dialect)
    if named:
        connection.send(e.Hello("alice"))
    endure(connection, pieces)


@given(FRAGMENTS)
def test_what_a_server_hears_is_never_an_event(pieces: list[bytes | str]) -> None:
    heard = hear_all(server(), [piece for piece in pieces if isinstance(piece, bytes) and piece])
    assert all(isinstance(what, e.Request | Refused) for what in heard)


# --- what it costs -------------------------------------------------------------------------------


STREAMS = [
    pytest.param(b"MSG #dev :hello\n", id="frames"),
    pytest.param(b"malformed\n", id="malformed"),
    pytest.param(b"\n", id="empty"),
    pytest.param(b"x", id="a line without end"),
    pytest.param(b"@1 MSG #dev :" + b"x" * 9000 + b"\n", id="overlong"),
]


@pytest.mark.parametrize("unit", STREAMS)
@pytest.mark.parametrize("pieces", [lambda data: [data], octets])
def test_twice_the_bytes_cost_twice_the_work(unit: bytes, pieces: Callable[[bytes], list[bytes]]) -> None:
    def cost(size: int) -> int:
        reads = pieces(unit * (size // len(unit)))
        connection = server()
        return calls(lambda: hear_all(connection, reads))

    assert cost(40_000) <= 2.5 * cost(20_000)


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(lambda: server(State.SNIFFING), id="who sniffs"),
        pytest.param(server, id="a server"),
        pytest.param(lambda: server(dialect=Dialect.TEXT), id="a server in text"),
        pytest.param(client, id="a client"),
    ],
)
def test_a_line_without_end_costs_no_memory_beyond_the_limit(start: Callable[[], Connection]) -> None:
    connection = start()
    heard: list[Heard] = []
    for octet in octets(b"x" * 50_000):
        connection.receive_data(octet)
        heard += drain(connection)
        assert held(connection) <= MAX_FRAME
    assert heard == [Refused("too-long")]


def test_lines_that_were_taken_out_are_not_kept() -> None:
    connection = server()
    for _ in range(100):
        hear(connection, b"MSG #dev :hello\n" * 100 + b"half a line")
        hear(connection, b"\n")
        assert held(connection) == 0
    connection.send(e.Bye())
    connection.receive_data(b"x" * 1000)
    assert held(connection) == 0
