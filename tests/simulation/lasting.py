"""Faults that last, beside all others: a crash may meet a full disk, and a restart a network that refuses."""

from collections import Counter
from collections.abc import Callable

import trio


class Lasting:
    """What is broken now.

    Two faults of one kind may overlap: it is mended when the last of them is over.
    """

    def __init__(self) -> None:
        self._on: Counter[str] = Counter()
        self._ended: dict[str, float] = {}

    def begin(self, nursery: trio.Nursery, kind: str, seconds: float, mend: Callable[[], None]) -> None:
        """Something of that kind was broken just now.

        Args:
            nursery: waits for its end; if it is cancelled, the fault is over at once.
            kind: of fault.
            seconds: that it lasts.
            mend: ends it.
        """
        self._on[kind] += 1
        nursery.start_soon(self._end, kind, seconds, mend)

    async def _end(self, kind: str, seconds: float, mend: Callable[[], None]) -> None:
        try:
            await trio.sleep(seconds)
        finally:
            self._on[kind] -= 1
            if not self._on[kind]:
                mend()
                self._ended[kind] = trio.current_time()

    def is_on(self, kind: str, *, within: float = 0.0) -> bool:
        """Whether there is such a fault now, or was one less than `within` seconds ago."""
        ended = self._ended.get(kind)
        return self._on[kind] > 0 or (ended is not None and trio.current_time() - ended < within)
