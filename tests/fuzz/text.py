"""The text dialect, as a server reads it: what a person types, one request to a line."""

import re
from typing import Final

from tests.fuzz.framed import split
from tests.fuzz.said import check_frame, check_said
from tests.fuzz.script import Read, read_script
from tests.fuzz.shells import Outcome, ServerShell, accepts
from tests.fuzz.typed import meaning
from tests.protocol.pair import Heard, Refused
from triochat.protocol import Connection, Dialect, Role, framed, text
from triochat.protocol import events as e
from triochat.protocol.errors import MALFORMED
from triochat.protocol.grammar import LOBBY, MAX_FRAME

_MOST_MALFORMED: Final = 20
_MOST_TRIES: Final = 5


def check(data: bytes) -> None:
    """Lines, whole and cut, are what is typed in them."""
    script = read_script(data)
    whole = serve([Read(script.sent)] if script.sent else [])
    check_typed(whole)
    check_said(whole)
    assert serve(script.reads) == whole, "how it is cut matters"


def serve(reads: list[Read]) -> Outcome:
    """What a server makes of somebody whose lines have ends."""
    return ServerShell(Connection(Role.SERVER, Dialect.TEXT)).play(reads)


def check_typed(outcome: Outcome) -> None:
    """Line by line: what a server of the text dialect has heard."""
    lines = split(outcome.lines)
    rest = outcome.lines.rpartition(b"\n")[2]
    if 0 < len(rest) < MAX_FRAME:
        lines.append(rest)  # a person's last line counts without its end
    heard = outcome.heard
    assert len(heard) == len(lines) or (outcome.over and len(heard) < len(lines)), (
        f"{len(lines)} lines are heard as {len(heard)}"
    )
    if outcome.lines.isascii():
        assert all(said.wire.isascii() for said in outcome.said), "it has sent 7 bits, and is told more"
    person = Person(unframed=outcome.unframed)
    for line, what in zip(lines, heard, strict=False):
        person.says(line, what)
        if isinstance(what, e.Request) and not isinstance(what, e.Blank | e.Help):
            request = _somewhere(what)
            check_frame(request, framed.build(request))
    if len(heard) < len(lines):
        last = heard[-1]
        assert isinstance(last, e.Quit) or person.given_up, f"{last} closes nothing"


class Person:
    """Who types: without a name at first, and with one from the hello on that was accepted.

    Attributes:
        given_up: it has offered too many names, or sent too much that makes no sense.
    """

    def __init__(self, *, unframed: bool) -> None:
        self.given_up = False
        self._unframed = unframed
        self._named = False
        self._offered = b""
        self._tries = 0
        self._malformed = 0

    def says(self, line: bytes, what: Heard) -> None:
        """`what` is what is to be heard of `line`."""
        bad = isinstance(what, Refused) and what.code in MALFORMED
        self._malformed = self._malformed + 1 if bad else 0
        self._tries += not self._named and not isinstance(what, e.Blank)
        tried = not self._named and self._tries >= _MOST_TRIES
        if isinstance(what, Refused):
            self.given_up = self._malformed >= _MOST_MALFORMED or tried
            assert what.fatal == self.given_up, f"{line!r} is heard as {what}"
            assert what.tag is None
        if len(line) >= MAX_FRAME:
            assert isinstance(what, Refused), f"a line of {len(line)} octets is heard as {what}"
            assert what.code == "too-long"
        elif self._named:
            raw = line.removesuffix(b"\r")
            check_request(_decoded(raw.removeprefix(self._offered + b": ")), what)
        else:
            self._offers(line.removesuffix(b"\r"), what)
            if isinstance(what, e.Hello):
                self._named = accepts(what)
                self.given_up = tried and not self._named

    def _offers(self, raw: bytes, what: Heard) -> None:
        name = _decoded(raw)
        self._offered = raw
        if name is None:
            assert isinstance(what, Refused), f"{raw!r} is no UTF-8, but is heard as {what}"
            assert what.code == "bad-text"
        elif self._unframed:
            assert what == e.Blank() if not raw else isinstance(what, e.Hello) and what.adapt
        elif re.fullmatch("[A-Za-z][A-Za-z0-9_-]{0,31}", name.strip()):
            assert what == e.Hello(name.strip())
        else:
            assert isinstance(what, Refused), f"{name!r} is taken for a name"
            assert what.code == "bad-nick"


def check_request(typed: str | None, what: Heard) -> None:
    """`what` is what somebody wants who types this; None: what was no UTF-8."""
    if typed is None:
        assert isinstance(what, Refused), f"no UTF-8, but it is heard as {what}"
        assert what.code == "bad-text"
        return
    expected = meaning(typed)
    if isinstance(expected, frozenset):
        code = what.code if isinstance(what, Refused) else None
        assert code in expected, f"{typed!r} is heard as {what}, and not refused as {sorted(expected)}"
        return
    assert what == expected, f"{typed!r} is heard as {what}, and not as {expected}"
    if not isinstance(expected, e.Blank):
        again = text.parse(retyped(expected))
        assert again == expected, f"{expected} is typed as {retyped(expected)!r}, and heard as {again}"


def retyped(request: e.Request) -> str:
    """What a person would have to type to ask for the same."""
    match request:
        case e.Say(target=None, text=said):
            return f"/{said}" if said.startswith("/") else said
        case e.Say(target=target, text=said):
            return f"/msg {target} {said}"
        case e.Join(room=room):
            return f"/join {room}"
        case e.Rename(nick=nick):
            return f"/nick {nick}"
        case e.ListNames(room=room):
            return "/who" if room is None else f"/who {room}"
        case e.SetTopic(text=topic):
            return f"/topic {topic}"
        case e.ReadHistory(limit=limit):
            return f"/history {limit}"
        case e.Search(text=words):
            return f"/search {words}"
        case e.Quit(reason=reason):
            return f"/quit {reason}"
        case _:
            return {e.GetTopic: "/topic", e.ListRooms: "/rooms", e.Help: "/help"}[type(request)]


def _somewhere(request: e.Request) -> e.Request:
    """The same, with the room named that the text dialect leaves out, so that frames can say it."""
    match request:
        case e.Hello(nick=nick):
            return e.Hello(nick)
        case e.Say(target=None, text=said):
            return e.Say(LOBBY, said)
        case e.GetTopic():
            return e.GetTopic(LOBBY)
        case e.SetTopic(text=topic):
            return e.SetTopic(LOBBY, topic)
        case e.ListNames(room=None):
            return e.ListNames(LOBBY)
        case e.ReadHistory(limit=limit):
            return e.ReadHistory(LOBBY, limit=limit)
        case e.Search(text=words, limit=limit):
            return e.Search(LOBBY, words, limit)
        case _:
            return request


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
