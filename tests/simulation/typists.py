"""People at netcat, and the clients of 2019: they speak the text dialect, and know of no ids."""

import random
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import trio

from tests.simulation.record import ANEW, Seen
from tests.simulation.strangers import GONE, Lines, Stranger

if TYPE_CHECKING:
    from tests.simulation.world import World


class Typist(Stranger):
    """Somebody at netcat, who ends the lines, and tries another name when one is taken."""

    END = "\n"
    LINE = re.compile(r"(\S+): ([a-z]+\d+\.\d+)(?:$|\s.*)")

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        super().__init__(world, name, choose)
        self._number = 0
        self._pace = choose.choice((0.5, 3.0)) * world.setting.leisure
        self._here = False

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._stay)
            await self._world.over.wait()
            nursery.cancel_scope.cancel()

    async def _stay(self) -> None:
        while True:
            self.witness.view("#lobby").append(ANEW)
            with suppress(*GONE):
                async with self._connected() as stream, trio.open_nursery() as nursery:
                    self._stream = stream
                    nursery.start_soon(self._type)
                    with suppress(*GONE):
                        lines = Lines(stream)
                        while (line := await lines.next()) is not None:
                            self._read(line)
                    nursery.cancel_scope.cancel()
            self._here = False
            await trio.sleep(self._choose.random() * 3)

    async def _type(self) -> None:
        await trio.sleep(self._choose.random())
        name = self.witness.name if self._choose.random() < 0.8 else f"{self.witness.name}x"
        await self._write(name + self.END)
        await trio.sleep(2)
        while not self._world.calm.is_set():
            self._number += 1
            text = f"{self.witness.name}.{self._number}"
            self.witness.said[text] = "#lobby"
            await self._write(text + self.END)
            await trio.sleep(1 + self._choose.expovariate(1 / self._pace))

    def _read(self, line: str) -> None:
        self._note(f"reads {line[:70]!r}")
        if match := self.LINE.fullmatch(line.removeprefix("NICK")):
            self.witness.view("#lobby").append(Seen(0, "message", match[1], match[2]))
        elif line.startswith("Connected"):
            self._here = True

    async def finish(self) -> None:
        """Nobody asks a person at netcat anything."""
        await trio.lowlevel.checkpoint()


class Tutorial(Typist):
    """The client of 2019: each message is one write without an end."""

    END = ""

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        super().__init__(world, name, choose)
        self.witness.whole = False
