"""Reads past trio's streams: they end, fail and can be cancelled as trio's own do."""

import os
import socket
import struct
import sys
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import assert_checkpoints, memory_stream_pair, wait_all_tasks_blocked

from tests.server.guests import REAL
from tests.server.streams import bounded_stream_pair
from triochat.server import direct

Pair = tuple[trio.SocketStream, trio.SocketStream]

on_a_file = pytest.mark.skipif(sys.platform == "win32", reason="there a socket is no file")


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two ends of a TCP connection."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        left = await trio.open_tcp_stream(*listener.socket.getsockname())
        right = await listener.accept()
    async with left, right:
        yield left, right


def reset(stream: trio.SocketStream) -> None:
    """Close by a TCP reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


# --- what has such a way --------------------------------------------------------------------------


@on_a_file
async def test_a_socket_is_plain(pair: Pair) -> None:
    assert direct.plain_socket(pair[0]) is pair[0].socket


async def test_on_windows_no_socket_is(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert direct.plain_socket(pair[0]) is None


async def test_a_stream_that_is_no_socket_is_not(pair: Pair) -> None:
    streams: list[object] = [
        memory_stream_pair()[0],
        bounded_stream_pair()[0],
        trio.StapledStream(pair[0], pair[0]),
    ]
    assert [direct.plain_socket(stream) for stream in streams] == [None] * 3


# --- reading --------------------------------------------------------------------------------------


@on_a_file
async def test_it_reads_what_is_there(pair: Pair) -> None:
    left, right = pair
    with trio.fail_after(REAL):
        await right.send_all(b"hello")
        assert await direct.read(left.socket, 100) == b"hello"


@on_a_file
async def test_it_reads_no_more_than_it_may_and_the_rest_later(pair: Pair) -> None:
    left, right = pair
    with trio.fail_after(REAL):
        await right.send_all(b"hello")
        assert await direct.read(left.socket, 2) == b"he"
        assert await direct.read(left.socket, 100) == b"llo"


@on_a_file
async def test_it_waits_for_what_comes_later(pair: Pair, nursery: trio.Nursery) -> None:
    left, right = pair
    got: list[bytes] = []

    async def read() -> None:
        got.append(await direct.read(left.socket, 100))
        await left.send_all(b"thanks")

    nursery.start_soon(read)
    await wait_all_tasks_blocked()
    assert got == []
    with trio.fail_after(REAL):
        await right.send_all(b"hello")
        assert await right.receive_some() == b"thanks"
    assert got == [b"hello"]


@on_a_file
async def test_the_end_of_the_stream(pair: Pair) -> None:
    left, right = pair
    with trio.fail_after(REAL):
        await right.send_all(b"last words")
        await right.send_eof()
        assert await direct.read(left.socket, 100) == b"last words"
        assert await direct.read(left.socket, 100) == b""
        assert await direct.read(left.socket, 100) == b""


@on_a_file
async def test_a_reset_is_a_broken_connection(pair: Pair) -> None:
    left, right = pair
    reset(right)
    with trio.fail_after(REAL), pytest.raises(trio.BrokenResourceError) as caught:
        await direct.read(left.socket, 100)
    assert isinstance(caught.value.__cause__, ConnectionResetError)  # the log says so


@on_a_file
async def test_closed_while_it_waits(pair: Pair, nursery: trio.Nursery) -> None:
    left, _ = pair
    ended = trio.Event()

    async def read() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await direct.read(left.socket, 100)
        ended.set()

    nursery.start_soon(read)
    await wait_all_tasks_blocked()
    await left.aclose()
    with trio.fail_after(REAL):
        await ended.wait()


@on_a_file
async def test_closed_before(pair: Pair) -> None:
    left, _ = pair
    await left.aclose()
    for _ in range(2):
        with trio.fail_after(REAL), pytest.raises(trio.ClosedResourceError):
            await direct.read(left.socket, 100)


@on_a_file
async def test_a_closed_descriptor_is_never_somebody_elses(pair: Pair) -> None:
    """Closed between the readiness and the read, when its number may already be another's."""
    left, right = pair
    outcome: list[object] = []
    others: list[socket.socket] = []

    async def read() -> None:
        try:
            outcome.append(await direct.read(left.socket, 100))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            outcome.append(type(error))

    async def replace() -> None:
        await trio.lowlevel.wait_readable(watched)
        number = left.socket.fileno()
        left.socket.close()
        others.extend(socket.socketpair())
        assert number in [other.fileno() for other in others]
        for other in others:
            other.send(b"for somebody else")

    # Two descriptors of one connection become ready together; which task is first is left to chance.
    watched = left.socket.dup()
    with trio.fail_after(REAL):
        async with trio.open_nursery() as both:
            both.start_soon(read)
            both.start_soon(replace)
            await wait_all_tasks_blocked()
            await right.send_all(b"hello")
    watched.close()
    for other in others:
        assert other.recv(100, socket.MSG_DONTWAIT) == b"for somebody else"
        other.close()
    assert outcome in ([b"hello"], [trio.BrokenResourceError], [trio.ClosedResourceError])


@on_a_file
async def test_readiness_may_be_taken_back(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    left, right = pair
    number, read, asked = left.socket.fileno(), os.read, 0

    def refuse_once(fileno: int, size: int) -> bytes:
        nonlocal asked
        if fileno == number:
            asked += 1
            if asked == 1:
                raise BlockingIOError
        return read(fileno, size)

    monkeypatch.setattr(os, "read", refuse_once)
    with trio.fail_after(REAL):
        await right.send_all(b"hello")
        assert await direct.read(left.socket, 100) == b"hello"
    assert asked == 2


@on_a_file
async def test_it_is_a_checkpoint_also_if_there_is_something(pair: Pair) -> None:
    left, right = pair
    with trio.fail_after(REAL):
        await right.send_all(b"hello")
        await trio.lowlevel.wait_readable(left.socket)
        with assert_checkpoints():
            await direct.read(left.socket, 1)
    with trio.CancelScope() as scope:
        scope.cancel()
        await direct.read(left.socket, 100)
    assert scope.cancelled_caught
    with trio.fail_after(REAL):  # a cancelled read has taken nothing
        assert await direct.read(left.socket, 100) == b"ello"


@on_a_file
async def test_cancelled_while_it_waits(pair: Pair) -> None:
    left, right = pair
    with trio.fail_after(REAL):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(direct.read, left.socket, 100)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        await right.send_all(b"later")
        assert await direct.read(left.socket, 100) == b"later"


@on_a_file
async def test_others_have_their_turn_while_it_never_has_to_wait(pair: Pair) -> None:
    left, right = pair
    turns, reads = 0, 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    with trio.fail_after(REAL):
        await right.send_all(b"x" * 100)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(take_turns)
            while reads < 100:
                reads += len(await direct.read(left.socket, 1))
            nursery.cancel_scope.cancel()
    assert turns >= 99
