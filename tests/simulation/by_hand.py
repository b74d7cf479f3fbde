"""Peers that speak the framed dialect with nothing of ours: what docs/protocol.md says must be enough."""

import random
import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from tests.simulation.record import Seen, Skipped
from tests.simulation.strangers import GONE, Lines, Stranger
from triochat.protocol.grammar import fold

if TYPE_CHECKING:
    from tests.simulation.world import World

WINDOW: Final = 20
"""Messages that one has on their way at most."""

UNREADABLE: Final = "what you missed can't be read now"
"""Why a connection may end by itself in the moment in which another one takes its place."""
ENDS: Final = ("crash", "restart", "set back")
"""Faults that end all connections."""


class _Visit:
    """One of its connections.

    Attributes:
        followed: it is over, or the next one may come.
        over: nothing more comes by it.
        bye: the reason that the server gave for its end; None: none.
        welcome: it was told that it is.
        replaced: when a newer one was; None: none was.
        silenced: it may have been dead before anybody could notice.
        excused: it may end without a word, for something was done to it or to the server.
    """

    def __init__(self) -> None:
        self.followed = trio.Event()
        self.over = trio.Event()
        self.scope = trio.CancelScope()
        self.bye: str | None = None
        self.welcome = False
        self.replaced: float | None = None
        self.excused: Callable[[], bool] = lambda: True
        self.silenced: Callable[[], bool] = lambda: False


