import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from tests.server.guests import REAL
from tests.server.streams import BoundedStream, bounded_stream_pair
from tests.server.wires import plain_pair
from triochat.server.outbox import CHUNK, Outbox, OutboxStatistics

on_a_file = pytest.mark.skipif(sys.platform == "win32", reason="there a socket is no file")


async def read_exactly(stream: trio.abc.ReceiveStream, count: int) -> bytes:
    data = b""
    while len(data) < count:
        some = await stream.receive_some(count - len(data))
        assert some
        data += some
    return data


def outbox_on(
    stream: trio.abc.SendStream,
    nursery: trio.Nursery,
    *,
    limit: int = 1000,
    send_timeout: float = 30,
    send: Callable[[bytes], int] | None = None,
) -> Outbox:
    return Outbox(stream, nursery, limit=limit, send_timeout=send_timeout, send=send)


@pytest.fixture
def pair() -> tuple[BoundedStream, BoundedStream]:
    return bounded_stream_pair(limit=100)


# --- a stream that is no socket: the writer writes -----------------------------------------------


async def test_what_is_put_comes_out_in_order(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours, nursery)
    for number in range(10):
        assert outbox.put(b"%d " % number)
    assert await read_exactly(theirs, 20) == b"0 1 2 3 4 5 6 7 8 9 "


async def test_what_waits_is_joined_to_one_write(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours, nursery)
    for number in range(10):
        outbox.put(b"%d" % number)
    await wait_all_tasks_blocked()
    assert theirs.writes == 1
    outbox.put(b"a")
    outbox.put(b"b")
    await wait_all_tasks_blocked()
    assert theirs.writes == 2
    statistics = outbox.statistics()
    assert (statistics.backlog, statistics.written) == (0, 2)
    assert await read_exactly(theirs, 12) == b"0123456789ab"


async def test_one_write_is_at_most_a_chunk(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair(limit=10 * CHUNK)
    outbox = outbox_on(ours, nursery, limit=10 * CHUNK)
    sent = [b"a" * (CHUNK - 10), b"b" * 20, b"c" * (3 * CHUNK - 10), b"d"]
    for piece in sent:
        outbox.put(piece)
    await wait_all_tasks_blocked()
    data = b"".join(sent)
    # The first two don't fit together; the third is cut, and the last rides behind what is left of it.
    assert theirs.writes == 5
    assert await read_exactly(theirs, len(data)) == data


async def test_nothing_is_no_write(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours, nursery)
    assert outbox.put(b"")
    assert not nursery.child_tasks
    await wait_all_tasks_blocked()
    assert theirs.writes == 0


async def test_the_bound(nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery, limit=1000)
    assert outbox.put(b"x" * 1000)
    assert outbox.put(b"y")  # 1000 wait: that is allowed
    assert not outbox.put(b"z")  # 1001
    await wait_all_tasks_blocked()
    assert outbox.statistics().backlog == 1002  # what is under way counts until it is gone
    assert (await read_exactly(theirs, 1002))[-2:] == b"yz"
    await wait_all_tasks_blocked()
    assert outbox.put(b"again")


async def test_what_is_excused_does_not_count_until_it_is_written(
    nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]
) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery, limit=1000)
    outbox.put(b"x" * 3000)
    outbox.excuse()
    assert outbox.put(b"y" * 1000)
    assert outbox.put(b"y")
    assert not outbox.put(b"z"), "1001 wait beside what is excused"
    await read_exactly(theirs, 4002)
    await wait_all_tasks_blocked()
    outbox.put(b"x" * 1001)
    assert not outbox.put(b"z"), "and that once"


async def test_waiting_until_little_is_left(
    nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]
) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery)
    with assert_checkpoints():
        await outbox.wait_down_to(0)
    outbox.put(b"x" * 500)
    outbox.put(b"y" * 100)
    with assert_checkpoints():
        await outbox.wait_down_to(600)
    done = trio.Event()

    async def wait() -> None:
        await outbox.wait_down_to(0)
        done.set()

    nursery.start_soon(wait)
    await wait_all_tasks_blocked()
    assert not done.is_set()
    await read_exactly(theirs, 600)
    await done.wait()


async def test_who_has_read_everything_may_be_given_any_amount_at_once(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair(limit=100)
    outbox = outbox_on(ours, nursery, limit=1000)
    assert outbox.put(b"x" * 5000)
    assert await read_exactly(theirs, 5000) == b"x" * 5000


async def test_waiting_for_room(nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery, limit=1000)
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


async def test_a_writer_is_there_only_while_something_waits(
    nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]
) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery)
    writers: list[trio.lowlevel.Task] = []
    for _ in range(3):
        assert not nursery.child_tasks
        outbox.put(b"x" * 150)
        outbox.put(b"y")  # as it has not begun
        await wait_all_tasks_blocked()
        outbox.put(b"z")  # as it is in the middle of it
        [writer] = nursery.child_tasks
        assert writer not in writers
        writers.append(writer)
        assert await read_exactly(theirs, 152) == b"x" * 150 + b"yz"
        await wait_all_tasks_blocked()
    assert outbox.statistics().written == 6


