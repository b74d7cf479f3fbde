"""A framed client: requests that return their answers, and what happens as an asynchronous iterator.

Theory of operation: every request carries a tag and leaves an exchange behind, to which the receive
task adds what comes under that tag, until ``OK``, ``ERROR`` or ``PONG`` ends it. What comes without a tag
goes to the events. The write task joins what many requests have queued into one send.

Keeps laws 5 and 6 of docs/architecture.md: one nursery holds both tasks, whichever ends ends both, and
nothing queues without a bound.
"""

import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

import trio

from triochat.client.beside import beside
from triochat.client.dial import dial
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.event_buffer import EventBuffer, Lagged
from triochat.client.hearing import hear
from triochat.protocol import Connection, Role
from triochat.protocol import events as e
from triochat.protocol.grammar import DEFAULT_PAGE, fold

WINDOW: Final = 256
"""Requests that may be without an answer at once. It bounds what waits to be written, too."""
MAX_PONGS: Final = 16
"""Pongs that may wait to be written: who asks more often than it reads has older ones forgotten."""
HELLO_TIMEOUT: Final = 10.0
"""Seconds in which a server says whether it takes us."""
QUIT_TIMEOUT: Final = 1.0
"""Seconds that we wait for the server's good-bye, and for the reason why it does not read any more."""

Entry = e.Message | e.TopicSet | e.Gap
"""One line of a room's log, or what is no longer kept of it."""
Happening = e.Event | Lagged
"""What iterating over a `ChatClient` yields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredRoom:
    """A room at the moment in which one entered it.

    Attributes:
        room: its name.
        nicks: who is there, oneself included.
        last: the id of its last entry; 0 if there is none.
        topic: empty if there is none.
        missed: what stands behind the id that one asked from, oldest first.
    """

    room: str
    nicks: tuple[str, ...]
    last: int
    topic: str
    missed: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatStatistics:
    """What queues in a client.

    Attributes:
        unanswered: requests whose answer is not complete, at most `WINDOW`.
        unsent: frames that wait to be written.
        unseen: events that nobody has taken.
    """

    unanswered: int
    unsent: int
    unseen: int


class _Exchange:
    """A request on its way, and what has come of its answer."""

    def __init__(self) -> None:
        self._answer: list[e.Event] = []
        self._lost: str | None = None
        self._ended = trio.Event()
        self._wanted = True

    def add(self, event: e.Event) -> None:
        if self._wanted:
            self._answer.append(event)

    def end(self, *, lost: str | None = None) -> None:
        self._lost = lost
        self._ended.set()

    async def answer(self) -> list[e.Event]:
        """All frames of the answer, ``OK`` or ``PONG`` the last of them."""
        await self._ended.wait()
        if self._lost is not None:
            raise ConnectionLost(self._lost)
        if isinstance(failure := self._answer[-1], e.Failure):
            raise Refused(failure.code, failure.sentence)
        return self._answer

    def forget(self) -> None:
        """Nobody waits any more: what comes is dropped."""
        self._wanted = False
        self._answer.clear()


class Receipt:
    """What `ChatClient.submit` returns: the message is on its way."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def kept(self) -> int:
        """Wait until the server has the message in its journal. May be called more than once.

        Returns:
            The id of the message in its room.

        Raises:
            Refused: it was not kept.
            ConnectionLost: that is not known.
        """
        return _id(await self._exchange.answer())


