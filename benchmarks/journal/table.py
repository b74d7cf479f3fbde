"""What was found of the journal, and which promises it keeps."""

from benchmarks.findings import Findings
from benchmarks.journal.measure import Times

HEADS = ("", "median", "worst", "median beside talk", "worst beside talk", "promised", "")


class Table(Findings):
    """A line for each promise, and for what nothing is promised of.

    A promise is held against nine times in ten, beside talk as well. If only the worst of all times is over
    it, that is said: it may be the machine, which has other things to do.
    """

    __slots__ = ()
    heads = HEADS

    def times(self, what: str, times: Times, bound: float, beside: Times | None = None) -> None:
        """How long something took, in milliseconds, and how long it may take.

        Args:
            what: was measured.
            times: when nothing else happened.
            bound: milliseconds.
            beside: while people talked.
        """
        both = [times, beside] if beside else [times]
        verdict = self.verdict(
            all(some.nearly_all < bound for some in both), always=all(some.worst < bound for some in both)
        )
        cells = [_ms(times.middle), _ms(times.worst)]
        cells += [_ms(beside.middle), _ms(beside.worst)] if beside else ["", ""]
        self.rows.append((what, *cells, f"< {bound:,.0f} ms", verdict))

    def share(self, what: str, value: float, bound: float) -> None:
        """A part of something, and how large it may be."""
        self.rows.append((what, "", f"{value:.2%}", "", "", f"< {bound:.0%}", self.verdict(value < bound)))

    def figure(self, what: str, value: str) -> None:
        """Something of which nothing is promised."""
        self.rows.append((what, value, "", "", "", "", ""))


def _ms(value: float) -> str:
    return f"{value:.1f} ms"
