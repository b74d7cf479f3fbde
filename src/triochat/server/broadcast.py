"""Hand bytes to many subscribers at once, and wait for none of them.

trio's memory channels give each item to one receiver, and there is no broadcast in trio
(python-trio/trio#987): awaiting a send to each member makes everybody wait for the slowest, and
unbounded queues eat the memory. This one is synchronous: `publish` hands the bytes to each
subscriber's bounded outbox and returns. Who overflows is evicted, collected first and carried out
after, so that no eviction disturbs the hand-out (law 4 of docs/architecture.md).
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from triochat.server.outbox import Outbox

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class BroadcastStatistics:
    """Counts since the start, and of now.

    Attributes:
        subscribers: those subscribed now.
        backlog: octets that wait in all their outboxes.
        published: parcels handed to a subscriber.
        evicted: subscribers cut off because they did not keep up.
    """

    subscribers: int
    backlog: int
    published: int
    evicted: int


@dataclass(frozen=True, slots=True)
class _Subscription:
    outbox: Outbox
    evict: Callable[[], None]


class Broadcast(Generic[Key]):
    """Subscribers by key, each with a bounded outbox."""

    def __init__(self) -> None:
        self._subscriptions: dict[Key, _Subscription] = {}
        self._published = 0
        self._evicted = 0

    @contextmanager
    def subscribe(self, key: Key, outbox: Outbox, evict: Callable[[], None]) -> Iterator[None]:
        """Be reached under `key` within this block.

        Args:
            key: used by nobody else at the time.
            outbox: takes what is published.
            evict: called, once and synchronously, when the outbox is over its limit; must not raise.
        """
        if key in self._subscriptions:
            raise ValueError(f"there is a subscriber {key!r} already")
        self._subscriptions[key] = _Subscription(outbox, evict)
        try:
            yield
        finally:
            self._subscriptions.pop(key, None)

    def publish(self, parcels: Mapping[Key, Sequence[bytes]]) -> None:
        """Hand each subscriber its pieces, joined: one write for each. Who is gone is passed over."""
        evicted: list[Key] = []
        for key, pieces in parcels.items():
            subscription = self._subscriptions.get(key)
            if subscription is None:
                continue
            self._published += 1
            if not subscription.outbox.put(pieces[0] if len(pieces) == 1 else b"".join(pieces)):
                evicted.append(key)
        for key in evicted:
            self._evicted += 1
            self._subscriptions.pop(key).evict()

    def statistics(self) -> BroadcastStatistics:
        """How it stands."""
        backlog = sum(s.outbox.statistics().backlog for s in self._subscriptions.values())
        return BroadcastStatistics(len(self._subscriptions), backlog, self._published, self._evicted)
