"""A framed client: requests that return their answers, and what happens as an asynchronous iterator.

Theory of operation: every request carries a tag and leaves an `Exchange` behind, to which the receive task
adds what comes under that tag, until ``OK``, ``ERROR`` or ``PONG`` ends it. What comes without a tag goes to
the events. One task serves the connection (`Link`); when that is lost it calls again (`Caller`), goes back
into all rooms behind the last entries that were heard (`Resumption`), and then sends again, in their order
and under their tags, all requests that have no complete answer. Whoever waits for one notices nothing of it.

Keeps laws 5 and 6 of docs/architecture.md: all tasks live in the nursery of the client's block, and nothing
queues without a bound.
"""

from collections.abc import AsyncIterator
from typing import Final

import trio

from triochat.client.answers import EnteredRoom, entered, entries, kept_id, nicks
from triochat.client.backoff import Backoff, Jitter
from triochat.client.calling import Caller
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.event_buffer import EventBuffer
from triochat.client.exchange import WINDOW, Exchange, Kept, Receipt
from triochat.client.happenings import Disconnected, Entry, Happening, Reconnected
from triochat.client.inbox import Inbox
from triochat.client.link import QUIT_TIMEOUT, Link
from triochat.client.memberships import Memberships, Roll
from triochat.client.resumption import Resumption
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import StateKeeping
from triochat.client.statistics import ChatStatistics
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol import framed
from triochat.protocol.grammar import DEFAULT_PAGE, fold

STEADY: Final = 1.0
"""Seconds that a connection must have held for the next delay to be a short one again."""
ABSENT: Final = frozenset({"not-in-room", "no-such-room"})
"""Refusals that say that we are not where we want to leave."""
WE_HAVE_LEFT: Final = "we have left"


