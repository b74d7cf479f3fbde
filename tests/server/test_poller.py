"""Who waits is woken for what `take` leaves, and for nothing else; and nobody is forgotten."""

import socket
import sys
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import trio
from trio.testing import assert_checkpoints, wait_all_tasks_blocked

from tests.server.guests import REAL
from triochat.server.poller import Poller, Watch, open_poller

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no epoll")

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def poller(nursery: trio.Nursery) -> Iterator[Poller]:
    """A running one."""
    with open_poller() as poller:
        assert poller is not None
        nursery.start_soon(poller.run)
        yield poller


@pytest.fixture
def ends() -> Iterator[Ends]:
    """What is watched, and the other end of it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Steps(trio.abc.Instrument):
    """Counts the steps of all tasks but the one that has made it, by the end of their names."""

    def __init__(self) -> None:
        self._own = trio.lowlevel.current_task()
        self.names: Counter[str] = Counter()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is not self._own:
            self.names[task.name.rpartition(".")[2]] += 1


async def wake_ups(watch: Watch, times: int) -> None:
    with trio.fail_after(REAL):
        for _ in range(times):
            await watch.wait()


def reads(ours: socket.socket, into: list[bytes]) -> Callable[[], bool]:
    """Deal with everything but an exclamation mark."""

    def take() -> bool:
        into.append(ours.recv(100))
        return not into[-1].endswith(b"!")

    return take


async def test_who_waits_is_not_woken_for_what_is_taken(
    poller: Poller, ends: Ends, nursery: trio.Nursery
) -> None:
    ours, theirs = ends
    taken: list[bytes] = []
    woken: list[int] = []
    steps = Steps()

    async def wait(watch: Watch) -> None:
        await wake_ups(watch, 1)
        woken.append(len(taken))

    with poller.watch(ours, reads(ours, taken)) as watch:
        nursery.start_soon(wait, watch)
        await wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(steps)
        for number in range(3):
            theirs.send(b"%d" % number)
            await wait_all_tasks_blocked(0.01)
        assert taken == [b"0", b"1", b"2"]
        assert steps.names == {"run": 3}
        theirs.send(b"you!")
        await wait_all_tasks_blocked(0.01)
        trio.lowlevel.remove_instrument(steps)
    assert woken == [4]


async def test_what_was_there_before(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    theirs.send(b"early!")
    taken: list[bytes] = []
    with poller.watch(ours, reads(ours, taken)) as watch, assert_checkpoints():
        await wake_ups(watch, 1)
    assert taken == [b"early!"]


async def test_what_is_not_read_is_told_of_again(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    theirs.send(b"x")
    with poller.watch(ours, lambda: False) as watch:
        await wake_ups(watch, 3)
    assert ours.recv(100) == b"x"


async def test_what_is_read_in_part_is_told_of_again(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    theirs.send(b"abcd!")
    taken = b""

    def take() -> bool:
        nonlocal taken
        taken += ours.recv(1)
        return not taken.endswith(b"!")

    with poller.watch(ours, take) as watch:
        await wake_ups(watch, 1)
    assert taken == b"abcd!"


async def test_nobody_is_called_while_nobody_waits_and_it_does_not_spin(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    taken: list[bytes] = []
    steps = Steps()
    with poller.watch(ours, reads(ours, taken)) as watch:
        for number in range(3):
            theirs.send(b"%d!" % number)
            await wake_ups(watch, 1)
            theirs.send(b"more")
            if number == 2:
                theirs.close()  # a hang-up is told of whatever one asks for
            trio.lowlevel.add_instrument(steps)
            await wait_all_tasks_blocked(0.05)
            trio.lowlevel.remove_instrument(steps)
            assert steps.names.total() <= 2 * (number + 1)
            assert taken[-1] == b"%d!" % number
            ours.recv(100)


async def test_the_end_and_a_reset_are_told_of(poller: Poller) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    for linger in (None, b"\1\0\0\0\0\0\0\0"):
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        ours.setblocking(False)
        seen: list[object] = []

        def take(ours: socket.socket = ours, seen: list[object] = seen) -> bool:
            try:
                seen.append(ours.recv(100))
            except ConnectionResetError:
                seen.append("reset")
            return False

        with poller.watch(ours, take) as watch:
            if linger is not None:
                theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            theirs.close()
            await wake_ups(watch, 1)
        ours.close()
        assert seen == [b"" if linger is None else "reset"]
    listener.close()


async def test_what_take_raises_is_raised_where_somebody_waits(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends

    def take() -> bool:
        return 1 / len(ours.recv(100)[1:]) > 0

    with poller.watch(ours, take) as watch:
        theirs.send(b"x")
        with pytest.raises(ZeroDivisionError):
            await wake_ups(watch, 1)
        theirs.send(b"xy")  # once only, and others are served as ever
        with trio.move_on_after(0.05) as soon:
            await watch.wait()
        assert soon.cancelled_caught


async def test_a_fault_is_told_of_once(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    faults = [ZeroDivisionError()]

    def take() -> bool:
        ours.recv(100)
        if faults:
            raise faults.pop()
        return False

    with poller.watch(ours, take) as watch:
        theirs.send(b"x")
        with pytest.raises(ZeroDivisionError):
            await wake_ups(watch, 1)
        theirs.send(b"x")
        await wake_ups(watch, 1)


async def test_one_fault_does_not_hinder_others(poller: Poller, ends: Ends, nursery: trio.Nursery) -> None:
    left, right = socket.socketpair()
    left.setblocking(False)
    faults: list[Exception] = []

    def fail() -> bool:
        raise ZeroDivisionError

    async def wait(watch: Watch) -> None:
        try:
            await watch.wait()
        except ZeroDivisionError as error:
            faults.append(error)

    with left, right, poller.watch(ends[0], fail) as faulty, poller.watch(left, lambda: False) as other:
        nursery.start_soon(wait, faulty)
        await wait_all_tasks_blocked()
        ends[1].send(b"x")
        right.send(b"x")
        await wake_ups(other, 1)
        await wait_all_tasks_blocked(0.01)
    assert len(faults) == 1


async def test_a_cancelled_wait_takes_nothing(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    taken: list[bytes] = []
    with poller.watch(ours, reads(ours, taken)) as watch:
        with trio.move_on_after(0.01) as soon:
            await watch.wait()
        assert soon.cancelled_caught
        theirs.send(b"later!")
        with trio.CancelScope() as scope:
            scope.cancel()
            await watch.wait()
        assert scope.cancelled_caught
        await wait_all_tasks_blocked(0.01)
        assert taken == []
        await wake_ups(watch, 1)
        assert taken == [b"later!"]


async def test_take_may_cancel_who_waits(poller: Poller, ends: Ends) -> None:
    ours, theirs = ends
    theirs.send(b"x")
    with trio.fail_after(REAL), trio.CancelScope() as scope:

        def take() -> bool:
            scope.cancel()
            return False

        with poller.watch(ours, take) as watch:
            await watch.wait()
    assert scope.cancelled_caught


async def test_one_waits_at_a_time(poller: Poller, ends: Ends, nursery: trio.Nursery) -> None:
    with poller.watch(ends[0], lambda: False) as watch:
        nursery.start_soon(wake_ups, watch, 1)
        await wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await watch.wait()
        ends[1].send(b"x")
        await wait_all_tasks_blocked(0.01)


async def test_a_descriptor_may_be_anothers_behind_the_block(poller: Poller) -> None:
    for number in range(5):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        taken: list[bytes] = []
        with ours, theirs, poller.watch(ours, reads(ours, taken)) as watch:
            theirs.send(b"%d!" % number)
            await wake_ups(watch, 1)
        assert taken == [b"%d!" % number]


async def test_who_has_watched_is_forgotten(poller: Poller, ends: Ends) -> None:
    """What a client takes with knows the client: it would stay in memory as long as the server."""

    def take() -> bool:
        return False

    known = weakref.ref(take)
    with poller.watch(ends[0], take):
        del take
        assert known() is not None
    assert known() is None


async def test_many_at_once_have_one_turn(poller: Poller, nursery: trio.Nursery) -> None:
    """What is ready together is taken together: the batch of the hub lives on that."""
    pairs = [socket.socketpair() for _ in range(20)]
    turns: list[int] = []
    turn = 0

    def take(ours: socket.socket) -> bool:
        ours.recv(100)
        turns.append(turn)
        return True

    async def wait(ours: socket.socket) -> None:
        with poller.watch(ours, lambda: take(ours)) as watch:
            await watch.wait()

    async with trio.open_nursery() as waiting:
        for ours, _ in pairs:
            ours.setblocking(False)
            waiting.start_soon(wait, ours)
        await wait_all_tasks_blocked()
        for _, theirs in pairs:
            theirs.send(b"x")
        while len(turns) < 20:
            turn += 1
            await trio.lowlevel.checkpoint()
        waiting.cancel_scope.cancel()
    assert len(set(turns)) == 1
    for ours, theirs in pairs:
        ours.close()
        theirs.close()


def test_it_closes_what_it_waits_for() -> None:
    with open_poller() as poller:
        assert poller is not None
        epoll = poller._epoll
        assert not epoll.closed
    assert epoll.closed


def test_it_closes_that_after_a_fault_too() -> None:
    with suppress(ZeroDivisionError), open_poller() as poller:
        assert poller is not None
        epoll = poller._epoll
        raise ZeroDivisionError
    assert epoll.closed


def test_elsewhere_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "darwin")
        with open_poller() as poller:
            assert poller is None
