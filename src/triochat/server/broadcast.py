"""Hand bytes to many subscribers at once, and wait for none of them.

trio's memory channels give each item to one receiver, and there is no broadcast in trio
(python-trio/trio#987): awaiting a send to each member makes everybody wait for the slowest, and
unbounded queues eat the memory. This one is synchronous: `publish` hands the bytes to each
subscriber's bounded outbox and returns. Who overflows is evicted, collected first and carried out
after, so that no eviction disturbs the hand-out (law 4 of docs/architecture.md).
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager
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

    def subscribe(
        self, key: Key, outbox: Outbox, evict: Callable[[], None]
    ) -> AbstractContextManager[None, None]:
        """Be reached under `key` within this block.

        Args:
            key: used by nobody else at the time.
            outbox: takes what is published.
            evict: called, once and synchronously, when the outbox is over its limit; must not raise.
        """
        return _Subscribed(self._subscriptions, key, _Subscription(outbox, evict))

    def publish(self, parcels: Mapping[Key, bytes]) -> None:
        """Hand each subscriber its parcel: one write for each. Who is gone is passed over.

        Args:
            parcels: what each gets, by key. Those who get the same may share one object.
        """
        evicted: list[Key] = []
        published = 0
        for key, parcel in parcels.items():
            subscription = self._subscriptions.get(key)
            if subscription is None:
                continue
            published += 1
            if not subscription.outbox.put(parcel):
                evicted.append(key)
        self._published += published
        for key in evicted:
            self._evicted += 1
            self._subscriptions.pop(key).evict()

    def statistics(self) -> BroadcastStatistics:
        """How it stands."""
        backlog = sum(s.outbox.statistics().backlog for s in self._subscriptions.values())
        return BroadcastStatistics(len(self._subscriptions), backlog, self._published, self._evicted)


class _Subscribed(AbstractContextManager[None, None], Generic[Key]):
    """A block in which there is a subscription: as a generator each would take a KiB while it waits."""

    __slots__ = ("_key", "_subscription", "_subscriptions")

    def __init__(
        self, subscriptions: dict[Key, _Subscription], key: Key, subscription: _Subscription
    ) -> None:
        self._subscriptions = subscriptions
        self._key = key
        self._subscription = subscription

    def __enter__(self) -> None:
        if self._key in self._subscriptions:
            raise ValueError(f"there is a subscriber {self._key!r} already")
        self._subscriptions[self._key] = self._subscription

    def __exit__(self, *_: object) -> None:
        self._subscriptions.pop(self._key, None)
