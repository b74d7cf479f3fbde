"""What was typed before, for Up and Down. Pure; bounded (law 6)."""

from collections import deque
from typing import Final

MOST: Final = 500
"""Entries that are kept."""


class Typed:
    """The lines that were sent, newest last, and a place among them.

    The line that was not finished when one went up is the newest of them all until something is sent: who
    goes back down finds it as it was.
    """

    def __init__(self, most: int = MOST) -> None:
        self._lines: deque[str] = deque(maxlen=most)
        self._back = 0  # how far up we are; 0: at what is being typed
        self._unfinished = ""

    def sent(self, line: str) -> None:
        """Keep what was sent, unless it is what was sent last."""
        self.forget_place()
        if line.strip() and not (self._lines and self._lines[-1] == line):
            self._lines.append(line)

    def forget_place(self) -> None:
        """Begin at the newest again: what is typed now is another draft."""
        self._back = 0
        self._unfinished = ""

    def older(self, now: str) -> str | None:
        """The line above `now`, which is what stands in the input; None if there is none."""
        if self._back == len(self._lines):
            return None
        if not self._back:
            self._unfinished = now
        self._back += 1
        return self._lines[-self._back]

    def newer(self) -> str | None:
        """The line below, or what was not finished; None if that is what one looks at."""
        if not self._back:
            return None
        self._back -= 1
        return self._lines[-self._back] if self._back else self._unfinished
