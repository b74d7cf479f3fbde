"""Going past trio's streams: to the same socket, and never to a number."""

import socket
import sys
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import memory_stream_pair

from tests.server.guests import REAL
from tests.server.streams import bounded_stream_pair
from triochat.server import direct

Pair = tuple[trio.SocketStream, trio.SocketStream]

not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="there no socket is used directly")


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two ends of a TCP connection."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        left = await trio.open_tcp_stream(*listener.socket.getsockname())
        right = await listener.accept()
    async with left, right:
        yield left, right


@not_on_windows
async def test_stream_and_socket_are_one_connection(pair: Pair) -> None:
    before, theirs = pair
    address = before.socket.getsockname()
    stream, plain = direct.take_over(before)
    assert isinstance(stream, trio.SocketStream)
    assert plain is not None
    async with stream:
        assert stream.socket.getsockname() == plain.getsockname() == address
        assert plain.send(b"past it, ") == 9
        with trio.fail_after(REAL):
            await stream.send_all(b"and through it")
            data = b""
            while len(data) < 23:
                data += await theirs.receive_some()
            assert data == b"past it, and through it"
            await theirs.send_all(b"back")
            assert await stream.receive_some() == b"back"
            with pytest.raises(BlockingIOError):  # it never waits
                plain.recv(100)


@not_on_windows
async def test_what_it_stands_on_is_closed_with_the_stream(pair: Pair) -> None:
    stream, plain = direct.take_over(pair[0])
    assert plain is not None
    number = plain.fileno()
    await stream.aclose()
    assert plain.fileno() == -1
    others = [end for _ in range(5) for end in socket.socketpair()]
    assert number in [other.fileno() for other in others]  # and nothing may go there
    with pytest.raises(OSError, match="Bad file descriptor"):
        plain.send(b"for nobody")
    for other in others:
        with pytest.raises(BlockingIOError):
            other.recv(1, socket.MSG_DONTWAIT)
    for other in others:
        other.close()


@not_on_windows
async def test_the_old_stream_is_of_no_use(pair: Pair) -> None:
    before, theirs = pair
    stream, _ = direct.take_over(before)
    async with stream:
        with pytest.raises(trio.ClosedResourceError):
            await before.send_all(b"x")
        await before.aclose()  # and closing it closes nothing
        with trio.fail_after(REAL):
            await stream.send_all(b"still there")
            assert await theirs.receive_some() == b"still there"


@not_on_windows
async def test_it_may_be_taken_over_again(pair: Pair) -> None:
    once, _ = direct.take_over(pair[0])
    stream, plain = direct.take_over(once)
    assert plain is not None
    async with stream:
        assert plain.send(b"x") == 1


async def test_on_windows_no_socket_is(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert direct.take_over(pair[0]) == (pair[0], None)


async def test_what_is_no_socket_is_left_alone(pair: Pair) -> None:
    streams: list[trio.abc.Stream] = [
        memory_stream_pair()[0],
        bounded_stream_pair()[0],
        trio.StapledStream(pair[0], pair[0]),
    ]
    for stream in streams:
        assert direct.take_over(stream) == (stream, None)


async def test_what_is_closed_is_left_alone(pair: Pair) -> None:
    await pair[0].aclose()
    assert direct.take_over(pair[0]) == (pair[0], None)


@not_on_windows
async def test_a_socket_that_is_not_tcp() -> None:
    left, right = trio.socket.socketpair()
    stream, plain = direct.take_over(trio.SocketStream(left))
    assert plain is not None
    assert plain.family == socket.AF_UNIX
    async with stream, trio.SocketStream(right) as theirs:
        plain.send(b"x")
        assert await theirs.receive_some() == b"x"
