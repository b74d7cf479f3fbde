"""A line between clients and a server that can be cut: a relay that knows nothing of the protocol."""

import random
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import trio

RESET = struct.pack("ii", 1, 0)
"""Linger not at all: closing is a TCP reset, and what was under way is lost."""


class Line:
    """Relays connections to wherever the server listens at the time.

    Attributes:
        port: where clients connect.
        target: port of the server; None: connections are refused, as when nothing listens.
        cuts: how often a connection was cut.
        overhear: makes for each connection what hears the client, before the server does.
    """

    def __init__(self) -> None:
        self.port = 0
        self.target: int | None = None
        self.cuts = 0
        self.overhear: Callable[[], Callable[[bytes], None]] | None = None
        self._connections: dict[int, Callable[[], None]] = {}  # → cuts it
        self._numbers = iter(range(1 << 30))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Accept until cancelled."""
        [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        self.port = listener.socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._relay, [listener])
            task_status.started()

    def cut(self, choose: random.Random) -> bool:
        """Cut one of the connections, if there is any."""
        if not self._connections:
            return False
        self.cuts += 1
        self._connections[choose.choice(list(self._connections))]()
        return True

    async def _relay(self, client: trio.SocketStream) -> None:
        if self.target is None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            await trio.aclose_forcefully(client)
            return
        try:
            server = await trio.open_tcp_stream("127.0.0.1", self.target)
        except OSError:  # it was killed just now
            await trio.aclose_forcefully(client)
            return
        number = next(self._numbers)
        try:
            async with trio.open_nursery() as both:
                self._connections[number] = both.cancel_scope.cancel
                heard = self.overhear() if self.overhear is not None else None
                both.start_soon(self._one_way, client, server, both.cancel_scope, heard)
                both.start_soon(self._one_way, server, client, both.cancel_scope)
        finally:
            del self._connections[number]
            for end in (client, server):
                if end.socket.fileno() >= 0:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                await trio.aclose_forcefully(end)

    @staticmethod
    async def _one_way(
        source: trio.SocketStream,
        sink: trio.SocketStream,
        connection: trio.CancelScope,
        heard: Callable[[bytes], None] | None = None,
    ) -> None:
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            async for data in source:
                if heard is not None:
                    heard(bytes(data))
                await sink.send_all(data)
        connection.cancel()
