"""What peers can say: one small immutable value for each frame of the protocol.

A value validates itself when it is built, so what can't be said can't be built, by us or by a
parser: everything behind the parser may trust what it gets. Both dialects are built from and
parsed to the same values; what only one of them can say is marked.

The idea of events as values on both sides of a sans-IO core is h11's.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from triochat.protocol.errors import LocalProtocolError
from triochat.protocol.escape import check_text
from triochat.protocol.grammar import (
    DEFAULT_PAGE,
    MAX_ID,
    MAX_PAGE,
    is_code,
    is_nick,
    is_room,
    is_session,
    is_tag,
    is_target,
    is_word,
)


def _nick(word: str) -> None:
    if not is_nick(word):
        raise LocalProtocolError("bad-nick", "a nick is a letter, then up to 31 letters, digits, '_' or '-'")


def _room(word: str) -> None:
    if not is_room(word):
        raise LocalProtocolError("bad-room", "a room is '#', then up to 32 of a-z, 0-9, '_' or '-'")


def _current_or_room(word: str | None) -> None:
    if word is not None:
        _room(word)


def _target(word: str) -> None:
    if not is_target(word):
        if word.startswith("@"):
            _nick(word[1:])
        _room(word)


def _current_or_target(word: str | None) -> None:
    if word is not None:
        _target(word)


def _count(number: int | None, least: int = 0, most: int = MAX_ID) -> None:
    if number is not None and not least <= number <= most:
        raise LocalProtocolError("bad-frame", f"a number here is {least} to {most}")


def _said(text: str) -> None:
    if not text:
        raise LocalProtocolError("bad-text", "there is no text to send")
    check_text(text)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all frames share.

    Attributes:
        tag: marks a request and its answer; None for an event, and for a request whose sender
            does not want to know.
    """

    verb: ClassVar[str] = ""

    tag: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.tag is not None and not is_tag(self.tag):
            raise LocalProtocolError("bad-frame", "a tag is 1 to 32 letters, digits, '_', '.', '-'")
        self._check()

    def _check(self) -> None:
        """Raise `LocalProtocolError` if the values can't be said."""


class Request(Frame):
    """Client to server."""

    __slots__ = ()


class Event(Frame):
    """Server to client."""

    __slots__ = ()


# --- Requests -----------------------------------------------------------------------------------
# In the text dialect a room may be None: the one that the peer is in. The framed one names it.


@dataclass(frozen=True, slots=True)
class Hello(Request):
    """The first frame: who I am.

    Attributes:
        nick: the nickname asked for.
        session: 32 hex digits, the client's secret; None for a client that will not return.
        takeover: if there is a connection of this session, take its place; else it stays, and we are refused.
        adapt: the peer can't be asked again, so give it a free variant of `nick` (text only: a
            2019 client would answer with the same nick for ever).
    """

    verb = "NICK"

    nick: str
    session: str | None = None
    adapt: bool = False
    takeover: bool = True

    def _check(self) -> None:
        _nick(self.nick)
        if self.session is None and not self.takeover:
            raise LocalProtocolError("bad-frame", "takeover=no is for a session")
        if self.session is not None and not is_session(self.session):
            raise LocalProtocolError("bad-frame", "a session is 32 hex digits")


@dataclass(frozen=True, slots=True)
class Rename(Request):
    """Take another nickname."""

    verb = "NICK"

    nick: str

    def _check(self) -> None:
        _nick(self.nick)


@dataclass(frozen=True, slots=True)
class Join(Request):
    """Enter a room; with `after`, first get every entry behind that id (0: from the first)."""

    verb = "JOIN"

    room: str
    after: int | None = None

    def _check(self) -> None:
        _room(self.room)
        _count(self.after)


@dataclass(frozen=True, slots=True)
class Part(Request):
    """Leave a room."""

    verb = "PART"

    room: str | None
    reason: str = ""

    def _check(self) -> None:
        _current_or_room(self.room)
        check_text(self.reason)


@dataclass(frozen=True, slots=True)
class Say(Request):
    """Send `text` to a room (``#dev``) or a person (``@bob``); None: the room I am in."""

    verb = "MSG"

    target: str | None
    text: str

    def _check(self) -> None:
        _current_or_target(self.target)
        _said(self.text)


@dataclass(frozen=True, slots=True)
class GetTopic(Request):
    """Ask for a room's topic."""

    verb = "TOPIC"

    room: str | None

    def _check(self) -> None:
        _current_or_room(self.room)


@dataclass(frozen=True, slots=True)
class SetTopic(Request):
    """Set a room's topic; an empty one clears it."""

    verb = "TOPIC"

    room: str | None
    text: str

    def _check(self) -> None:
        _current_or_room(self.room)
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class ListNames(Request):
    """Ask who is in a room."""

    verb = "NAMES"

    room: str | None

    def _check(self) -> None:
        _current_or_room(self.room)


@dataclass(frozen=True, slots=True)
class ListRooms(Request):
    """Ask which rooms there are."""

    verb = "ROOMS"


@dataclass(frozen=True, slots=True)
class ReadHistory(Request):
    """Ask for up to `limit` entries of a room, or of one's own inbox (``@nick``), oldest first.

    Those in front of id `before`, or those behind id `after`; without either the newest.
    """

    verb = "HISTORY"

    target: str | None
    before: int | None = None
    limit: int = DEFAULT_PAGE
    after: int | None = None

    def _check(self) -> None:
        _current_or_target(self.target)
        _count(self.before, 1)
        _count(self.after)
        _count(self.limit, 1, MAX_PAGE)
        if self.before is not None and self.after is not None:
            raise LocalProtocolError("bad-frame", "give before or after, not both")


