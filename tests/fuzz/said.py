"""What goes out: the rules of docs/protocol.md that hold for whatever has come in."""

import re
from typing import Final

from tests.fuzz.shells import Outcome, Said
from triochat.protocol import Encoding, encode, framed
from triochat.protocol import events as e
from triochat.protocol.runs import MessageRun, OkRun, PlainTexts, SayRun

_FRAME: Final = re.compile(rb"[ -~]{1,8191}\n")
_ACTS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_TURNS: Final = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def check_said(outcome: Outcome) -> None:
    """All that an end has said, and what a server would tell others of it, is as it must be."""
    for said in outcome.said:
        check_wire(said)
        if isinstance(said.frame, e.Event):
            check_told(said.frame)


def check_told(event: e.Event) -> None:
    """Whoever is told of it, the bytes for that are as they must be."""
    for encoding in Encoding:
        if encoding is not Encoding.FRAMED or not isinstance(event, e.Notice):
            check_wire(Said(event, encode(event, encoding), encoding))


def check_wire(said: Said) -> None:
    """This is a frame that says the same when it is parsed, or lines that harm no terminal and no program."""
    frame, wire, encoding = said
    if frame is None or (isinstance(frame, e.Prompt) and encoding is not Encoding.FRAMED):
        assert wire == b"NICK", f"a prompt is four octets, not {wire!r}"
    elif encoding is Encoding.FRAMED:
        check_frame(frame, wire)
    else:
        check_lines(wire, encoding)


def check_frame(frame: e.Frame, wire: bytes) -> None:
    """One printable line, and parsing it undoes what built it."""
    assert _FRAME.fullmatch(wire), f"{wire!r} is no frame"
    parse = framed.parse_request if isinstance(frame, e.Request) else framed.parse_event
    if isinstance(frame, e.Ping | e.Pong):  # both sides say these
        assert framed.parse_event(wire[:-1]) == frame
    heard = parse(wire[:-1])
    assert heard == frame, f"{frame} is built as {wire!r}, and parsed as {heard}"


def check_lines(wire: bytes, encoding: Encoding) -> None:
    """Lines for a person: none is a prompt, nothing acts on a terminal, and 7 bits are enough if need be."""
    assert wire == b"" or wire.endswith(b"\n"), f"{wire!r} has no line end"
    assert b"NICK" not in wire.split(b"\n"), f"{wire!r} asks who somebody is"
    lines = wire.decode("utf-8" if encoding is Encoding.UTF8_TEXT else "ascii")
    assert _ACTS.search(lines) is None, f"{wire!r} acts on a terminal"
    assert _TURNS.search(lines) is None, f"{wire!r} turns a line"


def check_built(outcome: Outcome) -> None:
    """What was heard in frames can be said again, and is heard as the same."""
    for frame in outcome.heard:
        if isinstance(frame, e.Frame):
            check_frame(frame, framed.build(frame))


def check_run(run: SayRun) -> None:
    """What is built of a run is what is built of its frames, one by one."""
    assert 1 <= len(run.texts) <= framed.LONGEST_RUN
    for texts in (run.texts, list(run.texts)):
        told = MessageRun(run.room, 7, 0, "alice", texts)
        assert framed.build_messages(told) == b"".join(map(framed.build, told.frames()))
    assert not isinstance(run.texts, PlainTexts) or "\\" not in "".join(run.texts)
    if run.tags is not None:
        kept = OkRun(7, run.tags)
        assert framed.build_oks(kept) == b"".join(map(framed.build, kept.frames()))
