"""Frames: every form to its bytes and back, what is tolerated, what is refused."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import (
    ANY_EVENT,
    ANY_REQUEST,
    EVENT_STRATEGIES,
    EVENTS,
    REQUEST_STRATEGIES,
    REQUESTS,
    SESSION,
)
from triochat.protocol import events as e
from triochat.protocol.errors import LocalProtocolError, RemoteProtocolError
from triochat.protocol.framed import build, parse_event, parse_request, tag_of

LONGEST = {"tag": "t" * 32}
NICK = "n" * 32
ROOM = "#" + "r" * 32
NUMBER = 2**63 - 1
TEXT = "x" * 8000


@pytest.mark.parametrize(("request_", "wire"), REQUESTS, ids=lambda value: repr(value)[:60])
def test_a_request_and_its_bytes(request_: e.Request, wire: bytes) -> None:
    assert build(request_) == wire
    assert parse_request(wire.removesuffix(b"\n")) == request_


@pytest.mark.parametrize(("event", "wire"), EVENTS, ids=lambda value: repr(value)[:60])
def test_an_event_and_its_bytes(event: e.Event, wire: bytes) -> None:
    assert build(event) == wire
    assert parse_event(wire.removesuffix(b"\n")) == event


def assert_one_frame(wire: bytes) -> None:
    assert re.fullmatch(rb"[ -~]{1,8191}\n", wire)


@given(ANY_REQUEST)
def test_parsing_undoes_building_a_request(request_: e.Request) -> None:
    wire = build(request_)
    assert_one_frame(wire)
    assert parse_request(wire.removesuffix(b"\n")) == request_


@given(ANY_EVENT)
def test_parsing_undoes_building_an_event(event: e.Event) -> None:
    wire = build(event)
    assert_one_frame(wire)
    assert parse_event(wire.removesuffix(b"\n")) == event


def test_the_strategies_leave_nothing_out() -> None:
    assert set(REQUEST_STRATEGIES) == {type(value) for value, _ in REQUESTS}
    assert set(EVENT_STRATEGIES) == {type(value) for value, _ in EVENTS}


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        (b"JOIN #DeV after=007", e.Join("#dev", after=7)),
        (b"PART #DEV :", e.Part("#dev")),
        (b"MSG #DEV :x", e.Say("#dev", "x")),
        (b"MSG @Bob :x", e.Say("@Bob", "x")),
        (b"MSG #dev :tab\there", e.Say("#dev", "tab\there")),
        (rb"MSG #dev :\u0041\U0000000a\x5c\xE9", e.Say("#dev", "A\n\\é")),
        (b"TOPIC #DEV", e.GetTopic("#dev")),
        (b"TOPIC #DEV :x", e.SetTopic("#dev", "x")),
        (b"NAMES #DEV", e.ListNames("#dev")),
        (b"HISTORY #DEV", e.ReadHistory("#dev", limit=20)),
        (b"HISTORY #dev limit=5 before=9", e.ReadHistory("#dev", before=9, limit=5)),
        (b"HISTORY #dev after=0", e.ReadHistory("#dev", after=0)),
        (b"HISTORY @Bob limit=5 after=9", e.ReadHistory("@Bob", after=9, limit=5)),
        (b"SEARCH #DEV :x", e.Search("#dev", "x")),
        (b"QUIT :", e.Quit()),
        (b"PING :", e.Ping()),
        (b"PONG :", e.Pong()),
    ],
)
def test_other_ways_to_say_the_same_request(line: bytes, request_: e.Request) -> None:
    assert parse_request(line) == request_


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"NICK", e.Prompt()),
        (b"BYE", e.Bye()),
        (b"ERROR bad-frame", e.Failure("bad-frame", "")),
        (b"ERROR of-a-newer-server :x", e.Failure("of-a-newer-server", "x")),
        (b"TOPIC #DEV 1 2 bob", e.TopicSet(room="#dev", id=1, ms=2, nick="bob", text="")),
        (b"MSG #DEV 1 2 bob :x", e.Message(target="#dev", id=1, ms=2, nick="bob", text="x")),
        (b"MSG @Dev 1 2 bob :x", e.Message(target="@Dev", id=1, ms=2, nick="bob", text="x")),
        (b"ROOM #DEV 1 2 :", e.RoomInfo("#dev", 1, 2)),
        (b"NAMES #DEV bob", e.NameList("#dev", ("bob",))),
        (b"JOINED #DEV bob", e.Joined("#dev", "bob")),
        (b"LEFT #DEV bob :", e.Left("#dev", "bob")),
        (b"GAP #DEV 1 2", e.Gap("#dev", 1, 2)),
    ],
)
def test_other_ways_to_say_the_same_event(line: bytes, event: e.Event) -> None:
    assert parse_event(line) == event


MALFORMED = [
    b"",
    b" ",
    b"join #dev",
    b"J0IN #dev",
    b"JOIN  #dev",
    b" JOIN #dev",
    b"ROOMS ",
    b"ROOMS\t",
    b"\tROOMS",
    b"ROOMS\r",
    b"R" * 17,
    b"JOIN #dev\x00",
    b"JOIN \x1b[2J",
    b"JOIN " + b"x" * 201,
    b"@ ROOMS",
    b"@1",
    b"@1  ROOMS",
    b"@a@b ROOMS",
    b"@" + b"t" * 33 + b" ROOMS",
    b":text alone",
    b"MSG #dev :a\nb",
]


@pytest.mark.parametrize("line", MALFORMED)
def test_what_is_no_frame(line: bytes) -> None:
    for parse in (parse_request, parse_event):
        with pytest.raises(RemoteProtocolError) as caught:
            parse(line)
        assert caught.value.code == "bad-frame"
        assert not caught.value.fatal


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"NICK", "bad-frame"),
        (b"NICK triochat/1", "bad-frame"),  # who forgot the nick does not rename
        (b"NICK alice triochat/2", "bad-frame"),
        (b"NICK alice bob", "bad-frame"),
        (b"NICK alice triochat/1 session", "bad-frame"),
        (b"NICK alice triochat/1 session=", "bad-frame"),
        (b"NICK alice triochat/1 session=" + SESSION.encode()[1:], "bad-frame"),
        (b"NICK alice triochat/1 password=x", "bad-frame"),
        (b"NICK alice triochat/1 session=" + SESSION.encode() + b" x", "bad-frame"),
        (b"NICK alice :x", "bad-frame"),
        (b"NICK 9lives", "bad-nick"),
        (b"NICK 9lives triochat/1", "bad-nick"),
        (b"JOIN", "bad-frame"),
        (b"JOIN #dev 7", "bad-frame"),
        (b"JOIN #dev before=7", "bad-frame"),
        (b"JOIN #dev after=", "bad-frame"),
        (b"JOIN #dev after=-1", "bad-frame"),
        (b"JOIN #dev after=1_0", "bad-frame"),
        (b"JOIN #dev after=9223372036854775808", "bad-frame"),
        (b"JOIN #dev after=1 after=2", "bad-frame"),
        (b"JOIN #dev :x", "bad-frame"),
        (b"JOIN dev", "bad-room"),
        (b"JOIN #" + b"d" * 33, "bad-room"),
        (b"PART", "bad-frame"),
        (b"PART #dev #ops", "bad-frame"),
        (b"PART dev", "bad-room"),
        (b"MSG :x", "bad-frame"),
        (b"MSG #dev", "bad-frame"),
        (b"MSG #dev x", "bad-frame"),
        (b"MSG #dev x :x", "bad-frame"),
        (b"MSG #dev :", "bad-text"),
        (b"MSG #dev :\x07", "bad-text"),
        (b"MSG #dev :a\rb", "bad-text"),
        (rb"MSG #dev :\x1b[2J", "bad-text"),
        (rb"MSG #dev :\ud800", "bad-text"),
        (rb"MSG #dev :\q", "bad-text"),
        (b"MSG #dev :" + b"x" * 8001, "too-long"),
        (b"MSG @9lives :x", "bad-nick"),
        (b"MSG bob :x", "bad-room"),
        (b"TOPIC", "bad-frame"),
        (b"TOPIC #dev x", "bad-frame"),
        (b"TOPIC dev", "bad-room"),
        (b"NAMES", "bad-frame"),
        (b"NAMES #dev :x", "bad-frame"),
        (b"ROOMS x", "bad-frame"),
        (b"ROOMS :x", "bad-frame"),
        (b"HISTORY", "bad-frame"),
        (b"HISTORY #dev :x", "bad-frame"),
        (b"HISTORY #dev limit", "bad-frame"),
        (b"HISTORY #dev limit=0", "bad-frame"),
        (b"HISTORY #dev limit=1001", "bad-frame"),
        (b"HISTORY #dev before=0", "bad-frame"),
        (b"HISTORY #dev after=-1", "bad-frame"),
        (b"HISTORY #dev before=9 after=3", "bad-frame"),
        (b"HISTORY @9lives", "bad-nick"),
        (b"HISTORY bob", "bad-room"),
        (b"SEARCH #dev", "bad-frame"),
        (b"SEARCH :x", "bad-frame"),
        (b"SEARCH #dev before=1 :x", "bad-frame"),
        (b"QUIT now", "bad-frame"),
        (b"PING now", "bad-frame"),
        (b"PONG now", "bad-frame"),
        (b"HELP", "unknown-command"),
        (b"WELCOME alice server", "unknown-command"),
        (b"OPER root", "unknown-command"),
        (b"MSG #dev :caf\xc3\xa9", "not-ascii"),
        (b"\xff", "not-ascii"),
    ],
)
def test_what_a_client_may_not_say(line: bytes, code: str) -> None:
    for tag in (None, "a.-_9"):
        with pytest.raises(RemoteProtocolError) as caught:
            parse_request(line if tag is None else f"@{tag} ".encode() + line)
        assert (caught.value.code, caught.value.tag) == (code, tag)
        assert caught.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"WELCOME alice", "bad-frame"),
        (b"WELCOME alice server :x", "bad-frame"),
        (b"WELCOME 9lives server", "bad-nick"),
        (b"OK x", "bad-frame"),
        (b"OK 1 2", "bad-frame"),
        (b"OK :x", "bad-frame"),
        (b"ERROR :x", "bad-frame"),
        (b"ERROR No-Code :x", "bad-frame"),
        (b"NICK alice", "bad-frame"),
        (b"ROOM #dev 1", "bad-frame"),
        (b"ROOM #dev one 1", "bad-frame"),
        (b"ROOM dev 1 1", "bad-room"),
        (b"NAMES", "bad-frame"),
        (b"NAMES #dev :x", "bad-frame"),
        (b"NAMES #dev 9lives", "bad-nick"),
        (b"MSG #dev 1 2 bob", "bad-frame"),
        (b"MSG #dev 1 2 :x", "bad-frame"),
        (b"MSG #dev 0 2 bob :x", "bad-frame"),
        (b"MSG dev 1 2 bob :x", "bad-room"),
        (b"TOPIC #dev :x", "bad-frame"),
        (b"JOINED #dev", "bad-frame"),
        (b"JOINED #dev bob :x", "bad-frame"),
        (b"LEFT #dev", "bad-frame"),
        (b"RENAMED bob", "bad-frame"),
        (b"RENAMED bob rob :x", "bad-frame"),
        (b"GAP #dev 1", "bad-frame"),
        (b"GAP #dev 2 1", "bad-frame"),
        (b"GAP #dev 1 2 :x", "bad-frame"),
        (b"BYE now", "bad-frame"),
        (b"BYE :\x1b[2J", "bad-text"),
        (b"JOIN #dev", "unknown-command"),
        (b"NEWS :of a later version", "unknown-command"),
    ],
)
def test_what_a_server_may_not_say(line: bytes, code: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_event(line)
    assert caught.value.code == code


def test_the_form_of_a_frame_is_told_to_who_missed_it() -> None:
    with pytest.raises(RemoteProtocolError, match=r"^the form is: JOIN #room \[after=id\]$"):
        parse_request(b"JOIN")


def test_who_asks_for_history_both_ways_at_once_is_told_so() -> None:
    with pytest.raises(RemoteProtocolError, match=r"^give before or after, not both$") as caught:
        parse_request(b"@h HISTORY #dev before=9 after=3")
    assert caught.value.tag == "h"


@pytest.mark.parametrize(
    ("head", "tag"),
    [
        (b"@1 x", "1"),
        (b"@a.-_Z9 \xff", "a.-_Z9"),
        (b"@1", None),
        (b"@\xff x", None),
        (b"1 x", None),
        (b"", None),
    ],
)
def test_the_tag_of_what_can_be_read_no_further(head: bytes, tag: str | None) -> None:
    assert tag_of(head) == tag


@given(st.binary(max_size=60) | st.text(st.characters(max_codepoint=127), max_size=60).map(str.encode))
def test_junk_is_refused_or_understood(line: bytes) -> None:
    for parse in (parse_request, parse_event):
        try:
            frame = parse(line)
        except RemoteProtocolError:
            continue
        assert parse(build(frame).removesuffix(b"\n")) == frame


@given(ANY_REQUEST | ANY_EVENT, st.data())
def test_nearly_a_frame_is_refused_or_understood(frame: e.Frame, data: st.DataObject) -> None:
    line = bytearray(build(frame).removesuffix(b"\n"))
    for _ in range(data.draw(st.integers(1, 3))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    for parse in (parse_request, parse_event):
        try:
            parse(bytes(line))
        except RemoteProtocolError:
            continue


@pytest.mark.parametrize(
    "frame",
    [
        e.Part("#r", TEXT),
        e.Say(ROOM, TEXT),
        e.SetTopic(ROOM, TEXT),
        e.Search(ROOM, TEXT, 1000),
        e.Quit(TEXT),
        e.Ping(TEXT),
        e.Pong(TEXT),
        e.Failure("unknown-command", TEXT),
        e.Prompt(TEXT),
        e.RoomInfo(ROOM, NUMBER, NUMBER, TEXT),
        e.Message(target=ROOM, id=NUMBER, ms=NUMBER, nick=NICK, text=TEXT),
        e.TopicSet(room=ROOM, id=NUMBER, ms=NUMBER, nick=NICK, text=TEXT),
        e.Left(ROOM, NICK, TEXT),
        e.Bye(TEXT),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_the_longest_text_fits_beside_the_longest_words(frame: e.Frame) -> None:
    assert_one_frame(build(dataclasses.replace(frame, **LONGEST)))


def test_a_list_that_does_not_fit_one_frame_is_refused() -> None:
    nicks = (NICK,) * 247 + ("n" * 29,)
    fits = e.NameList("#dev", nicks)
    assert len(build(fits)) == 8192
    with pytest.raises(LocalProtocolError) as caught:
        build(e.NameList("#dev_", nicks))
    assert caught.value.code == "too-long"


@pytest.mark.parametrize(
    "frame",
    [
        e.Help(),
        e.Notice("x"),
        e.Hello("alice", adapt=True),
        e.Part(None),
        e.Say(None, "x"),
        e.GetTopic(None),
        e.SetTopic(None, "x"),
        e.ListNames(None),
        e.ReadHistory(None),
        e.Search(None, "x"),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_what_only_the_text_dialect_can_say(frame: e.Frame) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        build(frame)
    assert caught.value.code == "bad-frame"
