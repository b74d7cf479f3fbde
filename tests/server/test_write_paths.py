"""However bytes reach a client, it is the same bytes in the same order within the same bounds."""

from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress

import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Server, Start
from tests.server.guests import REAL, Guest
from tests.server.wires import Wire
from triochat.server.broadcast import Broadcast
from triochat.server.outbox import Outbox

MUCH = bytes(range(256)) * 4096
"""More than any of them holds."""


async def read_exactly(stream: trio.abc.ReceiveStream, count: int) -> bytes:
    data = b""
    with trio.fail_after(REAL):
        while len(data) < count:
            some = await stream.receive_some(count - len(data))
            assert some
            data += some
    return data


async def nothing_waits(stream: trio.abc.ReceiveStream) -> None:
    """All that was put has been read."""
    await wait_all_tasks_blocked()
    with trio.move_on_after(0):
        raise AssertionError(await stream.receive_some(100))


Case = Callable[[Wire, Outbox, trio.abc.HalfCloseableStream], Awaitable[None]]


def on_an_outbox(limit: int) -> Callable[[Case], Callable[[Wire], Awaitable[None]]]:
    """A test of an outbox that nothing waits in."""

    def decorate(case: Case) -> Callable[[Wire], Awaitable[None]]:
        async def test(wire: Wire) -> None:
            ours, theirs = wire.pair()
            async with ours, theirs, trio.open_nursery() as nursery:
                await case(wire, wire.outbox(ours, nursery, limit=limit), theirs)

        return test

    return decorate


# --- the outbox -----------------------------------------------------------------------------------


@on_an_outbox(limit=1000)
async def test_order(wire: Wire, outbox: Outbox, theirs: trio.abc.HalfCloseableStream) -> None:
    for first in range(100, 200, 5):  # a kernel counts more than the octets
        expected = b""
        for number in range(first, first + 5):
            assert outbox.put(b"%d " % number)
            expected += b"%d " % number
        assert await read_exactly(theirs, len(expected)) == expected
        await wait_all_tasks_blocked()
    statistics = outbox.statistics()
    expected_counts = (0, 100, 0) if wire.direct else (0, 0, 20)
    assert (statistics.backlog, wire.sends, statistics.written) == expected_counts


@on_an_outbox(limit=2 * len(MUCH))
async def test_a_write_that_is_taken_in_part(
    wire: Wire, outbox: Outbox, theirs: trio.abc.HalfCloseableStream
) -> None:
    assert outbox.put(MUCH)
    assert outbox.put(b"nothing may ")
    await wait_all_tasks_blocked()
    assert outbox.statistics().backlog > 0
    assert outbox.put(b"overtake")
    assert wire.sends == (1 if wire.direct else 0)
    expected = MUCH + b"nothing may overtake"
    assert await read_exactly(theirs, len(expected)) == expected
    await wait_all_tasks_blocked()
    assert outbox.statistics().backlog == 0
    assert outbox.put(b"as ever")
    assert await read_exactly(theirs, 7) == b"as ever"


@on_an_outbox(limit=100_000)
async def test_many_writes_that_are_taken_in_part(
    wire: Wire, outbox: Outbox, theirs: trio.abc.HalfCloseableStream
) -> None:
    """Now the kernel takes it, now the writer does; and the reader is in the middle of it."""
    total, seen = 0, b""
    for size in [1, 5000, 3, 70_000, 20, 4096, 1] * 5:
        assert outbox.put(MUCH[total % 251 :][:size])
        total += size
        while outbox.crowded:
            seen += await read_exactly(theirs, 1000)
    seen += await read_exactly(theirs, total - len(seen))
    expected, total = b"", 0
    for size in [1, 5000, 3, 70_000, 20, 4096, 1] * 5:
        expected += MUCH[total % 251 :][:size]
        total += size
    assert seen == expected
    await nothing_waits(theirs)


@on_an_outbox(limit=1000)
async def test_the_bound(wire: Wire, outbox: Outbox, theirs: trio.abc.HalfCloseableStream) -> None:
    assert outbox.put(MUCH)  # to who has read everything any amount may be given
    expected = MUCH
    for _ in range(3):
        assert outbox.statistics().backlog > 1000
        assert not outbox.put(b"more")
        expected += b"more"
    assert await read_exactly(theirs, len(expected)) == expected
    await wait_all_tasks_blocked()
    assert outbox.put(MUCH)
    assert await read_exactly(theirs, len(MUCH)) == MUCH


