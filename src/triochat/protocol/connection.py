"""One connection as a value machine: bytes in, events out; events in, bytes out.

Theory of operation, after h11: hand every read to `Connection.receive_data`, then call
`Connection.next_event` until it says that it has nothing more; hand what you want to say to
`Connection.send` and write the bytes that it returns. Both roles run one state table, `TRANSITIONS`:

::

    SNIFFING ── first bytes ──► NAMING ── Hello ──► DECIDING ── Welcome ──► CHATTING
                                NAMING ◄── Prompt ── DECIDING
    SNIFFING, NAMING, DECIDING, CHATTING ── Bye ──► CLOSED

Only a server sniffs. While it decides on a hello it reads nothing further (`PAUSED`), so frames that
were sent right behind it are judged by what became of it.

Nothing is answered in here: the core reports a `Ping`, the shell sends the `Pong`. Nor is there a
clock: `wants_timer` says that silence would mean something, the shell arms a timer of one sniff
time, anew after each read, and calls `timer_expired` if nothing came (the idea is websockets').

Keeps law 1 of docs/architecture.md: no I/O, no clock, no ``async``.
"""

import enum
from typing import Final, cast

from triochat.protocol import events as e
from triochat.protocol import framed, text
from triochat.protocol.encoding import Encoding, encode
from triochat.protocol.errors import MALFORMED, LocalProtocolError, ProtocolError, RemoteProtocolError
from triochat.protocol.grammar import MAX_FRAME, PROTOCOL
from triochat.protocol.lines import LineBuffer, Overlong
from triochat.protocol.runs import OkRun, SayRun
from triochat.protocol.sniff import Dialect, sniff

MAX_MALFORMED = 20
"""Malformed frames in a row that a peer may send before the connection ends."""
MAX_TRIES = 5
"""Nicknames that a person may offer before the connection ends."""


class Role(enum.Enum):
    """Which end of the connection we are."""

    CLIENT = "client"
    SERVER = "server"


class State(enum.Enum):
    """How far a connection has come."""

    __hash__ = object.__hash__  # enum's own is a function in Python, and this stands in the hottest path

    SNIFFING = enum.auto()
    NAMING = enum.auto()
    DECIDING = enum.auto()
    CHATTING = enum.auto()
    CLOSED = enum.auto()


class Need(enum.Enum):
    """What `Connection.next_event` says when it has no event."""

    DATA = enum.auto()
    PAUSED = enum.auto()
    CLOSED = enum.auto()


NEED_DATA: Final = Need.DATA
"""Read more."""
PAUSED: Final = Need.PAUSED
"""Decide on the hello first: send `Welcome` or `Prompt`."""
CLOSED: Final = Need.CLOSED
"""The peer will say nothing more, or we have said `Bye`."""

# What the hottest path looks for: on Python 3.11 a member of an enum is dearer to find than a call is.
_SERVER: Final = Role.SERVER
_SNIFFING: Final = State.SNIFFING
_DECIDING: Final = State.DECIDING
_CHATTING: Final = State.CHATTING
_CLOSED: Final = State.CLOSED
_FRAMED: Final = Dialect.FRAMED

_CHAT: list[type[e.Frame]] = [
    e.Rename,
    e.Join,
    e.Part,
    e.Say,
    e.GetTopic,
    e.SetTopic,
    e.ListNames,
    e.ListRooms,
    e.ReadHistory,
    e.Search,
    e.Help,
    e.Blank,
    e.Ping,
    e.Pong,
    e.Quit,
]
_NEWS: list[type[e.Frame]] = [
    e.Ok,
    e.RoomInfo,
    e.NameList,
    e.Message,
    e.TopicSet,
    e.Joined,
    e.Left,
    e.Renamed,
    e.Gap,
]

TRANSITIONS: dict[State, dict[type[e.Frame], State]] = {
    State.SNIFFING: {e.Bye: State.CLOSED},
    State.NAMING: {
        e.Hello: State.DECIDING,
        e.Quit: State.NAMING,
        e.Blank: State.NAMING,
        e.Prompt: State.NAMING,
        e.Failure: State.NAMING,
        e.Notice: State.NAMING,
        e.Bye: State.CLOSED,
    },
    State.DECIDING: {
        **dict.fromkeys(_CHAT, State.DECIDING),  # a client need not wait for its welcome
        e.Welcome: State.CHATTING,
        e.Prompt: State.NAMING,
        e.Failure: State.DECIDING,
        e.Notice: State.DECIDING,
        e.Bye: State.CLOSED,
    },
    State.CHATTING: {
        **dict.fromkeys(_CHAT + _NEWS, State.CHATTING),
        e.Failure: State.CHATTING,
        e.Notice: State.CHATTING,
        e.Bye: State.CLOSED,
    },
    State.CLOSED: {},
}
"""What may be said in which state, by whichever side says it, and the state behind it."""

