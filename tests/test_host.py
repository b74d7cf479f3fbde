"""A server and a front end in one nursery: what others are told, and what a fault does."""

import io
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

import triochat.host
from triochat import open_client
from triochat.config import DEFAULT_PORT, ClientConfig, HostConfig
from triochat.host import FAILED, ways_in
from triochat.journal import Draft, Journal, MemoryJournal, Outcome

HERE = "192.0.2.7"


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in an IPv4 network."""
    own = {socket.AF_INET: HERE, socket.AF_INET6: None}
    monkeypatch.setattr(triochat.host, "_own_address", own.__getitem__)
    monkeypatch.setattr(socket, "gethostname", lambda: "box")


def test_who_listens_everywhere_tells_of_its_addresses(network: None) -> None:
    assert ways_in([("0.0.0.0", 5000), ("::", 5000)]) == [
        "Whoever reaches this machine can join:",
        f"  triochat client {HERE}:5000",
        f"  nc {HERE} 5000",
        "or with box in place of the address, where that name is known.",
    ]


def test_the_port_that_everybody_takes_is_left_out(network: None) -> None:
    assert f"  triochat client {HERE}" in ways_in([("0.0.0.0", DEFAULT_PORT)])
    assert f"  nc {HERE} {DEFAULT_PORT}" in ways_in([("0.0.0.0", DEFAULT_PORT)])


def test_one_address_is_told_as_it_is(network: None) -> None:
    assert ways_in([("2001:db8::7", 5000)])[1:] == [
        "  triochat client [2001:db8::7]:5000",
        "  nc 2001:db8::7 5000",
    ]
    assert ways_in([("2001:db8::7", DEFAULT_PORT)])[1] == "  triochat client 2001:db8::7"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_nobody_else_reaches_the_loopback_address(host: str) -> None:
    assert ways_in([(host, 5000)])[0] == f"Only this machine can join, since the server listens on {host}:"


def test_without_a_network_there_is_the_name(network: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triochat.host, "_own_address", lambda _: None)
    assert len(ways_in([("0.0.0.0", 5000)])) == 2


class Broken(MemoryJournal):
    """Keeps nothing."""

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:  # noqa: ARG002 -- the interface
        raise RuntimeError("the journal broke")


async def test_a_fault_in_the_server_ends_the_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @asynccontextmanager
    async def open_journal(_: HostConfig) -> AsyncIterator[Journal]:
        yield Broken(retention=10, max_age=None, max_rooms=10)

    monkeypatch.setattr(triochat.host, "open_journal", open_journal)
    ended = trio.Event()

    async def front_end(host: str, port: int, config: ClientConfig, _: Sequence[str]) -> int:
        assert (config.nick, config.room) == ("anna", "#dev")
        try:
            async with open_client(host, port, nick="anna") as chat:
                await chat.join("#dev")
                await chat.say("#dev", "hello")
                await trio.sleep_forever()
        finally:
            ended.set()

    err = io.StringIO()
    config = HostConfig(host="127.0.0.1", port=0, nick="anna", room="#dev", shutdown_timeout=1)
    host = triochat.host._Host(config, front_end, tmp_path / "host.log", out=io.StringIO(), err=err)
    with trio.fail_after(30):
        assert await host.run() == FAILED
    assert ended.is_set()
    assert (
        err.getvalue() == f"triochat: the server failed, so the chat ends; {tmp_path / 'host.log'} says why\n"
    )


async def test_a_server_that_does_not_come_up_is_told_of_as_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def serve(_: HostConfig, *, listeners: list[trio.SocketListener], **__: object) -> None:
        for listener in listeners:
            await listener.aclose()
        raise RuntimeError("the journal broke")

    async def front_end(_: str, __: int, ___: ClientConfig, ____: Sequence[str]) -> int:
        raise AssertionError("there is nothing to talk to")

    monkeypatch.setattr(triochat.host, "serve", serve)
    err = io.StringIO()
    config = HostConfig(host="127.0.0.1", port=0, memory=True)
    host = triochat.host._Host(config, front_end, tmp_path / "host.log", out=io.StringIO(), err=err)
    with trio.fail_after(30):
        assert await host.run() == FAILED
    assert "the server failed" in err.getvalue()


async def test_a_fault_in_the_front_end_ends_the_server(tmp_path: Path) -> None:
    port = 0

    async def front_end(_: str, given: int, __: ClientConfig, ___: Sequence[str]) -> int:
        nonlocal port
        port = given
        raise RuntimeError("the front end broke")

    config = HostConfig(host="127.0.0.1", port=0, memory=True)
    host = triochat.host._Host(config, front_end, tmp_path / "host.log", out=io.StringIO())
    with trio.fail_after(30), pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="the front end broke")):
        await host.run()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream("127.0.0.1", port)
