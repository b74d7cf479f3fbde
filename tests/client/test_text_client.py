from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from triochat.client import ConnectionLost
from triochat.client.link import HELLO_TIMEOUT
from triochat.client.text_client import TextClient, open_text_client_on
from triochat.protocol import LocalProtocolError


class Server2019:
    """One client of a server as the tutorial has it: each read is a message, and nothing has an end."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.read: list[str] = []

    async def run(self) -> None:
        await self.stream.send_all(b"NICK")
        nick = (await self.stream.receive_some(1024)).decode("ascii")
        await self.stream.send_all(f"{nick} joined!".encode("ascii"))
        await self.stream.send_all(b"Connected to server!")
        while data := await self.stream.receive_some(1024):
            self.read.append(data.decode("ascii"))
            await self.stream.send_all(data)


@asynccontextmanager
async def talking() -> AsyncIterator[tuple[TextClient, Server2019]]:
    ours, theirs = trio.testing.memory_stream_pair()
    server = Server2019(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        async with open_text_client_on(ours, nick="alice") as client:
            yield client, server


async def test_a_conversation_as_in_2019(autojump_clock: trio.testing.MockClock) -> None:
    async with talking() as (client, server):
        assert client.nick == "alice"
        await client.say("one")
        await client.say("two ☺")
        heard = ""
        while "two" not in heard:
            heard += str(await anext(aiter(client)))
        client.quit()
        assert [line async for line in client] == []
    assert heard == r"alice joined!Connected to server!alice: onealice: two \u263a"
    assert server.read == ["alice: one", r"alice: two \u263a"]


async def test_lines_that_are_said_at_once_are_not_glued(autojump_clock: trio.testing.MockClock) -> None:
    async with talking() as (client, server), trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(client.say, f"line {number:02}")
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(server.read) == [f"alice: line {number:02}" for number in range(20)]


async def test_no_echo_is_waited_for_a_second(autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    async with open_text_client_on(ours, nick="alice") as client:
        start = trio.current_time()
        await client.say("does anybody hear me?")
        assert trio.current_time() - start == 2  # for the nickname, and for this
        await client.say("anybody?")
        assert trio.current_time() - start == 3
    assert await theirs.receive_some() == b"alicealice: does anybody hear me?alice: anybody?"


async def test_what_can_not_be_said(autojump_clock: trio.testing.MockClock) -> None:
    async with talking() as (client, _):
        with pytest.raises(LocalProtocolError):
            await client.say("\x1b[2J")


async def test_a_server_that_goes_away() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    async with open_text_client_on(ours, nick="alice") as client:
        await theirs.send_all(b"alice joined!")
        assert await anext(aiter(client)) == "alice joined!"
        async with trio.open_nursery() as nursery:

            async def lose() -> None:
                with pytest.raises(ConnectionLost, match="closed the connection"):
                    await client.say("bye")

            nursery.start_soon(lose)
            await trio.testing.wait_all_tasks_blocked()
            await theirs.aclose()
        with pytest.raises(ConnectionLost, match="closed the connection"):
            await anext(aiter(client))
        with pytest.raises(ConnectionLost, match="closed the connection"):
            await client.say("bye")


async def test_a_server_that_breaks_in_the_middle_of_a_line() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    async with open_text_client_on(ours, nick="alice") as client:
        await theirs.send_all(b"alice joined!")

        async def broken() -> None:
            raise trio.BrokenResourceError

        ours.send_stream.send_all_hook = broken
        with pytest.raises(ConnectionLost, match="broke"):
            await client.say("bye")


async def test_a_server_that_never_asks(autojump_clock: trio.testing.MockClock) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"220 mail.example.org ESMTP\r\n")
    start = trio.current_time()
    with pytest.raises(ConnectionLost, match="never asked"):
        async with open_text_client_on(ours, nick="alice"):
            pass
    assert trio.current_time() - start == HELLO_TIMEOUT


async def test_the_exception_of_the_block_comes_out_plain() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    with pytest.raises(ValueError, match="mine"):
        async with open_text_client_on(ours, nick="alice"):
            raise ValueError("mine")


@pytest.mark.parametrize("end", ["by itself", "exception", "cancellation"])
async def test_the_end_of_the_block_is_told_to_tasks_outside_it(
    end: str, autojump_clock: trio.testing.MockClock
) -> None:
    outcomes: list[str] = []

    async def iterate(client: TextClient) -> None:
        assert [line async for line in client] == []
        outcomes.append("iterated")

    async def say(client: TextClient) -> None:
        with pytest.raises(ConnectionLost, match="we have left"):
            await client.say("does anybody hear me?")
        outcomes.append("said")

    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    with trio.fail_after(60):
        async with trio.open_nursery() as outside:
            with suppress(ValueError), trio.move_on_after(0.5 if end == "cancellation" else 30):
                async with open_text_client_on(ours, nick="alice") as client:
                    outside.start_soon(iterate, client)
                    for _ in range(2):
                        outside.start_soon(say, client)
                    await trio.testing.wait_all_tasks_blocked()
                    if end == "exception":
                        raise ValueError("mine")
                    if end == "cancellation":
                        await trio.sleep_forever()
            start = trio.current_time()
        assert trio.current_time() == start
    assert sorted(outcomes) == ["iterated", "said", "said"]


async def test_a_connection_that_breaks_before_hello() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    await theirs.aclose()
    with pytest.raises(ConnectionLost, match="broke"):
        async with open_text_client_on(ours, nick="alice"):
            pass
