"""When the entries of a log that we have heard were said: by this the log is known again.

A server that was set back to a back-up has the beginning of the log that we know, and gives the ids behind it
again, to what is said now. One that keeps nothing begins at 1 with what nobody has heard. To tell these apart
times alone are not enough, since a clock may be set back as well; but no other entry has both the id and the
time of one that we have heard.
"""

from array import array
from typing import Final

MOST: Final = 8192
"""Entries of a log whose times are remembered at least, if we have heard so many; at most twice as many, of 8
octets each."""


class Heard:
    """The times of the newest entries of a log that we have heard, without a hole between them."""

    def __init__(self) -> None:
        self._last = 0
        self._times = array("q")

    @property
    def first(self) -> int:
        """The id of the oldest of them; one more than the last if there is none."""
        return self._last + 1 - len(self._times)

    @property
    def last_ms(self) -> int:
        """When the last one was said, in Unix milliseconds; 0 if we don't know."""
        return self._times[-1] if self._times else 0

    def add(self, number: int, ms: int) -> None:
        """Another one, said at `ms` in Unix milliseconds."""
        if number != self._last + 1:
            del self._times[:]
        self._last = number
        self._times.append(ms)
        if len(self._times) >= 2 * MOST:
            del self._times[:MOST]

    def has(self, number: int, ms: int) -> bool:
        """Whether that is one of them."""
        return self.first <= number <= self._last and self._times[number - self.first] == ms

    def may_have(self, number: int, ms: int) -> bool:
        """Whether that is one of them, or may stand in front of them: it was said no later than the first.

        Who has nothing but a place in a log has to go by this; it is fooled by a clock that was set back.
        """
        if number < self.first:
            return bool(self._times) and ms <= self._times[0]
        return self.has(number, ms)

    def contradicts(self, number: int, ms: int) -> bool:
        """Whether one of them has this id, and another time: so that is none of this log."""
        return self.first <= number <= self._last and not self.has(number, ms)
