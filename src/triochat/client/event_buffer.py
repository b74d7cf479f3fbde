"""What was heard and not yet looked at: bounded, and honest about it.

Keeps law 6 of docs/architecture.md: the queue has a bound, and the bound a policy. A program that
does not look must not make the client stop reading, or it would miss the answers to its requests and
be cut off; so the oldest events are dropped, and counted.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from triochat.client.errors import ConnectionLost

LIMIT = 10_000
"""Events that are kept for a program that does not look."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lagged:
    """`count` events were dropped here, because they came faster than they were taken."""

    count: int


class EventBuffer(Generic[T]):
    """An asynchronous iterator over what is put into it.

    Several tasks may iterate; each event goes to one of them.

    Args:
        limit: events that may wait; by default `LIMIT`.
        taken: is told of each event that somebody takes.
    """

    def __init__(self, limit: int | None = None, taken: Callable[[T], None] | None = None) -> None:
        self._limit = LIMIT if limit is None else limit
        self._taken = taken
        self._events: deque[T] = deque()
        self._dropped = 0
        self._closed = False
        self._lost: str | None = None
        self._takers = trio.lowlevel.ParkingLot()

    def put(self, event: T) -> None:
        """Add an event; the oldest goes if there are too many."""
        if len(self._events) >= self._limit:
            self._events.popleft()
            self._dropped += 1
        self._events.append(event)
        self._takers.unpark_all()

    def close(self, lost: str | None) -> None:
        """Nothing more will come: the iteration ends, with `ConnectionLost` if `lost` says why."""
        if not self._closed:
            self._closed = True
            self._lost = lost
            self._takers.unpark_all()

    def __len__(self) -> int:
        """Events that wait."""
        return len(self._events)

    def __aiter__(self) -> "EventBuffer[T]":
        return self

    async def __anext__(self) -> T | Lagged:
        await trio.lowlevel.checkpoint()
        while True:
            if self._dropped:
                count, self._dropped = self._dropped, 0
                return Lagged(count)
            if self._events:
                event = self._events.popleft()
                if self._taken is not None:
                    self._taken(event)
                return event
            if self._lost is not None:
                raise ConnectionLost(self._lost)
            if self._closed:
                raise StopAsyncIteration
            await self._takers.park()
