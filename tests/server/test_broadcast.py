from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.server.streams import BoundedStream, bounded_stream_pair
from triochat.server.broadcast import Broadcast, BroadcastStatistics
from triochat.server.outbox import Outbox

LIMIT = 100


@pytest.fixture
def broadcast() -> Broadcast[str]:
    return Broadcast()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Subscriber:
    """An outbox, what comes out of it, and how often it was evicted."""

    def __init__(self, nursery: trio.Nursery) -> None:
        ours, self.stream = bounded_stream_pair()
        self.outbox = Outbox(ours, nursery, limit=LIMIT, send_timeout=1)
        self.evictions = 0

    def evict(self) -> None:
        self.evictions += 1

    def overflow(self) -> None:
        """Let nothing more go into the outbox, until its writer has run."""
        self.outbox.put(b"x" * (LIMIT + 1))


async def received(subscriber: Subscriber) -> tuple[bytes, int]:
    """What came out, and in how many writes."""
    stream: BoundedStream = subscriber.stream
    await wait_all_tasks_blocked()
    return (await stream.receive_some() if stream.waiting else b""), stream.writes


async def test_everyone_gets_its_pieces_in_one_write(
    broadcast: Broadcast[str], stack: ExitStack, nursery: trio.Nursery
) -> None:
    subscribers = {key: Subscriber(nursery) for key in "abc"}
    for key, subscriber in subscribers.items():
        stack.enter_context(broadcast.subscribe(key, subscriber.outbox, subscriber.evict))
    shared = b"to all "
    broadcast.publish({"a": shared + b"and to a", "b": shared})
    assert await received(subscribers["a"]) == (b"to all and to a", 1)
    assert await received(subscribers["b"]) == (b"to all ", 1)
    assert await received(subscribers["c"]) == (b"", 0)
    assert broadcast.statistics() == BroadcastStatistics(subscribers=3, backlog=0, published=2, evicted=0)


async def test_who_gets_nothing_is_not_written_to(
    broadcast: Broadcast[str], stack: ExitStack, nursery: trio.Nursery
) -> None:
    subscriber = Subscriber(nursery)
    stack.enter_context(broadcast.subscribe("a", subscriber.outbox, subscriber.evict))
    broadcast.publish({"a": b""})
    assert await received(subscriber) == (b"", 0)


async def test_a_key_is_one_subscribers_at_a_time(broadcast: Broadcast[str], nursery: trio.Nursery) -> None:
    first, second = Subscriber(nursery), Subscriber(nursery)
    with broadcast.subscribe("a", first.outbox, first.evict):
        again = broadcast.subscribe("a", second.outbox, second.evict)
        with pytest.raises(ValueError, match="already"), again:
            pass
        assert broadcast.statistics().subscribers == 1
    with again:
        assert broadcast.statistics().subscribers == 1
    assert broadcast.statistics().subscribers == 0


async def test_the_end_of_a_block_ends_the_subscription_even_by_an_error(
    broadcast: Broadcast[str], nursery: trio.Nursery
) -> None:
    subscriber = Subscriber(nursery)
    with pytest.raises(ZeroDivisionError), broadcast.subscribe("a", subscriber.outbox, subscriber.evict):
        raise ZeroDivisionError
    assert broadcast.statistics().subscribers == 0


def test_who_is_gone_is_passed_over(broadcast: Broadcast[str]) -> None:
    broadcast.publish({"gone": b"x"})
    assert broadcast.statistics().published == 0


async def test_who_does_not_keep_up_is_evicted_once(
    broadcast: Broadcast[str], stack: ExitStack, nursery: trio.Nursery
) -> None:
    slow = Subscriber(nursery)
    stack.enter_context(broadcast.subscribe("slow", slow.outbox, slow.evict))
    slow.overflow()
    broadcast.publish({"slow": b"x"})
    broadcast.publish({"slow": b"x"})
    assert slow.evictions == 1
    assert broadcast.statistics() == BroadcastStatistics(subscribers=0, backlog=0, published=1, evicted=1)


async def test_evictions_are_carried_out_when_everybody_has_it(
    broadcast: Broadcast[str], stack: ExitStack, nursery: trio.Nursery
) -> None:
    """An eviction may do anything, even publish: nobody's share of this parcel may depend on that."""
    slow, quick = Subscriber(nursery), Subscriber(nursery)
    backlog_of_quick: list[int] = []
    stack.enter_context(
        broadcast.subscribe(
            "slow", slow.outbox, lambda: backlog_of_quick.append(quick.outbox.statistics().backlog)
        )
    )
    stack.enter_context(broadcast.subscribe("quick", quick.outbox, quick.evict))
    slow.overflow()
    broadcast.publish({"slow": b"x", "quick": b"x"})
    assert backlog_of_quick == [1]
    assert quick.evictions == 0


async def test_a_key_may_be_used_again_after_an_eviction(
    broadcast: Broadcast[str], stack: ExitStack, nursery: trio.Nursery
) -> None:
    first, second = Subscriber(nursery), Subscriber(nursery)
    with broadcast.subscribe("a", first.outbox, first.evict):
        first.overflow()
        broadcast.publish({"a": b"x"})
        stack.enter_context(broadcast.subscribe("b", second.outbox, second.evict))
        first_again = broadcast.subscribe("a", second.outbox, second.evict)
        stack.enter_context(first_again)
    assert broadcast.statistics().subscribers == 2  # the end of the first block ends nothing of the second


async def test_the_backlog_is_that_of_all(
    broadcast: Broadcast[str], stack: ExitStack, nursery: trio.Nursery
) -> None:
    for key in "ab":
        subscriber = Subscriber(nursery)
        stack.enter_context(broadcast.subscribe(key, subscriber.outbox, subscriber.evict))
    broadcast.publish({"a": b"123", "b": b"4"})
    assert broadcast.statistics().backlog == 4
