"""The ways on which bytes reach a client: each must keep the same order, the same bounds, the same bytes."""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
import trio

from tests.server.streams import bounded_stream_pair
from triochat.server import direct, serve
from triochat.server.outbox import Outbox
from triochat.server.poller import Poller

Kind = Literal["memory", "socket", "unpolled", "windows"]
SMALL = 4096
"""Octets, roughly, that each way holds."""


class CountedSocket:
    """What a server uses of a plain socket, and how often it was tried."""

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain
        self.fileno = plain.fileno
        self.reads = self.writes = 0

    def recv(self, size: int) -> bytes:
        self.reads += 1
        return self._plain.recv(size)

    def send(self, data: bytes) -> int:
        self.writes += 1
        return self._plain.send(data)


def plain_pair(size: int = SMALL) -> tuple[trio.SocketStream, trio.SocketStream, CountedSocket]:
    """Two connected sockets of which the first holds little, and what can be used of that one directly."""
    left, right = trio.socket.socketpair()
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
    ours, plain = direct.take_over(trio.SocketStream(left))
    assert isinstance(ours, trio.SocketStream)
    assert plain is not None
    return ours, trio.SocketStream(right), CountedSocket(plain)


class Wire:
    """Makes connections of one kind.

    Args:
        kind: a stream in memory; a socket; one on a system without epoll; one that may not be written to
            directly either, as on Windows.
        monkeypatch: has no socket taken over, or no poller opened.
    """

    def __init__(self, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
        if kind == "socket" and sys.platform != "linux":
            pytest.skip("there is no epoll")
        if kind == "unpolled" and sys.platform == "win32":
            pytest.skip("there no socket is written to directly")
        self.kind = kind
        self._plain: dict[trio.abc.SendStream, CountedSocket] = {}
        if kind == "windows":
            monkeypatch.setattr(direct, "take_over", lambda stream: (stream, None))
        if kind in ("unpolled", "windows"):
            monkeypatch.setattr(sys.modules[serve.__module__], "open_poller", _no_poller)

    @property
    def direct(self) -> bool:
        """Whether bytes go straight to the kernel if it takes them."""
        return self.kind in ("socket", "unpolled")

    def pair(self) -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
        """The server's end, and the client's."""
        if self.kind == "memory":
            return bounded_stream_pair(SMALL)
        if self.direct:
            ours, theirs, plain = plain_pair()
            self._plain[ours] = plain
            return ours, theirs
        left, right = trio.socket.socketpair()
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        return trio.SocketStream(left), trio.SocketStream(right)

    def outbox(self, stream: trio.abc.SendStream, nursery: trio.Nursery, *, limit: int = 1000) -> Outbox:
        plain = self._plain.get(stream)
        send = None if plain is None else plain.send
        return Outbox(stream, nursery, limit=limit, send_timeout=30, send=send)

    @property
    def sends(self) -> int:
        """How often something was tried to be sent directly, on any of its connections."""
        return sum(plain.writes for plain in self._plain.values())


@contextmanager
def _no_poller() -> Iterator[Poller | None]:
    yield None
