"""What the tests of the client talk to: a real server, and one that says what the test wants."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from socket import AddressFamily, SocketKind

import trio
import trio.testing

from triochat.client.chat_client import ChatClient
from triochat.client.opening import open_client_on
from triochat.config import ServerConfig
from triochat.server import serve

Address = tuple[str, int]


@asynccontextmanager
async def real_server(config: ServerConfig | None = None) -> AsyncIterator[Address]:
    """A server on a free port of this machine."""
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(serve, config or ServerConfig(port=0)))
        yield address_of(listener)
        nursery.cancel_scope.cancel()


def address_of(listener: trio.SocketListener) -> Address:
    host, port = listener.socket.getsockname()[:2]
    return host, port


async def unused_address() -> Address:
    """Where nobody listens: a port that was free a moment ago."""
    with trio.socket.socket(AddressFamily.AF_INET, SocketKind.SOCK_STREAM) as probe:
        await probe.bind(("127.0.0.1", 0))
        host, port = probe.getsockname()
        return host, port


class Script:
    """The server's end of a connection, in the hands of a test."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._seen = b""

    async def line(self) -> str:
        """The next line that the client says."""
        while b"\n" not in self._seen:
            data = await self.stream.receive_some()
            assert data, "the client has closed the connection"
            self._seen += data
        line, _, self._seen = self._seen.partition(b"\n")
        return line.decode("ascii")

    async def request(self) -> tuple[str, str]:
        """The next request: its tag, and the rest of it."""
        match = re.fullmatch("@([^ ]+) (.*)", await self.line())
        assert match is not None
        return match[1], match[2]

    async def say(self, *frames: str) -> None:
        await self.stream.send_all("".join(f"{frame}\n" for frame in frames).encode("ascii"))

    async def welcome(self, nick: str = "alice") -> None:
        tag, hello = await self.request()
        assert hello.startswith("NICK ")
        await self.say(f"@{tag} WELCOME {nick} test", f"@{tag} OK")

    async def nothing_missed(self) -> None:
        """A client that is back asks what was said to it alone."""
        tag, request = await self.request()
        assert request.startswith("HISTORY @")
        await self.say(f"@{tag} OK")

    async def rest(self) -> bytes:
        """All until the client closes."""
        while data := await self.stream.receive_some():
            self._seen += data
        return self._seen


@asynccontextmanager
async def scripted(*, goodbye: bool = True) -> AsyncIterator[tuple[ChatClient, Script]]:
    """A client that was welcomed, and the server's end of its connection.

    Args:
        goodbye: nobody answers QUIT here, so leave by breaking the connection.
    """
    ours, theirs = trio.testing.memory_stream_pair()
    script = Script(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        async with open_client_on(ours, nick="alice") as chat:
            yield chat, script
            if goodbye:
                await theirs.aclose()
