"""When the entries of a log that we have heard were said: by this the log is known again.

A server that was set back to a back-up has the beginning of the log that we know, and gives the ids behind it
again, to what is said now. One that keeps nothing begins at 1 with what nobody has heard. To tell these apart
the times alone are not enough, since a clock may be set back as well; but no other entry has both the id and
the time of one that we have heard.
"""

from typing import Final

MOST: Final = 8192
"""Entries of a log whose times are remembered at least, if we have heard so many: 64 KiB."""


class Heard:
    """The times of the newest entries of a log that we have heard, without a hole between them."""

    def __init__(self) -> None:
        self._last = 0
        self._times: list[int] = []

    @property
    def last_ms(self) -> int:
        """When the last one was said, in Unix milliseconds; 0 if we don't know."""
        return self._times[-1] if self._times else 0

    def add(self, number: int, ms: int) -> None:
        """Another one, said at `ms` in Unix milliseconds."""
        if number != self._last + 1:
            self._times.clear()
        self._last = number
        self._times.append(ms)
        if len(self._times) >= 2 * MOST:
            del self._times[:MOST]

    def has(self, number: int, ms: int) -> bool:
        """Whether that is one of them, or one in front of all of them that may have been there."""
        first = self._last + 1 - len(self._times)
        if number < first:
            return bool(self._times) and ms <= self._times[0]
        return number <= self._last and self._times[number - first] == ms
