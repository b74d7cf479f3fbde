"""A server and a person: netcat, telnet, or a 2019 client; lines, or none at all."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.pair import CUTS, Heard, Refused, cut, drain, hear, hear_all, octets, server
from triochat.protocol import CLOSED, NEED_DATA, PAUSED, Connection, Dialect, Encoding, Role, State
from triochat.protocol import events as e


def unframed(offered: bytes = b"alice", nick: str = "alice") -> Connection:
    """A server's side whose peer is a 2019 client."""
    connection = Connection(Role.SERVER)
    assert connection.timer_expired() == b"NICK"
    connection.receive_data(offered)
    assert connection.timer_expired() == b""
    assert isinstance(connection.next_event(), e.Hello)
    connection.send(e.Welcome(nick, "server"))
    return connection


def lines(end: bytes = b"\n") -> Connection:
    """A server's side whose peer is a person with netcat."""
    connection = Connection(Role.SERVER)
    assert hear(connection, b"alice" + end) == [e.Hello("alice")]
    connection.send(e.Welcome("alice", "server"))
    return connection


def timer(connection: Connection) -> bool:
    return connection.wants_timer


def encoding(connection: Connection) -> Encoding:
    return connection.encoding


def say(text: str) -> e.Say:
    return e.Say(None, text)


# --- listen first, then ask ----------------------------------------------------------------------


def test_who_says_nothing_is_asked_once() -> None:
    connection = Connection(Role.SERVER)
    assert timer(connection)
    assert connection.timer_expired() == b"NICK"
    assert not timer(connection)
    assert connection.timer_expired() == b""
    assert connection.state is State.SNIFFING
    assert connection.next_event() is NEED_DATA


def test_who_answers_before_the_question_is_not_asked() -> None:
    connection = Connection(Role.SERVER)
    assert hear(connection, b"alice\n") == [e.Hello("alice")]
    assert connection.dialect is Dialect.TEXT
    assert not timer(connection)
    assert connection.timer_expired() == b""


@pytest.mark.parametrize("asked", [False, True])
def test_each_octet_starts_the_sniff_time_again(asked: bool) -> None:
    connection = Connection(Role.SERVER)
    if asked:
        connection.timer_expired()
    for octet in octets(b"alice"):
        assert hear(connection, octet) == []
        assert timer(connection)
        assert connection.next_event() is NEED_DATA
        assert connection.state is State.SNIFFING
    assert connection.timer_expired() == b""
    assert connection.next_event() == e.Hello("alice", adapt=True)
    assert not timer(connection)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_end_within_the_sniff_time_makes_it_lines(end: bytes) -> None:
    connection = Connection(Role.SERVER)
    assert hear_all(connection, octets(b"alice" + end + b"half")) == [e.Hello("alice")]
    assert hear(connection, b" and half" + end) == [say("half and half")]


def test_silence_after_half_a_hello_waits_for_the_rest() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"NICK al")
    assert timer(connection)
    assert connection.timer_expired() == b""
    assert not timer(connection)
    assert connection.next_event() is NEED_DATA
    connection.receive_data(b"ice tri")
    assert timer(connection)
    assert connection.timer_expired() == b""
    assert hear(connection, b"ochat/1\n") == [e.Hello("alice")]
    assert connection.dialect is Dialect.FRAMED


def test_a_slow_framed_client_answers_the_prompt_with_a_frame() -> None:
    connection = Connection(Role.SERVER)
    assert connection.timer_expired() == b"NICK"
    assert hear(connection, b"@1 NICK alice triochat/1\n") == [e.Hello("alice", tag="1")]
    assert connection.send(e.Welcome("alice", "server", tag="1")) == b"@1 WELCOME alice server\n"


def test_who_waits_too_long_can_be_told_so() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"al!")
    assert encoding(connection) is Encoding.ASCII_TEXT
    assert connection.send(e.Bye("too slow")) == b"Goodbye! (too slow)\n"
    assert not timer(connection)


def test_an_endless_first_line_is_one_try() -> None:
    connection = Connection(Role.SERVER)
    assert hear(connection, b"x" * 8192) == [Refused("too-long")]
    assert not timer(connection)
    assert hear(connection, b"x" * 100_000 + b"\nalice\n") == [e.Hello("alice")]


