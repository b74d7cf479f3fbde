"""A running server to talk to, and what is inside of it to look at."""

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import trio

from tests.server.guests import Guest
from tests.server.streams import LIMIT, MemoryListener
from tests.server.wires import Kind, Wire
from triochat.chat import Hub, Submission
from triochat.config import ServerConfig
from triochat.journal import Journal
from triochat.protocol import Encoding
from triochat.server import serve
from triochat.server.broadcast import Broadcast
from triochat.server.peer import Peer

serve_module = importlib.import_module("triochat.server.serve")


@dataclass
class Inside:
    """What a server is made of."""

    hub: Hub
    submissions: trio.MemoryReceiveChannel[Submission]
    broadcast: Broadcast[int]
    peers: dict[int, Peer]
    text_encodings: dict[int, Encoding]

    def nothing_is_left(self) -> bool:
        counts = self.hub.statistics()
        return (
            not self.peers
            and not self.text_encodings
            and not self.broadcast.statistics().subscribers
            and not any(counts[what] for what in ("people", "held", "connected"))
            and not self.submissions.statistics().current_buffer_used
        )


class Server:
    """A server on in-memory streams."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.listener = MemoryListener()
        self.shutdown = trio.Event()
        self.ended = trio.Event()
        self.inside: Inside

    def connect(self, limit: int = LIMIT) -> Guest:
        return Guest(self.listener.connect(limit))

    async def enter(self, nick: str, *rooms: str, session: int | None = None, limit: int = LIMIT) -> Guest:
        return await self.connect(limit).hello(nick, *rooms, session=session)

    async def enter_as_text(self, nick: str) -> Guest:
        return await self.connect().text_hello(nick)

    async def serve(
        self, journal: Journal | None = None, task_status: trio.TaskStatus[Any] = trio.TASK_STATUS_IGNORED
    ) -> None:
        await serve(
            self.config,
            listeners=[self.listener],
            journal=journal,
            shutdown=self.shutdown,
            task_status=task_status,
        )
        self.ended.set()


@pytest.fixture(params=["memory", "socket", "unpolled", "windows"])
def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Each way on which bytes reach a client."""
    kind: Kind = request.param
    return Wire(kind, monkeypatch)


Start = Callable[..., Awaitable[Server]]
Make = Callable[..., Server]


@pytest.fixture
def make_server(monkeypatch: pytest.MonkeyPatch) -> Make:
    """A server that is not running yet; `Server.inside` is there once it does."""

    def make(config: ServerConfig | None = None, **settings: Any) -> Server:  # noqa: ANN401 -- a setting's own type
        server = Server(config or ServerConfig(**settings))
        run_hub = serve_module.run_hub

        async def look_inside(
            hub: Hub,
            journal: Journal,
            submissions: trio.MemoryReceiveChannel[Submission],
            broadcast: Broadcast[int],
            peers: dict[int, Peer],
            text_encodings: dict[int, Encoding],
        ) -> None:
            server.inside = Inside(hub, submissions, broadcast, peers, text_encodings)
            await run_hub(hub, journal, submissions, broadcast, peers, text_encodings)

        monkeypatch.setattr(serve_module, "run_hub", look_inside)
        return server

    return make


@pytest.fixture
def start(nursery: trio.Nursery, make_server: Make) -> Start:
    """Start a server with some settings, and wait until it accepts."""

    async def start(*, journal: Journal | None = None, **settings: Any) -> Server:  # noqa: ANN401 -- as above
        server = make_server(**settings)
        await nursery.start(partial(server.serve, journal))
        return server

    return start
