"""A connection of the framed dialect: how bytes become events, however they are cut."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.pair import Pair, Refused, client, cut, drain, hear, hear_all, octets, server
from tests.protocol.samples import ANY_EVENT, ANY_REQUEST, EVENTS, REQUESTS, SESSION
from triochat.protocol import (
    CLOSED,
    NEED_DATA,
    PAUSED,
    Connection,
    Dialect,
    Encoding,
    LocalProtocolError,
    Role,
    State,
)
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_FRAME

HELLO = b"NICK alice triochat/1\n"


def whole(wire: bytes) -> list[bytes]:
    return [wire]


# --- every frame, whole, octet by octet, and with data behind it ---------------------------------


@pytest.mark.parametrize("pieces", [whole, octets])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize(("value", "wire"), REQUESTS, ids=lambda value: repr(value)[:50])
def test_a_server_hears_every_request(
    value: e.Request, wire: bytes, end: bytes, pieces: Callable[[bytes], list[bytes]]
) -> None:
    wire = wire.replace(b"\n", end)
    state = State.NAMING if isinstance(value, e.Hello) else State.CHATTING
    for trailing, behind in [(b"", []), (b"PING\n", [e.Ping()]), (b"@x PAR", [])]:
        assert hear_all(server(state), pieces(wire + trailing)) == [value, *behind]


@pytest.mark.parametrize("pieces", [whole, octets])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize(("value", "wire"), EVENTS, ids=lambda value: repr(value)[:50])
def test_a_client_hears_every_event(
    value: e.Event, wire: bytes, end: bytes, pieces: Callable[[bytes], list[bytes]]
) -> None:
    wire = wire.replace(b"\n", end)
    state = State.DECIDING if isinstance(value, e.Welcome | e.Prompt) else State.CHATTING
    for trailing, behind in [
        (b"", []),
        (b"ERROR bad-nick :x\n", [e.Failure("bad-nick", "x")]),
        (b"@x O", []),
    ]:
        gone = isinstance(value, e.Bye)  # what comes behind a goodbye is not heard
        assert hear_all(client(state), pieces(wire + trailing)) == [value, *([] if gone else behind)]


def test_the_first_bytes_of_a_server_may_be_heard_in_any_pieces() -> None:
    for pieces in (whole, octets):
        connection = Connection(Role.SERVER)
        assert connection.next_event() is NEED_DATA
        heard = hear_all(connection, pieces(b"@1 " + HELLO + b"@2 JOIN #dev\n"))
        assert heard == [e.Hello("alice", tag="1"), e.Join("#dev", tag="2")]
        assert connection.dialect is Dialect.FRAMED
        assert connection.encoding is Encoding.FRAMED


def test_a_server_may_be_told_the_dialect() -> None:
    connection = Connection(Role.SERVER, Dialect.FRAMED)
    assert connection.state is State.NAMING
    assert not connection.wants_timer
    assert connection.timer_expired() == b""


# --- both sides ----------------------------------------------------------------------------------


def test_a_conversation() -> None:
    pair = Pair()
    hello = e.Hello("alice", SESSION, tag="1")
    pair.say(Role.CLIENT, hello, e.Join("#dev", tag="2"), expect=[hello])
    pair.assert_both(State.DECIDING)
    pair.say(Role.SERVER, e.Welcome("alice", "server", tag="1"), e.Ok(tag="1"))
    pair.assert_both(State.CHATTING)
    assert pair.hears(Role.SERVER) == [e.Join("#dev", tag="2")]
    pair.say(Role.SERVER, e.RoomInfo("#dev", 1, 0, tag="2"), e.NameList("#dev", ("alice",), tag="2"))
    pair.say(Role.SERVER, e.Ok(0, tag="2"), e.Ping("are you there?"))
    pair.say(Role.CLIENT, e.Pong("are you there?"), e.Say("#dev", "two\nlines", tag="3"))
    pair.say(Role.CLIENT, e.Quit("good night", tag="4"))
    pair.say(Role.SERVER, e.Bye("good night", tag="4"))
    pair.assert_both(State.CLOSED)


def test_a_refused_nick_may_be_followed_by_another() -> None:
    pair = Pair()
    pair.say(Role.CLIENT, e.Hello("alice"), e.Join("#dev"), expect=[e.Hello("alice")])
    pair.say(Role.SERVER, e.Failure("nick-in-use", "somebody has it"), e.Prompt("somebody has it"))
    assert pair.hears(Role.SERVER) == [Refused("hello-first")]  # the JOIN, judged by what became of it
    pair.assert_both(State.NAMING)
    pair.say(Role.SERVER, e.Failure("hello-first", "say who you are"))
    pair.say(Role.CLIENT, e.Hello("bob"))
    pair.say(Role.SERVER, e.Welcome("bob", "server"), e.Ok())
    pair.assert_both(State.CHATTING)


def test_a_malformed_nick_may_be_followed_by_another() -> None:
    connection = server(State.NAMING)
    assert hear(connection, b"@1 NICK 9lives triochat/1\n") == [Refused("bad-nick", "1")]
    assert connection.state is State.NAMING
    assert connection.send(e.Prompt("a letter first")) == b"NICK :a letter first\n"
    assert hear(connection, b"@2 " + HELLO) == [e.Hello("alice", tag="2")]


def test_framed_nicks_have_no_limit_of_tries() -> None:
    connection = server(State.NAMING)
    for _ in range(50):
        assert hear(connection, b"NICK 9lives triochat/1\n") == [Refused("bad-nick")]
    assert not connection.out_of_tries


@given(st.lists(ANY_REQUEST.filter(lambda request_: not isinstance(request_, e.Hello)), max_size=5))
def test_what_a_client_says_its_server_hears(requests: list[e.Request]) -> None:
    Pair.chatting().say(Role.CLIENT, *requests)


def is_news(event: e.Event) -> bool:
    return not isinstance(event, e.Welcome | e.Prompt | e.Bye)


@given(st.lists(ANY_EVENT.filter(is_news), max_size=5))
def test_what_a_server_says_its_client_hears(events: list[e.Event]) -> None:
    Pair.chatting().say(Role.SERVER, *events)


# --- while a hello is decided on -----------------------------------------------------------------


def test_a_server_reads_no_further_while_it_decides() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(HELLO + b"JOIN #dev\nbroken\n")
    assert connection.next_event() == e.Hello("alice")
    for _ in range(3):
        assert connection.next_event() is PAUSED
    connection.receive_data(b"ROOMS\n")
    assert connection.next_event() is PAUSED
    connection.send(e.Failure("nick-in-use", "x"))
    assert connection.next_event() is PAUSED
    connection.send(e.Welcome("alice", "server"))
    assert drain(connection) == [e.Join("#dev"), Refused("bad-frame"), e.ListRooms()]


def test_the_end_of_the_stream_waits_for_the_decision() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(HELLO + b"JOIN #dev\n")
    connection.receive_data(b"")
    assert connection.next_event() == e.Hello("alice")
    assert connection.next_event() is PAUSED
    connection.send(e.Prompt("taken"))
    assert drain(connection) == [Refused("hello-first")]
    assert connection.next_event() is CLOSED


def test_a_second_hello_is_not_allowed() -> None:
    connection = Connection(Role.SERVER)
    heard = hear_all(connection, [HELLO + b"@2 " + HELLO])
    assert heard == [e.Hello("alice"), Refused("not-allowed", "2")]
    assert connection.state is State.CHATTING


# --- what is malformed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (b"@1 MSG #dev", Refused("bad-frame", "1")),
        (b"@1 MSG #dev :\\q", Refused("bad-text", "1")),
        (b"@1 MSG #dev :caf\xc3\xa9", Refused("not-ascii", "1")),
        (b"@1 msg #dev :x", Refused("bad-frame", "1")),
        (b"@" + b"t" * 32 + b" MSG #dev :" + b"x" * MAX_FRAME, Refused("too-long", "t" * 32)),
        (b"@ MSG #dev :" + b"x" * MAX_FRAME, Refused("too-long")),
        (b"MSG #dev :" + b"x" * MAX_FRAME, Refused("too-long")),
        (b"x" * (1 << 20), Refused("too-long")),
        (b"\xff", Refused("not-ascii")),
        (b"", Refused("bad-frame")),
        (b"@1 OPER root", Refused("unknown-command", "1")),
        (b"@1 JOIN dev", Refused("bad-room", "1")),
        (b"@1 NICK 9lives", Refused("bad-nick", "1")),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_an_error_has_its_tag_and_the_connection_goes_on(line: bytes, refused: Refused) -> None:
    assert hear(server(), line + b"\nPING\n") == [refused, e.Ping()]


def test_the_limit_counts_the_line_end() -> None:
    longest = b"MSG #dev :" + rb"\xe9" * 2000  # 8010 octets, and 8000 of text
    assert hear(server(), longest + b"\n") == [e.Say("#dev", "é" * 2000)]
    padded = b"PING".ljust(MAX_FRAME - 1, b"x")
    assert hear(server(), padded + b"\n") == [Refused("bad-frame")]
    assert hear(server(), padded + b"\r\n") == [Refused("too-long")]
    assert hear(server(), padded + b"x\n") == [Refused("too-long")]


def test_twenty_malformed_frames_in_a_row_are_too_many() -> None:
    heard = hear(server(), b"@1 malformed\n" * 21)
    assert heard == [Refused("bad-frame", "1")] * 19 + [Refused("bad-frame", "1", fatal=True)] * 2


@pytest.mark.parametrize("good", [b"PING\n", b"OPER root\n", b"JOIN dev\n", HELLO])
def test_one_that_is_not_malformed_forgives_those_before_it(good: bytes) -> None:
    connection = server()
    for _ in range(3):
        heard = hear(connection, b"malformed\n" * 19 + good)
        assert len(heard) == 20
        assert not [refused for refused in heard if isinstance(refused, Refused) and refused.fatal]


def test_every_kind_of_malformed_frame_counts() -> None:
    kinds = [b"malformed", b"MSG #dev :\\q", b"MSG #dev :\xff", b"x" * MAX_FRAME]
    heard = hear(server(), b"".join(kind + b"\n" for kind in kinds * 5))
    assert [refused.fatal for refused in heard if isinstance(refused, Refused)] == [False] * 19 + [True]


def test_a_client_too_loses_patience() -> None:
    heard = hear(client(), b"malformed\n" * 20)
    assert heard == [Refused("bad-frame")] * 19 + [Refused("bad-frame", fatal=True)]


# --- a prompt that crossed our hello -------------------------------------------------------------


@pytest.mark.parametrize("place", range(len(b"NICKWELCOME")))
def test_a_stray_prompt_is_dropped(place: int) -> None:
    connection = client(State.DECIDING)
    for piece in cut(b"NICKWELCOME alice server\nOK\n", [place]):
        connection.receive_data(piece)
    assert drain(connection) == [e.Welcome("alice", "server"), e.Ok()]


def test_a_stray_prompt_is_dropped_octet_by_octet_and_before_a_tag() -> None:
    wire = b"NICK@1 WELCOME alice server\n"
    assert hear_all(client(State.DECIDING), octets(wire)) == [e.Welcome("alice", "server", tag="1")]


@pytest.mark.parametrize("pieces", [whole, octets])
@pytest.mark.parametrize(
    ("wire", "prompt"),
    [
        (b"NICK :taken\n", e.Prompt("taken")),
        (b"NICK\n", e.Prompt()),
        (b"NICK\r\n", e.Prompt()),
        (b"NICK :\r\n", e.Prompt()),
    ],
)
def test_a_prompt_frame_is_not_dropped(
    wire: bytes, prompt: e.Prompt, pieces: Callable[[bytes], list[bytes]]
) -> None:
    assert hear_all(client(State.DECIDING), pieces(wire)) == [prompt]


def test_a_stray_prompt_is_dropped_in_front_of_a_prompt_frame() -> None:
    assert hear_all(client(State.DECIDING), octets(b"NICKNICK :taken\n")) == [e.Prompt("taken")]


def test_only_the_first_octets_can_be_a_stray_prompt() -> None:
    connection = client(State.DECIDING)
    heard = hear_all(connection, octets(b"WELCOME alice server\nNICKOK\n"))
    assert heard == [e.Welcome("alice", "server"), Refused("unknown-command")]
    assert hear(client(State.DECIDING), b"NICKNICKOK\n") == [Refused("unknown-command")]


def test_a_prompt_alone_waits_for_the_fifth_octet() -> None:
    connection = client(State.DECIDING)
    assert hear(connection, b"NICK") == []
    assert connection.next_event() is NEED_DATA
    assert hear(connection, b"") == []
    assert connection.next_event() is CLOSED


# --- the end -------------------------------------------------------------------------------------


def test_half_a_frame_at_the_end_of_the_stream_is_not_heard() -> None:
    connection = server()
    assert hear(connection, b"PING\nQUIT") == [e.Ping()]
    assert connection.next_event() is NEED_DATA
    assert hear(connection, b"") == []
    assert connection.next_event() is CLOSED
    connection = client()
    assert hear(connection, b"OK") == []
    assert hear(connection, b"") == []
    assert connection.next_event() is CLOSED


@pytest.mark.parametrize("first", [b"NICK al", b"@1 NICK alice triochat/1", b"NICK "])
def test_half_a_hello_at_the_end_of_the_stream_is_not_heard(first: bytes) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(first)
    assert hear(connection, b"") == []
    assert connection.dialect is Dialect.FRAMED
    assert connection.next_event() is CLOSED
    assert not connection.wants_timer


def test_who_has_half_closed_may_still_be_answered() -> None:
    connection = server()
    assert hear(connection, b"PING\n") == [e.Ping()]
    assert hear(connection, b"") == []
    assert connection.state is State.CHATTING
    assert connection.send(e.Pong()) == b"PONG\n"


def test_what_comes_behind_the_end_is_dropped() -> None:
    connection = server()
    hear(connection, b"")
    assert hear(connection, b"PING\n") == []
    assert connection.next_event() is CLOSED


def test_after_a_goodbye_nothing_is_heard_or_said() -> None:
    connection = server()
    connection.receive_data(b"PING\n")
    assert connection.send(e.Bye("shutdown")) == b"BYE :shutdown\n"
    assert connection.next_event() is CLOSED
    assert hear(connection, b"PING\n") == []
    assert hear(connection, b"") == []
    with pytest.raises(LocalProtocolError, match=r"^the connection is closed$"):
        connection.send(e.Bye())


def test_a_server_may_say_goodbye_before_anything_was_heard() -> None:
    connection = Connection(Role.SERVER)
    assert connection.send(e.Bye("shutdown")) == b"BYE :shutdown\n"
    assert connection.state is State.CLOSED
    assert not connection.wants_timer
    assert connection.timer_expired() == b""


def test_who_quits_is_heard_until_the_goodbye() -> None:
    connection = server()
    assert hear(connection, b"QUIT\nPING\n") == [e.Quit(), e.Ping()]
    assert hear(server(State.NAMING), b"QUIT\n") == [e.Quit()]


def test_what_a_side_may_not_say_it_cannot_send() -> None:
    for connection, frame in [(server(), e.Say("#dev", "x")), (client(), e.Ok())]:
        with pytest.raises(LocalProtocolError) as caught:
            connection.send(frame)
        assert caught.value.code == "not-allowed"


def test_whether_something_has_come_that_was_not_told_of() -> None:
    connection = server()
    pending = [connection.pending]
    for data in (b"PING", b"\nPING\n"):
        connection.receive_data(data)
        pending.append(connection.pending)
    for _ in range(2):
        connection.next_event()
        pending.append(connection.pending)
    assert pending == [False, False, True, True, False]


@pytest.mark.parametrize("state", State)
def test_a_server_takes_messages_only_while_it_chats(state: State) -> None:
    assert server(state).takes_says == (state is State.CHATTING)
    assert not client().takes_says
    assert not server(state, dialect=Dialect.TEXT).takes_says
