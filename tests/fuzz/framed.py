"""The framed dialect, as a server reads it: requests, one to a line."""

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from tests.fuzz.said import check_built, check_run, check_said
from tests.fuzz.script import Read, Script, read_script
from tests.fuzz.shells import Outcome, ServerShell, accepts
from tests.protocol.pair import Heard, Refused
from triochat.protocol import Connection, Dialect, RemoteProtocolError, Role, framed
from triochat.protocol import events as e
from triochat.protocol.errors import MALFORMED
from triochat.protocol.grammar import MAX_FRAME

_GRAMMAR: Final = re.compile(
    rb"(?:@(?P<tag>[A-Za-z0-9_.-]{1,32}) )?(?P<verb>[A-Z]{1,16})(?P<params>(?: [!-9;-~][!-~]{0,199})*)"
    rb"(?: :(?P<text>[\t -~]*))?\r?"
)
"""A frame, as docs/protocol.md has it."""
_TEXTS: Final = frozenset({"text", "reason", "token", "topic", "sentence"})
_MOST_MALFORMED: Final = 20


def check(data: bytes) -> None:
    """Requests, whole and cut, one by one and in runs, are what their lines say."""
    script = read_script(data)
    whole = serve([Read(script.sent)] if script.sent else [])
    check_requests(whole)
    check_said(whole)
    check_cuts(script, whole)


def serve(reads: list[Read], *, by_runs: bool = False) -> Outcome:
    """What a server of the framed dialect makes of them."""
    return serve_by(ServerShell(Connection(Role.SERVER, Dialect.FRAMED), by_runs=by_runs), reads)


def serve_by(shell: ServerShell, reads: list[Read]) -> Outcome:
    """What comes of it, each run held against its lines."""
    outcome = shell.play(reads)
    check_runs(outcome, shell)
    return outcome


def check_cuts(script: Script, whole: Outcome) -> None:
    """How it is cut, and how it is taken out, does not matter."""
    assert serve(script.reads) == whole, "how it is cut matters"
    assert serve(script.reads, by_runs=True) == whole, "it matters that it is taken out in runs, and cut"
    assert serve([Read(script.sent)] if script.sent else [], by_runs=True) == whole, "runs matter"


def check_runs(outcome: Outcome, shell: ServerShell) -> None:
    """Each run is as long as the lines that it was made of."""
    lines = outcome.lines.split(b"\n")
    for start, run in shell.runs:
        check_run(run)
        of = lines[start : start + len(run.texts)]
        assert run.octets == sum(map(len, of)) + len(of), f"{run} is made of {of}"


class Speaker(ABC):
    """What the peer may say now, as docs/protocol.md has it.

    Attributes:
        farewell: what it says last.
    """

    farewell: ClassVar[type[e.Frame]]

    @abstractmethod
    def refusal(self, frame: e.Frame) -> str | None:
        """The code with which a frame is refused that is well formed; None: it is not."""

    @abstractmethod
    def go_on(self, frame: e.Frame) -> None:
        """It has said this."""


class Requester(Speaker):
    """A client says who it is first, and once."""

    farewell = e.Quit

    def __init__(self) -> None:
        self._named = False

    def refusal(self, frame: e.Frame) -> str | None:
        """See `Speaker`."""
        if self._named:
            return "not-allowed" if isinstance(frame, e.Hello) else None
        return None if isinstance(frame, e.Hello | e.Quit) else "hello-first"

    def go_on(self, frame: e.Frame) -> None:
        """See `Speaker`."""
        self._named = self._named or (isinstance(frame, e.Hello) and accepts(frame))


def check_requests(outcome: Outcome) -> None:
    """Line by line: what a server of the framed dialect has heard."""
    check_frames(outcome, framed.parse_request, Requester())
    check_built(outcome)


def check_frames(outcome: Outcome, parse: Callable[[bytes], e.Frame], speaker: Speaker) -> None:
    """Each line was heard as what it says, or refused for what is wrong with it."""
    lines = split(outcome.lines)
    heard = outcome.heard
    assert len(heard) == len(lines) or (outcome.over and len(heard) < len(lines)), (
        f"{len(lines)} lines are heard as {len(heard)}"
    )
    malformed = 0
    for line, what in zip(lines, heard, strict=False):
        expected = _expected(line, parse, speaker)
        if isinstance(expected, Refused):
            malformed = malformed + 1 if expected.code in MALFORMED else 0
            expected = expected._replace(fatal=malformed >= _MOST_MALFORMED)
        else:
            malformed = 0
            check_line(line, expected)
            speaker.go_on(expected)
        assert what == expected, f"{line!r} is heard as {what}, and not as {expected}"
    if len(heard) < len(lines):
        last = heard[-1]
        assert isinstance(last, speaker.farewell) or (isinstance(last, Refused) and last.fatal), last


def split(lines: bytes) -> list[bytes]:
    """The lines that something must be heard of: what has no end is one if it is too long for a line."""
    *ended, tail = lines.split(b"\n")
    return [*ended, tail] if len(tail) >= MAX_FRAME else ended


def _expected(line: bytes, parse: Callable[[bytes], e.Frame], speaker: Speaker) -> Heard:
    if len(line) >= MAX_FRAME:
        tag = re.match(rb"@([A-Za-z0-9_.-]{1,32}) ", line)
        return Refused("too-long", tag[1].decode() if tag else None)
    try:
        frame = parse(line.removesuffix(b"\r"))
    except RemoteProtocolError as error:
        return Refused(error.code, error.tag)
    code = speaker.refusal(frame)
    return frame if code is None else Refused(code, frame.tag)


def check_line(line: bytes, frame: e.Frame) -> None:
    """The line is a frame, and all that `frame` says stands in it."""
    match = _GRAMMAR.fullmatch(line)
    assert match is not None, f"{line!r} is no frame, but {frame} is heard"
    tag, verb, params, wire = (None if part is None else part.decode() for part in match.groups())
    assert frame.tag == tag
    assert frame.verb == verb
    words = (params or "").split()
    words += [word.lower() for word in words] + [word.partition("=")[2] for word in words]
    numbers = [int(word) for word in words if word.isdecimal()]
    for field in dataclasses.fields(frame):
        value = getattr(frame, field.name)
        if field.name in _TEXTS:
            assert value == (wire or "").encode().decode("unicode_escape"), f"{line!r} is heard as {frame}"
        elif isinstance(value, str | tuple) and field.name != "tag":
            said = [value] if isinstance(value, str) else value
            assert set(said) <= set(words), f"{line!r} is heard as {frame}"
        elif isinstance(value, int) and value != field.default:
            assert value in numbers or value is False, f"{line!r} is heard as {frame}"
