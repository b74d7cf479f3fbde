"""Those who chat: through the client library, as programs do."""

import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import trio

from tests.simulation.record import Asked, Record, Seen, Skipped, Witness
from tests.simulation.state_on_disk import StateOnDisk
from tests.simulation.texts import Texts
from triochat.client import ChatClient, ConnectionLost, Disconnected, Lagged, Reconnected, Refused, RoomState
from triochat.client.happenings import Entry, Happening
from triochat.client.opening import open_client_by
from triochat.protocol import events as e
from triochat.protocol.grammar import fold

if TYPE_CHECKING:
    from tests.simulation.world import World


ALL = 1_000_000
"""Entries that an answer without a limit may have."""


def _noted(entries: Sequence[Entry]) -> list[Seen | Skipped]:
    """An answer, for the record."""
    noted: list[Seen | Skipped] = []
    for entry in entries:
        match entry:
            case e.Gap():
                noted.append(Skipped(entry.first, entry.last))
            case e.Message():
                noted.append(Seen(entry.id, "message", entry.nick, entry.text))
            case e.TopicSet():
                noted.append(Seen(entry.id, "topic", entry.nick, entry.text))
    return noted


def _count(people: dict[str, str], room: str, event: Happening) -> None:
    """Note what an event says of those who are in a room."""
    match event:
        case e.Joined(nick=nick) if event.room == room:
            people[fold(nick)] = nick
        case e.Left(nick=nick) if event.room == room:
            people.pop(fold(nick), None)
        case e.Renamed(old=old, new=new) if people.pop(fold(old), None) is not None:
            people[fold(new)] = new
        case _:
            pass


async def has_all_answers(chat: ChatClient) -> bool:
    """Whether it waits for nothing, once it was asked something more."""
    with suppress(ConnectionLost):
        await chat.ping()
        return not chat.statistics().unanswered
    return False


class _Killed(Exception):  # noqa: N818 -- it is no error, but what ends a life
    """The program is gone."""


