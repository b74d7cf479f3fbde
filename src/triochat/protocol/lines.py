"""Bytes to lines, in linear time and bounded memory.

Two things need a bound: the tail that has no end yet and the line that has one. A line over the
limit is reported as soon as that is known, with as much of its head as it takes to find its tag,
and skipped to its LF without being kept.
"""

from collections import deque
from dataclasses import dataclass

HEAD = 64
"""Octets of an overlong line that are reported: enough for ``@tag``."""


@dataclass(frozen=True, slots=True)
class Overlong:
    """Stands where a line was that went over the limit."""

    head: bytes


class LineBuffer:
    """Feed it bytes, take lines without their LF or CRLF.

    The end of a line is searched only in new bytes: the tail that was searched before is kept in
    pieces, and joined once when its end comes.

    Args:
        limit: octets in a line, its line end included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lines: deque[bytes | Overlong] = deque()
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._lines_size = 0
        self._skipping = False

    @property
    def size(self) -> int:
        """Octets held."""
        return self._lines_size + self._tail_size

    def feed(self, data: bytes) -> None:
        """Take what came from the peer."""
        *complete, tail = data.split(b"\n")
        if complete:
            first = complete[0]
            if self._skipping:
                self._skipping = False
            elif self._tail:
                self._tail.append(first)
                self._add(b"".join(self._tail))
            else:
                self._add(first)
            self._tail.clear()
            self._tail_size = 0
            for line in complete[1:]:
                self._add(line)
        if self._skipping or not tail:
            return
        self._tail.append(tail)
        self._tail_size += len(tail)
        if self._tail_size >= self._limit:
            self._lines.append(Overlong(b"".join(self._tail)[:HEAD]))
            self._tail.clear()
            self._tail_size = 0
            self._skipping = True

    def next_line(self) -> bytes | Overlong | None:
        """The next line, or None if there is no complete one."""
        if not self._lines:
            return None
        line = self._lines.popleft()
        if isinstance(line, bytes):
            self._lines_size -= len(line)
        return line

    def take_rest(self) -> bytes:
        """Take what has no line end yet, e.g. at the end of the stream."""
        rest = b"".join(self._tail)
        self._tail.clear()
        self._tail_size = 0
        self._skipping = False
        return rest

    def _add(self, line: bytes) -> None:
        if len(line) >= self._limit:
            self._lines.append(Overlong(line[:HEAD]))
            return
        line = line.removesuffix(b"\r")
        self._lines.append(line)
        self._lines_size += len(line)
