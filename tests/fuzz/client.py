"""What a client reads: the frames of a server, and the lines of one of 2019."""

import re
from typing import Final

from tests.fuzz.framed import Speaker, check_frames
from tests.fuzz.said import check_built, check_said, check_told
from tests.fuzz.script import Read, read_script
from tests.fuzz.shells import ClientShell, Outcome
from tests.protocol.pair import Refused
from triochat.protocol import Connection, Dialect, Role, framed
from triochat.protocol import events as e
from triochat.protocol.escape import MAX_TEXT
from triochat.protocol.grammar import MAX_FRAME

_BEFORE_WELCOME: Final = (e.Welcome, e.Prompt, e.Failure, e.Ping, e.Pong, e.Bye)
_ACTS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def check(data: bytes) -> None:
    """The same octets, from a server of the framed dialect and from one of 2019."""
    sent, reads = read_script(data)
    whole = hear(Dialect.FRAMED, [Read(sent)] if sent else [])
    check_events(whole)
    assert hear(Dialect.FRAMED, reads) == whole, "how it is cut matters"
    check_2019(hear(Dialect.TEXT, reads))


def hear(dialect: Dialect, reads: list[Read]) -> Outcome:
    """What a client makes of them."""
    return ClientShell(Connection(Role.CLIENT, dialect)).play(reads)


class Answerer(Speaker):
    """A server welcomes whoever says hello, or asks again, before it says anything else."""

    farewell = e.Bye

    def __init__(self) -> None:
        self._welcome = False

    def refusal(self, frame: e.Frame) -> str | None:
        """See `Speaker`."""
        if self._welcome:
            return "bad-frame" if isinstance(frame, e.Welcome | e.Prompt) else None
        return None if isinstance(frame, _BEFORE_WELCOME) else "bad-frame"

    def go_on(self, frame: e.Frame) -> None:
        """See `Speaker`."""
        self._welcome = self._welcome or isinstance(frame, e.Welcome)


def check_events(outcome: Outcome) -> None:
    """Line by line: what a client of the framed dialect has heard; and all of it can be told to anybody."""
    lines = outcome.lines
    if re.match(rb"NICK[^\n\r ]", lines):
        lines = lines[4:]  # the prompt that it did not wait for
    check_frames(outcome._replace(lines=lines), framed.parse_event, Answerer())
    check_built(outcome)
    check_said(outcome)
    for frame in outcome.heard:
        if isinstance(frame, e.Event):
            check_told(frame)


def check_2019(outcome: Outcome) -> None:
    """Line by line: what a client of 2019 shows, of which nothing acts on its terminal."""
    lines = outcome.lines.split(b"\n")
    shown = [line for line in lines if len(line) >= MAX_FRAME or line.replace(b"\r", b"")]
    heard = outcome.heard
    assert len(heard) == len(shown) or outcome.over, f"{len(shown)} lines are heard as {len(heard)}"
    asked = False
    for line, what in zip(shown, heard, strict=False):
        if line.removesuffix(b"\r") == b"NICK" and not asked:
            asked = True
            assert what == e.Prompt()
            continue
        said = _ACTS.sub("\ufffd", line.decode("utf-8", "backslashreplace").replace("\r", ""))
        if len(line) >= MAX_FRAME or len(said.encode("unicode_escape")) > MAX_TEXT:
            assert isinstance(what, Refused)
            assert what.code == "too-long"
        else:
            assert what == e.Notice(said), f"{line!r} is shown as {what}"
