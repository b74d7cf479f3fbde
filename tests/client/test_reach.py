"""Reaching a server for a command: a real server, a network that breaks, a virtual clock."""

import socket

import pytest
import trio
import trio.testing

from tests.client.network import network
from triochat.client.opening import open_client_by
from triochat.client.reach import Unreached, reach

Clock = trio.testing.MockClock


class Ear:
    """Hears what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def tell(self, sentence: str) -> None:
        self.told.append(sentence)


async def test_a_server_that_is_there(autojump_clock: Clock) -> None:
    ear = Ear()
    async with network() as net, reach(net.dial, "there", nick="bob", timeout=5, tell=ear.tell) as chat:
        await trio.sleep(100)  # the time was for reaching it
        assert chat.nick == "bob"
    assert ear.told == []


async def test_a_nick_that_is_taken_gets_an_ending(autojump_clock: Clock) -> None:
    async with (
        network() as net,
        open_client_by(net.dial, nick="bob"),
        open_client_by(net.dial, nick="bob-2"),
        reach(net.dial, "there", nick="Bob", timeout=5, tell=Ear().tell) as chat,
    ):
        assert chat.nick == "Bob-3"


async def test_a_server_that_comes(autojump_clock: Clock) -> None:
    ear = Ear()
    async with network() as net, trio.open_nursery() as nursery:
        await net.stop()

        async def come() -> None:
            await trio.sleep(20)
            await net.start()

        nursery.start_soon(come)
        async with reach(net.dial, "there", nick="bob", timeout=60, tell=ear.tell) as chat:
            await chat.ping()
    assert ear.told == ["nobody answers at there; trying for 60 seconds"]


async def test_one_that_does_not(autojump_clock: Clock) -> None:
    async with network() as net:
        net.refusing = True
        begin = trio.current_time()
        with pytest.raises(Unreached, match="no triochat server answered at there within 5 seconds"):
            async with reach(net.dial, "there", nick="bob", timeout=5, tell=Ear().tell):
                pass
        assert trio.current_time() == begin + 5


async def test_a_host_that_there_is_not(autojump_clock: Clock) -> None:
    async def dial() -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    with pytest.raises(Unreached, match="there is no host of that name: there"):
        async with reach(dial, "there", nick="bob", timeout=5, tell=Ear().tell):
            pass


async def test_what_can_not_be_a_nick(autojump_clock: Clock) -> None:
    async with network() as net:
        with pytest.raises(Unreached, match="nick"):
            async with reach(net.dial, "there", nick="1", timeout=5, tell=Ear().tell):
                pass


async def test_what_goes_wrong_in_the_block_comes_out_as_it_is(autojump_clock: Clock) -> None:
    async with network() as net:
        with pytest.raises(OSError, match="ours"):
            async with reach(net.dial, "there", nick="bob", timeout=5, tell=Ear().tell):
                raise OSError("ours")