class ChatClient:
    """A name in a chat, and the connection to it. Comes from `open_client`.

    Any number of tasks may use one client. Requests are carried out in the order in which they were
    made. A request that is cancelled may have been carried out all the same; its answer is dropped.

    If the connection is lost, it is made again, for as long as it takes; requests wait meanwhile, and
    are answered when it is back. A message that was sent before, and of which it is not known whether it
    arrived, is kept once. A deadline of one's own (``with trio.fail_after(5):``) ends the waiting.

    All requests raise `Refused` if the server does not do it, `ConnectionLost` if we have left or the
    connection is not made again, and `triochat.protocol.LocalProtocolError` if the protocol has no way to
    say it, e.g. a text that is too long. Case does not matter in the names of rooms.

    Iterating yields what happens, in the order of each room: `Message`, `TopicSet`, `Joined`, `Left` and
    `Renamed` of `triochat.protocol.events`, our own messages among them; `Gap` where something is no longer
    kept; `Failure` where the server complains of no request in particular; `Disconnected` and
    `Reconnected`; and `Lagged` where the program did not keep up. What was missed while there was no
    connection comes behind `Reconnected`: each entry of a room's log once, with neither hole nor repeat, and
    `Joined` and `Left` for everybody who is there now and was not, or the other way round. The iteration ends
    when we have left; it raises `ConnectionLost` if the connection is lost and not made again.

    When the ``async with`` block of `open_client` ends, however it does, we have left: no task, in the block
    or outside it, waits for this client any more.
    """

    def __init__(
        self,
        link: Link,
        welcome: e.Welcome,
        *,
        tags: Tags,
        caller: Caller | None = None,
        jitter: Jitter | None = None,
        file: StateFile | None = None,
        session: str | None = None,
        homeless: bool = False,
        returning: bool = False,
    ) -> None:
        self._tags = tags
        self._nick = welcome.nick
        self._server = welcome.server
        self._caller = caller
        self._backoff = Backoff() if jitter is None else Backoff(jitter)
        self._session = session
        self._homeless = homeless  # nobody else knows the session: nothing is to be held for its return
        self._window = trio.Semaphore(WINDOW, max_value=WINDOW)
        self._pending: dict[str, Exchange] = {}  # in the order in which they were made
        self._rolls: dict[str, Roll] = {}
        self._events: EventBuffer[e.Event | Disconnected | Reconnected] = EventBuffer(taken=self._taken)
        state = None if file is None else file.state
        inbox = Inbox(welcome.nick, None if state is None else state.inbox)
        self._memberships = Memberships(inbox, None if state is None else state.rooms)
        self._keeping: StateKeeping | None = None
        if file is not None:
            self._keeping = StateKeeping(
                file, snapshot=self._snapshot, safe=self._safe, failed=self._not_saved
            )
        self._left_over: tuple[Kept, ...] | None = None  # what was unsent in the end
        self._link: Link | None = None
        self._resumption: Resumption | None = None
        self._ready_since: float | None = None
        self._calling = trio.CancelScope()
        self._leaving = False
        self._over = trio.Event()
        self._reason = ""
        for request in () if state is None else state.unsent:
            self._take_over(request)
        self._resume(link, returning=returning)

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self._nick

    @property
    def server(self) -> str:
        """What the server calls itself."""
        return self._server

    @property
    def connected(self) -> bool:
        """Whether there is a connection, and we are back in all rooms."""
        return self._ready_since is not None

    @property
    def joined(self) -> tuple[str, ...]:
        """The rooms that we are in."""
        return tuple(self._memberships)

    def __aiter__(self) -> AsyncIterator[Happening]:
        return self._events

    def statistics(self) -> ChatStatistics:
        """How it stands."""
        return ChatStatistics(
            unanswered=len(self._pending),
            unsent=len(self._pending) if self._link is None else len(self._link),
            unseen=len(self._events),
        )

    # --- requests -------------------------------------------------------------------------------

    async def join(self, room: str, after: int | None = None) -> EnteredRoom:
        """Enter a room; with `after`, also get every entry behind that id (0: from the first)."""
        room = fold(room)
        return entered(room, await self._ask(e.Join(room, after, tag=self._tags.next())))

    async def part(self, room: str, reason: str = "") -> None:
        """Leave a room."""
        await self._ask(e.Part(fold(room), reason, tag=self._tags.next()))

    async def say(self, target: str, text: str) -> int:
        """Send a message to a room (``#dev``) or to one person (``@bob``).

        Returns:
            Its id, once the server has it in its journal.
        """
        return kept_id(await self._ask(e.Say(_target(target), text, tag=self._tags.next())))

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
        return kept_id(await self._ask(e.SetTopic(fold(room), text, tag=self._tags.next())))

    async def names(self, room: str) -> tuple[str, ...]:
        """Who is in a room."""
        return nicks(await self._ask(e.ListNames(fold(room), tag=self._tags.next())))

    async def rooms(self) -> tuple[e.RoomInfo, ...]:
        """Which rooms there are."""
        answer = await self._ask(e.ListRooms(tag=self._tags.next()))
        return tuple(info for info in answer if isinstance(info, e.RoomInfo))

    async def history(
        self,
        target: str,
        before: int | None = None,
        limit: int = DEFAULT_PAGE,
        *,
        after: int | None = None,
    ) -> tuple[Entry, ...]:
        """A page of a log, oldest entry first.

        Args:
            target: a room, or our own inbox: ``"@" + chat.nick``.
            before: an id; the page is the last one in front of it.
            limit: how many entries, 1 to 1000.
            after: an id; the page is the first one behind it. Not together with `before`. Without either
                the page is the last one of all.

        Returns:
            At most `limit` entries. In front of them may be a `Gap` that names those which the page would
            have if they were still kept.
        """
        tag = self._tags.next()
        request = e.ReadHistory(_target(target), before, limit, after, tag=tag)
        return entries(await self._ask(request))

    async def search(self, room: str, words: str, limit: int = DEFAULT_PAGE) -> tuple[Entry, ...]:
        """Up to `limit` entries of a room that hold all of `words`, newest first."""
        return entries(await self._ask(e.Search(fold(room), words, limit, tag=self._tags.next())))

    async def rename(self, nick: str) -> None:
        """Take another nickname."""
        await self._ask(e.Rename(nick, tag=self._tags.next()))

    async def ping(self) -> None:
        """Ask the server whether it is there, and wait for its answer."""
        await self._ask(e.Ping(tag=self._tags.next()))

    async def quit(self, reason: str = "") -> None:
        """Leave: the server answers what was asked before, says good-bye, and iterating ends.

        Leaving the ``async with`` block does this, so it is for giving a reason, or for ending the
        iteration of another task. Waits for the good-bye for a second at most, and not at all while there
        is no connection.
        """
        if not self._leaving and not self._over.is_set():
            data = framed.build(e.Quit(reason, tag=self._tags.next()))
            for exchange in list(self._pending.values()):
                self._safe(exchange)  # what still waits for the disk must not be left behind
            self._leaving = True
            if self._link is not None:
                self._link.last_words = b""
                self._link.send(data)
        if self._link is not None:
            with trio.move_on_after(QUIT_TIMEOUT):
                await self._over.wait()
        self._leave()
        await trio.lowlevel.checkpoint()

    async def _ask(self, request: e.Request) -> list[e.Event]:
        exchange = await self._request(request)
        try:
            return await exchange.answer()
        except trio.Cancelled:
            exchange.forget()
            raise

    async def _request(self, request: e.Request) -> Exchange:
        """Queue a request as soon as the window allows it."""
        self._check()
        exchange = Exchange(request)  # before anything is taken: it may be unsayable
        await self._window.acquire()
        try:
            self._check()
        except ConnectionLost:
            self._window.release()  # whoever waits behind us has to find out as well
            raise
        self._pending[exchange.tag] = exchange
        if self._keeping is None:
            self._safe(exchange)
        else:
            self._keeping.add(exchange)
        return exchange

    def _check(self) -> None:
        if self._over.is_set() or self._leaving:
            raise ConnectionLost(self._reason or WE_HAVE_LEFT)

    def _safe(self, exchange: Exchange) -> None:
        """A request may be sent: now, or as soon as there is a connection."""
        if not exchange.safe:
            exchange.safe = True
            if self.connected and exchange.tag in self._pending:
                self._send(exchange)

    def _send(self, exchange: Exchange) -> None:
        assert self._link is not None
        exchange.again()
        exchange.sent += 1
        self._link.send(exchange.data)

    # --- the connection, and the next one -------------------------------------------------------

    async def _run(self) -> None:
        """The task that serves the connection: ends when we have left, or there will be no other."""
        while self._link is not None:
            lost = await self._link.run(self._heard)
            if self._leaving or self._caller is None or self._link.replaced:
                self._end(lost.reason)
                return
            self._lose(lost.reason)
            self._calling = trio.CancelScope()
            with self._calling:
                self._regain(*await self._caller.call_again(self._nick, self._backoff, self._not_welcome))

    def _lose(self, reason: str) -> None:
        if self._ready_since is not None and trio.current_time() - self._ready_since >= STEADY:
            self._backoff.reset()
        self._link = self._resumption = self._ready_since = None
        self._rolls.clear()
        self._memberships.forget_unconfirmed()
        for exchange in list(self._pending.values()):
            if not exchange.wanted:
                self._complete(exchange)
        self._events.put(Disconnected(reason))

    def _regain(self, link: Link, welcome: e.Welcome) -> None:
        if welcome.nick != self._nick:  # so our new name arrived there, and the news of it was lost
            self._heard(e.Renamed(self._nick, welcome.nick))
        self._server = welcome.server
        self._events.put(Reconnected(welcome.nick))
        self._resume(link, returning=True)

    def _resume(self, link: Link, *, returning: bool) -> None:
        """Go back into all rooms, and ask what was said to us alone if we have been here before."""
        self._link = link
        if self._homeless:
            link.last_words = framed.build(e.Quit())
        self._resumption = Resumption(
            self._memberships, self._nick, self._tags, link.send, self._events.put, returning=returning
        )
        self._go_on_if_resumed()

    def _go_on_if_resumed(self) -> None:
        """Once we are in all rooms, send all that has no complete answer, in its order."""
        if self._resumption is not None and self._resumption.ended:
            self._resumption = None
            self._ready_since = trio.current_time()
            for exchange in list(self._pending.values()):
                if exchange.safe:
                    self._send(exchange)

    def _not_welcome(self, refused: Refused) -> None:
        self._events.put(e.Failure(refused.code, refused.sentence))

    # --- what is heard --------------------------------------------------------------------------

    def _heard(self, event: e.Event) -> None:
        if event.tag is not None:
            self._answered(event, event.tag)
        elif self._resumption is not None and self._resumption.hold(event):
            pass
        elif self._memberships.hear(event, self._nick):
            match event:
                case e.Renamed() if fold(event.old) == fold(self._nick):
                    self._nick = event.new
                    self._events.put(event)
                case e.Message() | e.TopicSet() | e.Gap() | e.Joined() | e.Left() | e.Renamed() | e.Failure():
                    self._events.put(event)
                case _:  # an answer without a tag, to what we never ask
                    pass

    def _answered(self, event: e.Event, tag: str) -> None:
        if self._resumption is not None and self._resumption.hear(event):
            self._touch()
            self._go_on_if_resumed()
            return
        exchange = self._pending.get(tag)
        if exchange is None:
            return
        request = exchange.request
        if isinstance(request, e.Join):
            self._entering(request.room, tag, event)
        elif isinstance(request, e.Part) and request.room is not None:
            if exchange.sent > 1 and isinstance(event, e.Failure) and event.code in ABSENT:
                event = e.Ok(tag=tag)  # it was carried out the first time
            if isinstance(event, e.Ok):
                self._memberships.leave(request.room)
        exchange.add(event)
        if isinstance(event, e.Ok | e.Failure | e.Pong):
            if exchange.orphan and isinstance(event, e.Failure):
                self._events.put(e.Failure(event.code, event.sentence))
            self._complete(exchange)

    def _entering(self, room: str, tag: str, event: e.Event) -> None:
        """A frame of the answer to ``JOIN``."""
        if (here := self._rolls.setdefault(tag, Roll()).add(event)) is not None:
            for change in self._memberships.compare(room, here, self._nick):
                self._events.put(change)
        if isinstance(event, e.Ok | e.Failure):
            del self._rolls[tag]
            if isinstance(event, e.Ok):
                self._memberships.confirm(room, event.id or 0)
            else:
                self._memberships.forget_unconfirmed(room)

    def _complete(self, exchange: Exchange, *, lost: str | None = None) -> None:
        exchange.end(lost=lost)
        del self._pending[exchange.tag]
        self._window.release()
        self._touch()

    # --- the state file -------------------------------------------------------------------------

    def _take_over(self, request: Kept) -> None:
        """Ask what a program before us had asked, and died before it had its answer."""
        exchange = Exchange(request, orphan=True)
        exchange.safe = True
        self._window.acquire_nowait()
        self._pending[exchange.tag] = exchange

    def _taken(self, event: object) -> None:
        if self._memberships.take(event):
            self._touch()

    def _touch(self) -> None:
        if self._keeping is not None:
            self._keeping.touch()

    def _snapshot(self) -> State:
        assert self._session is not None
        unsent = self._unsent() if self._left_over is None else self._left_over
        return State(
            session=self._session,
            rooms=self._memberships.seen(),
            inbox=self._memberships.inbox.seen,
            unsent=unsent,
        )

    def _unsent(self) -> tuple[Kept, ...]:
        return tuple(
            exchange.request
            for exchange in self._pending.values()
            if isinstance(exchange.request, Kept) and exchange.wanted
        )

    def _not_saved(self, error: OSError) -> None:
        self._events.put(e.Failure("unavailable", f"the state file can't be written: {error.strerror}"))

    # --- the end --------------------------------------------------------------------------------

    def _leave(self) -> None:
        """We are gone, with a good-bye or without; nothing that others wait for will come."""
        self._leaving = True
        self._end(WE_HAVE_LEFT)

    def _end(self, reason: str) -> None:
        """There will be no connection any more; everybody who waits for something is told."""
        if self._over.is_set():
            return
        self._reason = WE_HAVE_LEFT if self._leaving else reason
        self._over.set()
        self._calling.cancel()
        self._ready_since = None
        self._left_over = self._unsent()
        for exchange in list(self._pending.values()):
            self._complete(exchange, lost=self._reason)
        self._events.close(None if self._leaving else reason)


def _target(target: str) -> str:
    return target if target.startswith("@") else fold(target)