@on_an_outbox(limit=1000)
async def test_room(wire: Wire, outbox: Outbox, theirs: trio.abc.HalfCloseableStream) -> None:
    with trio.fail_after(REAL):
        await outbox.wait_for_room()
    outbox.put(MUCH)
    assert outbox.crowded
    there_is_room = trio.Event()

    async def wait() -> None:
        await outbox.wait_for_room()
        there_is_room.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        assert not there_is_room.is_set()
        await read_exactly(theirs, len(MUCH))
    assert not outbox.crowded


@pytest.mark.parametrize("backlog", [b"", MUCH], ids=["nothing waits", "much waits"])
async def test_finish(wire: Wire, backlog: bytes) -> None:
    ours, theirs = wire.pair()
    async with ours, theirs:
        async with trio.open_nursery() as nursery:
            outbox = wire.outbox(ours, nursery)
            outbox.put(backlog)
            nursery.start_soon(outbox.finish)
            await wait_all_tasks_blocked()
            assert bool(nursery.child_tasks) == bool(backlog)
            assert outbox.put(b"too late")
            assert await read_exactly(theirs, len(backlog)) == backlog
        await nothing_waits(theirs)


async def test_a_writer_is_there_only_while_something_waits(wire: Wire) -> None:
    ours, theirs = wire.pair()
    async with ours, theirs, trio.open_nursery() as nursery:
        outbox = wire.outbox(ours, nursery, limit=2 * len(MUCH))
        writers: list[trio.lowlevel.Task] = []
        for _ in range(3):
            assert not nursery.child_tasks
            outbox.put(MUCH)
            outbox.put(b"and more")
            await wait_all_tasks_blocked()
            outbox.put(b"and still more")
            [writer] = nursery.child_tasks
            assert writer not in writers
            writers.append(writer)
            expected = MUCH + b"and moreand still more"
            assert await read_exactly(theirs, len(expected)) == expected
            await wait_all_tasks_blocked()


async def test_who_is_gone_is_found_out_by_the_writer(wire: Wire) -> None:
    ours, theirs = wire.pair()
    async with ours:
        with pytest.RaisesGroup(trio.BrokenResourceError):
            async with trio.open_nursery() as nursery:
                outbox = wire.outbox(ours, nursery)
                await theirs.aclose()
                assert outbox.put(b"no error here")
        assert outbox.statistics().backlog > 0


@pytest.mark.parametrize("how", ["cancelled", "too slow"])
async def test_nothing_follows_half_a_frame(wire: Wire, autojump_clock: MockClock, how: str) -> None:
    ours, theirs = wire.pair()
    async with ours, theirs:
        with trio.CancelScope() as scope, suppress(ExceptionGroup):
            async with trio.open_nursery() as nursery:
                outbox = wire.outbox(ours, nursery, limit=10 * len(MUCH))
                outbox.put(MUCH)
                outbox.put(b"more")
                await wait_all_tasks_blocked()
                if how == "cancelled":
                    scope.cancel()
        assert how == "too slow" or scope.cancel_called
        before, sends = outbox.statistics(), wire.sends
        assert before.backlog > 0
        half = b""
        with trio.move_on_after(1):
            while True:
                half += await theirs.receive_some(65536)
        assert 0 < len(half) < len(MUCH)
        assert outbox.put(b"x")  # there is room for it now, and it is not even tried
        after = outbox.statistics()
        assert (after.backlog, wire.sends, after.written) == (before.backlog + 1, sends, before.written)
        with trio.move_on_after(1):
            raise AssertionError(await theirs.receive_some(100))


# --- the broadcast --------------------------------------------------------------------------------