@dataclass(frozen=True, slots=True)
class Search(Request):
    """Ask for the newest `limit` entries that hold all words of `text`."""

    verb = "SEARCH"

    room: str | None
    text: str
    limit: int = DEFAULT_PAGE

    def _check(self) -> None:
        _current_or_room(self.room)
        _count(self.limit, 1, MAX_PAGE)
        _said(self.text)


@dataclass(frozen=True, slots=True)
class Quit(Request):
    """Leave for good."""

    verb = "QUIT"

    reason: str = ""

    def _check(self) -> None:
        check_text(self.reason)


@dataclass(frozen=True, slots=True)
class Blank(Request):
    """An empty line: asks for nothing, but costs its sender what any request does (text only)."""


@dataclass(frozen=True, slots=True)
class Help(Request):
    """Ask what can be typed (text only)."""


# --- Both ways ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ping(Request, Event):
    """Are you there? Answer with the same token."""

    verb = "PING"

    token: str = ""

    def _check(self) -> None:
        check_text(self.token)


@dataclass(frozen=True, slots=True)
class Pong(Request, Event):
    """I am here."""

    verb = "PONG"

    token: str = ""

    def _check(self) -> None:
        check_text(self.token)


# --- Events -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Welcome(Event):
    """The hello is accepted: `nick` is yours."""

    verb = "WELCOME"

    nick: str
    server: str

    def _check(self) -> None:
        _nick(self.nick)
        if not is_word(self.server):
            raise LocalProtocolError("bad-frame", "a server's name is one word of printable ASCII")


@dataclass(frozen=True, slots=True)
class Ok(Event):
    """The end of an answer; `id` is the id under which an entry is kept, or a room's last id."""

    verb = "OK"

    id: int | None = None

    def _check(self) -> None:
        _count(self.id)


@dataclass(frozen=True, slots=True)
class Failure(Event):
    """The end of an answer that failed.

    Attributes:
        code: for programs; one of `triochat.protocol.errors.CODES`, or one that a newer server knows.
        sentence: for people.
    """

    verb = "ERROR"

    code: str
    sentence: str

    def _check(self) -> None:
        if not is_code(self.code):
            raise LocalProtocolError("bad-frame", "an error code is words of a-z, joined by '-'")
        check_text(self.sentence)


@dataclass(frozen=True, slots=True)
class Prompt(Event):
    """Say who you are, again if `reason` says why it did not do."""

    verb = "NICK"

    reason: str = ""

    def _check(self) -> None:
        check_text(self.reason)


@dataclass(frozen=True, slots=True)
class RoomInfo(Event):
    """A room: how many are in it, the id of its last entry (0: none yet), its topic."""

    verb = "ROOM"

    room: str
    members: int
    last: int
    topic: str = ""

    def _check(self) -> None:
        _room(self.room)
        _count(self.members)
        _count(self.last)
        check_text(self.topic)


@dataclass(frozen=True, slots=True)
class NameList(Event):
    """Some of those who are in a room; a long list comes in several."""

    verb = "NAMES"

    room: str
    nicks: tuple[str, ...]

    def _check(self) -> None:
        _room(self.room)
        for nick in self.nicks:
            _nick(nick)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """An entry of a log: `nick` said `text` in `target`, a room or ``@nick``.

    Attributes:
        id: 1, 2, 3 … without holes in each log.
        ms: Unix time in milliseconds, UTC.
    """

    verb = "MSG"

    target: str
    id: int
    ms: int
    nick: str
    text: str

    def _check(self) -> None:
        _target(self.target)
        _count(self.id, 1)
        _count(self.ms)
        _nick(self.nick)
        _said(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSet(Event):
    """An entry of a log: `nick` set the topic of `room`; an empty text cleared it."""

    verb = "TOPIC"

    room: str
    id: int
    ms: int
    nick: str
    text: str

    def _check(self) -> None:
        _room(self.room)
        _count(self.id, 1)
        _count(self.ms)
        _nick(self.nick)
        check_text(self.text)


@dataclass(frozen=True, slots=True)
class Joined(Event):
    """Somebody entered a room."""

    verb = "JOINED"

    room: str
    nick: str

    def _check(self) -> None:
        _room(self.room)
        _nick(self.nick)


@dataclass(frozen=True, slots=True)
class Left(Event):
    """Somebody left a room."""

    verb = "LEFT"

    room: str
    nick: str
    reason: str = ""

    def _check(self) -> None:
        _room(self.room)
        _nick(self.nick)
        check_text(self.reason)


@dataclass(frozen=True, slots=True)
class Renamed(Event):
    """Somebody has a new nickname."""

    verb = "RENAMED"

    old: str
    new: str

    def _check(self) -> None:
        _nick(self.old)
        _nick(self.new)


@dataclass(frozen=True, slots=True)
class Gap(Event):
    """The entries `first` to `last` of `target` are no longer kept."""

    verb = "GAP"

    target: str
    first: int
    last: int

    def _check(self) -> None:
        _target(self.target)
        _count(self.first, 1)
        _count(self.last, self.first)


@dataclass(frozen=True, slots=True)
class Bye(Event):
    """The server closes."""

    verb = "BYE"

    reason: str = ""

    def _check(self) -> None:
        check_text(self.reason)


@dataclass(frozen=True, slots=True)
class Notice(Event):
    """A sentence of the server to a person (text only)."""

    sentence: str

    def _check(self) -> None:
        check_text(self.sentence)
