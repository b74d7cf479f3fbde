"""The server as a function: how it starts, and how it ends."""

import errno
import logging
import math
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import triochat
from tests.server.conftest import Make, Server, Start
from tests.server.guests import REAL, Guest
from tests.server.streams import MemoryListener
from triochat.config import ServerConfig
from triochat.journal import Draft, Head, JournalUnavailable, MemoryJournal, Outcome
from triochat.server import serve
from triochat.server.peer import MAX_KEEPIDLE, Peer

# --- starting -------------------------------------------------------------------------------------


async def test_by_default_it_listens_on_the_configured_port() -> None:
    async with trio.open_nursery() as nursery:
        listeners: Sequence[Any] = await nursery.start(serve, ServerConfig(port=0))
        [listener] = listeners
        host, port = listener.socket.getsockname()
        assert (host, port > 0) == ("127.0.0.1", True)
        async with await trio.open_tcp_stream(host, port) as stream:
            await Guest(stream, REAL).hello("alice", "#dev")
        nursery.cancel_scope.cancel()
    assert listener.socket.fileno() == -1


async def test_a_listener_in_the_file_system(tmp_path: Path) -> None:
    own = trio.socket.socket(socket.AF_UNIX)
    await own.bind(str(tmp_path / "chat"))
    own.listen()
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve, ServerConfig(), listeners=[trio.SocketListener(own)]))
            async with await trio.open_unix_socket(str(tmp_path / "chat")) as stream:
                await Guest(stream, REAL).hello("alice", "#dev")
            nursery.cancel_scope.cancel()
    assert [entry["address"] for entry in logs if entry["event"] == "came"] == ["local"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own times have to do")
@pytest.mark.parametrize(
    ("idle_timeout", "seconds"), [(0.1, 1), (60, 60), (1e6, MAX_KEEPIDLE), (math.inf, MAX_KEEPIDLE)]
)
async def test_the_system_looks_for_machines_that_are_gone(
    monkeypatch: pytest.MonkeyPatch, idle_timeout: float, seconds: int
) -> None:
    served: list[trio.SocketStream] = []
    run = Peer.run

    async def look(peer: Peer) -> None:
        assert isinstance(peer._stream, trio.SocketStream)
        served.append(peer._stream)
        await run(peer)

    monkeypatch.setattr(Peer, "run", look)
    async with trio.open_nursery() as nursery:
        config = ServerConfig(port=0, idle_timeout=idle_timeout)
        listeners: Sequence[Any] = await nursery.start(serve, config)
        async with await trio.open_tcp_stream(*listeners[0].socket.getsockname()) as stream:
            await Guest(stream, REAL).hello("alice")
            [peer] = served
            assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == seconds
            assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == max(seconds // 4, 1)
            assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 4
        nursery.cancel_scope.cancel()


async def test_it_is_the_package_s_serve() -> None:
    assert triochat.serve is serve


async def test_several_listeners(make_server: Make, autojump_clock: MockClock) -> None:
    one, two = MemoryListener(), MemoryListener()
    async with trio.open_nursery() as nursery:
        assert await nursery.start(partial(serve, ServerConfig(), listeners=[one, two])) == [one, two]
        alice = await Guest(one.connect()).hello("alice", "#dev")
        await Guest(two.connect()).hello("bob", "#dev")
        assert await alice.line() == "JOINED #dev bob"
        nursery.cancel_scope.cancel()


class UnreadableJournal(MemoryJournal):
    async def heads(self) -> dict[str, Head]:
        raise JournalUnavailable("there is nothing")


async def test_listeners_are_closed_even_if_it_never_got_to_accept() -> None:
    listener = MemoryListener()
    with pytest.raises(JournalUnavailable):
        await serve(ServerConfig(), listeners=[listener], journal=UnreadableJournal())
    with pytest.raises(trio.BrokenResourceError):
        listener.connect()


async def test_a_port_that_is_taken() -> None:
    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(serve, ServerConfig(port=0))
        with pytest.raises(OSError, match="in use") as caught:
            await serve(ServerConfig(port=listener.socket.getsockname()[1]))
        assert caught.value.errno == errno.EADDRINUSE
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
async def test_no_descriptors_left_is_survived_with_a_pause_and_a_log_line(
    start: Start, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    server = await start()
    begin = trio.current_time()
    with caplog.at_level(logging.ERROR):
        for _ in range(5):
            server.listener.fail(OSError(code, "nothing left"))
        alice = await server.enter("alice")
    assert [record.name for record in caplog.records] == ["trio.serve_listeners"] * 5
    assert trio.current_time() - begin == pytest.approx(0.5)
    assert await alice.ask("PING") == ["PONG"]


async def test_another_error_of_a_listener_ends_the_server(
    make_server: Make,
    autojump_clock: MockClock,
) -> None:
    server: Server = make_server()
    server.listener.fail(OSError(errno.EBADF, "what is this?"))
    with pytest.RaisesGroup(OSError, flatten_subgroups=True):
        await server.serve()


async def test_cancelled_it_just_ends(make_server: Make, autojump_clock: MockClock) -> None:
    server: Server = make_server()
    async with trio.open_nursery() as nursery:
        await nursery.start(server.serve)
        alice = await server.enter("alice", "#dev")
        nursery.cancel_scope.cancel()
    assert await alice.rest_of_bytes() == b""
    assert not server.inside.peers


# --- the shutdown plan ----------------------------------------------------------------------------


class Slow(MemoryJournal):
    """Waits for its disk."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = trio.Event()
        self.disk.set()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        await self.disk.wait()
        return await super().append(drafts)


async def test_everybody_is_told(start: Start, autojump_clock: MockClock) -> None:
    server = await start(shutdown_timeout=5)
    framed = await server.enter("framed", "#lobby")
    text = await server.enter_as_text("text")
    silent = server.connect()
    assert await silent.read() == b"NICK"
    begin = trio.current_time()
    server.shutdown.set()
    assert await framed.rest() == ["JOINED #lobby text", "BYE :the server shuts down"]
    assert await text.rest() == ["Goodbye! (the server shuts down)"]
    assert await silent.rest_of_bytes() == b""
    for guest in (framed, text, silent):
        await guest.close()
    await server.ended.wait()
    assert trio.current_time() == begin


async def test_all_that_was_submitted_before_is_answered(start: Start, autojump_clock: MockClock) -> None:
    """Even if the journal takes its time: what is acknowledged is kept, what is kept is acknowledged."""
    journal = Slow()
    journal.disk = trio.Event()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")
    bob = await server.enter("bob", "#dev")
    await alice.line()
    await alice.send("@a MSG #dev :one")
    await wait_all_tasks_blocked()
    await alice.send("@b MSG #dev :two", "@c PING")
    await wait_all_tasks_blocked()
    server.shutdown.set()
    await wait_all_tasks_blocked()
    journal.disk.set()
    entries = ["MSG #dev 1 MS alice :one", "MSG #dev 2 MS alice :two"]
    assert await alice.rest() == [
        entries[0],
        "@a OK 1",
        entries[1],
        "@b OK 2",
        "@c PONG",
        "BYE :the server shuts down",
    ]
    assert await bob.rest() == ["BYE :the server shuts down"]  # he had asked for nothing
    page = await journal.read_after("#dev", 0, 10)
    assert [entry.text for entry in page.entries] == ["one", "two"]


async def test_nobody_is_told_who_else_goes(start: Start, autojump_clock: MockClock) -> None:
    """Not even who waits for the hub while they go."""
    journal = Slow()
    server = await start(journal=journal)
    waiting = await server.enter("waiting", "#dev")
    guests = [await server.enter(f"guest{number}", "#dev") for number in range(50)]
    await waiting.until("guest49")
    journal.disk = trio.Event()
    await waiting.send("@a MSG #dev :one")
    await wait_all_tasks_blocked()
    await waiting.send("@b MSG #dev :two")
    await wait_all_tasks_blocked()
    server.shutdown.set()
    for guest in guests:
        assert not [line for line in await guest.rest() if line.startswith("LEFT")]
        await guest.close()
    await wait_all_tasks_blocked()
    journal.disk.set()
    assert await waiting.rest() == [
        "MSG #dev 1 MS waiting :one",
        "@a OK 1",
        "MSG #dev 2 MS waiting :two",
        "@b OK 2",
        "BYE :the server shuts down",
    ]
    await waiting.close()
    await server.ended.wait()


async def test_who_does_not_read_is_cut_off_at_the_deadline(start: Start, autojump_clock: MockClock) -> None:
    server = await start(shutdown_timeout=5, send_timeout=1000, backlog=10_000_000)
    deaf = await server.enter("deaf", "#dev", limit=1000)
    alice = await server.enter("alice", "#dev")
    for _ in range(10):
        await alice.ask(f"MSG #dev :{'x' * 5000}")
    begin = trio.current_time()
    with structlog.testing.capture_logs() as logs:
        server.shutdown.set()
        assert await alice.rest() == ["BYE :the server shuts down"]
        await alice.close()
        assert trio.current_time() == begin
        await server.ended.wait()
    assert trio.current_time() - begin == pytest.approx(5)
    assert [entry["event"] for entry in logs] == [
        "shutting down",
        "gone",
        "gone",
        "some clients did not read to the end",
        "shut down",
    ]
    await deaf.close()


async def test_who_reads_slowly_gets_it_all_before_the_deadline(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(shutdown_timeout=5, backlog=10_000_000)
    slow = await server.enter("slow", "#dev", limit=1000)
    alice = await server.enter("alice", "#dev")
    for _ in range(10):
        await alice.ask(f"MSG #dev :{'x' * 5000}")
    server.shutdown.set()
    await trio.sleep(4)
    assert len(await slow.rest()) == 1 + 10 + 1


async def test_nobody_new_gets_in(start: Start, autojump_clock: MockClock) -> None:
    server = await start(shutdown_timeout=5)
    deaf = await server.enter("deaf", "#dev", limit=1000)
    alice = await server.enter("alice", "#dev")
    await alice.ask(f"MSG #dev :{'x' * 5000}")
    begin = trio.current_time()
    late = server.connect()  # waits to be accepted
    server.shutdown.set()
    assert await late.rest_of_bytes() == b""
    assert trio.current_time() == begin  # and not at the deadline, which there is for who does not read
    await wait_all_tasks_blocked()
    with pytest.raises(trio.BrokenResourceError):
        server.connect()
    await server.ended.wait()
    await deaf.close()


async def test_who_is_about_to_say_hello_is_let_go(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    guest = server.connect()
    await guest.send_bytes(b"NICK alice trio")
    await wait_all_tasks_blocked()
    server.shutdown.set()
    assert await guest.rest_of_bytes() == b""
    await guest.close()
    await server.ended.wait()


async def test_who_is_catching_up_is_let_go(start: Start, autojump_clock: MockClock) -> None:
    server = await start(rate_limit=0, shutdown_timeout=5)
    alice = await server.enter("alice", "#dev")
    for _ in range(50):
        await alice.ask(f"MSG #dev :{'x' * 5000}")
    bob = await server.enter("bob", limit=1000)
    await bob.send("@j JOIN #dev after=0")
    await wait_all_tasks_blocked()
    server.shutdown.set()
    assert (await bob.rest())[-1] == "BYE :the server shuts down"
    await server.ended.wait()


async def test_who_is_being_throttled_is_let_go(start: Start, autojump_clock: MockClock) -> None:
    server = await start(rate_limit=1, shutdown_timeout=5)
    alice = await server.enter("alice")
    begin = trio.current_time()
    await alice.send(*["PING"] * 100)
    await wait_all_tasks_blocked()
    server.shutdown.set()
    assert (await alice.rest())[-1] == "BYE :the server shuts down"
    await alice.close()
    await server.ended.wait()
    assert trio.current_time() == begin


async def test_a_shutdown_before_the_start(make_server: Make, autojump_clock: MockClock) -> None:
    server: Server = make_server()
    server.shutdown.set()
    await server.serve()


async def test_the_same_journal_serves_again(start: Start, autojump_clock: MockClock) -> None:
    journal = MemoryJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")
    await alice.ask("MSG #dev :before")
    server.shutdown.set()
    await alice.close()
    await server.ended.wait()
    server = await start(journal=journal)
    alice = await server.enter("alice")
    assert (await alice.ask("JOIN #dev after=0"))[2:] == ["MSG #dev 1 MS alice :before", "OK 1"]