@pytest.mark.parametrize("cut_into", [lambda data: [data], octets], ids=["whole", "octets"])
def test_an_endless_greeting_is_text_however_it_comes(cut_into: Callable[[bytes], list[bytes]]) -> None:
    connection = Connection(Role.SERVER)
    data = b"NICK " + b"x" * 8192 + b" triochat/1\nalice\n"
    assert hear_all(connection, cut_into(data)) == [Refused("too-long"), e.Hello("alice")]
    assert connection.dialect is Dialect.TEXT


# --- the answer to the prompt --------------------------------------------------------------------


def test_a_blank_line_is_an_answer_that_will_not_do() -> None:
    """Its sender waits to be asked, and who is not told would wait for ever."""
    connection = Connection(Role.SERVER)
    assert hear(connection, b"\n \r\n  alice \n") == [
        Refused("bad-nick"),
        Refused("bad-nick"),
        e.Hello("alice"),
    ]
    assert not connection.out_of_tries


def test_a_person_has_five_tries() -> None:
    connection = Connection(Role.SERVER)
    offers = [b"9lives", b"jos\xc3\xa9", b"\xff", b"x" * 9000, b"two words"]
    heard = hear(connection, b"\n".join(offers) + b"\n")
    codes = ["bad-nick", "bad-nick", "bad-text", "too-long", "bad-nick"]
    assert heard == [Refused(code, fatal=code == "bad-nick" and i == 4) for i, code in enumerate(codes)]
    assert connection.out_of_tries


def test_a_taken_nick_is_a_try_too() -> None:
    connection = Connection(Role.SERVER)
    for number in range(1, 6):
        assert not connection.out_of_tries
        assert hear(connection, b"alice\n") == [e.Hello("alice")]
        assert connection.next_event() is PAUSED
        assert connection.out_of_tries == (number == 5)
        assert connection.send(e.Failure("nick-in-use", "somebody has it")) == b"Somebody has it.\n"
        assert connection.send(e.Prompt("somebody has it")) == b"NICK"
    assert hear(connection, b"9lives\n") == [Refused("bad-nick", fatal=True)]


def test_tries_are_counted_only_while_a_name_is_asked_for() -> None:
    connection = lines()
    for _ in range(19):
        assert hear(connection, b"\xff\n") == [Refused("bad-text")]
    assert not connection.out_of_tries
    assert hear(connection, b"\xff\n") == [Refused("bad-text", fatal=True)]


@pytest.mark.parametrize(
    ("offered", "nick"),
    [
        (b"alice", "alice"),
        (b" alice ", "alice"),
        (b"al ice", "alice"),
        (b"jos\xc3\xa9", "jos"),
        (b"9lives", "lives"),
        (b"a" * 40, "a" * 32),
        (b" ", "guest"),
        (b"NICK", "NICK"),
    ],
)
def test_who_would_answer_the_same_for_ever_is_given_a_likely_nick(offered: bytes, nick: str) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(offered)
    connection.timer_expired()
    assert drain(connection) == [e.Hello(nick, adapt=True)]


def test_an_unframed_peer_that_is_refused_may_answer_again() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"alice")
    connection.timer_expired()
    assert connection.next_event() == e.Hello("alice", adapt=True)
    assert connection.send(e.Prompt()) == b"NICK"
    assert hear(connection, b"\nbob") == [e.Blank(), e.Hello("bob", adapt=True)]


@pytest.mark.parametrize("offered", [b"\xff\xfe", b"al\xffice", b"jos\xe9"])
def test_an_unframed_offer_that_is_no_utf_8_is_a_try(offered: bytes) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(offered)
    connection.timer_expired()
    assert drain(connection) == [Refused("bad-text")]
    assert connection.state is State.NAMING
    for _ in range(3):
        assert connection.send(e.Prompt()) == b"NICK"
        assert hear(connection, offered) == [Refused("bad-text")]
    assert not connection.out_of_tries
    assert hear(connection, offered) == [Refused("bad-text", fatal=True)]
    assert connection.out_of_tries


