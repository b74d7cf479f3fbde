"""People at netcat, and the clients of 2019: they speak the text dialect, and know of no ids."""

import random
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from tests.simulation.record import ANEW, Seen, Skipped, Typed
from tests.simulation.strangers import GONE, Lines, Stranger
from triochat.protocol.grammar import fold

if TYPE_CHECKING:
    from tests.simulation.world import World

UNTOLD: Final = 40.0
"""Seconds within which it is told that what it typed could not be kept, or is cut off as too slow."""
_WORD: Final = r"([a-z]+\d+\.\d+)(?:$|\s.*)"


class Typist(Stranger):
    """Somebody at netcat, who ends the lines, and tries another name when one is taken."""

    END = "\n"
    ENTRY = re.compile(rf"(?:\[history \d\d:\d\d\] )?(\S+)(: | set the topic: ){_WORD}")
    PRIVATE = re.compile(rf"\(private\) (\S+) to (\S+): {_WORD}")
    GAP = re.compile(r"\(The entries (\d+) to (\d+) are no longer kept\.\)")
    JOINED = re.compile(r"(\S+) joined!")

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        super().__init__(world, name, choose)
        self._number = 0
        self._pace = choose.choice((0.5, 3.0)) * world.setting.leisure
        self._here = False
        self._nick = ""
        self._answered = trio.Event()
        self._typed = Typed()

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stay)
            await self._world.over.wait()
            nursery.cancel_scope.cancel()

    async def _stay(self) -> None:
        while True:
            self.witness.view("#lobby").append(ANEW)
            self._answered = trio.Event()
            self._typed = Typed()
            self.witness.typed.append(self._typed)
            with suppress(*GONE):
                async with self._connected() as stream, trio.open_nursery() as nursery:
                    self._stream = stream
                    nursery.start_soon(self._type)
                    with suppress(*GONE):
                        await self._read_all(Lines(stream))
                    nursery.cancel_scope.cancel()
            self._here = self._typed.here = False
            self._typed.untold = self._world.lasting.is_on("full disk", within=UNTOLD)
            await trio.sleep(self._choose.random() * 3)

    async def _read_all(self, lines: Lines) -> None:
        log = self._world.record.set_backs
        while (line := await lines.next()) is not None:
            if self._world.record.set_backs != log:  # what it had no time to read is of another log
                return
            self._read(line.removeprefix("NICK"))

    async def _type(self) -> None:
        await trio.sleep(self._choose.random())
        name = self.witness.name if self._choose.random() < 0.8 else f"{self.witness.name}-x"
        while not self._here:
            self._answered = trio.Event()
            await self._write(name + self.END)
            await self._answered.wait()
            name = f"{self.witness.name}-{self._choose.randint(1, 99)}"
        while not self._world.calm.is_set():
            self._number += 1
            text = f"{self.witness.name}.{self._number}"
            self.witness.said[text] = "#lobby"
            self._typed.texts.append(text)
            await self._write(text + self.END)
            await trio.sleep(1 + self._choose.expovariate(1 / self._pace))

    def _read(self, line: str) -> None:
        self._note(f"reads {line[:70]!r}")
        lobby = self.witness.view("#lobby")
        if match := self.ENTRY.fullmatch(line):
            lobby.append(Seen(0, "message" if match[2] == ": " else "topic", match[1], match[3]))
        elif match := self.PRIVATE.fullmatch(line):
            self.witness.view("@" + fold(match[2])).append(Seen(0, "message", match[1], match[3]))
        elif match := self.GAP.fullmatch(line):
            lobby.append(Skipped(int(match[1]), int(match[2])))
        elif line.startswith("The past can't be read"):
            lobby.append(ANEW)
        elif line.startswith("It could not be kept"):
            self._typed.refused += 1
        elif line.startswith("Connected"):
            self._here = True
            self._answered.set()
        elif not self._here and (match := self.JOINED.fullmatch(line)):
            self._nick = match[1]
        elif not self._here and line:  # why it can't have that name
            self._answered.set()

    async def finish(self) -> None:
        """All is quiet: it is there, and nobody asks a person at netcat anything else."""
        while not self._here:  # noqa: ASYNC110 -- that ends with each connection, and begins anew
            await trio.sleep(0.1)
        self._typed.here = True
        self.witness.nick = self._nick
        self.witness.rooms = ("#lobby",)


class Tutorial(Typist):
    """The client of 2019: each message is one write without an end."""

    END = ""

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        super().__init__(world, name, choose)
        self.witness.whole = False
