"""Requests without a complete answer, and the window that bounds how many there are.

Keeps law 6 of docs/architecture.md: who asks more waits, in turn, before anything of the request is queued.
"""

from collections.abc import Iterator

import trio

from triochat.client.exchange import WINDOW, Exchange, Kept


class Pending:
    """Exchanges by tag, in the order in which they were made. Iterating yields a copy of that moment."""

    def __init__(self) -> None:
        self._window = trio.Semaphore(WINDOW, max_value=WINDOW)
        self._exchanges: dict[str, Exchange] = {}

    def __len__(self) -> int:
        return len(self._exchanges)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._exchanges.values()))

    def __contains__(self, exchange: Exchange) -> bool:
        return exchange.tag in self._exchanges

    def get(self, tag: str) -> Exchange | None:
        """The exchange whose answer has this tag."""
        return self._exchanges.get(tag)

    async def reserve(self) -> None:
        """Wait for a place in the window; `add` fills it, or `release` gives it to the next in turn."""
        await self._window.acquire()

    def release(self) -> None:
        """Give a place back that was reserved."""
        self._window.release()

    def add(self, exchange: Exchange) -> None:
        """Note an exchange for which there is a place."""
        self._exchanges[exchange.tag] = exchange

    def take_over(self, request: Kept) -> None:
        """Ask what a program before us had asked, and died before it had its answer."""
        exchange = Exchange(request, orphan=True)
        exchange.safe = True
        self._window.acquire_nowait()
        self.add(exchange)

    def complete(self, exchange: Exchange, *, lost: str | None = None) -> None:
        """The answer is complete, or, if `lost` says why, will never be."""
        exchange.end(lost=lost)
        del self._exchanges[exchange.tag]
        self.release()

    def unsent(self, *, ours: bool = False) -> tuple[Kept, ...]:
        """What would have to be said by a program in our place; `ours`: without what we took over."""
        return tuple(
            exchange.request
            for exchange in self
            if isinstance(exchange.request, Kept)
            and exchange.wanted
            and not exchange.settled
            and not (ours and exchange.orphan)
        )