def test_an_unframed_peer_may_make_good_for_an_offer_that_was_refused() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"jos\xe9")
    connection.timer_expired()
    assert drain(connection) == [Refused("bad-text")]
    assert hear(connection, b"jose") == [e.Hello("jose", adapt=True)]
    connection.send(e.Welcome("jose", "server"))
    assert hear(connection, b"jose: hello") == [say("hello")]


@pytest.mark.parametrize(
    ("offered", "nick", "told"),
    [
        (b"alice", "alice", b"Connected to server!\n"),
        (b" alice ", "alice", b"Connected to server!\n"),
        (b"alice", "alice2", b"Connected to server!\nYour name here is alice2.\n"),
    ],
)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_who_gets_another_name_is_told_so(offered: bytes, end: bytes, nick: str, told: bytes) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(offered + end)
    connection.timer_expired()
    assert isinstance(connection.next_event(), e.Hello)
    assert connection.send(e.Welcome(nick, "server")) == told


# --- one read, one message -----------------------------------------------------------------------


def test_each_read_of_an_unframed_peer_is_a_message() -> None:
    connection = unframed()
    for data, heard in [
        (b"alice: hello", [say("hello")]),
        (b"alice: alice: hello", [say("alice: hello")]),
        (b"hello", [say("hello")]),
        (b"alice: onealice: two", [say("onealice: two")]),
        (b"alice: one\nalice: two\r\nthree", [say("one"), say("two"), say("three")]),
        (b"alice: one\n", [say("one")]),
        (b"alice: one\r\n", [say("one")]),
        (b"\n", [e.Blank()]),
        (b"\n\n", [e.Blank(), e.Blank()]),
        (b"\nhello", [e.Blank(), say("hello")]),
        (b"alice: ", [e.Blank()]),
        (b"alice: \n", [e.Blank()]),
        (b"alice: /join #dev", [e.Join("#dev")]),
        (b"/who", [e.ListNames(None)]),
        (b"alice: /kick bob", [Refused("unknown-command")]),
        (b"bob: hello", [say("bob: hello")]),
        (b"Alice: hello", [say("Alice: hello")]),
        (b"alice:hello", [say("alice:hello")]),
        (b"alice", [say("alice")]),
        (b"NICK", [say("NICK")]),
        (b"alice: NICK", [say("NICK")]),
        (b"alice: " + b"x" * 8180, [Refused("too-long")]),
        (b"x" * 8192, [Refused("too-long")]),
        (b"x" * 100_000, [Refused("too-long")]),
        (b"alice: beep\x07", [Refused("bad-text")]),
        (b"alice: caf\xe9", [Refused("bad-text")]),
    ]:
        assert hear(connection, data) == heard
        assert not timer(connection)


def test_the_shell_can_see_who_is_unframed() -> None:
    assert unframed().unframed
    assert not lines().unframed
    assert not server().unframed


def test_reads_wait_in_order() -> None:
    connection = unframed()
    for data in (b"one", b"two\nthree", b"four"):
        connection.receive_data(data)
    assert drain(connection) == [say("one"), say("two"), say("three"), say("four")]


@pytest.mark.parametrize("offered", [b"al ice", b" alice ", b" ", b"9lives", b"jos\xc3\xa9"])
def test_the_prefix_is_what_was_offered_not_what_it_became(offered: bytes) -> None:
    connection = unframed(offered, "alice2")
    assert hear(connection, offered + b": hello") == [say("hello")]
    assert hear(connection, b"alice2: hello") == [say("alice2: hello")]


# --- lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_however_they_end(end: bytes) -> None:
    connection = lines(end)
    assert connection.send(e.Joined("#lobby", "alice")) == b"alice joined!\n"
    typed = [b"hello", b"", b"alice: hi", b"alice: ", b"alice: /join #dev", b"  ", b"/quit", b"tab\there"]
    assert hear(connection, end.join([*typed, b"no end"])) == [
        say("hello"),
        e.Blank(),
        say("hi"),
        e.Blank(),
        e.Join("#dev"),
        e.Blank(),
        e.Quit(),
        say("tab\there"),
    ]


def test_a_line_that_is_too_long_is_skipped() -> None:
    connection = lines()
    for piece in (b"alice: ", b"x" * 5000, b"x" * 5000):
        connection.receive_data(piece)
    assert drain(connection) == [Refused("too-long")]
    assert hear(connection, b"x" * 5000 + b"\nhello\n") == [say("hello")]


