"""Both ends without a socket: they take out what a connection has heard, and answer as the real shells do.

What a server's shell decides depends on nothing but what it heard, so it must be the same however that came.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final, NamedTuple

from tests.fuzz.script import Read
from tests.protocol.pair import Heard, Refused, held
from triochat.protocol import (
    CLOSED,
    NEED_DATA,
    PAUSED,
    Connection,
    Dialect,
    Encoding,
    Need,
    RemoteProtocolError,
    Role,
    State,
)
from triochat.protocol import events as e
from triochat.protocol.grammar import LOBBY, MAX_FRAME, MAX_ID
from triochat.protocol.runs import SayRun
from triochat.protocol.text import HELP

SERVER: Final = "chat.example.org"


class Said(NamedTuple):
    """What an end has said.

    Attributes:
        frame: None for the prompt of a server that does not know yet whom it asks.
        wire: what it wrote.
        encoding: how the peer wanted it then.
    """

    frame: e.Frame | None
    wire: bytes
    encoding: Encoding


class Outcome(NamedTuple):
    """All that can be seen of a connection after its stream has ended.

    Attributes:
        lines: what has come, with a line end behind each read of a peer that is unframed.
        over: it was given up, or closed, before that.
    """

    heard: list[Heard]
    said: list[Said]
    lines: bytes
    over: bool
    state: State
    dialect: Dialect | None
    unframed: bool
    out_of_tries: bool


class Shell(ABC):
    """What both ends have in common.

    Args:
        connection: whose events it takes out.
        by_runs: take messages out the faster way.

    Attributes:
        runs: those that were taken out, and how much was heard before each.
    """

    def __init__(self, connection: Connection, *, by_runs: bool = False) -> None:
        self.connection = connection
        self.runs: list[tuple[int, SayRun]] = []
        self._by_runs = by_runs
        self._heard: list[Heard] = []
        self._said: list[Said] = []
        self._lines = bytearray()
        self._given_up = False

    @property
    def over(self) -> bool:
        """Whether what comes is heard no more."""
        return self._given_up or self.connection.state is State.CLOSED

    def play(self, reads: Iterable[Read]) -> Outcome:
        """Live through `reads`, and the end of the stream behind them."""
        for data, silence in reads:
            self.receive(data)
            if silence:
                self.be_silent()
        self._end()
        connection = self.connection
        return Outcome(
            self._heard,
            self._said,
            bytes(self._lines),
            self.over,
            connection.state,
            connection.dialect,
            connection.unframed,
            connection.out_of_tries,
        )

    def receive(self, data: bytes) -> None:
        """One read."""
        connection = self.connection
        self._lines += data
        if connection.unframed and not data.endswith(b"\n"):
            self._lines += b"\n"
        if self.over:
            return
        connection.receive_data(data)
        self._take_out(at_end=False)
        if not self.over:
            assert held(connection) < MAX_FRAME, f"it keeps {held(connection)} octets"
            assert not connection.pending, "it has something, and does not tell"

    def be_silent(self) -> None:
        """A sniff time passes."""
        connection = self.connection
        wanted, unframed = connection.wants_timer, connection.unframed
        assert wanted <= (connection.role is Role.SERVER and connection.state is State.SNIFFING)
        wire = connection.timer_expired()
        if wire:
            assert wanted, "it says something though it wanted no timer"
            self._said.append(Said(None, wire, connection.encoding))
        if connection.unframed and not unframed:
            self._lines += b"\n"
        assert not connection.wants_timer, "it wants the timer again, and nothing has come"
        self._take_out(at_end=False)

    def say(self, frame: e.Frame) -> None:
        """Say it, whatever is raised."""
        encoding = self.connection.encoding
        self._said.append(Said(frame, self.connection.send(frame), encoding))

    def _end(self) -> None:
        self.connection.receive_data(b"")
        self._take_out(at_end=True)

    def _take_out(self, *, at_end: bool) -> None:
        connection = self.connection
        while not self._given_up:
            if self._by_runs and (run := connection.next_says()) is not None:
                self.runs.append((len(self._heard), run))
                for frame in run.frames():
                    self._hear(frame)
                continue
            try:
                one = connection.next_event()
            except RemoteProtocolError as error:
                self._heard.append(Refused(error.code, error.tag, error.fatal))
                self._refuse(error)
                continue
            if isinstance(one, Need):
                closed = at_end or connection.state is State.CLOSED
                assert one is (CLOSED if closed else NEED_DATA), f"it says {one} in {connection.state}"
                return
            self._hear(one)

    def _hear(self, frame: e.Frame) -> None:
        self._heard.append(frame)
        self._answer(frame)

    @abstractmethod
    def _answer(self, frame: e.Frame) -> None:
        """Say what has to be said."""

    @abstractmethod
    def _refuse(self, error: RemoteProtocolError) -> None:
        """Deal with what the peer may not say."""


def accepts(hello: e.Hello) -> bool:
    """Whether the server's shell takes in who says this; others are asked for another name."""
    return hello.adapt or not hello.nick.endswith("_")


