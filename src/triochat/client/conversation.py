"""What a `ChatClient` stands on: the requests under way, and one connection after the other.

Theory of operation: every request carries a tag and leaves an `Exchange` behind, to which the receive task
adds what comes under that tag, until ``OK``, ``ERROR`` or ``PONG`` ends it. What comes without a tag goes to
the events. One task serves the connection (`Link`); when that is lost it calls again (`Caller`), goes back
into all rooms behind the last entries that were heard (`Resumption`), and then sends again, in their order
and under their tags, all requests that have no complete answer. Whoever waits for one notices nothing of it.

Keeps laws 5 and 6 of docs/architecture.md: all tasks live in the nursery of the client's block, and nothing
queues without a bound.
"""

from functools import partial
from typing import Final

import trio

from triochat.client.backoff import Backoff
from triochat.client.calling import Caller
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.event_buffer import EventBuffer
from triochat.client.exchange import Exchange, Kept
from triochat.client.happenings import Disconnected, Reconnected, Told
from triochat.client.inbox import Inbox
from triochat.client.link import QUIT_TIMEOUT, Link
from triochat.client.memberships import Memberships, Roll
from triochat.client.pending import Pending
from triochat.client.resumption import Resumption
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import StateKeeping
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol import framed
from triochat.protocol.grammar import fold

STEADY: Final = 1.0
"""Seconds that a connection must have held for the next delay to be a short one again."""
ABSENT: Final = frozenset({"not-in-room", "no-such-room"})
"""Refusals that say that we are not where we want to leave."""
WE_HAVE_LEFT: Final = "we have left"


