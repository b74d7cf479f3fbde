"""Somebody at the installed client, which is killed again and again, and started anew on its state file."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import trio

from tests.process.program import PATIENCE, Program

NOBODY_THERE = re.compile("nobody answers at|there is no triochat server at")
"""What a client says and ends if it was started at the wrong moment: the first connection is tried once."""
SHOWN = re.compile(r"\d\d:\d\d #\S+ <(\S+)> (.*)")


@dataclass(slots=True)
class Life:
    """One process.

    Attributes:
        typed: what it was given, in this order.
        left: what it left in its file to be said by the next one.
        shown: nick and text of all that it printed of the room.
        complaints: what it printed to the standard error.
    """

    typed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    complaints: str = ""


@dataclass(eq=False)
class Typist:
    """One person in one room.

    Args:
        command: starts a client, but for its arguments.
        file: the state file.
        nursery: where it runs.
    """

    nick: str
    room: str
    port: int
    command: Sequence[str]
    file: Path
    nursery: trio.Nursery
    lives: list[Life] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._number = 0
        self._program: Program

    async def start(self) -> None:
        """Start a client."""
        arguments = ["--nick", self.nick, "--room", self.room, "--state", str(self.file)]
        self._program = Program(*self.command, f"127.0.0.1:{self.port}", *arguments)
        self.lives.append(Life())
        await self.nursery.start(self._program.run)

    async def type(self, count: int) -> None:
        """Type some lines, each unlike all others."""
        lines = [f"{self.nick} {self._number + n}" for n in range(1, count + 1)]
        self._number += count
        self.lives[-1].typed += lines
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError), trio.move_on_after(PATIENCE):
            await self._program.type(*lines)

    async def come_in(self) -> None:
        """Have a client that is in the room: one line of it was said."""
        while True:
            await self.type(1)
            await self.settle(said=True)
            if self._program.process.poll() is None:
                return
            await self.kill()
            await self.start()

    async def settle(self, *, said: bool = False) -> None:
        """Wait until all that was typed is safe: it was said, and came back, or it is in the file.

        Args:
            said: that it is in the file is not enough.
        """
        last = self.lives[-1].typed[-1]
        with trio.move_on_after(PATIENCE):
            while self._program.process.poll() is None:
                if f"> {last}\n" in self._program.out.text:
                    return
                if not said and last in self.unsent().values():
                    return
                await trio.sleep(0.02)
            return  # what is wrong with that `kill` finds out
        self.faults.append(f"{self.nick}: {last!r} was neither said nor put into the file")

    def unsent(self) -> dict[str, str]:
        """What stands in the file to be said: tag → text."""
        try:
            content = json.loads(self.file.read_text())
        except FileNotFoundError:  # it was killed before it could write any
            return {}
        return {request["tag"]: request["say"] for request in content["unsent"]}

    async def kill(self) -> None:
        """``kill -9``."""
        code = self._program.process.poll()
        self._program.process.kill()
        await self._end()
        if code is not None and not NOBODY_THERE.search(self.lives[-1].complaints):
            self.faults.append(f"{self.nick}: a client ended with {code}: {self.lives[-1].complaints}")

    async def finish(self) -> None:
        """End of the input: the client says what is left, and ends."""
        if self._program.process.poll() is not None:
            await self.kill()
            await self.start()
        await self._program.close_stdin()
        await self._end()
        if code := await self._program.exit_code():
            self.faults.append(f"{self.nick}: the last client ended with {code}: {self.lives[-1].complaints}")

    async def _end(self) -> None:
        life, program = self.lives[-1], self._program
        await program.exit_code()
        *lines, _half = (await program.out.rest()).split("\n")
        life.shown = [match.groups() for line in lines if (match := SHOWN.fullmatch(line))]  # type: ignore[misc]
        life.complaints = await program.err.rest()
        life.left = list(self.unsent().values())
        if "Traceback" in life.complaints:
            self.faults.append(f"{self.nick}: {life.complaints[:2000]}")


class Eavesdropper:
    """Reads what one client says, on its way to the server.

    A message is in the file before it is sent; and here it has no answer yet, so it has to be in there still.
    """

    def __init__(self, typists: Sequence[Typist]) -> None:
        self._typists = typists
        self._typist: Typist | None = None
        self._data = b""

    def hear(self, data: bytes) -> None:
        """Look at some bytes before the server gets them."""
        *lines, self._data = (self._data + data).split(b"\n")
        for line in lines:
            self._look_at(line.decode())

    def _look_at(self, line: str) -> None:
        if match := re.match(r"@\S+ NICK (\S+) ", line):
            self._typist = next((typist for typist in self._typists if typist.nick == match[1]), None)
        elif self._typist is not None and (match := re.fullmatch(r"@(\S+) MSG \S+ :(.*)", line)):
            tag, text = match.groups()
            if self._typist.unsent().get(tag) != text:
                self._typist.faults.append(f"{text!r} was sent before it was in the file")
