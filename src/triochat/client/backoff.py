"""How long to wait between two attempts: longer each time, and never in step with others.

When a server comes back, all of its clients want to be the first. Exponential backoff with *full jitter*
spreads them best: each delay is drawn between zero and a bound that doubles (Marc Brooker, "Exponential
Backoff And Jitter", AWS Architecture Blog 2015).
"""

from collections.abc import Callable
from random import uniform
from typing import Final

LEAST: Final = 0.1
"""Seconds: the bound of the first delay."""
MOST: Final = 15.0
"""Seconds: no delay is longer."""

Jitter = Callable[[float, float], float]
"""Draws a number between two: `random.uniform`, or the same of a `random.Random` with a known seed."""


class Backoff:
    """The delays in front of one attempt after the other.

    Args:
        jitter: draws a delay.
    """

    def __init__(self, jitter: Jitter = uniform) -> None:
        self._jitter = jitter
        self._bound = LEAST

    def next(self) -> float:
        """Seconds to wait before the next attempt."""
        bound = self._bound
        self._bound = min(2 * bound, MOST)
        return self._jitter(0.0, bound)

    def reset(self) -> None:
        """The last attempt was a success that lasted."""
        self._bound = LEAST
