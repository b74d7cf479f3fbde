import socket

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.guests import REAL
from tests.server.streams import BoundedStream, bounded_stream_pair
from triochat.server.outbox import CHUNK, Outbox


async def read_exactly(stream: trio.abc.ReceiveStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        some = await stream.receive_some(count - len(data))
        assert some
        data += some
    return data


def outbox_on(stream: trio.abc.SendStream, *, limit: int = 1000, send_timeout: float = 30) -> Outbox:
    return Outbox(stream, limit=limit, send_timeout=send_timeout)


def pair_of_sockets() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Two connected sockets whose kernel holds little."""
    left, right = trio.socket.socketpair()
    left.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return trio.SocketStream(left), trio.SocketStream(right)


@pytest.fixture
def pair() -> tuple[BoundedStream, BoundedStream]:
    return bounded_stream_pair(limit=100)


# --- a stream that is no socket: the writer writes -----------------------------------------------


async def test_what_is_put_comes_out_in_order(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours)
    nursery.start_soon(outbox.run)
    for number in range(10):
        assert outbox.put(b"%d " % number)
    assert await read_exactly(theirs, 20) == b"0 1 2 3 4 5 6 7 8 9 "


async def test_what_waits_is_joined_to_one_write(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours)
    for number in range(10):
        outbox.put(b"%d" % number)
    nursery.start_soon(outbox.run)
    await wait_all_tasks_blocked()
    assert theirs.writes == 1
    outbox.put(b"a")
    outbox.put(b"b")
    await wait_all_tasks_blocked()
    assert theirs.writes == 2
    statistics = outbox.statistics()
    assert (statistics.backlog, statistics.direct, statistics.written) == (0, 0, 2)
    assert await read_exactly(theirs, 12) == b"0123456789ab"


async def test_one_write_is_at_most_a_chunk(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair(limit=10 * CHUNK)
    outbox = outbox_on(ours, limit=10 * CHUNK)
    sent = [b"a" * (CHUNK - 10), b"b" * 20, b"c" * (3 * CHUNK - 10), b"d"]
    for piece in sent:
        outbox.put(piece)
    nursery.start_soon(outbox.run)
    await wait_all_tasks_blocked()
    data = b"".join(sent)
    # The first two don't fit together; the third is cut, and the last rides behind what is left of it.
    assert theirs.writes == 5
    assert await read_exactly(theirs, len(data)) == data


async def test_nothing_is_no_write(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours)
    nursery.start_soon(outbox.run)
    await wait_all_tasks_blocked()
    assert outbox.put(b"")
    await wait_all_tasks_blocked()
    assert theirs.writes == 0


async def test_the_bound(nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, limit=1000)
    nursery.start_soon(outbox.run)
    await wait_all_tasks_blocked()
    assert outbox.put(b"x" * 1000)
    assert outbox.put(b"y")  # 1000 wait: that is allowed
    assert not outbox.put(b"z")  # 1001
    await wait_all_tasks_blocked()
    assert outbox.statistics().backlog == 1002  # what is under way counts until it is gone
    assert (await read_exactly(theirs, 1002))[-2:] == b"yz"
    await wait_all_tasks_blocked()
    assert outbox.put(b"again")


async def test_who_has_read_everything_may_be_given_any_amount_at_once(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair(limit=100)
    outbox = outbox_on(ours, limit=1000)
    nursery.start_soon(outbox.run)
    assert outbox.put(b"x" * 5000)
    assert await read_exactly(theirs, 5000) == b"x" * 5000


async def test_waiting_for_room(nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, limit=1000)
    nursery.start_soon(outbox.run)
    await outbox.wait_for_room()
    outbox.put(b"x" * 500)
    await outbox.wait_for_room()
    outbox.put(b"x")
    there_is_room = trio.Event()

    async def wait() -> None:
        await outbox.wait_for_room()
        there_is_room.set()

    nursery.start_soon(wait)
    await wait_all_tasks_blocked()
    assert not there_is_room.is_set()
    await read_exactly(theirs, 501)
    await there_is_room.wait()


async def test_finish_writes_what_is_queued_and_takes_no_more(
    pair: tuple[BoundedStream, BoundedStream],
) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours)
    outbox.put(b"x" * 300)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outbox.run)
        await wait_all_tasks_blocked()
        outbox.finish()
        assert outbox.put(b"too late")
        assert await read_exactly(theirs, 300) == b"x" * 300
    assert theirs.waiting == 0


async def test_finish_wakes_a_writer_that_sleeps(autojump_clock: MockClock) -> None:
    ours, _ = bounded_stream_pair()
    outbox = outbox_on(ours)
    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outbox.run)
            await wait_all_tasks_blocked()
            outbox.finish()


async def test_finished_before_it_runs(autojump_clock: MockClock) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours)
    outbox.put(b"last words")
    outbox.finish()
    with trio.fail_after(1):
        await outbox.run()
    assert await theirs.receive_some() == b"last words"


async def test_a_peer_that_does_not_read_is_given_the_send_timeout(
    autojump_clock: MockClock, pair: tuple[BoundedStream, BoundedStream]
) -> None:
    ours, _ = pair
    outbox = outbox_on(ours, send_timeout=7)
    outbox.put(b"x" * 101)
    start = trio.current_time()
    with pytest.raises(trio.TooSlowError):
        await outbox.run()
    assert trio.current_time() - start == 7


async def test_the_send_timeout_is_for_each_chunk(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair(limit=CHUNK)
    outbox = outbox_on(ours, limit=10 * CHUNK, send_timeout=7)
    outbox.put(b"x" * 5 * CHUNK)
    nursery.start_soon(outbox.run)
    for _ in range(5):
        await trio.sleep(6)
        await read_exactly(theirs, CHUNK)


async def test_a_broken_stream_is_told_to_who_runs_it(
    pair: tuple[BoundedStream, BoundedStream],
) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours)
    theirs.reset()
    outbox.put(b"x")
    with pytest.raises(trio.BrokenResourceError):
        await outbox.run()


async def test_cancelled_in_the_middle_of_a_send(pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours)
    outbox.put(b"x" * 300)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outbox.run)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    # Some of it is out, and nobody knows how much: the stream is doomed, and whoever still puts
    # something gets no error, only a bound.
    assert theirs.waiting == 100
    assert outbox.put(b"y" * 1000)
    assert not outbox.put(b"z")
    assert theirs.waiting == 100


async def test_cancelled_while_it_sleeps() -> None:
    left, right = pair_of_sockets()
    async with left, right:
        outbox = outbox_on(left)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outbox.run)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert outbox.put(b"nobody would write the rest of this")
        assert outbox.statistics().direct == 0


# --- a socket: straight to the kernel -------------------------------------------------------------


async def test_a_socket_is_written_to_directly() -> None:
    left, right = pair_of_sockets()
    async with left, right, trio.open_nursery() as nursery:
        outbox = outbox_on(left)
        nursery.start_soon(outbox.run)
        await wait_all_tasks_blocked()
        outbox.put(b"one ")
        outbox.put(b"two")
        with trio.fail_after(REAL):
            assert await read_exactly(right, 7) == b"one two"
        statistics = outbox.statistics()
        assert (statistics.backlog, statistics.direct, statistics.written) == (0, 2, 0)
        nursery.cancel_scope.cancel()


async def test_nothing_is_written_directly_before_the_writer_runs() -> None:
    left, right = pair_of_sockets()
    async with left, right, trio.open_nursery() as nursery:
        outbox = outbox_on(left)
        outbox.put(b"first ")
        assert outbox.statistics().direct == 0
        nursery.start_soon(outbox.run)
        outbox.put(b"second")
        with trio.fail_after(REAL):
            assert await read_exactly(right, 12) == b"first second"
        nursery.cancel_scope.cancel()


async def test_what_the_kernel_does_not_take_is_left_to_the_writer() -> None:
    left, right = pair_of_sockets()
    data = bytes(range(256)) * 4096
    async with left, right, trio.open_nursery() as nursery:
        outbox = outbox_on(left, limit=2 * len(data))
        nursery.start_soon(outbox.run)
        await wait_all_tasks_blocked()
        assert outbox.put(data)  # a part of it goes straight
        assert 0 < outbox.statistics().backlog < len(data)
        assert outbox.put(b"tail")  # nothing may overtake
        assert outbox.statistics().direct == 1
        with trio.fail_after(REAL):
            assert await read_exactly(right, len(data) + 4) == data + b"tail"
        await wait_all_tasks_blocked()
        assert outbox.statistics().backlog == 0
        outbox.put(b"and now straight again")
        assert outbox.statistics().direct == 2
        nursery.cancel_scope.cancel()


async def test_a_closed_descriptor_is_never_somebody_elses() -> None:
    """The number of a closed socket is given to the next one; data must not go there."""
    left, right = pair_of_sockets()
    outbox = outbox_on(left)
    async with right:
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await outbox.run()

            nursery.start_soon(run)
            await wait_all_tasks_blocked()
            number = left.socket.fileno()
            await left.aclose()
            assert left.socket.fileno() == -1
            others = socket.socketpair()
            assert number in [other.fileno() for other in others]
            assert outbox.put(b"for nobody")
        for other in others:
            with pytest.raises(BlockingIOError):
                other.recv(1, socket.MSG_DONTWAIT)
        for other in others:
            other.close()


async def test_a_peer_that_is_gone_is_found_out_by_the_writer() -> None:
    left, right = pair_of_sockets()
    await right.aclose()
    async with left:
        outbox = outbox_on(left)
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await outbox.run()

            nursery.start_soon(run)
            await wait_all_tasks_blocked()
            assert outbox.put(b"no error here")
