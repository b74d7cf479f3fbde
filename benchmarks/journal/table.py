"""What was found, as a table for a terminal and for a page of Markdown alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from benchmarks.journal.measure import Times

HEADS = ("", "median", "worst", "median beside talk", "worst beside talk", "promised", "")

KEPT: Final = "kept"


@dataclass(slots=True)
class Table:
    """A line for each promise, and for what nothing is promised of.

    A promise is held against nine times in ten, beside talk as well. If only the worst of all times is over
    it, that is said: it may be the machine, which has other things to do.

    Attributes:
        rows: cells for `HEADS`.
        missed: how many promises.
    """

    rows: list[tuple[str, ...]] = field(default_factory=list)
    missed: int = 0

    def times(self, what: str, times: Times, bound: float, beside: Times | None = None) -> None:
        """How long something took, in milliseconds, and how long it may take.

        Args:
            what: was measured.
            times: when nothing else happened.
            bound: milliseconds.
            beside: while people talked.
        """
        both = [times, beside] if beside else [times]
        verdict = self._verdict(all(some.nearly_all < bound for some in both))
        if verdict == KEPT and any(some.worst >= bound for some in both):
            verdict = "kept, but not always"
        cells = [_ms(times.middle), _ms(times.worst)]
        cells += [_ms(beside.middle), _ms(beside.worst)] if beside else ["", ""]
        self.rows.append((what, *cells, f"< {bound:,.0f} ms", verdict))

    def share(self, what: str, value: float, bound: float) -> None:
        """A part of something, and how large it may be."""
        self.rows.append((what, "", f"{value:.2%}", "", "", f"< {bound:.0%}", self._verdict(value < bound)))

    def figure(self, what: str, value: str) -> None:
        """Something of which nothing is promised."""
        self.rows.append((what, value, "", "", "", "", ""))

    def lines(self) -> Iterator[str]:
        """The first column and the last to the left, all others to the right."""
        widths = [max(4, *map(len, column)) for column in zip(HEADS, *self.rows, strict=True)]
        rule = tuple("-" * (width - 1) + ":" for width in widths)
        rule = ("-" * widths[0], *rule[1:-1], "-" * widths[-1])
        for row in (HEADS, rule, *self.rows):
            cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
            cells[0] = row[0].ljust(widths[0])
            cells[-1] = row[-1].ljust(widths[-1])
            yield f"| {' | '.join(cells)} |"

    def _verdict(self, kept: bool) -> str:
        self.missed += not kept
        return KEPT if kept else "MISSED"


def _ms(value: float) -> str:
    return f"{value:.1f} ms"
