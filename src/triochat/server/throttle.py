"""Promise 7: a sender over its rate is read more slowly, and loses nothing."""


class Throttle:
    """A token bucket, kept as the time at which it will be full again (the generic cell rate algorithm).

    Args:
        rate: messages a second, more than 0. A second's worth may come at once.
    """

    __slots__ = ("_burst", "_full_at", "_interval")

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate
        self._burst = max(1.0, self._interval)
        self._full_at = 0.0

    def allows(self, now: float, count: int) -> bool:
        """Whether so many messages could be handed on at once."""
        return max(self._full_at - now, 0.0) + count * self._interval <= self._burst

    def charge(self, now: float, count: int = 1) -> float:
        """Account for some messages.

        Returns:
            Seconds to wait before they are handed on.
        """
        self._full_at = max(self._full_at, now) + count * self._interval
        return max(self._full_at - now - self._burst, 0.0)
