"""One encoding of an event for all who want it alike; and what no event may ever look like."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import ANY_EVENT, EVENTS, NOTICES
from triochat.protocol import Encoding, LocalProtocolError, encode
from triochat.protocol import events as e

TEXT_ENCODINGS = st.sampled_from([Encoding.ASCII_TEXT, Encoding.UTF8_TEXT])


def no_prompt(event: e.Event) -> bool:
    return not isinstance(event, e.Prompt)


@pytest.mark.parametrize(("event", "wire"), EVENTS, ids=lambda value: repr(value)[:60])
def test_a_program_gets_frames(event: e.Event, wire: bytes) -> None:
    assert encode(event, Encoding.FRAMED) == wire


def test_a_person_gets_lines() -> None:
    event = e.Message(target="#dev", id=1, ms=0, nick="alice", text="café\nΩ 🙂 \\")
    assert encode(event, Encoding.UTF8_TEXT) == "alice: café\n  Ω 🙂 \\\n".encode()
    assert encode(event, Encoding.ASCII_TEXT) == (
        b"alice: caf\\xe9\n"
        b"  \\u03a9 \\U0001f642 \\\n"
    )  # fmt: skip


def test_the_prompt_is_four_octets() -> None:
    for event in (e.Prompt(), e.Prompt("taken")):
        assert encode(event, Encoding.ASCII_TEXT) == encode(event, Encoding.UTF8_TEXT) == b"NICK"


def test_what_only_programs_need_says_nothing_to_a_person() -> None:
    for event in (e.Ok(), e.Ok(7, tag="1"), e.Ping("x"), e.Pong("x")):
        assert encode(event, Encoding.ASCII_TEXT) == encode(event, Encoding.UTF8_TEXT) == b""


def test_what_only_a_person_is_told_is_no_frame() -> None:
    with pytest.raises(LocalProtocolError):
        encode(e.Notice("x"), Encoding.FRAMED)


@given((ANY_EVENT | NOTICES).filter(no_prompt), TEXT_ENCODINGS)
def test_nothing_but_a_prompt_can_look_like_one(event: e.Event, encoding: Encoding) -> None:
    data = encode(event, encoding)
    assert data == b"" or data.endswith(b"\n")
    assert b"NICK" not in data.split(b"\n")


@given((ANY_EVENT | NOTICES).filter(no_prompt), TEXT_ENCODINGS)
def test_nothing_that_acts_on_a_terminal_is_told(event: e.Event, encoding: Encoding) -> None:
    data = encode(event, encoding)
    assert {c for c in data.decode() if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
    assert encoding is Encoding.UTF8_TEXT or data.isascii()


@given(ANY_EVENT)
def test_a_frame_is_one_printable_line(event: e.Event) -> None:
    assert re.fullmatch(rb"[ -~]{1,8191}\n", encode(event, Encoding.FRAMED))


TURNS = "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""What turns the direction of writing, or ends a line."""


@given((ANY_EVENT | NOTICES).filter(no_prompt))
def test_both_encodings_say_the_same(event: e.Event) -> None:
    told = encode(event, Encoding.UTF8_TEXT).decode()
    escaped = encode(event, Encoding.ASCII_TEXT)
    if told.count("\N{REPLACEMENT CHARACTER}") == escaped.count(rb"\ufffd"):
        assert escaped == told.encode("ascii", "backslashreplace")


@pytest.mark.parametrize("turn", TURNS, ids=ascii)
def test_nobody_turns_the_direction_of_another_ones_lines(turn: str) -> None:
    message = e.Message(target="#dev", id=1, ms=0, nick="alice", text=f"a{turn}b\n{turn}é")
    assert encode(message, Encoding.UTF8_TEXT) == "alice: a\ufffdb\n  \ufffdé\n".encode()
    assert encode(message, Encoding.ASCII_TEXT) == f"alice: a{turn}b\n  {turn}é\n".encode(
        "ascii", "backslashreplace"
    )
    assert encode(message, Encoding.FRAMED).count(f"\\u{ord(turn):04x}".encode()) == 2
    for event in (e.Left("#dev", "alice", turn), e.TopicSet(room="#dev", id=1, ms=0, nick="al", text=turn)):
        assert turn not in encode(event, Encoding.UTF8_TEXT).decode()


@given(st.text(st.sampled_from(TURNS + "xé\n"), min_size=1))
def test_nothing_that_turns_is_told_to_a_terminal(text: str) -> None:
    message = e.Message(target="#dev", id=1, ms=0, nick="alice", text=text)
    assert not set(TURNS) & set(encode(message, Encoding.UTF8_TEXT).decode())


@pytest.mark.parametrize("beside", "\u061b\u061d\u200b\u200d\u2010\u2027\u202f\u2065\u206a\u05d0")
def test_what_does_not_turn_is_told_as_it_is(beside: str) -> None:
    message = e.Message(target="#dev", id=1, ms=0, nick="alice", text=beside)
    assert encode(message, Encoding.UTF8_TEXT) == f"alice: {beside}\n".encode()
