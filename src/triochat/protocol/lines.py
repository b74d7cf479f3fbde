"""Bytes to lines, in linear time and bounded memory.

Two things need a bound: the tail that has no end yet and the line that has one. A line over the
limit is reported as soon as that is known, with as much of its head as it takes to find its tag,
and skipped to its LF without being kept.
"""

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
    pieces, and joined once when its end comes. Complete lines stay together in the *block* in which
    they came, for those who can make use of many at once: see `block`.

    Args:
        limit: octets in a line, its line end included.

    Attributes:
        block: complete lines that came together; empty if there are none, or if what comes next is
            a line that is not kept.
        start: where in the block the next line begins.
    """

    __slots__ = ("_behind", "_limit", "_skipping", "_tail", "_tail_size", "block", "start")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.block = b""
        self.start = 0
        self._behind: list[bytes | Overlong] = []  # a list, for it is short, and there are many of them
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._skipping = False

    @property
    def size(self) -> int:
        """Octets held."""
        behind = sum(len(block) for block in self._behind if isinstance(block, bytes))
        return len(self.block) - self.start + behind + self._tail_size

    @property
    def complete(self) -> bool:
        """Whether there is a complete line, or one that is too long."""
        return bool(self.block or self._behind)

    def feed(self, data: bytes) -> None:
        """Take what came from the peer."""
        if data.endswith(b"\n") and not (self.block or self._behind or self._tail or self._skipping):
            self.block = data  # whole lines, and nothing else: so it is mostly
            return
        end = data.rfind(b"\n") + 1
        if end:
            complete = data[:end]
            if self._skipping:
                complete = complete[complete.index(b"\n") + 1 :]
                self._skipping = False
            elif self._tail:
                complete = b"".join((*self._tail, complete))
                self._tail.clear()
                self._tail_size = 0
            if complete:
                self._add(complete)
        if self._skipping or end == len(data):
            return
        self._tail.append(data[end:])
        self._tail_size += len(data) - end
        if self._tail_size >= self._limit:
            self._behind.append(Overlong(b"".join(self._tail)[:HEAD]))
            self._tail.clear()
            self._tail_size = 0
            self._skipping = True

    def _add(self, block: bytes) -> None:
        if self.block or self._behind:
            self._behind.append(block)
        else:
            self.block = block

    def next_line(self) -> bytes | Overlong | None:
        """The next line, or None if there is no complete one."""
        block, start = self.block, self.start
        if not block:
            if not self._behind:
                return None
            overlong = self._behind.pop(0)
            self._move_up()
            return overlong
        end = block.index(b"\n", start)
        self.skip(end + 1 - start)
        if end - start >= self._limit:
            return Overlong(block[start : min(end, start + HEAD)])
        return block[start:end].removesuffix(b"\r")

    def skip(self, octets: int) -> None:
        """So many octets of the block are dealt with: a line, or several."""
        self.start += octets
        if self.start == len(self.block):
            self.block = b""
            self.start = 0
            if self._behind:
                self._move_up()

    def _move_up(self) -> None:
        """Let the next block take the place of one that is used up."""
        if self._behind and isinstance(block := self._behind[0], bytes):
            self.block = block
            del self._behind[0]

    def take_rest(self) -> bytes:
        """Take what has no line end yet, e.g. at the end of the stream."""
        rest = b"".join(self._tail)
        self._tail.clear()
        self._tail_size = 0
        self._skipping = False
        return rest
