"""Who is gone is gone: nothing of it waits for the garbage collector, and nothing is said behind the end."""

import gc
import socket
import struct
import weakref

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.server.conftest import Server, Start
from tests.server.guests import REAL, Guest
from tests.server.wires import Wire, plain_pair
from triochat.server.broadcast import Broadcast
from triochat.server.outbox import Outbox


def connect(server: Server) -> tuple[Guest, socket.socket]:
    """By TCP, so that there are resets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    for end in (ours, theirs):
        end.setblocking(False)
    server.listener.hand_over(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
    return Guest(trio.SocketStream(trio.socket.from_stdlib_socket(theirs)), REAL), theirs


@pytest.mark.parametrize("how", ["closes", "resets"])
async def test_who_is_gone_is_let_go_at_once(start: Start, how: str) -> None:
    server = await start(grace=0)
    alice, theirs = connect(server)
    await alice.hello("alice", "#dev")
    peer = weakref.ref(server.inside.peers[1])
    bob, _ = connect(server)
    await bob.hello("bob")
    gc.collect()
    gc.disable()
    try:
        if how == "resets":
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await alice.close()
        with trio.move_on_after(2):
            while peer() is not None:
                await bob.ask("PING")
                await wait_all_tasks_blocked(0.01)
        assert peer() is None
    finally:
        gc.enable()
    await bob.close()


async def test_a_broken_connection_keeps_nothing_of_its_backlog() -> None:
    ours, theirs, plain = plain_pair()
    async with ours:
        with pytest.RaisesGroup(trio.BrokenResourceError):
            async with trio.open_nursery() as nursery:
                outbox = Outbox(ours, nursery, limit=1 << 20, send_timeout=30, send=plain.send)
                for _ in range(10):
                    outbox.put(bytes(100_000))
                assert sum(map(len, outbox._queue)) > 800_000
                await theirs.aclose()
        assert outbox._queue == []


@pytest.mark.parametrize("waiting", [b"", bytes(100_000)], ids=["nothing waits", "much waits"])
async def test_nothing_is_said_behind_the_end(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch, waiting: bytes
) -> None:
    wire = Wire("socket", monkeypatch)
    ours, theirs = wire.pair()
    heard = b""

    async def listen() -> None:
        nonlocal heard
        async for piece in theirs:
            heard += piece

    async with ours, theirs:
        outbox = wire.outbox(ours, nursery)
        broadcast: Broadcast[int] = Broadcast()
        with trio.fail_after(REAL), broadcast.subscribe(1, outbox, lambda: None):
            broadcast.publish({1: waiting + b"BYE\n"})
            async with trio.open_nursery() as listening:
                listening.start_soon(listen)
                await outbox.finish()
                broadcast.publish({1: b"too late\n"})
                outbox.put(b"too late\n")
                await ours.send_eof()
        assert heard == waiting + b"BYE\n"