_SAYS: dict[Role, type[e.Request] | type[e.Event]] = {Role.CLIENT: e.Request, Role.SERVER: e.Event}
_PEER = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}


class Connection:
    """The protocol's side of one connection.

    Args:
        role: which end we are.
        dialect: known beforehand by a client (default: framed); a server learns it by sniffing,
            unless it is told.
    """

    def __init__(self, role: Role, dialect: Dialect | None = None) -> None:
        self.role = role
        self._state = State.SNIFFING
        self._dialect: Dialect | None = None
        self._timely = role is Role.SERVER  # something is new since the last sniff time of silence
        self._first = b""  # what has come while it is not yet clear how to read it
        self._stray_possible = False
        self._unframed = False
        self._lines = LineBuffer(MAX_FRAME)
        self._eof = False
        self._malformed = 0
        self._tries = 0
        self._offered = b""  # as it came: a 2019 client puts it in front of all that it sends
        self._nick = ""
        self._utf8 = False
        if role is Role.CLIENT:
            dialect = dialect or Dialect.FRAMED
            self._stray_possible = dialect is Dialect.FRAMED
        if dialect is not None:
            self._settle(dialect, unframed=role is Role.CLIENT and dialect is Dialect.TEXT)

    # --- what the shell may look at -------------------------------------------------------------

    @property
    def state(self) -> State:
        """How far the connection has come."""
        return self._state

    @property
    def dialect(self) -> Dialect | None:
        """How the peer speaks; None while that is not known."""
        return self._dialect

    @property
    def encoding(self) -> Encoding:
        """How the peer wants what it shares with others: see `triochat.protocol.encoding.encode`."""
        if self._dialect is not Dialect.TEXT:
            return Encoding.FRAMED  # if it is not yet known: a person can read a frame, a program no prose
        return Encoding.UTF8_TEXT if self._utf8 else Encoding.ASCII_TEXT

    @property
    def unframed(self) -> bool:
        """Whether each read of the peer is one message, as in 2019."""
        return self._unframed

    @property
    def wants_timer(self) -> bool:
        """Whether a sniff time of silence would mean something: see `timer_expired`."""
        return self._timely and self._state is State.SNIFFING

    @property
    def takes_says(self) -> bool:
        """Whether the connection has come so far that `next_says` may find something."""
        return self._state is _CHATTING and self._dialect is _FRAMED and self.role is _SERVER

    @property
    def pending(self) -> bool:
        """Whether something has come that `next_event` has not told of yet."""
        return self._lines.complete

    @property
    def out_of_tries(self) -> bool:
        """Whether a person has offered all the nicknames that one may."""
        return self._dialect is Dialect.TEXT and self._tries >= MAX_TRIES

    # --- bytes in, events out -------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take what one read brought; ``b""`` is the end of the stream.

        What is not taken out by `next_event` is kept, so a shell reads no further while it is
        told `PAUSED`. What comes behind the end, or once we are `CLOSED`, is dropped.
        """
        if self._eof or self._state is _CLOSED:
            return
        if not data:
            self._end()
        elif self._stray_possible:
            self._drop_stray_prompt(data)
        elif self._state is _SNIFFING:
            self._first += data
            self._timely = True
            self._sniff(silent=False)
        else:
            self._take(data)

    def timer_expired(self) -> bytes:
        """A sniff time has passed in silence.

        Returns:
            What to send: the prompt, or nothing.
        """
        if not self.wants_timer:
            return b""
        self._timely = False
        if not self._first:
            return text.PROMPT
        self._sniff(silent=True)
        return b""

    def next_event(self) -> e.Frame | Need:
        """The next thing that the peer said, or why there is none.

        Raises:
            RemoteProtocolError: it was not allowed. Tell the peer and call again.
        """
        while True:
            if self._state is _CLOSED:
                return CLOSED
            if self._state is _DECIDING and self.role is _SERVER:
                return PAUSED
            line = self._lines.next_line()
            if line is None:
                return CLOSED if self._eof else NEED_DATA
            try:
                frame = self._parse(line)
                if frame is None:
                    continue
                if type(frame) not in TRANSITIONS[self._state]:
                    code, sentence = self._why_not(frame, by=_PEER[self.role])
                    raise RemoteProtocolError(code, sentence, tag=frame.tag)
            except ProtocolError as error:
                raise self._counted(error) from None
            self._malformed = 0
            self._state = TRANSITIONS[self._state][type(frame)]
            return frame

    def next_says(self) -> SayRun | None:
        """The messages to one room that the peer sent next, if that is what it sent next.

        A faster way to what `next_event` would say one by one, for a server that has many of them to
        pass on. What is None here may be anything: ask `next_event`.
        """
        lines = self._lines
        if not lines.block or not self.takes_says:
            return None
        run = framed.parse_says(lines.block, lines.start)
        if run is not None:
            lines.skip(run.octets)
            self._malformed = 0
        return run

    # --- events in, bytes out -------------------------------------------------------------------

    def send(self, frame: e.Frame) -> bytes:
        """The bytes that say `frame`; may be none, if the dialect has no words for it.

        Raises:
            LocalProtocolError: it may not be said now, or not at all in this dialect.
        """
        if not isinstance(frame, _SAYS[self.role]):
            raise LocalProtocolError("not-allowed", f"a {self.role.value} does not say this")
        if type(frame) not in TRANSITIONS[self._state]:
            raise LocalProtocolError(*self._why_not(frame, by=self.role))
        data = self._build(frame)
        self._state = TRANSITIONS[self._state][type(frame)]
        if isinstance(frame, e.Hello) and self._dialect is Dialect.TEXT:
            self._state = State.CHATTING  # a 2019 server never says that it agrees
        return data

    def send_oks(self, run: OkRun) -> bytes:
        """The bytes that acknowledge a `SayRun`, which only the framed dialect can send.

        Raises:
            LocalProtocolError: as for `send`.
        """
        if self.role is not _SERVER or self._dialect is not _FRAMED:
            raise LocalProtocolError("not-allowed", "only a server of the framed dialect says this")
        if self._state is not _CHATTING:
            raise LocalProtocolError(*self._why_not(e.Ok(), by=self.role))
        return framed.build_oks(run)

    def _build(self, frame: e.Frame) -> bytes:
        if self.role is Role.CLIENT:
            return self._as_in_2019(frame) if self._dialect is Dialect.TEXT else framed.build(frame)
        data = encode(cast("e.Event", frame), self.encoding)
        if isinstance(frame, e.Welcome) and self._dialect is Dialect.TEXT:
            data += self._other_name(frame.nick)
        return data

    def _other_name(self, nick: str) -> bytes:
        """What to tell a person who got another name than it offered."""
        if nick.encode("ascii") == self._offered.strip():
            return b""
        return encode(e.Notice(f"Your name here is {nick}."), self.encoding)

    # --- what is not allowed --------------------------------------------------------------------

    def _why_not(self, frame: e.Frame, *, by: Role) -> tuple[str, str]:
        """Code and sentence for a frame that has no place in the state table."""
        if self._state is State.CLOSED:
            return "not-allowed", "the connection is closed"
        if isinstance(frame, e.Hello):
            return "not-allowed", "you have said who you are; NICK nick renames"
        if by is Role.CLIENT:
            return "hello-first", f"say who you are first: NICK nick {PROTOCOL}"
        return "bad-frame", "this can't be said now"

    def _counted(self, error: ProtocolError) -> RemoteProtocolError:
        """The error that the peer made, and whether that was one too many."""
        self._malformed = self._malformed + 1 if error.code in MALFORMED else 0
        fatal = self._malformed >= MAX_MALFORMED
        if self._offering:
            self._tries += 1
            fatal = fatal or self.out_of_tries
        tag = error.tag if isinstance(error, RemoteProtocolError) else None
        return RemoteProtocolError(error.code, error.sentence, tag=tag, fatal=fatal)

    # --- how to read what comes -----------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Cut what came into lines; an unframed peer's last one ends with its read."""
        if self._unframed and not data.endswith(b"\n"):
            data += b"\n"
        self._lines.feed(data)

    def _sniff(self, *, silent: bool) -> None:
        self._dialect = self._dialect or sniff(self._first, silent=silent)
        if self._dialect is Dialect.FRAMED:
            self._settle(self._dialect, unframed=False)
        elif self._dialect is Dialect.TEXT:
            line_ended = b"\n" in self._first or len(self._first) >= MAX_FRAME
            if line_ended or silent:
                self._settle(self._dialect, unframed=not line_ended)

    def _settle(self, dialect: Dialect, *, unframed: bool) -> None:
        """It is clear how to read this peer; begin with what it has said so far."""
        self._dialect = dialect
        self._unframed = unframed
        self._state = State.NAMING
        first, self._first = self._first, b""
        if first:
            self._take(first)

    def _drop_stray_prompt(self, data: bytes) -> None:
        """A server that was asked slowly may have said ``NICK`` before it heard us."""
        self._first += data
        if text.PROMPT.startswith(self._first):
            return  # the fifth octet tells
        self._stray_possible = False
        first, self._first = self._first, b""
        if first.startswith(text.PROMPT) and first[4:5] not in (b"\n", b"\r", b" "):
            first = first.removeprefix(text.PROMPT)
        self._lines.feed(first)

    def _end(self) -> None:
        self._eof = True
        if self._state is State.SNIFFING:
            dialect = self._dialect or sniff(self._first, silent=True)
            self._settle(dialect or Dialect.FRAMED, unframed=False)
        if self._dialect is Dialect.TEXT and (rest := self._lines.take_rest()):
            self._lines.feed(rest + b"\n")  # a person's last line counts without its end

    # --- parsing --------------------------------------------------------------------------------

    def _parse(self, line: bytes | Overlong) -> e.Frame | None:
        """What a line says; None if that is nothing."""
        if self._dialect is Dialect.FRAMED:
            if isinstance(line, Overlong):
                raise _too_long("frame", tag=framed.tag_of(line.head))
            return framed.parse_request(line) if self.role is Role.SERVER else framed.parse_event(line)
        if isinstance(line, Overlong):
            raise _too_long("line")
        if self.role is Role.CLIENT:
            return self._heard(line)
        return self._offer(line) if self._offering else self._typed(line)

    @property
    def _offering(self) -> bool:
        """Whether what comes is a person's answer to the prompt."""
        return self.role is Role.SERVER and self._dialect is Dialect.TEXT and self._state is State.NAMING

    def _offer(self, line: bytes) -> e.Hello | e.Blank:
        """The answer to the prompt."""
        if self._unframed and not line:
            return e.Blank()
        self._offered = line
        if self._unframed:
            hello = e.Hello(text.likely_nick(self._decode(line)), adapt=True)
        else:
            hello = e.Hello(self._decode(line).strip())
        self._tries += 1
        return hello

    def _typed(self, line: bytes) -> e.Request:
        """A line of someone who has a name; a 2019 client puts the one that it offered in front."""
        return text.parse(self._decode(line.removeprefix(self._offered + b": ")))

    def _decode(self, line: bytes) -> str:
        try:
            decoded = line.decode("utf-8")
        except UnicodeDecodeError:
            raise RemoteProtocolError("bad-text", "that was not valid UTF-8, so it was not sent") from None
        self._utf8 = self._utf8 or not line.isascii()
        return decoded

    # --- the client's side of 2019 --------------------------------------------------------------

    def _heard(self, line: bytes) -> e.Prompt | e.Notice | None:
        """What a 2019 server says: its only frame is ``NICK``, and anybody may forge that later."""
        if line == text.PROMPT and self._state is State.NAMING:
            return e.Prompt()
        said = text.printable(line.decode("utf-8", "backslashreplace").replace("\r", ""))
        return e.Notice(said) if said else None

    def _as_in_2019(self, frame: e.Frame) -> bytes:
        match frame:
            case e.Hello(nick=nick):
                self._nick = nick
                return nick.encode("ascii")
            case e.Say(target=None, text=said):
                lines = "\n".join(f"{self._nick}: {line}" for line in said.split("\n"))
                return lines.encode("ascii", "backslashreplace")
            case e.Quit() | e.Ping() | e.Pong():
                return b""
            case _:
                raise LocalProtocolError("unavailable", "a 2019 server knows one room and plain lines only")


def _too_long(unit: str, *, tag: str | None = None) -> RemoteProtocolError:
    return RemoteProtocolError("too-long", f"a {unit} is at most {MAX_FRAME} octets long", tag=tag)