class Conversation:
    """We and the server, from the first welcome until we have left.

    Args:
        link: the first connection.
        welcome: what the server said on it.
        tags: to mark requests.
        caller: makes the next connection; None if there will be none.
        backoff: how long to wait before that.
        file: where to keep what a program in our place needs; with what it holds it goes on.
        session: the secret by which the server knows us; None if we will not return.
        homeless: nobody else knows the session: nothing is to be held for its return.
        returning: the server may know the session from before.

    Attributes:
        nick, server: what we and the server are called.
        events: what the program is told.
        memberships: where we are.
        pending: what has no complete answer.
        keeping: the task that writes the file, if there is one.
        link: the connection; None while there is none.
    """

    def __init__(
        self,
        link: Link,
        welcome: e.Welcome,
        *,
        tags: Tags,
        caller: Caller | None = None,
        backoff: Backoff | None = None,
        file: StateFile | None = None,
        session: str | None = None,
        homeless: bool = False,
        returning: bool = False,
    ) -> None:
        self.nick = welcome.nick
        self.server = welcome.server
        self.events: EventBuffer[Told] = EventBuffer(taken=self._taken)
        self.pending = Pending()
        state = None if file is None else file.state
        inbox = Inbox(welcome.nick, None if state is None else state.inbox)
        self.memberships = Memberships(inbox, None if state is None else state.rooms)
        self.keeping: StateKeeping | None = None
        if file is not None:
            self.keeping = StateKeeping(file, snapshot=self._snapshot, failed=self._not_saved)
        self.link: Link | None = None
        self._tags = tags
        self._caller = caller
        self._backoff = backoff or Backoff()
        self._session = session
        self._homeless = homeless
        self._rolls: dict[str, Roll] = {}
        self._left_over: tuple[Kept, ...] | None = None  # what was unsent in the end
        self._unkept_in_the_end = 0  # how much of that was ours
        self._resumption: Resumption | None = None
        self._ready_since: float | None = None
        self._calling = trio.CancelScope()
        self._wanted: list[str] = []
        self._leaving = False
        self._over = trio.Event()
        self._reason = ""
        for request in () if state is None else state.unsent:
            self.pending.take_over(request)
        self._resume(link, returning=returning)

    @property
    def connected(self) -> bool:
        """Whether there is a connection, and we are back in all rooms."""
        return self._ready_since is not None

    @property
    def unkept(self) -> int:
        """How many messages and topics of ours have no answer, or had none when the connection was over."""
        return self._unkept_in_the_end if self._over.is_set() else len(self.pending.unsent(ours=True))

    # --- requests -------------------------------------------------------------------------------

    async def ask(self, request: e.Request) -> list[e.Event]:
        """Send a request, and wait for its answer; see `Exchange.answer`."""
        exchange = await self.submit(request)
        try:
            return await exchange.answer()
        except trio.Cancelled:
            exchange.forget()
            raise

    async def rename(self, nick: str) -> None:
        """Ask for another nickname; see `ChatClient.rename`."""
        request = e.Rename(nick, tag=self._tags.next())
        # Noted here, since the request may wait for a place among others that wait for the connection.
        self._wanted.append(nick)
        try:
            await self.ask(request)
        finally:
            self._wanted.remove(nick)

    async def submit(self, request: e.Request) -> Exchange:
        """Queue a request as soon as the window allows it."""
        self._check()
        exchange = Exchange(request)  # before anything is taken: it may be unsayable
        await self.pending.reserve()
        try:
            self._check()
        except ConnectionLost:
            self.pending.release()  # whoever waits behind us has to find out as well
            raise
        self.pending.add(exchange)
        if self.keeping is None:
            self._safe(exchange)
        else:
            self.keeping.call_when_safe(partial(self._safe, exchange))
        return exchange

    def _check(self) -> None:
        if self._over.is_set() or self._leaving:
            raise ConnectionLost(self._reason or WE_HAVE_LEFT)

    def _safe(self, exchange: Exchange) -> None:
        """A request may be sent: now, or as soon as there is a connection."""
        if not exchange.safe:
            exchange.safe = True
            if self.connected and exchange in self.pending:
                self._send(exchange)

    def _send(self, exchange: Exchange) -> None:
        assert self.link is not None
        exchange.again()
        exchange.sent += 1
        self.link.send(exchange.data)

    # --- the connection, and the next one -------------------------------------------------------

    async def run(self) -> None:
        """The task that serves the connection: ends when we have left, or there will be no other."""
        while self.link is not None:
            lost = await self.link.run(self._heard)
            replaced = self.link.replaced
            if self._leaving or self._caller is None:
                self._end(lost.reason)
                return
            self._lose()
            self._calling = trio.CancelScope()
            with self._calling:
                back = await self._call_again(self._caller, lost.reason, replaced=replaced)
                if back is None:
                    self._end(lost.reason)
                    return
                link, welcome = back
                if self._over.is_set():  # in this very moment; the scope is cancelled, and so is this
                    link.last_words = framed.build(e.Quit())
                    await link.run(self._heard)
                self._regain(link, welcome)

    async def _call_again(
        self, caller: Caller, reason: str, *, replaced: bool
    ) -> tuple[Link, e.Welcome] | None:
        """Connect again, for as long as it takes; None if another connection has our session, and stays."""
        told = False

        def tell() -> None:
            nonlocal told
            if not told:
                self.events.put(Disconnected(reason))
            told = True

        if replaced:  # the program is told of it only when it is more than a moment
            back = await caller.call_back(self.nick, self._backoff, tell)
            if back is not None:
                tell()
            return back
        tell()
        return await caller.call_again(self._nicks, self._backoff, self._not_welcome)

    def _lose(self) -> None:
        if self._ready_since is not None and trio.current_time() - self._ready_since >= STEADY:
            self._backoff.reset()
        self.link = self._resumption = self._ready_since = None
        self._rolls.clear()
        for exchange in self.pending:
            if not exchange.wanted:
                self._complete(exchange)
        asked = {each.request.room for each in self.pending if isinstance(each.request, e.Join)}
        for room in self.memberships.forget_unconfirmed(asked):
            self.events.put(e.Left(room, self.nick))

    def _regain(self, link: Link, welcome: e.Welcome) -> None:
        if welcome.nick != self.nick:  # so our new name arrived there, and the news of it was lost
            self._heard(e.Renamed(self.nick, welcome.nick))
        self.server = welcome.server
        self.events.put(Reconnected(welcome.nick))
        self._resume(link, returning=True)

    def _resume(self, link: Link, *, returning: bool) -> None:
        """Go back into all rooms, and ask what was said to us alone if we have been here before."""
        self.link = link
        if self._homeless:
            link.last_words = framed.build(e.Quit())
        self._resumption = Resumption(
            self.memberships, self.nick, self._tags, link.send, self.events.put, returning=returning
        )
        self._go_on_if_resumed()

    def _go_on_if_resumed(self) -> None:
        """Once nothing is missed any more, send all that has no complete answer, in its order."""
        if self._resumption is not None and self._resumption.ended:
            self._resumption = None
            self._ready_since = trio.current_time()
            for exchange in self.pending:
                if exchange.safe and not exchange.settled:
                    self._send(exchange)

    def _nicks(self) -> list[str]:
        """Ours, and those that are asked for: the way out when ours is somebody else's by now."""
        return [self.nick, *self._wanted]

    def _not_welcome(self, refused: Refused) -> None:
        self.events.put(e.Failure(refused.code, refused.sentence))

    # --- what is heard --------------------------------------------------------------------------

    def _heard(self, event: e.Event) -> None:
        if event.tag is not None:
            self._answered(event, event.tag)
        elif self._resumption is not None and self._resumption.hold(event):
            pass
        elif self.memberships.hear(event, self.nick):
            match event:
                case e.Renamed() if fold(event.old) == fold(self.nick):
                    self.nick = event.new
                    self.events.put(event)
                case e.Message() | e.TopicSet() | e.Gap() | e.Joined() | e.Left() | e.Renamed() | e.Failure():
                    self.events.put(event)
                case _:  # an answer without a tag, to what we never ask
                    pass

    def _answered(self, event: e.Event, tag: str) -> None:
        if self._resumption is not None and self._resumption.hear(event):
            self._touch()
            self._go_on_if_resumed()
            return
        exchange = self.pending.get(tag)
        if exchange is None:
            return
        request = exchange.request
        if isinstance(request, e.Join):
            self._entering(request.room, tag, event)
        elif isinstance(request, e.Part) and request.room is not None:
            if exchange.sent > 1 and isinstance(event, e.Failure) and event.code in ABSENT:
                event = e.Ok(tag=tag)  # it was carried out the first time
            if isinstance(event, e.Ok):
                self.memberships.leave(request.room)
        exchange.add(event)
        if isinstance(event, e.Ok | e.Failure | e.Pong):
            if isinstance(event, e.Failure) and isinstance(request, Kept) and self.keeping is not None:
                exchange.settled = True
                self.keeping.call_when_safe(partial(self._complete, exchange))
            else:
                self._complete(exchange)

    def _entering(self, room: str, tag: str, event: e.Event) -> None:
        """A frame of the answer to ``JOIN``."""
        roll = self._rolls.setdefault(tag, Roll(room))
        if (here := roll.add(event)) is not None:
            for change in self.memberships.compare(here, self.nick):
                self.events.put(change)
        if isinstance(event, e.Ok | e.Failure):
            del self._rolls[tag]
            if isinstance(event, e.Ok):
                self.memberships.confirm(room, event.id or 0)
            elif self.memberships.refuse(room, named=roll.complete):
                self.events.put(e.Left(room, self.nick, event.sentence))

    def _complete(self, exchange: Exchange) -> None:
        if exchange not in self.pending:  # nobody wanted it any more, or all is over
            return
        if exchange.orphan and (failure := exchange.failure) is not None:
            self.events.put(e.Failure(failure.code, failure.sentence))
        self.pending.complete(exchange)
        self._touch(soon=isinstance(exchange.request, e.Join | e.Part))

    # --- the state file -------------------------------------------------------------------------

    def _taken(self, event: object) -> None:
        if self.memberships.take(event):
            self._touch()

    def _touch(self, *, soon: bool = False) -> None:
        if self.keeping is not None:
            self.keeping.touch(soon=soon)

    def _snapshot(self) -> State:
        assert self._session is not None
        return State(
            session=self._session,
            rooms=self.memberships.seen(),
            inbox=self.memberships.inbox.seen,
            unsent=self.pending.unsent() if self._left_over is None else self._left_over,
        )

    def _not_saved(self, error: OSError) -> None:
        self.events.put(e.Failure("unavailable", f"the state file can't be written: {error.strerror}"))

    # --- the end --------------------------------------------------------------------------------

    async def quit(self, reason: str) -> None:
        """Say good-bye behind all that was asked, and leave; see `ChatClient.quit`."""
        if not self._leaving and not self._over.is_set():
            data = framed.build(e.Quit(reason, tag=self._tags.next()))
            for exchange in self.pending:
                self._safe(exchange)  # what still waits for the disk must not be left behind
            self._leaving = True
            if self.link is not None:
                self.link.last_words = b""
                self.link.send(data)
        if self.link is not None:
            with trio.move_on_after(QUIT_TIMEOUT):
                await self._over.wait()
        self.leave()
        await trio.lowlevel.checkpoint()

    def leave(self) -> None:
        """We are gone, with a good-bye or without; nothing that others wait for will come."""
        self._leaving = True
        self._end(WE_HAVE_LEFT)

    def finish(self) -> None:
        """The file is written for the last time: who was refused before may be told."""
        for exchange in self.pending:
            self.pending.complete(exchange)

    def _end(self, reason: str) -> None:
        """There will be no connection any more; everybody who waits for something is told."""
        if self._over.is_set():
            return
        self._reason = WE_HAVE_LEFT if self._leaving else reason
        self._over.set()
        self._calling.cancel()
        self._ready_since = None
        for exchange in self.pending:
            if exchange.orphan:  # a refusal that is not told by now is for the next program, which asks again
                exchange.settled = False
        self._left_over = self.pending.unsent()
        self._unkept_in_the_end = len(self.pending.unsent(ours=True))
        for exchange in self.pending:
            if not exchange.settled:  # else it is told when the file has forgotten it
                self.pending.complete(exchange, lost=self._reason)
        self._touch()
        self.events.close(None if self._leaving else reason)