class ChatClient:
    """A connection on which we have a name. Comes from `open_client`.

    Any number of tasks may use one client. Requests are carried out in the order in which they were
    made. A request that is cancelled may have been carried out all the same; its answer is dropped.

    All requests raise `Refused` if the server does not do it, `ConnectionLost` if it is no longer there,
    and `triochat.protocol.LocalProtocolError` if the protocol has no way to say it, e.g. a text that is
    too long. Case does not matter in the names of rooms.

    Iterating yields what happens, in the order of each room: `Message`, `TopicSet`, `Joined`, `Left` and
    `Renamed` of `triochat.protocol.events`, our own messages among them; `Gap` where something is no longer
    kept; `Failure` where the server complains of no request in particular; and `Lagged` where the program
    did not keep up. It ends when we have left; otherwise the end of the connection raises `ConnectionLost`.

    When the ``async with`` block of `open_client` ends, however it does, we have left: no task, in the block
    or outside it, waits for this client any more.
    """

    def __init__(
        self, stream: trio.abc.Stream, connection: Connection, tags: "_Tags", welcome: e.Welcome
    ) -> None:
        self._stream = stream
        self._connection = connection
        self._tags = tags
        self._nick = welcome.nick
        self._server = welcome.server
        self._window = trio.Semaphore(WINDOW, max_value=WINDOW)
        self._pending: dict[str, _Exchange] = {}
        self._outgoing: list[bytes] = []
        self._pongs: deque[bytes] = deque(maxlen=MAX_PONGS)
        self._something_to_write = trio.lowlevel.ParkingLot()
        self._writing = trio.CancelScope()
        self._events: EventBuffer[e.Event] = EventBuffer()
        self._leaving = False
        self._over = trio.Event()
        self._reason = ""

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self._nick

    @property
    def server(self) -> str:
        """What the server calls itself."""
        return self._server

    def __aiter__(self) -> AsyncIterator[Happening]:
        return self._events

    def statistics(self) -> ChatStatistics:
        """How it stands."""
        return ChatStatistics(
            unanswered=len(self._pending),
            unsent=len(self._pongs) + len(self._outgoing),
            unseen=len(self._events),
        )

    # --- requests -------------------------------------------------------------------------------

    async def join(self, room: str, after: int | None = None) -> EnteredRoom:
        """Enter a room; with `after`, also get every entry behind that id (0: from the first)."""
        room = fold(room)
        answer = await self._ask(e.Join(room, after, tag=self._tags.next()))
        return EnteredRoom(
            room=room,
            nicks=_nicks(answer),
            last=_id(answer),
            topic=next((info.topic for info in answer if isinstance(info, e.RoomInfo)), ""),
            missed=_entries(answer),
        )

    async def part(self, room: str, reason: str = "") -> None:
        """Leave a room."""
        await self._ask(e.Part(fold(room), reason, tag=self._tags.next()))

    async def say(self, target: str, text: str) -> int:
        """Send a message to a room (``#dev``) or to one person (``@bob``).

        Returns:
            Its id, once the server has it in its journal.
        """
        return _id(await self._ask(e.Say(_target(target), text, tag=self._tags.next())))

    async def submit(self, target: str, text: str) -> Receipt:
        """Send a message, and do not wait until it is kept.

        Messages that are submitted one after the other are kept in that order. This waits only while
        256 requests have no answer yet.
        """
        return Receipt(await self._request(e.Say(_target(target), text, tag=self._tags.next())))

    async def topic(self, room: str) -> str:
        """The topic of a room; empty if it has none."""
        answer = await self._ask(e.GetTopic(fold(room), tag=self._tags.next()))
        return next((topic.text for topic in answer if isinstance(topic, e.TopicSet)), "")

    async def set_topic(self, room: str, text: str) -> int:
        """Set the topic of a room; an empty text clears it. Returns the id of the entry."""
        return _id(await self._ask(e.SetTopic(fold(room), text, tag=self._tags.next())))

    async def names(self, room: str) -> tuple[str, ...]:
        """Who is in a room."""
        return _nicks(await self._ask(e.ListNames(fold(room), tag=self._tags.next())))

    async def rooms(self) -> tuple[e.RoomInfo, ...]:
        """Which rooms there are."""
        answer = await self._ask(e.ListRooms(tag=self._tags.next()))
        return tuple(info for info in answer if isinstance(info, e.RoomInfo))

    async def history(
        self, room: str, before: int | None = None, limit: int = DEFAULT_PAGE
    ) -> tuple[Entry, ...]:
        """Up to `limit` entries in front of id `before` (None: the newest), oldest first."""
        return _entries(await self._ask(e.ReadHistory(fold(room), before, limit, tag=self._tags.next())))

    async def rename(self, nick: str) -> None:
        """Take another nickname."""
        await self._ask(e.Rename(nick, tag=self._tags.next()))

    async def ping(self) -> None:
        """Ask the server whether it is there, and wait for its answer."""
        await self._ask(e.Ping(tag=self._tags.next()))

    async def quit(self, reason: str = "") -> None:
        """Leave: the server answers what was asked before, says good-bye, and iterating ends.

        Leaving the ``async with`` block does this, so it is for giving a reason, or for ending the
        iteration of another task. Waits for the good-bye for a second at most.
        """
        if not self._leaving and not self._over.is_set():
            data = self._connection.send(e.Quit(reason, tag=self._tags.next()))
            self._leaving = True
            self._outgoing.append(data)
            self._something_to_write.unpark_all()
        with trio.move_on_after(QUIT_TIMEOUT):
            await self._over.wait()
        self._leave()

    async def _ask(self, request: e.Request) -> list[e.Event]:
        exchange = await self._request(request)
        try:
            return await exchange.answer()
        except trio.Cancelled:
            exchange.forget()
            raise

    async def _request(self, request: e.Request) -> _Exchange:
        """Queue a request as soon as the window allows it."""
        assert request.tag is not None
        self._check()
        data = self._connection.send(request)  # before anything is taken: it may be unsayable
        await self._window.acquire()
        try:
            self._check()
        except ConnectionLost:
            self._window.release()  # whoever waits behind us has to find out as well
            raise
        exchange = self._pending[request.tag] = _Exchange()
        self._outgoing.append(data)
        self._something_to_write.unpark_all()
        return exchange

    def _check(self) -> None:
        if self._over.is_set() or self._leaving:
            raise ConnectionLost(self._reason or "we have left")

    # --- the two tasks --------------------------------------------------------------------------

    async def _receive(self) -> None:
        """The receive task: ends when the connection does, and notes why."""
        try:
            while True:
                event = await hear(self._stream, self._connection)
                if isinstance(event, e.Bye):
                    raise ConnectionLost(event.reason or "the server said good-bye")
                self._heard(event)
        except ConnectionLost as lost:
            self._end(lost.reason)
        # At once, though the block may go on for long: a server that shuts down waits for this.
        await trio.aclose_forcefully(self._stream)

    async def _write(self) -> None:
        """The write task: ends when the connection does."""
        try:
            with self._writing:
                while True:
                    while self._pongs or self._outgoing:
                        data = b"".join((*self._pongs, *self._outgoing))
                        self._pongs.clear()
                        self._outgoing.clear()
                        await self._stream.send_all(data)
                    await self._something_to_write.park()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # Why, the receive task may still be about to read.
            with trio.move_on_after(QUIT_TIMEOUT):
                await self._over.wait()
            await trio.aclose_forcefully(self._stream)

    def _heard(self, event: e.Event) -> None:
        match event:
            case e.Ping():
                self._pongs.append(self._connection.send(e.Pong(event.token)))
                self._something_to_write.unpark_all()
            case _ if event.tag is not None:
                self._answered(event, event.tag)
            case e.Renamed() if fold(event.old) == fold(self._nick):
                self._nick = event.new
                self._events.put(event)
            case e.Message() | e.TopicSet() | e.Gap() | e.Joined() | e.Left() | e.Renamed() | e.Failure():
                self._events.put(event)
            case _:  # an answer without a tag, to what we never ask
                pass

    def _answered(self, event: e.Event, tag: str) -> None:
        exchange = self._pending.get(tag)
        if exchange is None:
            return
        exchange.add(event)
        if isinstance(event, e.Ok | e.Failure | e.Pong):
            exchange.end()
            del self._pending[tag]
            self._window.release()

    def _leave(self) -> None:
        """We are gone, with a good-bye or without; nothing that others wait for will come."""
        self._leaving = True
        self._end("we have left")

    def _end(self, reason: str) -> None:
        """The connection is over; everybody who waits for something is told."""
        if self._over.is_set():
            return
        self._reason = "we have left" if self._leaving else reason
        self._over.set()
        self._writing.cancel()
        self._outgoing.clear()
        for exchange in self._pending.values():
            exchange.end(lost=self._reason)
            self._window.release()
        self._pending.clear()
        self._events.close(None if self._leaving else reason)