async def test_what_is_put_as_the_writer_ends(nursery: trio.Nursery) -> None:
    """There is no moment at which nobody would write it."""
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours, nursery)
    for number in range(100):
        outbox.put(b"%03d" % number)
        for _ in range(number % 5):
            await trio.lowlevel.checkpoint()
    expected = b"".join(b"%03d" % number for number in range(100))
    with trio.fail_after(REAL):
        assert await read_exactly(theirs, len(expected)) == expected
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks
    assert outbox.statistics().backlog == 0


async def test_finish_waits_until_what_is_queued_is_written_and_takes_no_more(
    nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]
) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery)
    outbox.put(b"x" * 300)
    finished = trio.Event()

    async def finish() -> None:
        await outbox.finish()
        finished.set()

    async with trio.open_nursery() as other:
        other.start_soon(finish)
        await wait_all_tasks_blocked()
        assert outbox.put(b"too late")
        assert await read_exactly(theirs, 100) == b"x" * 100
        await wait_all_tasks_blocked()
        assert not finished.is_set()
        assert await read_exactly(theirs, 200) == b"x" * 200
    assert finished.is_set()
    assert outbox.put(b"too late")
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks
    assert theirs.waiting == 0


async def test_finish_takes_no_more_from_the_moment_on_that_it_is_called(nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours, nursery)
    with trio.CancelScope() as scope:
        scope.cancel()
        await outbox.finish()
    assert scope.cancelled_caught
    assert outbox.put(b"too late")
    await wait_all_tasks_blocked()
    assert theirs.waiting == 0


