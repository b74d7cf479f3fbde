"""Those who don't use our library: what `ByHand` and the typists have in common."""

import random
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import trio

from tests.simulation.record import Witness

if TYPE_CHECKING:
    from tests.simulation.world import World

GONE: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)
"""What somebody meets whose connection can't be made, or breaks."""


class Stranger:
    """Connects, again and again, until all is over."""

    def __init__(self, world: "World", name: str, choose: random.Random) -> None:
        self.witness = Witness(name)
        self._world = world
        self._choose = choose
        self._stream: trio.abc.Stream | None = None
        self._sending = trio.Lock()

    def _note(self, what: str) -> None:
        self._world.record.note(self.witness.name, what)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[trio.abc.Stream]:
        stream = await self._world.network.dial(self.witness.name)
        self._note("connects")
        try:
            yield stream
        finally:
            if self._stream is stream:
                self._stream = None
            await trio.aclose_forcefully(stream)
            self._note("is disconnected")

    async def _write(self, text: str) -> None:
        """Say this now, if there is a connection."""
        async with self._sending:
            if self._stream is not None:
                with suppress(*GONE):
                    await self._stream.send_all(text.encode())


class Lines:
    """What a peer is told, line by line.

    No async generator: one that is cancelled while it waits is left for the garbage collector to close.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._whole: deque[str] = deque()
        self._rest = b""

    async def next(self) -> str | None:
        """The next one without its end, or None if there will be none.

        Raises:
            trio.BrokenResourceError: the connection broke.
        """
        while not self._whole:
            some = await self._stream.receive_some()
            if not some:
                return None
            *lines, self._rest = (self._rest + some).split(b"\n")
            self._whole.extend(line.decode() for line in lines)
        return self._whole.popleft()
