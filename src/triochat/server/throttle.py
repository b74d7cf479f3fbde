"""Promise 7: a sender over its rate is read more slowly, and loses nothing."""


class Throttle:
    """A token bucket, kept as the time at which it will be full again (the generic cell rate algorithm).

    Args:
        rate: messages a second; 0 for no limit. A second's worth may come at once.
    """

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._burst = max(1.0, self._interval)
        self._full_at = 0.0

    def charge(self, now: float) -> float:
        """Account for one message.

        Returns:
            Seconds to wait before it is handed on.
        """
        self._full_at = max(self._full_at, now) + self._interval
        return max(self._full_at - now - self._burst, 0.0)
