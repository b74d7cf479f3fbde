"""What was found of the client, and which promises it keeps."""

from collections.abc import Sequence
from statistics import median

from benchmarks.findings import Findings
from benchmarks.journal.measure import Times

HEADS = ("", "median", "99 of 100", "worst", "beside", "ratio", "promised", "")

MIB = 1024 * 1024
NEARLY_ALL = 0.9
MANY = 100
"""Times of which it makes sense to say what 99 of 100 are."""


class Table(Findings):
    """A line for each promise, and for what nothing is promised of."""

    __slots__ = ()
    heads = HEADS

    def times(
        self,
        what: str,
        times: Times,
        bound: float | None = None,
        *,
        share: float = NEARLY_ALL,
        beside: tuple[str, float] | None = None,
        ratio: float | None = None,
    ) -> None:
        """How long something took, in milliseconds.

        Args:
            what: was measured.
            times: all that were taken.
            bound: milliseconds that it may take; None if nothing is promised.
            share: of the times must be below it.
            beside: what it is compared with, and the milliseconds of that.
            ratio: to that.
        """
        promised = verdict = ""
        if bound is not None:
            promised = f"< {bound:,.0f} ms"
            verdict = self.verdict(times.of(share) < bound, always=times.worst < bound)
        self.rows.append(
            (
                what,
                _ms(times.middle),
                _ms(times.of(0.99)) if len(times.all) >= MANY else "",
                _ms(times.worst),
                f"{beside[0]}: {_ms(beside[1])}" if beside else "",
                _ratio(ratio),
                promised,
                verdict,
            )
        )

    def memory(
        self,
        what: str,
        octets: Sequence[float],
        *,
        beside: str = "",
        ratio: float | None = None,
        most: float | None = None,
    ) -> None:
        """How much memory was taken in each round, and how many times as much as `beside` it may be."""
        promised = verdict = ""
        if most is not None and ratio is not None:
            promised, verdict = f"≤ {most:g} ×", self.verdict(ratio <= most)  # noqa: RUF001
        cells = (f"{median(octets) / MIB:.1f} MiB", "", f"{max(octets) / MIB:.1f} MiB", beside)
        self.rows.append((what, *cells, _ratio(ratio), promised, verdict))

    def rates(
        self,
        what: str,
        count: int,
        seconds: Sequence[float],
        *,
        beside: str = "",
        ratio: float | None = None,
    ) -> None:
        """How many a second: so many took `seconds` in each round, and `ratio` times as long as `beside`."""
        cells = (_rate(count / median(seconds)), "", _rate(count / max(seconds)), beside, _ratio(ratio))
        self.rows.append((what, *cells, "", ""))

    def seconds(self, what: str, value: float, bound: float) -> None:
        """Seconds of CPU, and how many there may be."""
        verdict = self.verdict(value < bound)
        self.rows.append((what, f"{value:.4f} s", "", "", "", "", f"< {bound:g} s", verdict))

    def figure(self, what: str, value: str) -> None:
        """Something of which nothing is promised."""
        self.rows.append((what, value, "", "", "", "", "", ""))


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"


def _rate(value: float) -> str:
    return f"{value:,.0f}/s"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} ×"  # noqa: RUF001
