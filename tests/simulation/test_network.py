"""The simulated network does to octets what TCP may do to them, and nothing else."""

import math
import random

import pytest
import trio
from trio.testing import MockClock, check_half_closeable_stream, wait_all_tasks_blocked

from tests.simulation.network import UNREACHABLE, Conditions, Connection, Network

DATA = bytes(range(250))


def connect(seed: int = 0, **conditions: float) -> Connection:
    return Connection(1, "p1", Conditions(**{"latency": 0.0, **conditions}), random.Random(seed))  # type: ignore[arg-type]


def network(**conditions: float) -> Network:
    return Network(
        lambda: Conditions(**{"latency": 0.0, **conditions}),  # type: ignore[arg-type]
        random.Random(0),
    )


async def read_all(stream: trio.abc.ReceiveStream) -> list[bytes]:
    pieces = []
    while piece := await stream.receive_some():
        pieces.append(bytes(piece))
    return pieces


async def test_an_end_behaves_as_any_stream_of_trio(autojump_clock: MockClock) -> None:
    async def make() -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
        connection = connect()
        return connection.client, connection.server

    async def make_clogged() -> tuple[trio.abc.HalfCloseableStream, trio.abc.HalfCloseableStream]:
        connection = connect(buffer=10)
        await connection.client.send_all(bytes(10))
        await connection.server.send_all(bytes(10))
        return connection.client, connection.server

    await check_half_closeable_stream(make, make_clogged)


@pytest.mark.parametrize("seed", range(5))
async def test_octets_arrive_in_their_order_however_they_are_torn(
    seed: int, autojump_clock: MockClock
) -> None:
    connection = connect(seed, jitter=1.0, torn=0.5, buffer=100)
    async with trio.open_nursery() as nursery:

        async def send() -> None:
            for start in range(0, len(DATA), 7):
                await connection.client.send_all(DATA[start : start + 7])
                await trio.sleep(0.1)
            await connection.client.send_eof()

        nursery.start_soon(send)
        assert b"".join(await read_all(connection.server)) == DATA


async def test_what_is_under_way_takes_its_time(autojump_clock: MockClock) -> None:
    connection = connect(latency=2.0)
    began = trio.current_time()
    await connection.client.send_all(b"hello")
    assert trio.current_time() == began
    assert connection.under_way == 5
    assert await connection.server.receive_some() == b"hello"
    assert trio.current_time() == began + 2
    assert connection.under_way == 0


async def test_jitter_adds_to_that_within_its_bound(autojump_clock: MockClock) -> None:
    took = set()
    for seed in range(20):
        connection = connect(seed, latency=1.0, jitter=0.5)
        began = trio.current_time()
        await connection.server.send_all(b"hello")
        await connection.client.receive_some()
        took.add(trio.current_time() - began)
    assert 1.0 <= min(took) < max(took) <= 1.5


async def test_the_end_takes_its_time_too(autojump_clock: MockClock) -> None:
    connection = connect(latency=2.0)
    began = trio.current_time()
    await connection.client.aclose()
    assert await connection.server.receive_some() == b""
    assert trio.current_time() == began + 2


async def test_who_sends_waits_while_the_buffer_is_full() -> None:
    connection = connect(buffer=10)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connection.client.send_all, DATA[:25])
        await wait_all_tasks_blocked()
        assert connection.under_way == 10
        assert len(nursery.child_tasks) == 1
        assert await connection.server.receive_some(4) == DATA[:4]
        await wait_all_tasks_blocked()
        assert connection.under_way == 10
        received = DATA[:4]
        while len(received) < 25:
            received += await connection.server.receive_some()
        assert received == DATA[:25]


async def test_a_part_that_was_read_makes_room_for_as_much() -> None:
    connection = connect(buffer=10)
    await connection.client.send_all(DATA[:10])
    assert await connection.server.receive_some(4) == DATA[:4]
    assert connection.under_way == 6
    assert await connection.server.receive_some() == DATA[4:10]


async def test_the_two_directions_have_a_buffer_each() -> None:
    connection = connect(buffer=10)
    await connection.client.send_all(DATA[:10])
    await connection.server.send_all(DATA[:10])
    assert connection.under_way == 20


async def test_writes_are_merged_and_torn() -> None:
    connection = connect(torn=0.0)
    await connection.client.send_all(b"one")
    await connection.client.send_all(b"two")
    assert await connection.server.receive_some() == b"onetwo"

    sizes = set()
    for seed in range(50):
        connection = connect(seed, torn=1.0)
        await connection.client.send_all(b"onetwo")
        sizes.add(len(await connection.server.receive_some()))
    assert sizes == {1, 2, 3, 4, 5, 6}


async def test_a_reset_loses_what_is_under_way() -> None:
    connection = connect()
    await connection.client.send_all(b"lost")
    connection.reset()
    assert connection.under_way == 0
    assert connection.dead
    for end in (connection.client, connection.server):
        with pytest.raises(trio.BrokenResourceError):
            await end.receive_some()
        with pytest.raises(trio.BrokenResourceError):
            await end.send_all(b"more")


async def test_a_reset_wakes_who_waits() -> None:
    connection = connect(buffer=10)

    async def write() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await connection.client.send_all(DATA)

    async def read() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await connection.client.receive_some()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 2
        connection.reset()