def test_half_a_line_at_the_end_of_the_stream_is_heard() -> None:
    connection = lines()
    assert hear(connection, b"hello\ngood bye\r") == [say("hello")]
    assert hear(connection, b"") == [say("good bye")]
    assert connection.next_event() is CLOSED


@pytest.mark.parametrize("offered", [b"alice", b"alice\r", b"@alice", b"NICK"])
def test_half_an_answer_at_the_end_of_the_stream_is_heard(offered: bytes) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(offered)
    nick = offered.strip(b"\r").decode()
    hello = Refused("bad-nick") if nick.startswith("@") else e.Hello(nick)
    assert hear(connection, b"") == [hello]
    assert connection.dialect is Dialect.TEXT


def test_a_stream_that_ends_before_it_begins() -> None:
    connection = Connection(Role.SERVER)
    assert hear(connection, b"") == []
    assert connection.next_event() is CLOSED
    assert not timer(connection)


def test_the_end_of_the_stream_of_an_unframed_peer() -> None:
    connection = unframed()
    assert hear(connection, b"alice: bye") == [say("bye")]
    assert hear(connection, b"") == []
    assert connection.next_event() is CLOSED


def test_a_server_may_be_told_that_it_talks_to_a_person() -> None:
    connection = server(State.NAMING, Dialect.TEXT)
    assert encoding(connection) is Encoding.ASCII_TEXT
    assert hear_all(connection, [b"al", b"ice\nhel", b"lo\n"]) == [e.Hello("alice"), say("hello")]


# --- seven bits until eight were seen ------------------------------------------------------------

OMEGA = e.Message(target="#lobby", id=1, ms=0, nick="bob", text="Ω")


@pytest.mark.parametrize("start", [unframed, lines])
def test_who_sent_valid_utf_8_gets_it(start: Callable[[], Connection]) -> None:
    connection = start()
    assert connection.send(OMEGA) == b"bob: \\u03a9\n"
    hear(connection, b"seven bits\n")
    hear(connection, b"caf\xe9\n")
    assert encoding(connection) is Encoding.ASCII_TEXT
    assert hear(connection, "café\n".encode()) == [say("café")]
    assert encoding(connection) is Encoding.UTF8_TEXT
    assert connection.send(OMEGA) == "bob: Ω\n".encode()
    hear(connection, b"seven bits\n")
    hear(connection, b"caf\xe9\n")
    assert encoding(connection) is Encoding.UTF8_TEXT


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize(
    ("offered", "seen"),
    [
        (b"alice", Encoding.ASCII_TEXT),
        (b"jos\xc3\xa9", Encoding.UTF8_TEXT),
        (b"jos\xe9", Encoding.ASCII_TEXT),
    ],
)
def test_the_answer_to_the_prompt_tells_the_encoding_too(offered: bytes, end: bytes, seen: Encoding) -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(offered + end)
    connection.timer_expired()
    drain(connection)
    assert connection.encoding is seen


# --- however it is cut ---------------------------------------------------------------------------

TYPED = st.lists(
    st.text(max_size=10).map(str.encode)
    | st.binary(max_size=10)
    | st.sampled_from([b"alice: hello", b"/join #dev", b"alice: /me waves", b"NICK", b"", b"x" * 8192]),
    max_size=10,
)


@given(TYPED, st.sampled_from([b"\n", b"\r\n"]), CUTS)
def test_how_lines_are_cut_does_not_matter(typed: list[bytes], end: bytes, places: list[int]) -> None:
    data = b"".join(line + end for line in [b"alice", *typed])
    heard: list[Heard] = hear_all(Connection(Role.SERVER), [data])
    assert heard[0] == e.Hello("alice")
    assert hear_all(Connection(Role.SERVER), cut(data, places)) == heard


@given(TYPED)
def test_what_is_heard_of_a_person_can_be_told_to_others(typed: list[bytes]) -> None:
    connection = lines()
    for heard in hear(connection, b"".join(line + b"\n" for line in typed)):
        if isinstance(heard, e.Say):
            told = connection.send(e.Message(target="#lobby", id=1, ms=0, nick="alice", text=heard.text))
            assert told.startswith((b"alice: ", b"* alice "))
