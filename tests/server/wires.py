"""The ways on which bytes reach a client: each must keep the same order, the same bounds, the same bytes."""

import socket
import sys
from typing import Literal

import pytest
import trio

from tests.server.streams import bounded_stream_pair
from triochat.server import direct, outbox
from triochat.server.outbox import Outbox

Kind = Literal["memory", "socket", "windows"]
SMALL = 4096
"""Octets, roughly, that each way holds."""


class Wire:
    """Makes connections of one kind.

    Args:
        kind: a stream in memory; a socket; a socket that may not be written to directly, as on Windows.
        monkeypatch: has no socket written to or read directly.
    """

    def __init__(self, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
        if kind == "socket" and sys.platform == "win32":
            pytest.skip("there a socket is no file")
        self.kind = kind
        if kind == "windows":
            for module in (direct, outbox):
                monkeypatch.setattr(module, "plain_socket", lambda _: None)

    @property
    def direct(self) -> bool:
        """Whether bytes go straight to the kernel if it takes them."""
        return self.kind == "socket"

    def pair(self) -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
        """The server's end, and the client's."""
        if self.kind == "memory":
            return bounded_stream_pair(SMALL)
        left, right = trio.socket.socketpair()
        left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        return trio.SocketStream(left), trio.SocketStream(right)

    def outbox(self, stream: trio.abc.SendStream, nursery: trio.Nursery, *, limit: int = 1000) -> Outbox:
        return Outbox(stream, nursery, limit=limit, send_timeout=30)
