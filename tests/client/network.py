"""A real server behind a network that a test can break, all in memory, for a virtual clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from tests.server.streams import BoundedStream, MemoryListener
from triochat.config import ServerConfig
from triochat.journal import MemoryJournal
from triochat.server import serve


class Network:
    """Between one server and its clients.

    Attributes:
        journal: what the server keeps; it survives the server.
        refusing: nobody can connect.
        attempts: when somebody tried to connect.
    """

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.journal = MemoryJournal()
        self.refusing = False
        self.attempts: list[float] = []
        self.streams: list[BoundedStream] = []
        self._nursery: trio.Nursery
        self._listener: MemoryListener
        self._service: trio.CancelScope
        self._shutdown: trio.Event
        self._ended: trio.Event

    async def start(self) -> None:
        """Start a server on what the journal has."""
        self._listener = MemoryListener()
        self._shutdown = trio.Event()
        self._ended = trio.Event()
        await self._nursery.start(self._serve)

    async def _serve(self, task_status: trio.TaskStatus[object]) -> None:
        with trio.CancelScope() as self._service:
            await serve(
                self.config,
                listeners=[self._listener],
                journal=self.journal,
                shutdown=self._shutdown,
                task_status=task_status,
            )
        self._ended.set()

    async def stop(self, *, gently: bool = False) -> None:
        """End the server: by a plan, or as if it were killed."""
        if gently:
            self._shutdown.set()
        else:
            self._service.cancel()
            self.cut()
        await self._ended.wait()

    async def dial(self) -> trio.abc.Stream:
        """Connect."""
        self.attempts.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if self.refusing:
            raise ConnectionRefusedError("nobody listens")
        try:
            stream = self._listener.connect()
        except trio.BrokenResourceError:
            raise ConnectionRefusedError("nobody listens") from None
        self.streams.append(stream)
        return stream

    def cut(self) -> None:
        """Reset all connections: what is under way is lost."""
        for stream in self.streams:
            stream.reset()
        self.streams.clear()


@asynccontextmanager
async def network(config: ServerConfig | None = None) -> AsyncIterator[Network]:
    """A network with a running server."""
    subject = Network(config or ServerConfig(port=0, rate_limit=0))
    async with trio.open_nursery() as nursery:
        subject._nursery = nursery
        await subject.start()
        yield subject
        nursery.cancel_scope.cancel()
