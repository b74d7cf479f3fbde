"""One session, and more than one program that uses it: a bot that was begun once more, though it runs.

`ByHand` does this with connections of which it knows both ends; here each is a whole program of its own, on
`triochat.open_client`, and none knows of the others. Who is replaced gives up and says why, unless the other
one has gone; who was cut, and comes back, may take the place from one that came meanwhile. When all is quiet
exactly one is there.
"""

import math
import random
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from tests.simulation.people import has_all_answers
from tests.simulation.record import Witness
from triochat.client import ChatClient, ConnectionLost, Lagged, Refused, RoomState
from triochat.client.opening import open_client_by
from triochat.protocol import events as e
from triochat.protocol.grammar import fold

if TYPE_CHECKING:
    from tests.simulation.world import World


UNDER_WAY: Final = 6.0
"""Seconds that an answer is under way at most, about."""


class _Program:
    """One of those that use the session: what it has seen is its own.

    Attributes:
        chat: the client; None: it is not there yet, or no more.
        ended: it is over.
        until: when that was.
        lagged: it may have missed who came and went.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.chat: ChatClient | None = None
        self.ended = False
        self.until = math.inf
        self.lagged = False
        self.people: dict[str, str] = {}
        self._last: int | None = None  # the id that it has seen, or that it was told of

    def see(self, event: e.Event) -> str | None:
        """Take note of an entry of the room; what is wrong with it, if something is."""
        match event:
            case e.Message(id=first) | e.TopicSet(id=first):
                last = first
            case e.Gap(first=first, last=last):
                pass
            case _:
                return None
        if not isinstance(event, e.TopicSet) and event.target.startswith("@"):
            return None  # what is said to it alone is no matter here
        behind, self._last = self._last, last
        if behind is not None and first != behind + 1:
            return f"{self.name} saw {first} behind {behind}"
        return None

    def miss(self) -> None:
        """It has missed something, and was told so."""
        self._last = None
        self.lagged = True

    def enter(self, last: int) -> str | None:
        """It was told that `last` was the last id when it came."""
        if self._last is None:
            self._last = last
        elif self._last < last:
            return f"{self.name} entered behind {last}, and had seen {self._last} of it"
        return None

    def count(self, event: e.Event | RoomState) -> None:
        """Note who is in the room."""
        match event:
            case RoomState(nicks=nicks):
                self.people = {fold(nick): nick for nick in nicks}
            case e.Joined(nick=nick):
                self.people[fold(nick)] = nick
            case e.Left(nick=nick):
                self.people.pop(fold(nick), None)
            case e.Renamed(old=old, new=new) if self.people.pop(fold(old), None) is not None:
                self.people[fold(new)] = new
            case _:
                pass


class Double:
    """Somebody who begins a program now and then, and forgets that it has one already."""

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        self.witness = Witness(name)
        self._world = world
        self._choose = choose
        self._session = choose.randbytes(16).hex()
        self._room = world.some_room(choose)
        self._pace = choose.choice((0.3, 1.0, 5.0)) * world.setting.leisure
        self._programs: list[_Program] = []
        self._last: _Program | None = None  # that is there when all is quiet, or one that is older

    @property
    def chats(self) -> list[ChatClient]:
        """The clients that it has now."""
        return [program.chat for program in self._programs if program.chat is not None]

    async def run(self) -> None:
        """Live, until all is over."""
        calm = self._world.calm
        async with trio.open_nursery() as nursery:
            while not calm.is_set():
                await self._begin(nursery)
                with trio.move_on_after(self._choose.expovariate(1 / (10 * self._pace))):
                    await calm.wait()
            self._last = await self._begin(nursery)

    async def _begin(self, nursery: trio.Nursery) -> _Program:
        program = _Program(f"{self.witness.name}/{len(self._programs) + 1}")
        self._programs.append(program)
        nursery.start_soon(self._live, program)
        return program

    def _others(self, program: _Program) -> bool:
        """Whether one more is there, or was when the server said so: that may have been long under way."""
        since = trio.current_time() - UNDER_WAY
        return any(other.until > since for other in self._programs if other is not program)

    async def _live(self, program: _Program) -> None:
        while not program.ended:
            try:
                await self._chat(program)
            except (OSError, Refused, ConnectionLost) as error:  # before it was welcome
                self._note(program, f"can't come: {error}")
                if self._world.over.is_set():
                    program.ended = True
                await trio.sleep(self._choose.random())

    async def _chat(self, program: _Program) -> None:
        dial = partial(self._world.network.dial, self.witness.name)
        async with open_client_by(
            dial, nick=self.witness.name, session=self._session, jitter=self._choose.uniform
        ) as chat:
            program.chat = chat
            self._note(program, "is here")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, program, chat, nursery)
                nursery.start_soon(self._act, program, chat)
                await self._world.over.wait()
                nursery.cancel_scope.cancel()
            program.chat, program.ended, program.until = None, True, trio.current_time()

    async def _listen(self, program: _Program, chat: ChatClient, nursery: trio.Nursery) -> None:
        try:
            async for event in chat:
                self._note(program, f"sees {event}"[:90])
                if isinstance(event, Lagged):
                    program.miss()
                if isinstance(event, e.Event | RoomState):
                    program.count(event)
                if isinstance(event, e.Event) and (fault := program.see(event)) is not None:
                    self.witness.faults.append(fault)
        except ConnectionLost as lost:
            self._note(program, f"gives up: {lost}")
            if "replaced" not in lost.reason:
                self.witness.faults.append(f"{program.name} gave up: {lost}")
            elif not self._others(program):
                self.witness.faults.append(f"{program.name} was replaced by nobody")
        nursery.cancel_scope.cancel()

    async def _act(self, program: _Program, chat: ChatClient) -> None:
        with suppress(ConnectionLost):
            entered = await chat.join(self._room)
            self._note(program, f"is in {self._room} behind {entered.last}")
            async with trio.open_nursery() as requests:
                while not self._world.calm.is_set():
                    await trio.sleep(self._choose.expovariate(1 / self._pace))
                    if self._world.calm.is_set():  # whoever is there now stays
                        break
                    if self._choose.random() < 0.02:
                        self._note(program, "quits")
                        await chat.quit()
                        return
                    requests.start_soon(self._say, program, chat)

    async def _say(self, program: _Program, chat: ChatClient) -> None:
        witness = self.witness
        text = f"{witness.name}.{len(witness.said) + 1}"
        witness.said[text] = self._room
        try:
            number = await chat.say(self._room, text)
        except Refused as refused:
            witness.refused[text] = refused.code
            self._note(program, f"refused {text}: {refused.code}")
        except ConnectionLost:
            self._note(program, f"unknown {text}")
        else:
            witness.kept[text] = self._room, number
            self._note(program, f"kept {text} as {number}")

    async def finish(self) -> None:
        """All is quiet: return when exactly one program is there, and waits for nothing."""
        while True:
            there = [program for program in self._programs if not program.ended]
            chat = there[0].chat if self._last is not None and len(there) == 1 else None
            if chat is not None and await has_all_answers(chat):
                break
            await trio.sleep(0.1)
        self.witness.nick = chat.nick
        self.witness.rooms = chat.joined
        if not there[0].lagged:
            self.witness.people = {room: {*there[0].people.values()} for room in chat.joined}

    def _note(self, program: _Program, what: str) -> None:
        self._world.record.note(program.name, what)