class ServerShell(Shell):
    """A server: decides on each hello by its nick, and tells all of what it hears to the one who said it."""

    nick = ""

    def _answer(self, frame: e.Frame) -> None:
        assert isinstance(frame, e.Request), f"a client said {frame}"
        match frame:
            case e.Hello():
                assert self.connection.next_event() is PAUSED, "it does not wait for what becomes of a hello"
                assert self.connection.next_says() is None
                self._decide(frame)
            case e.Quit(reason=reason):
                if self.nick:
                    self.say(e.Left(LOBBY, self.nick, reason))
                self.say(e.Bye("you quit", tag=frame.tag))
            case _ if self.nick:
                for event in news(frame, self.nick):
                    self.say(event)
                if isinstance(frame, e.Rename):
                    self.nick = frame.nick

    def _decide(self, hello: e.Hello) -> None:
        if accepts(hello):
            self.nick = hello.nick
            if hello.nick.endswith("_"):
                self.nick = f"{hello.nick[:31]}2"
            self.say(e.Welcome(self.nick, SERVER, tag=hello.tag))
            self.say(e.Message(target=LOBBY, id=1, ms=0, nick="bob", text="caf\xe9?\nNICK"))
            return
        reason = "somebody has this nick; take another"
        self.say(e.Failure("nick-in-use", reason, tag=hello.tag))
        if self.connection.out_of_tries:
            self.say(e.Bye("too many names that did not do"))
        else:
            self.say(e.Prompt(reason))

    def _refuse(self, error: RemoteProtocolError) -> None:
        self.say(e.Failure(error.code, error.sentence, tag=error.tag))
        asked = self.connection.dialect is Dialect.TEXT or error.code not in (
            "hello-first",
            "unknown-command",
        )
        if error.fatal:
            self.say(e.Bye("too much that makes no sense"))
        elif asked and self.connection.state is State.NAMING:
            self.say(e.Prompt(error.sentence))


def news(request: e.Frame, nick: str) -> list[e.Event]:
    """What may be told to somebody of `request`, with the longest words around it."""
    match request:
        case e.Say(target=target, text=text):
            place = target or LOBBY
            return [
                e.Message(target=place, id=MAX_ID, ms=MAX_ID, nick=nick, text=text),
                e.Message(target=place, id=1, ms=0, nick=nick, text=text, tag="h" * 32),
            ]
        case e.SetTopic(room=room, text=text):
            return [
                e.TopicSet(room=room or LOBBY, id=MAX_ID, ms=MAX_ID, nick=nick, text=text, tag="h" * 32),
                e.RoomInfo(room or LOBBY, MAX_ID, MAX_ID, text, tag=request.tag),
            ]
        case e.Join(room=room):
            return [e.Joined(room, nick)]
        case e.Part(room=room, reason=reason):
            return [e.Left(room or LOBBY, nick, reason)]
        case e.Rename(nick=new):
            return [e.Renamed(nick, new)]
        case e.ListNames(room=room):
            return [e.NameList(room or LOBBY, (nick,), tag=request.tag)]
        case e.Ping(token=token):
            return [e.Pong(token, tag=request.tag)]
        case e.Help():
            return [e.Notice(HELP)]
        case _:
            return []


class ClientShell(Shell):
    """A client: says who it is, again whenever it is asked, and answers each ping."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        if connection.dialect is Dialect.FRAMED:
            self.say(e.Hello("alice"))

    def _answer(self, frame: e.Frame) -> None:
        assert isinstance(frame, e.Event), f"a server said {frame}"
        match frame:
            case e.Prompt():
                self.say(e.Hello("alice"))
            case e.Ping(token=token):
                self.say(e.Pong(token, tag=frame.tag))

    def _refuse(self, error: RemoteProtocolError) -> None:
        self._given_up = error.fatal