class ByHand(Stranger):
    """A framed peer that keeps its side of section 4 of docs/protocol.md, with nothing of ours.

    One session for all its connections, a tag of its own for each message, sent again until it is answered,
    and ``JOIN`` behind the last id that it saw. Now and then it connects while it is connected: then the
    older connection must end with ``BYE :replaced``, and the newer one goes on without a hole.
    """

    MESSAGE = re.compile(r"(?:@\S+ )?(MSG|TOPIC) ([#@]\S+) (\d+) \d+ (\S+) :(.*)")
    GAP = re.compile(r"(?:@\S+ )?GAP (#\S+) (\d+) (\d+)")
    OK = re.compile(r"@(m\d+) OK (\d+)")
    FAILED = re.compile(r"@(m\d+) ERROR (\S+) :(.*)")
    NAMES = re.compile(r"@j NAMES (#\S+) (.*)")
    PRESENCE = re.compile(r"(JOINED|LEFT) (#\S+) (\S+).*|(RENAMED) (\S+) (\S+)")

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        super().__init__(world, name, choose)
        self._room = world.some_room(choose)
        self._session = choose.randbytes(16).hex()
        self._pace = choose.choice((0.3, 1.0, 5.0)) * world.setting.leisure
        self._last = 0
        self._open: dict[str, str] = {}  # tag → text, of what is not answered
        self._all: dict[str, str] = {}
        self._changed = trio.Event()
        self._has_said_all = trio.Event()
        self._given_up = 0  # how often it closed a connection itself
        self._here = False
        self._newest: _Visit | None = None
        self._older: dict[_Visit, None] = {}  # by which something may still come
        self._names: set[str] = set()
        self._there: set[_Visit] = set()  # those that were welcome, and are not over
        self._away_since: float | None = None
        if not world.setting.small:  # else the server may have found out long before
            self.witness.absent = 0.0
        self.witness.enter(self._room, 0)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._talk)
            nursery.start_soon(self._stay, nursery)
            await self._world.over.wait()
            await self._write("QUIT\n")
            nursery.cancel_scope.cancel()

    async def _stay(self, nursery: trio.Nursery) -> None:
        while True:
            visit = _Visit()
            nursery.start_soon(self._visit, visit, nursery)
            await visit.followed.wait()
            if visit.over.is_set():
                await trio.sleep(self._choose.random())

    async def _visit(self, visit: _Visit, nursery: trio.Nursery) -> None:
        with suppress(*GONE), visit.scope:
            async with self._connected() as stream:
                visit.excused = self._excuse(stream)
                connection = self._world.network.connection_of(stream)
                visit.silenced = lambda: connection is None or connection.silenced
                with trio.CancelScope() as scope:
                    await self._converse(stream, scope, visit, nursery)
        if visit is self._newest:
            self._here = False
        if not visit.welcome:  # it may have taken nobody's place
            for older in self._older:
                if older.replaced is None:
                    older.scope.cancel()
        visit.over.set()
        visit.followed.set()
        if visit.silenced():
            self.witness.absent = None
        self._there.discard(visit)
        # The server may have let it in though it was never told so: then it is away from here on.
        if not self._there and self._away_since is None:
            self._away_since = trio.current_time()
        if visit in self._older:
            del self._older[visit]
            unreadable = visit.bye == UNREADABLE and self._world.record.faults["unreadable disk"] > 0
            if visit.replaced is None or visit.bye == "replaced" or unreadable or visit.excused():
                return
            # Longer than that it may have had too much to read in front of its BYE, and was cut off.
            if trio.current_time() < visit.replaced + self._world.setting.config.send_timeout / 2:
                self.witness.faults.append(f"its connection was replaced, and ended with {visit.bye}")

    def _excuse(self, stream: trio.abc.Stream) -> Callable[[], bool]:
        connection, faults = self._world.network.connection_of(stream), self._world.record.faults

        def ends() -> list[int]:
            return [self._given_up, *(faults[kind] for kind in ENDS)]

        before = ends()
        return lambda: connection is None or connection.disturbed or ends() != before

    async def _follow(self, visit: _Visit, seconds: float) -> None:
        await trio.sleep(seconds)
        visit.followed.set()

    async def _converse(
        self, stream: trio.abc.Stream, scope: trio.CancelScope, visit: _Visit, nursery: trio.Nursery
    ) -> None:
        witness = self.witness
        hello = f"@n NICK {witness.name} triochat/1 session={self._session}\n"
        async with self._sending:
            if self._newest is not None and not self._newest.over.is_set():
                self._note("comes once more")
                self._older[self._newest] = None
            self._names.clear()
            self._here = False
            self._stream, self._newest = stream, visit
            again = "".join(f"@{tag} MSG {self._room} :{text}\n" for tag, text in self._open.items())
            await stream.send_all(f"{hello}@j JOIN {self._room} after={self._last}\n{again}".encode())
        if not self._world.calm.is_set():
            lot, seconds = self._choose.random(), self._choose.random() * 3
            if lot < 0.1:  # it comes back before it has gone
                scope.deadline = trio.current_time() + seconds
            elif lot < 0.4:  # it comes once more while it is here
                nursery.start_soon(self._follow, visit, seconds)
        lines = Lines(stream)
        first = True
        log = self._world.record.set_backs
        while (line := await lines.next()) is not None:
            if self._world.record.set_backs != log:  # what it had no time to read is of another log
                break
            line = line.removeprefix("NICK") if first and line.startswith("NICK@") else line
            first = False
            if visit.bye is not None:
                witness.faults.append(f"heard {line} behind BYE")
            if line.startswith("BYE"):
                visit.bye = line.removeprefix("BYE :")
            if visit is self._newest:
                if line.startswith("@n OK"):
                    visit.welcome = True
                    self._there.add(visit)
                    self._is_back()
                    for older in self._older:
                        if older.replaced is None:
                            older.replaced = trio.current_time()
                await self._hear(line)
            else:  # all but acknowledgements comes again by the newest
                self._note(f"hears late {line[:70]}")
                if self.OK.fullmatch(line):
                    await self._hear(line)

    async def _hear(self, line: str) -> None:
        witness = self.witness
        self._note(f"hears {line[:70]}")
        if match := self.MESSAGE.fullmatch(line):
            verb, room, number, nick, text = match.groups()
            kind = "message" if verb == "MSG" else "topic"
            witness.view(fold(room)).append(Seen(int(number), kind, nick, _plain(text)))
            if room == self._room:
                self._last = max(self._last, int(number))
        elif match := self.GAP.fullmatch(line):
            witness.view(match[1]).append(Skipped(int(match[2]), int(match[3])))
        elif match := self.OK.fullmatch(line):
            tag, number = match.groups()
            text = self._all[tag]
            kept = self._room, int(number)
            if witness.kept.setdefault(text, kept) != kept:
                witness.faults.append(f"{text} was kept as {witness.kept[text]}, and now as {kept}")
            self._answered(tag)
        elif match := self.FAILED.fullmatch(line):
            tag, code, _ = match.groups()
            if code not in ("unavailable", "not-in-room", "no-such-room"):
                witness.faults.append(f"refused: {line}")
            await trio.sleep(0.5)
            if tag in self._open:  # the older connection may have told meanwhile
                await self._write(f"@{tag} MSG {self._room} :{self._open[tag]}\n")
        elif match := self.NAMES.fullmatch(line):
            self._names.update(match[2].split())
        elif line.startswith("@j OK "):
            self._here = True
        elif line.startswith(("@j ERROR", "@n ERROR")):
            if "unavailable" not in line:
                witness.faults.append(line)
            elif self._stream is not None:  # try anew
                self._given_up += 1
                await self._stream.aclose()
        elif line.startswith("PING"):
            await self._write(f"PONG{line[4:]}\n")
        elif match := self.PRESENCE.fullmatch(line):
            self._note_presence(*match.groups())

    def _is_back(self) -> None:
        if self._away_since is not None and self.witness.absent is not None:
            self.witness.absent = max(self.witness.absent, trio.current_time() - self._away_since)
        self._away_since = None

    def _note_presence(
        self, verb: str | None, room: str, nick: str, renamed: str | None, old: str, new: str
    ) -> None:
        if renamed:
            if old in self._names:
                self._names.discard(old)
                self._names.add(new)
        elif room == self._room and verb == "JOINED":
            self._names.add(nick)
        elif room == self._room:
            self._names.discard(nick)

    def _answered(self, tag: str) -> None:
        self._open.pop(tag, None)
        self._changed.set()
        self._changed = trio.Event()

    async def _talk(self) -> None:
        number = 0
        while not self._world.calm.is_set():
            with trio.move_on_after(self._choose.expovariate(1 / self._pace)):
                await self._world.calm.wait()
                break
            for _ in range(self._choose.choice((1, 1, 2, 20))):
                while len(self._open) >= WINDOW:
                    await self._changed.wait()
                number += 1
                tag, text = f"m{number}", f"{self.witness.name}.{number}"
                self._open[tag] = self._all[tag] = text
                self.witness.said[text] = self._room
                await self._write(f"@{tag} MSG {self._room} :{text}\n")
        self._has_said_all.set()

    async def finish(self) -> None:
        """All is quiet: everything is answered, and it is there."""
        await self._has_said_all.wait()
        while self._open:
            await self._changed.wait()
        while not self._here:  # noqa: ASYNC110 -- that ends with each connection, and begins anew
            await trio.sleep(0.1)
        while self._older:  # noqa: ASYNC110 -- as that
            await trio.sleep(0.1)
        self.witness.nick = self.witness.name
        self.witness.rooms = (self._room,)
        self.witness.people = {self._room: set(self._names)}


def _plain(text: str) -> str:
    """What a frame's text stands for."""
    names = {"\\\\": "\\", "\\n": "\n", "\\t": "\t"}
    return re.sub(
        r"\\(?:\\|n|t|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})",
        lambda match: names.get(match[0]) or chr(int(match[0][2:], 16)),
        text,
    )
