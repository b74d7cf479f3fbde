"""Peers that speak the framed dialect with nothing of ours: what docs/protocol.md says must be enough."""

import random
import re
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


class ByHand(Stranger):
    """A framed peer that keeps its side of section 4 of docs/protocol.md, with nothing of ours.

    One session for all its connections, a tag of its own for each message, sent again until it is answered,
    and ``JOIN`` behind the last id that it saw. Now and then it connects while it is connected.
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
        self._here = False
        self._names: set[str] = set()
        self.witness.enter(self._room, 0)

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._talk)
            nursery.start_soon(self._stay)
            await self._world.over.wait()
            await self._write("QUIT\n")
            nursery.cancel_scope.cancel()

    async def _stay(self) -> None:
        while True:
            with suppress(*GONE):
                async with self._connected() as stream:
                    with trio.CancelScope() as scope:
                        await self._converse(stream, scope)
            self._here = False
            await trio.sleep(self._choose.random())

    async def _converse(self, stream: trio.abc.Stream, scope: trio.CancelScope) -> None:
        witness = self.witness
        self._names.clear()
        hello = f"@n NICK {witness.name} triochat/1 session={self._session}\n"
        async with self._sending:
            self._stream = stream
            again = "".join(f"@{tag} MSG {self._room} :{text}\n" for tag, text in self._open.items())
            await stream.send_all(f"{hello}@j JOIN {self._room} after={self._last}\n{again}".encode())
        if self._choose.random() < 0.1 and not self._world.calm.is_set():  # it comes back before it has gone
            scope.deadline = trio.current_time() + self._choose.random() * 3
        lines = Lines(stream)
        first = True
        log = self._world.record.set_backs
        while (line := await lines.next()) is not None:
            if self._world.record.set_backs != log:  # what it had no time to read is of another log
                break
            await self._hear(line.removeprefix("NICK") if first and line.startswith("NICK@") else line)
            first = False

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
            if tag in self._open:
                await trio.sleep(0.5)
                await self._write(f"@{tag} MSG {self._room} :{self._open[tag]}\n")
        elif match := self.NAMES.fullmatch(line):
            self._names.update(match[2].split())
        elif line.startswith("@j OK "):
            self._here = True
        elif line.startswith(("@j ERROR", "@n ERROR")):
            if "unavailable" not in line:
                witness.faults.append(line)
            elif self._stream is not None:  # try anew
                await self._stream.aclose()
        elif line.startswith("PING"):
            await self._write(f"PONG{line[4:]}\n")
        elif match := self.PRESENCE.fullmatch(line):
            self._note_presence(*match.groups())

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
