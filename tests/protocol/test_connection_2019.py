"""A client of the text dialect and a real 2019 server, or our own."""

import pytest

from tests.protocol.pair import Refused, client, drain, hear
from triochat.protocol import CLOSED, Connection, Dialect, Encoding, LocalProtocolError, Role, State
from triochat.protocol import events as e


def connected() -> Connection:
    return client(State.CHATTING, Dialect.TEXT)


def asked() -> Connection:
    return client(State.NAMING, Dialect.TEXT)


def test_a_2019_conversation() -> None:
    connection = Connection(Role.CLIENT, Dialect.TEXT)
    assert hear(connection, b"NICK") == [e.Prompt()]
    assert connection.send(e.Hello("alice")) == b"alice"
    assert connection.state is State.CHATTING
    assert hear(connection, b"alice joined!Connected to server!") == [
        e.Notice("alice joined!Connected to server!")
    ]
    assert connection.send(e.Say(None, "hello")) == b"alice: hello"
    assert hear(connection, b"alice: hello") == [e.Notice("alice: hello")]
    assert connection.send(e.Quit("good night")) == b""
    assert hear(connection, b"") == []
    assert connection.next_event() is CLOSED


def test_there_is_no_timer_in_a_client() -> None:
    for dialect in Dialect:
        connection = Connection(Role.CLIENT, dialect)
        assert not connection.wants_timer
        assert connection.timer_expired() == b""
        assert not connection.out_of_tries


@pytest.mark.parametrize("session", [None, "0" * 32])
def test_the_name_is_all_that_a_2019_server_hears(session: str | None) -> None:
    connection = asked()
    assert connection.encoding is Encoding.ASCII_TEXT
    assert connection.send(e.Hello("alice", session, tag="1")) == b"alice"


def test_what_is_said_is_ascii_and_every_line_has_its_name() -> None:
    connection = connected()
    assert connection.send(e.Say(None, "café 🙂")) == b"alice: caf\\xe9 \\U0001f642"
    assert connection.send(e.Say(None, "one\nNICK")) == b"alice: one\nalice: NICK"
    assert connection.send(e.Say(None, "/join #dev")) == b"alice: /join #dev"


def test_what_a_2019_server_need_not_know_says_nothing() -> None:
    connection = connected()
    for frame in (e.Ping("x"), e.Pong("x"), e.Quit("x")):
        assert connection.send(frame) == b""


@pytest.mark.parametrize(
    "frame",
    [
        e.Say("#dev", "x"),
        e.Say("@bob", "x"),
        e.Rename("bob"),
        e.Join("#dev"),
        e.Part(None),
        e.GetTopic(None),
        e.SetTopic(None, "x"),
        e.ListNames(None),
        e.ListRooms(),
        e.ReadHistory(None),
        e.Search(None, "x"),
        e.Help(),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_what_a_2019_server_does_not_offer(frame: e.Request) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        connected().send(frame)
    assert caught.value.code == "unavailable"


def test_a_name_comes_first() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        asked().send(e.Say(None, "x"))
    assert caught.value.code == "hello-first"


@pytest.mark.parametrize("wire", [b"NICK", b"NICK\n", b"NICK\r\n"])
def test_the_prompt_is_one_only_while_there_is_no_name(wire: bytes) -> None:
    assert hear(asked(), wire) == [e.Prompt()]
    assert hear(connected(), wire) == [e.Notice("NICK")]


@pytest.mark.parametrize("wire", [b"NICKNICK", b"NICK ", b"nick", b"alice: NICK"])
def test_what_is_no_prompt(wire: bytes) -> None:
    assert hear(asked(), wire) == [e.Notice(wire.decode())]


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (b"bob: hello", ["bob: hello"]),
        (b"one\ntwo\r\n\nthree", ["one", "two", "three"]),
        ("bob: café".encode(), ["bob: café"]),
        (b"bob: caf\xe9", ["bob: caf\\xe9"]),
        (b"bob: \x1b[2J\x07", ["bob: \ufffd[2J\ufffd"]),
        (b"a\rb", ["ab"]),
        (b"\r", []),
        (b"\n\n", []),
    ],
)
def test_what_is_heard_is_safe_to_show(wire: bytes, said: list[str]) -> None:
    assert hear(connected(), wire) == [e.Notice(line) for line in said]


def test_what_is_too_long_to_show() -> None:
    connection = connected()
    assert hear(connection, b"x" * 8192) == [Refused("too-long")]
    assert hear(connection, b"\xff" * 8000) == [Refused("too-long")]  # each takes four to show
    assert hear(connection, b"x" * 8000) == [e.Notice("x" * 8000)]


def test_our_own_server_understands_its_text_client() -> None:
    side, other = asked(), Connection(Role.SERVER)
    assert hear(side, other.timer_expired()) == [e.Prompt()]
    other.receive_data(side.send(e.Hello("alice")))
    other.timer_expired()
    assert drain(other) == [e.Hello("alice", adapt=True)]
    assert hear(side, other.send(e.Welcome("alice2", "server"))) == [
        e.Notice("Connected to server!"),
        e.Notice("Your name here is alice2."),
    ]
    assert hear(other, side.send(e.Say(None, "one\n/join us\nthree"))) == [
        e.Say(None, "one"),
        e.Join("#us"),
        e.Say(None, "three"),
    ]
    assert hear(side, other.send(e.Bye("shutdown"))) == [e.Notice("Goodbye! (shutdown)")]