async def test_an_end_that_neither_asked_for_loses_nothing(autojump_clock: MockClock) -> None:
    connection = connect(latency=1.0)
    await connection.client.send_all(b"up")
    await connection.server.send_all(b"down")
    connection.end()
    assert await read_all(connection.server) == [b"up"]
    assert await read_all(connection.client) == [b"down"]
    # Who has not closed its end is told that it broke, as by a socket.
    with pytest.raises(trio.BrokenResourceError):
        await connection.client.send_all(b"more")
    await connection.client.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await connection.client.send_all(b"more")


async def test_silence_holds_back_one_direction(autojump_clock: MockClock) -> None:
    connection = connect()
    began = trio.current_time()
    connection.be_silent(began + 10, up=True, down=False)
    await connection.client.send_all(b"up")
    await connection.server.send_all(b"down")
    assert await connection.client.receive_some() == b"down"
    assert trio.current_time() == began
    assert await connection.server.receive_some() == b"up"
    assert trio.current_time() == began + 10


async def test_silence_holds_back_the_end_as_well(autojump_clock: MockClock) -> None:
    connection = connect()
    connection.be_silent(math.inf, up=True, down=True)
    await connection.client.aclose()
    with trio.move_on_after(1000) as scope:
        await connection.server.receive_some()
    assert scope.cancelled_caught


async def test_what_was_held_back_arrives_when_it_is_healed(autojump_clock: MockClock) -> None:
    connection = connect()
    connection.be_silent(math.inf, up=True, down=True)
    await connection.client.send_all(b"up")
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            assert await connection.server.receive_some() == b"up"

        nursery.start_soon(read)
        await trio.sleep(1000)
        assert len(nursery.child_tasks) == 1
        connection.heal()


async def test_a_silence_can_be_reset() -> None:
    connection = connect()
    connection.be_silent(math.inf, up=True, down=True)
    connection.reset()
    with pytest.raises(trio.BrokenResourceError):
        await connection.server.receive_some()


async def test_nobody_gets_through_without_a_server(autojump_clock: MockClock) -> None:
    net = network()
    with pytest.raises(ConnectionRefusedError):
        await net.dial("p1")

    net.listen()
    net.refusing = True
    with pytest.raises(ConnectionRefusedError):
        await net.dial("p1")

    net.refusing = False
    net.swallowing = True
    began = trio.current_time()
    with pytest.raises(TimeoutError):
        await net.dial("p1")
    assert trio.current_time() == began + UNREACHABLE

    net.swallowing = False
    await net.dial("p1")
    net.server_is_gone()
    with pytest.raises(ConnectionRefusedError):
        await net.dial("p1")


async def test_nor_when_the_server_goes_meanwhile(autojump_clock: MockClock) -> None:
    net = network(latency=1.0)
    net.listen()
    async with trio.open_nursery() as nursery:

        async def dial() -> None:
            with pytest.raises(ConnectionRefusedError):
                await net.dial("p1")

        nursery.start_soon(dial)
        await wait_all_tasks_blocked()
        net.server_is_gone()


async def test_nor_when_it_has_stopped_to_listen(autojump_clock: MockClock) -> None:
    net = network()
    await net.listen().aclose()
    with pytest.raises(ConnectionRefusedError):
        await net.dial("p1")


async def test_a_dial_reaches_the_server(autojump_clock: MockClock) -> None:
    net = network(latency=1.0)
    listener = net.listen()
    client = await net.dial("p1")
    server = await listener.accept()
    await client.send_all(b"hello")
    assert net.under_way == 5
    assert await server.receive_some() == b"hello"
    assert [connection.who for connection in net.connections] == ["p1"]


async def test_a_server_that_is_gone_has_reset_all(autojump_clock: MockClock) -> None:
    net = network()
    net.listen()
    clients = [await net.dial(who) for who in ("p1", "p2")]
    net.server_is_gone()
    for client in clients:
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()
    assert net.connections == []


async def test_a_program_that_died_has_reset_its_own(autojump_clock: MockClock) -> None:
    net = network()
    listener = net.listen()
    dead, alive = await net.dial("p1"), await net.dial("p2")
    await listener.accept()
    server = await listener.accept()
    net.reset_all_of("p1")
    with pytest.raises(trio.BrokenResourceError):
        await dead.receive_some()
    await alive.send_all(b"hello")
    assert await server.receive_some() == b"hello"
    assert [connection.who for connection in net.connections] == ["p2"]


async def test_a_connection_that_both_have_closed_is_forgotten(autojump_clock: MockClock) -> None:
    net = network()
    listener = net.listen()
    client = await net.dial("p1")
    server = await listener.accept()
    await client.aclose()
    assert len(net.connections) == 1
    await server.aclose()
    assert net.connections == []


async def test_what_was_done_to_a_connection_is_known_of_it() -> None:
    net = network()
    net.listen()
    streams = [await net.dial(who) for who in ("p1", "p2", "p3", "p4")]
    connections = [net.connection_of(stream) for stream in streams]
    untouched, silent, ended, reset = filter(None, connections)
    assert [connection.who for connection in net.connections] == ["p1", "p2", "p3", "p4"]
    silent.be_silent(math.inf, up=True, down=False)
    silent.heal()
    ended.end()
    reset.reset()
    assert [each.disturbed for each in (untouched, silent, ended, reset)] == [False, True, True, True]
    assert net.connection_of(streams[3]) is None, "it is there no more"
    assert net.connection_of(connect().client) is None


async def test_the_same_seed_tears_in_the_same_places(autojump_clock: MockClock) -> None:
    async def pieces(seed: int) -> list[bytes]:
        connection = connect(seed, torn=0.7)
        await connection.client.send_all(DATA)
        await connection.client.send_eof()
        return await read_all(connection.server)

    assert await pieces(1) == await pieces(1) != await pieces(2)
