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


class Broadcast(Generic[Key]):
    """Subscribers by key, each with a bounded outbox."""

    def __init__(self) -> None:
        self._outboxes: dict[Key, Outbox] = {}
        self._evict: dict[Key, Callable[[], None]] = {}
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
        return _Subscribed(self, key, outbox, evict)

    def publish(self, parcels: Mapping[Key, bytes]) -> None:
        """Hand each subscriber its parcel: one write for each. Who is gone is passed over.

        Args:
            parcels: what each gets, by key. Those who get the same may share one object.
        """
        evicted: list[Key] = []
        published = 0
        outboxes = self._outboxes
        for key, parcel in parcels.items():
            outbox = outboxes.get(key)
            if outbox is None:
                continue
            published += 1
            # What `Outbox.put` does: a call for each member would be a large part of what this costs.
            rest = parcel
            if (send := outbox.direct) is not None:
                try:
                    sent = send(parcel)
                except OSError:
                    sent = 0
                if sent == len(parcel):
                    continue
                rest = parcel[sent:]
            if not outbox.queue(rest):
                evicted.append(key)
        self._published += published
        for key in evicted:
            self._evicted += 1
            del self._outboxes[key]
            self._evict.pop(key)()

    def statistics(self) -> BroadcastStatistics:
        """How it stands."""
        backlog = sum(outbox.statistics().backlog for outbox in self._outboxes.values())
        return BroadcastStatistics(len(self._outboxes), backlog, self._published, self._evicted)

    def _enter(self, key: Key, outbox: Outbox, evict: Callable[[], None]) -> None:
        if key in self._outboxes:
            raise ValueError(f"there is a subscriber {key!r} already")
        self._outboxes[key] = outbox
        self._evict[key] = evict

    def _leave(self, key: Key, outbox: Outbox) -> None:
        if self._outboxes.get(key) is outbox:  # else it was evicted, and the key may be another's by now
            del self._outboxes[key]
            del self._evict[key]


class _Subscribed(AbstractContextManager[None, None], Generic[Key]):
    """A block in which there is a subscription: as a generator each would take a KiB while it waits."""

    __slots__ = ("_broadcast", "_evict", "_key", "_outbox")

    def __init__(
        self, broadcast: Broadcast[Key], key: Key, outbox: Outbox, evict: Callable[[], None]
    ) -> None:
        self._broadcast = broadcast
        self._key = key
        self._outbox = outbox
        self._evict = evict

    def __enter__(self) -> None:
        self._broadcast._enter(self._key, self._outbox, self._evict)

    def __exit__(self, *_: object) -> None:
        self._broadcast._leave(self._key, self._outbox)
