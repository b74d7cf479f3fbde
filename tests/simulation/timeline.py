"""A failure, for people: which promise was broken, and what led to it."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from tests.simulation.record import Record

LAST: Final = 60
"""Lines that are shown."""

_NAME = re.compile(r"\b[pctuxd]\d+\b")


def timeline(record: Record, breaks: Mapping[str, Sequence[str]]) -> list[str]:
    """The last lines of the trace about those who are concerned, and about faults and servers."""
    concerned = set(_NAME.findall(" ".join(line for lines in breaks.values() for line in lines)))
    concerned |= {"FAULT", "SERVER", "WORLD", "AUDITOR"}
    lines = [line for line in record.lines if line[13:23].split()[0].partition("/")[0] in concerned]
    return [record.lines[0], "…", *lines[-LAST:]]


def again(seed: int) -> str:
    """How to see it once more, whole."""
    return f"again: nox -s simulate -- --seeds 1 --start {seed} --trace"


def report(seed: int, record: Record, breaks: Mapping[str, Sequence[str]]) -> str:
    """All that is to be said about a seed that failed."""
    lines = [f"seed {seed} broke {len(breaks)} promise{'s' * (len(breaks) > 1)}:"]
    for checker, found in breaks.items():
        lines += [f"  {checker}: {what}" for what in found[:3]]
        if len(found) > 3:
            lines.append(f"  {checker}: and {len(found) - 3} more")
    lines += ["what led to it:", *(f"  {line[:160]}" for line in timeline(record, breaks))]
    lines.append(again(seed))
    return "\n".join(lines)


def report_raised(seed: int, record: Record, raised: str) -> str:
    """The same of one that came to no end: `raised` is the traceback."""
    lines = [f"seed {seed} raised:", raised.rstrip(), "what led to it:"]
    lines += [f"  {line[:160]}" for line in [*record.lines[:1], "…", *record.lines[1:][-LAST:]]]
    lines.append(again(seed))
    return "\n".join(lines)