async def test_nothing_to_finish(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    ours, theirs = bounded_stream_pair()
    outbox = outbox_on(ours, nursery)
    with trio.fail_after(1), assert_checkpoints():
        await outbox.finish()
    with trio.fail_after(1), assert_checkpoints():
        await outbox.finish()
    assert theirs.writes == 0


async def test_several_may_wait(nursery: trio.Nursery, pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    outbox = outbox_on(ours, nursery, limit=1000)
    outbox.put(b"x" * 2000)
    with trio.fail_after(REAL):
        async with trio.open_nursery() as waiting:
            waiting.start_soon(outbox.wait_for_room)
            waiting.start_soon(outbox.wait_for_room)
            waiting.start_soon(outbox.finish)
            await wait_all_tasks_blocked()
            assert len(waiting.child_tasks) == 3
            await read_exactly(theirs, 2000)


async def test_a_peer_that_does_not_read_is_given_the_send_timeout(
    autojump_clock: MockClock, pair: tuple[BoundedStream, BoundedStream]
) -> None:
    ours, _ = pair
    start = trio.current_time()
    with pytest.RaisesGroup(trio.TooSlowError):
        async with trio.open_nursery() as nursery:
            outbox_on(ours, nursery, send_timeout=7).put(b"x" * 101)
    assert trio.current_time() - start == 7


async def test_the_send_timeout_is_for_each_chunk(autojump_clock: MockClock, nursery: trio.Nursery) -> None:
    ours, theirs = bounded_stream_pair(limit=CHUNK)
    outbox = outbox_on(ours, nursery, limit=10 * CHUNK, send_timeout=7)
    outbox.put(b"x" * 5 * CHUNK)
    for _ in range(5):
        await trio.sleep(6)
        await read_exactly(theirs, CHUNK)


@pytest.mark.parametrize("method", ["finish", "wait_for_room"])
async def test_a_failed_writer_ends_those_who_wait_for_it(
    autojump_clock: MockClock, pair: tuple[BoundedStream, BoundedStream], method: str
) -> None:
    ours, theirs = pair
    theirs.reset()
    with trio.fail_after(1), pytest.RaisesGroup(trio.BrokenResourceError):
        async with trio.open_nursery() as nursery:
            outbox = outbox_on(ours, nursery)
            outbox.put(b"x" * 1000)
            await getattr(outbox, method)()


async def test_nothing_is_put_behind_a_failure(pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    with pytest.RaisesGroup(trio.BrokenResourceError):
        async with trio.open_nursery() as nursery:
            outbox = outbox_on(ours, nursery)
            theirs.reset()
            outbox.put(b"x")
    assert outbox.statistics().backlog == 1
    assert outbox.put(b"y")  # no new writer, for which it would be too late
    assert (outbox.statistics().backlog, outbox.statistics().written) == (2, 0)


async def test_cancelled_in_the_middle_of_a_send(pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    async with trio.open_nursery() as nursery:
        outbox = outbox_on(ours, nursery)
        outbox.put(b"x" * 300)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    # Some of it is out, and nobody knows how much: the stream is doomed, and whoever still puts
    # something gets no error, only a bound.
    assert theirs.waiting == 100
    assert outbox.put(b"y" * 1000)
    assert not outbox.put(b"z")
    assert theirs.waiting == 100


async def test_cancelled_before_it_has_begun(pair: tuple[BoundedStream, BoundedStream]) -> None:
    ours, theirs = pair
    async with trio.open_nursery() as nursery:
        outbox = outbox_on(ours, nursery)
        nursery.cancel_scope.cancel()
        outbox.put(b"x")
    assert outbox.statistics().backlog == 1
    assert outbox.put(b"y")
    assert theirs.waiting == 0


# --- a socket: straight to the kernel -------------------------------------------------------------


@on_a_file
async def test_a_socket_is_written_to_directly() -> None:
    left, right, plain = plain_pair()
    async with left, right, trio.open_nursery() as nursery:
        outbox = outbox_on(left, nursery, send=plain.send)
        outbox.put(b"one ")
        outbox.put(b"two")
        assert not nursery.child_tasks
        with trio.fail_after(REAL):
            assert await read_exactly(right, 7) == b"one two"
            await outbox.finish()
        statistics = outbox.statistics()
        assert (statistics.backlog, plain.writes, statistics.written) == (0, 2, 0)


@on_a_file
async def test_what_the_kernel_does_not_take_is_left_to_the_writer() -> None:
    left, right, plain = plain_pair()
    data = bytes(range(256)) * 4096
    async with left, right, trio.open_nursery() as nursery:
        outbox = outbox_on(left, nursery, send=plain.send, limit=2 * len(data))
        for times in (1, 2):
            assert outbox.put(data)  # a part of it goes straight
            assert 0 < outbox.statistics().backlog < len(data)
            assert outbox.put(b"tail")  # nothing may overtake
            assert plain.writes == 2 * times - 1
            assert len(nursery.child_tasks) == 1
            with trio.fail_after(REAL):
                assert await read_exactly(right, len(data) + 4) == data + b"tail"
            await wait_all_tasks_blocked()
            assert outbox.statistics().backlog == 0
            assert not nursery.child_tasks
            outbox.put(b"and now straight again")
            assert plain.writes == 2 * times
            assert not nursery.child_tasks
            with trio.fail_after(REAL):
                assert await read_exactly(right, 22) == b"and now straight again"


@on_a_file
async def test_a_kernel_that_takes_nothing() -> None:
    left, right, plain = plain_pair()
    async with left, right:
        full = 0
        with suppress(BlockingIOError):
            while True:
                full += plain.send(b"x" * 1000)
        async with trio.open_nursery() as nursery:
            outbox = outbox_on(left, nursery, send=plain.send)
            tried = plain.writes
            outbox.put(b"whole")
            assert plain.writes == tried + 1
            assert outbox.statistics() == OutboxStatistics(backlog=5, written=0)
            assert len(nursery.child_tasks) == 1
            with trio.fail_after(REAL):
                assert await read_exactly(right, full + 5) == b"x" * full + b"whole"
                await outbox.finish()
        assert outbox.statistics() == OutboxStatistics(backlog=0, written=1)
        assert plain.writes == tried + 1


@on_a_file
@pytest.mark.parametrize("how", ["cancelled", "too slow"])
async def test_nothing_is_written_directly_behind_half_a_frame(autojump_clock: MockClock, how: str) -> None:
    left, right, plain = plain_pair()
    data = bytes(1 << 20)
    async with left, right:
        with ExitStack() as stack:
            if how == "too slow":
                stack.enter_context(pytest.RaisesGroup(trio.TooSlowError))
            async with trio.open_nursery() as nursery:
                outbox = outbox_on(left, nursery, send=plain.send, limit=10 * len(data))
                outbox.put(data)
                await wait_all_tasks_blocked()
                if how == "cancelled":
                    nursery.cancel_scope.cancel()
        half = 0
        with trio.move_on_after(1):
            while True:
                half += len(await right.receive_some(65536))
        assert 0 < half < len(data)
        assert outbox.put(b"a frame")  # there is room for it, and it is not even tried
        assert plain.writes == 1
        with trio.move_on_after(1):
            raise AssertionError(await right.receive_some(100))


@on_a_file
async def test_a_closed_descriptor_is_never_somebody_elses() -> None:
    """The number of a closed socket is given to the next one; data must not go there."""
    left, right, plain = plain_pair()
    async with right:
        with trio.fail_after(REAL), pytest.RaisesGroup(trio.ClosedResourceError):
            async with trio.open_nursery() as nursery:
                outbox = outbox_on(left, nursery, send=plain.send)
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
    left, right, plain = plain_pair()
    await right.aclose()
    async with left:
        with pytest.RaisesGroup(trio.BrokenResourceError):
            async with trio.open_nursery() as nursery:
                outbox = outbox_on(left, nursery, send=plain.send)
                assert outbox.put(b"no error here")