class _Tags:
    """Tags that no other client draws, so that a session used by two processes uses none of them twice."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._numbers = count(1)

    def next(self) -> str:
        return f"{self._prefix}-{next(self._numbers)}"


def _target(target: str) -> str:
    return target if target.startswith("@") else fold(target)


def _nicks(answer: list[e.Event]) -> tuple[str, ...]:
    return tuple(nick for names in answer if isinstance(names, e.NameList) for nick in names.nicks)


def _entries(answer: list[e.Event]) -> tuple[Entry, ...]:
    return tuple(entry for entry in answer if isinstance(entry, Entry))


def _id(answer: list[e.Event]) -> int:
    ok = answer[-1]
    if not isinstance(ok, e.Ok) or ok.id is None:
        raise ClientError("the server agreed, but did not say under which id")
    return ok.id


@asynccontextmanager
async def open_client(
    host: str, port: int, *, nick: str, session: str | None = None
) -> AsyncIterator[ChatClient]:
    """Connect to a server and say who we are.

    Leaving the block says good-bye and closes the connection; leaving it by an exception closes the
    connection at once. The exception comes out as it is, not in a group.

    Args:
        host: name or address.
        port: TCP port.
        nick: the nickname that we want.
        session: 32 hex digits, a secret of ours. With it the server holds nick and rooms for a while if
            the connection breaks, until the same session returns. This client does not return by itself.

    Raises:
        OSError: nobody answers there.
        Refused: the server does not want us, e.g. because somebody has that nick.
        ConnectionLost: the server went away before it had said so, or does not speak this protocol.
        triochat.protocol.LocalProtocolError: there can't be such a nick.
    """
    e.Hello(nick, session)  # or there is nothing to connect for
    async with open_client_on(await dial(host, port), nick=nick, session=session) as chat:
        yield chat


@asynccontextmanager
async def open_client_on(
    stream: trio.abc.Stream, *, nick: str, session: str | None = None
) -> AsyncIterator[ChatClient]:
    """The same over a stream that is there already, and that is closed in the end."""
    chat: ChatClient | None = None
    try:
        tags = _Tags()
        connection = Connection(Role.CLIENT)
        hello = e.Hello(nick, session, tag=tags.next())
        # In front of the nursery, so that a refusal does not come out of it in a group.
        welcome = await _introduce(stream, connection, hello)
        chat = ChatClient(stream, connection, tags, welcome)
        async with beside(chat._receive, chat._write):
            yield chat
            await chat.quit()
    finally:
        if chat is not None:
            chat._leave()  # tasks outside the block may wait for what will not come
        await trio.aclose_forcefully(stream)


async def _introduce(stream: trio.abc.Stream, connection: Connection, hello: e.Hello) -> e.Welcome:
    """Say hello and read until the server has agreed."""
    welcome: e.Welcome | None = None
    with trio.move_on_after(HELLO_TIMEOUT):
        try:
            await stream.send_all(connection.send(hello))
        except trio.BrokenResourceError:
            raise ConnectionLost("the connection broke") from None
        while True:
            match await hear(stream, connection):
                case e.Welcome() as welcome:
                    pass
                case e.Ok(tag=hello.tag) if welcome is not None:
                    return welcome
                case e.Failure(code=code, sentence=sentence):
                    raise Refused(code, sentence)
                case e.Prompt(reason=reason):
                    raise Refused("bad-nick", reason)
                case e.Bye(reason=reason):
                    raise ConnectionLost(reason or "the server said good-bye")
    raise ConnectionLost("the server does not answer")
