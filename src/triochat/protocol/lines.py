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
    """

    __slots__ = ("_blocks", "_limit", "_skipping", "_start", "_tail", "_tail_size")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._blocks: list[bytes | Overlong] = []  # a list, for it is short, and there are many of them
        self._start = 0  # how much of the first block is taken
        self._tail: list[bytes] = []
        self._tail_size = 0
        self._skipping = False

    @property
    def size(self) -> int:
        """Octets held."""
        held = sum(len(block) for block in self._blocks if isinstance(block, bytes))
        return held - self._start + self._tail_size

    @property
    def complete(self) -> bool:
        """Whether there is a complete line, or one that is too long."""
        return bool(self._blocks)

    def feed(self, data: bytes) -> None:
        """Take what came from the peer."""
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
                self._blocks.append(complete)
        if self._skipping or end == len(data):
            return
        self._tail.append(data[end:])
        self._tail_size += len(data) - end
        if self._tail_size >= self._limit:
            self._blocks.append(Overlong(b"".join(self._tail)[:HEAD]))
            self._tail.clear()
            self._tail_size = 0
            self._skipping = True

    def next_line(self) -> bytes | Overlong | None:
        """The next line, or None if there is no complete one."""
        if not self._blocks:
            return None
        block = self._blocks[0]
        if isinstance(block, Overlong):
            del self._blocks[0]
            return block
        start = self._start
        end = block.index(b"\n", start)
        self.skip(end + 1 - start)
        if end - start >= self._limit:
            return Overlong(block[start : min(end, start + HEAD)])
        return block[start:end].removesuffix(b"\r")

    @property
    def block(self) -> tuple[bytes, int]:
        """Complete lines that came together, and where the next one begins; empty if there are none."""
        if not self._blocks or isinstance(self._blocks[0], Overlong):
            return b"", 0
        return self._blocks[0], self._start

    def skip(self, octets: int) -> None:
        """So many octets of the block are dealt with: a line, or several."""
        self._start += octets
        block = self._blocks[0]
        assert isinstance(block, bytes)
        if self._start == len(block):
            del self._blocks[0]
            self._start = 0

    def take_rest(self) -> bytes:
        """Take what has no line end yet, e.g. at the end of the stream."""
        rest = b"".join(self._tail)
        self._tail.clear()
        self._tail_size = 0
        self._skipping = False
        return rest