async def test_a_broadcast_gives_all_the_same_and_evicts_who_does_not_read(wire: Wire) -> None:
    broadcast: Broadcast[int] = Broadcast()
    evicted: list[int] = []
    pieces = [bytes([65 + number]) * 10_000 for number in range(10)]
    with ExitStack() as stack:
        async with trio.open_nursery() as nursery:
            clients: dict[int, trio.abc.HalfCloseableStream] = {}
            streams: list[trio.abc.HalfCloseableStream] = []
            seen: dict[int, bytes] = dict.fromkeys(range(5), b"")
            for key in range(5):
                ours, clients[key] = wire.pair()
                streams += [ours, clients[key]]
                outbox = wire.outbox(ours, nursery, limit=50_000)
                stack.enter_context(
                    broadcast.subscribe(key, outbox, lambda key=key: evicted.append(key))  # type: ignore[misc]
                )
            for piece in pieces:
                broadcast.publish(dict.fromkeys(clients, piece))
                for key in (0, 1, 3, 4):  # 2 is deaf
                    seen[key] += await read_exactly(clients[key], len(piece))
                await wait_all_tasks_blocked()
            assert evicted == [2]
            statistics = broadcast.statistics()
            assert (statistics.subscribers, statistics.evicted, statistics.backlog) == (4, 1, 0)
            for key in (0, 1, 3, 4):
                assert seen[key] == b"".join(pieces)
            nursery.cancel_scope.cancel()
        for stream in streams:
            await trio.aclose_forcefully(stream)


# --- a server -------------------------------------------------------------------------------------


def connect(server: Server, wire: Wire) -> Guest:
    ours, theirs = wire.pair()
    server.listener.hand_over(ours)
    return Guest(theirs, REAL)


async def test_an_exchange(start: Start, wire: Wire) -> None:
    server = await start()
    async with connect(server, wire) as alice, connect(server, wire) as bob:
        await bob.hello("bob", "#dev")
        await alice.send("@a NICK alice triochat/1", "@b JOIN #dev")
        await alice.until("@b OK")
        await alice.send("@c MSG #dev :one", "@d MSG #dev :two", "MSG #dev :three", "@e PING", "@f QUIT")
        said = [
            f"MSG #dev {number} MS alice :{text}" for number, text in enumerate(("one", "two", "three"), 1)
        ]
        assert await alice.rest() == [*said, "@c OK 1", "@d OK 2", "@e PONG", "@f BYE :you quit"]
        assert await bob.until("LEFT") == ["JOINED #dev alice", *said, "LEFT #dev alice"]


async def test_a_reader_that_lags_behind_gets_everything_in_order(start: Start, wire: Wire) -> None:
    server = await start(rate_limit=0)
    async with connect(server, wire) as alice, connect(server, wire) as slow:
        await alice.hello("alice", "#dev")
        await slow.hello("slow", "#dev")
        await alice.line()
        said = [f"MSG #dev {number} MS alice :{number} {'x' * 1000}" for number in range(1, 301)]
        for number in range(1, 301):
            await alice.send(f"MSG #dev :{number} {'x' * 1000}")
            assert await alice.line() == said[number - 1]
        assert server.inside.broadcast.statistics().backlog > 100_000
        assert await slow.lines(300) == said
        assert await slow.ask("PING") == ["PONG"]


async def test_who_never_reads_is_cut_off(start: Start, wire: Wire) -> None:
    server = await start(rate_limit=0, backlog=65536)
    async with connect(server, wire) as alice, connect(server, wire) as deaf:
        await deaf.hello("deaf", "#dev")
        await alice.hello("alice", "#dev")
        with structlog.testing.capture_logs() as logs:
            for number in range(200):
                [*_, line] = await alice.ask(f"MSG #dev :{number} {'x' * 1000}")
                assert line == f"OK {number + 1}"
            await wait_all_tasks_blocked()
        assert [entry["event"] for entry in logs] == ["cut off: its backlog is full", "gone"]
        assert (await alice.ask("NAMES #dev"))[-2:] == ["NAMES #dev alice", "OK"]
        await wait_all_tasks_blocked()
        statistics = server.inside.broadcast.statistics()
        assert (statistics.subscribers, statistics.evicted, statistics.backlog) == (1, 1, 0)


async def test_what_waits_is_read_to_the_end_of_a_shutdown(start: Start, wire: Wire) -> None:
    server = await start(rate_limit=0)
    async with connect(server, wire) as alice:
        await alice.hello("alice", "#dev")
        await alice.send(*[f"MSG #dev :{'x' * 1000}"] * 60)
        await wait_all_tasks_blocked()
        server.shutdown.set()
        lines = await alice.rest()
        said = [f"MSG #dev {number} MS alice :{'x' * 1000}" for number in range(1, 61)]
        assert lines == [*said, "BYE :the server shuts down"]
    with trio.fail_after(REAL):
        await server.ended.wait()