class Person:
    """Somebody with a program that uses `triochat.open_client`.

    It lives several lives: it quits, or its program is killed, and it comes again with the same session; some
    have a state file, and so remember how far they had come.
    """

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        self.witness = Witness(name, attentive=True)
        self._world = world
        self._record: Record = world.record
        self._choose = choose
        self._texts = Texts(name, choose)
        self._nick = name
        self._me = name  # as of what it has taken note of; its client may be further
        self._session = choose.randbytes(16).hex()
        self._pace = choose.choice((0.3, 1.0, 5.0)) * world.setting.leisure
        self._state = None
        if not world.setting.set_back and choose.random() < 0.5:
            self._state = StateOnDisk(world.folder / name)
        self._chat: ChatClient | None = None
        self._finished = False
        self._coming_and_going = trio.Lock()
        self._dead = False
        self._resting = False
        self._lags = 0
        self._people: dict[str, dict[str, str]] = {}  # by room, folded nick → nick, as it was told
        self._topics: dict[str, str] = {}  # by room, as it was told
        self._read: set[str] = set()  # rooms that it has entered with a cursor, in this life
        self._stated: set[str] = set()  # rooms of which it was told how they stand, on this connection
        self._joining: str | None = None
        self._asked: set[str] = set()  # rooms that it has asked to enter or to leave, on this connection

    @property
    def chats(self) -> list[ChatClient]:
        """The clients that it has now."""
        return [] if self._chat is None else [self._chat]

    async def run(self) -> None:
        """Live, until all is over."""
        while not self._world.over.is_set():
            try:
                await self._live()
            except OSError as error:
                self._note(f"can't connect: {error}")
            except (Refused, ConnectionLost) as error:
                self._note(f"can't come: {error}")
                if isinstance(error, Refused):
                    self._nick = f"{self.witness.name}-{self._choose.randint(1, 99)}"
            except _Killed:
                self._dead = False
                if self._state is not None:
                    self._state.restore()
            await trio.sleep(self._choose.random() * 2)

    async def _live(self) -> None:
        if self._state is None:
            self.witness.begin_anew()
        else:
            self.witness.go_on(self._state.rooms())
        self.witness.names.setdefault(fold(self._nick), trio.current_time())
        dial = partial(self._world.network.dial, self.witness.name)
        async with open_client_by(
            dial,
            nick=self._nick,
            session=self._session,
            state=None if self._state is None else self._state.path,
            jitter=self._choose.uniform,
        ) as chat:
            self._chat = chat
            self._people, self._topics, self._stated, self._asked, self._read = {}, {}, set(), set(), set()
            self._me = chat.nick
            self._note(f"is here as {chat.nick}")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen_until_the_end, chat, nursery)
                if await self._act(chat):
                    self._die()
                    nursery.cancel_scope.cancel()
                else:
                    self._note("quits")
                    await chat.quit()
            self._nick = chat.nick
            self._chat = None
            if self._dead:
                raise _Killed

    def _die(self) -> None:
        """As ``kill -9`` does: no good-bye, and what is in the file is all that is remembered."""
        self._note("is killed")
        self._dead = True
        if self._state is not None:
            self._state.keep()
            self.witness.owed.update(self._state.owed())
        if self._choose.random() < 0.5:  # else what the system has of it arrives
            self._world.network.reset_all_of(self.witness.name)

    async def _act(self, chat: ChatClient) -> bool:
        """Do this and that; whether it was killed in the end, and did not quit."""
        async with trio.open_nursery() as nursery:
            # Where it was before it may still be: the server holds that for its session.
            for room in {self._world.some_room(self._choose): None} | self.witness.stays:
                nursery.start_soon(self._join, chat, room)
            while not self._world.calm.is_set():
                with trio.move_on_after(self._choose.expovariate(1 / self._pace)):
                    await self._world.calm.wait()
                    break
                lot = self._choose.random()
                if lot < 0.015:
                    if chat.joined:  # something may still be on its way
                        nursery.start_soon(self._say, chat, self._choose.choice(chat.joined))
                        await trio.sleep(self._choose.random() * 0.1)
                    nursery.cancel_scope.cancel()
                    return self._choose.random() < 0.5
                self._do_something(nursery, chat, lot)
            self._note("finishes")
        self._finished = True
        await self._world.over.wait()
        return False

    def _do_something(self, nursery: trio.Nursery, chat: ChatClient, lot: float) -> None:
        room = self._world.some_room(self._choose)
        there = self._choose.choice(chat.joined) if chat.joined else room
        if lot < 0.50:
            for _ in range(self._choose.choice((1, 1, 1, 2, 10))):
                nursery.start_soon(self._say, chat, there)
        elif lot < 0.62:
            nursery.start_soon(self._say, chat, f"@{self._somebody()}")
        elif lot < 0.70:
            after = self._choose.choice((None, None, 0, self._choose.randint(1, 50)))
            nursery.start_soon(self._join, chat, room, after)
        elif lot < 0.74:
            nursery.start_soon(self._part, chat, there)
        elif lot < 0.79:
            nursery.start_soon(self._set_topic, chat, there)
        elif lot < 0.82:
            name = self._choose.choice((self.witness.name, "guest", "Guest"))
            name = f"{name}-{self._choose.randint(1, 3)}"
            nursery.start_soon(self._rename, chat, name)
        elif lot < 0.86:
            nursery.start_soon(self._names, chat, there)
        elif lot < 0.91:
            bound = self._choose.randint(1, 50)
            before, after = self._choose.choice(((None, None), (bound, None), (None, bound - 1)))
            nursery.start_soon(self._history, chat, there, before, after)
        elif lot < 0.94:
            nursery.start_soon(self._do, chat.rooms)
        elif lot < 0.97:
            nursery.start_soon(self._search, chat, there)
        else:
            nursery.start_soon(self._do, chat.ping)

    def _somebody(self) -> str:
        """Mostly somebody whom it knows to be there."""
        known = [nick for people in self._people.values() for nick in people.values()]
        if known and self._choose.random() < 0.8:
            return self._choose.choice(known)
        return self._world.some_nick(self._choose)

    async def _do(self, ask: Callable[..., Awaitable[object]], *args: object) -> None:
        """Ask for something; that it is refused is fine."""
        with suppress(ConnectionLost):
            try:
                await ask(*args)
            except Refused as refused:
                self._note(f"{ask.__name__} {args}: {refused.code}")

    async def _rename(self, chat: ChatClient, name: str) -> None:
        self.witness.names.setdefault(fold(name), trio.current_time())
        await self._do(chat.rename, name)

    async def _say(self, chat: ChatClient, target: str) -> None:
        await self._keep(target, chat.say)

    async def _set_topic(self, chat: ChatClient, room: str) -> None:
        await self._keep(room, chat.set_topic)

    async def _keep(self, target: str, ask: Callable[[str, str], Awaitable[int]]) -> None:
        witness = self.witness
        text = self._texts.next()
        witness.said[text] = fold(target)
        self._note(f"says {text[:30]!r} in {target}")
        if target.startswith("@"):
            witness.private[text] = trio.current_time()
        there = witness.is_in(target)
        try:
            number = await ask(target, text)
        except Refused as refused:
            witness.refused[text] = refused.code
            self._note(f"refused {text[:30]!r}: {refused.code}")
            if refused.code in ("not-in-room", "no-such-room") and there and witness.is_in(target):
                witness.faults.append(f"{text[:30]!r} was refused in {target}, where it is: {refused.code}")
        except ConnectionLost:
            self._note(f"unknown {text[:30]!r}")
        else:
            witness.kept[text] = fold(target), number
            if target.startswith("@"):
                witness.told[text] = trio.current_time()
            self._note(f"kept {text[:30]!r} as {number}")

    # One after the other: else it would not know itself since when it is where.

    async def _join(self, chat: ChatClient, room: str, after: int | None = None) -> None:
        async with self._coming_and_going:
            self.witness.stays.setdefault(room, [])  # it may be there though it never hears of it
            if after is not None:  # what is said while it reads is in the answer, and nowhere else
                self.witness.leave(room)
                self._read.add(room)
            self._asked.add(room)
            self._joining = room
            reach, log, lags = self.witness.last(room), self._record.set_backs, self._lags
            with suppress(ConnectionLost):
                try:
                    entered = await chat.join(room, after)
                except Refused as refused:
                    self._note(f"join {room} after={after}: {refused.code}")
                else:
                    self._note(f"is in {room} behind {entered.last}")
                    if lags == self._lags:  # else what it missed may be what came behind this answer
                        self.witness.enter(room, entered.last)
                    if after is not None and log == self._record.set_backs:
                        missed = _noted(entered.missed)
                        self.witness.asked.append(Asked(room, missed, ALL, reach, after=after))
            self._joining = None

    async def _part(self, chat: ChatClient, room: str) -> None:
        async with self._coming_and_going:
            self.witness.leave(room)
            self._asked.add(room)
            await self._do(chat.part, room)
            self._asked.add(room)

    async def _names(self, chat: ChatClient, room: str) -> None:
        with suppress(Refused, ConnectionLost):
            names = await chat.names(room)
            self._note(f"names of {room}: {' '.join(names)}")
            if len({fold(name) for name in names}) < len(names):
                self.witness.faults.append(f"somebody is in {room} twice: {names}")

    async def _history(self, chat: ChatClient, room: str, before: int | None, after: int | None) -> None:
        limit = self._choose.choice((3, 20))
        with suppress(Refused, ConnectionLost):
            reach, log = self.witness.last(room), self._record.set_backs
            page = _noted(await chat.history(room, before, limit, after=after))
            if log == self._record.set_backs:
                self.witness.asked.append(Asked(room, page, limit, reach, before, after))
            self._note(f"history of {room}: {page[:1]} to {page[-1:]}"[:90])

    async def _search(self, chat: ChatClient, room: str) -> None:
        word, limit = self.witness.name, self._choose.choice((3, 20))
        with suppress(Refused, ConnectionLost):
            reach, log = self.witness.last(room), self._record.set_backs
            found = _noted(await chat.search(room, word, limit))
            if log == self._record.set_backs:
                self.witness.asked.append(Asked(room, found, limit, reach, word=word))
            self._note(f"search of {room}: {found[:1]} to {found[-1:]}"[:90])

    async def _listen_until_the_end(self, chat: ChatClient, nursery: trio.Nursery) -> None:
        try:
            await self._listen(chat, nursery)
        except ConnectionLost as lost:
            # Nobody else has its session, so there is no reason why its client should give up.
            self.witness.faults.append(f"its client gave up: {lost}")
            self._note(f"is given up: {lost}")
            nursery.cancel_scope.cancel()

    async def _listen(self, chat: ChatClient, nursery: trio.Nursery) -> None:
        view = self.witness.view
        async for event in chat:
            match event:
                case e.Message():
                    view(fold(event.target)).append(Seen(event.id, "message", event.nick, event.text))
                    self._note(f"sees {event.target} {event.id} {event.nick}: {event.text[:30]!r}")
                case e.TopicSet():
                    self._topics[event.room] = event.text
                    view(event.room).append(Seen(event.id, "topic", event.nick, event.text))
                    self._note(f"sees {event.room} {event.id} {event.nick}: topic {event.text[:30]!r}")
                case e.Gap():
                    view(fold(event.target)).append(Skipped(event.first, event.last))
                    self._note(f"sees {event.target} {event.first} to {event.last} gone")
                case e.Failure(code=code) if code != "nick-in-use":
                    self._note(f"sees {event}"[:90])
                    self.witness.owed.clear()  # it may have been about one of those
                case e.Failure():
                    self._note("has lost its nick")
                    nursery.start_soon(
                        self._rename, chat, f"{self.witness.name}-{self._choose.randint(4, 99)}"
                    )
                case Disconnected() | Reconnected() | Lagged():
                    self._note(str(event)[:60])
                    if isinstance(event, Reconnected):
                        self._stated.clear()
                        self._asked &= {self._joining}
                    if isinstance(event, Lagged):
                        self._miss(chat, nursery)
                case RoomState():
                    self._note(f"sees {event}"[:90])
                    self._see_room(event, self._me)
                case _:
                    self._note(f"sees {event}"[:90])
                    unknown = isinstance(event, e.Joined | e.Left) and event.room not in self._people
                    if unknown and not self.witness.lagged:
                        self.witness.faults.append(f"nobody has told it who was there, but {event}"[:120])
                    if isinstance(event, e.Left) and not self._world.over.is_set():
                        self.witness.lefts[fold(event.nick)] += 1
                    # Who is slow may have another nick by now than it had then.
                    certain = not self._world.setting.lagging
                    if certain and isinstance(event, e.Left) and fold(event.nick) == fold(self._me):
                        self._people.pop(event.room, None)
                    if isinstance(event, e.Renamed) and fold(event.old) == fold(self._me):
                        self._me = event.new
                    for room, people in self._people.items():
                        _count(people, room, event)
            await self._rest()  # behind what it has taken: a state file counts on that

    async def _rest(self) -> None:
        """Now and then, where people are slow: what happens meanwhile may be too much."""
        if self._world.setting.lagging and not self._world.calm.is_set() and self._choose.random() < 0.01:
            self._resting = True
            try:
                await trio.sleep(self._choose.random() * 20)
            finally:
                self._resting = False

    def _miss(self, chat: ChatClient, nursery: trio.Nursery) -> None:
        """It was too slow for what happened: whatever it knows may be of yesterday."""
        self._lags += 1
        self.witness.begin_anew()
        self.witness.lagged = True
        self.witness.owed.clear()
        self._people.clear()
        for room in chat.joined:
            nursery.start_soon(self._join, chat, room)
        if not chat.connected:  # it may have missed that it has lost its nick
            name = f"{self.witness.name}-{self._choose.randint(4, 99)}"
            nursery.start_soon(self._rename, chat, name)

    def _see_room(self, state: RoomState, me: str) -> None:
        """Who is there; if it knows that already, nothing has happened of which it was not told."""
        room, now = state.room, {fold(nick): nick for nick in state.nicks}
        before = self._people.get(room)
        if room in self._asked or self._world.setting.lagging:  # so this may have been before it asked
            before = None
        if before is not None and before.keys() - {fold(me)} != now.keys() - {fold(me)}:
            self.witness.faults.append(f"{[*before]} were in {room}, and then {[*now]} without a word")
        self._people[room], self._topics[room] = now, state.topic
        self._stated.add(room)

    async def finish(self) -> None:
        """All is quiet: who is here, and where."""
        while True:
            chat = self._chat if self._finished else None
            if chat is not None and chat.connected and await has_all_answers(chat):
                busy = self._resting or self._coming_and_going.locked()
                if not busy and not chat.statistics().unseen:
                    break
            await trio.sleep(0.1)
        for room in chat.joined:
            if room not in self._stated:
                self.witness.faults.append(f"nobody has told it how {room} stands")
            if room in self._read:
                continue
            with suppress(ConnectionLost, Refused):
                topic = await chat.topic(room)
                await trio.sleep(0.1)  # it may have changed in this moment
                if self._topics.get(room) != topic == await chat.topic(room):
                    self.witness.faults.append(
                        f"was told that {room} is about {self._topics.get(room)!r}, and it is {topic!r}"
                    )
        self.witness.nick = chat.nick
        self.witness.rooms = chat.joined
        self.witness.people = {
            room: {*(people | {fold(chat.nick): chat.nick}).values()}
            for room, people in self._people.items()
            if room in chat.joined
        }

    def _note(self, what: str) -> None:
        self._record.note(self.witness.name, what)
