"""``python -m tests.simulation --seeds 1000 --start 0``: many lives, and whether each kept all promises.

Each seed is a simulation of its own; see docs/simulation.md. The exit code is 1 if one of them failed.
"""

import argparse
import os
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.checkers import broken
from tests.simulation.timeline import report, report_raised
from tests.simulation.world import Failed, simulate

MOST_FAILURES: Final = 5
"""Failures after which it gives up."""
STEP: Final = 50
"""Seeds after which it says how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one seed.

    Attributes:
        seconds: simulated.
        faults: injected, by kind.
        failure: all that is to be said about it; empty if all promises were kept.
    """

    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    failure: str = ""


def trace(seed: int) -> list[str]:
    """All that happens under a seed, though it may come to no end."""
    try:
        return simulate(str(seed)).lines
    except Failed as failed:
        return failed.record.lines


def judge(seed: int) -> Verdict:
    """Simulate one seed, and check it."""
    try:
        record = simulate(str(seed))
    except Failed as failed:
        # The server itself has failed, or the simulator: the others are still worth a try.
        raised = "".join(traceback.format_exception(failed.__cause__))
        return Verdict(
            faults=failed.record.faults,
            failure=report_raised(seed, failed.record, raised),
        )
    breaks = broken(record)
    return Verdict(
        seconds=record.seconds,
        faults=record.faults,
        failure=report(seed, record, breaks) if breaks else "",
    )


@dataclass(slots=True)
class Tally:
    """What became of all seeds so far."""

    of: int
    began: float = field(default_factory=time.perf_counter)
    done: int = 0
    failures: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """One more; say so if it failed, and now and then how far this is."""
        self.done += 1
        self.seconds += verdict.seconds
        self.faults += verdict.faults
        if verdict.failure:
            self.failures += 1
            say(verdict.failure)
        if self.done % STEP == 0 or self.done == self.of:
            pace = self.done / (time.perf_counter() - self.began)
            hours = self.seconds / 3600
            say(f"{self.done} of {self.of} seeds, {pace:.1f} a second, {hours:.1f} hours simulated")

    def conclude(self) -> None:
        """Say what came of it."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.faults.most_common())
        say(f"faults injected: {self.faults.total()} ({kinds})")
        say(f"{self.failures} of {self.done} seeds broke a promise")


def say(text: str) -> None:
    """Write it now: who watches this wants to see it go on."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Simulate as many seeds as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at the same time")
    parser.add_argument("--trace", action="store_true", help="write all that happens under the first one")
    arguments = parser.parse_args()
    if arguments.seeds < 1 or arguments.jobs < 1:
        parser.error("--seeds and --jobs must be 1 or more")
    if arguments.trace:
        say("\n".join(trace(arguments.start)))

    tally = Tally(arguments.seeds)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for verdict in pool.map(judge, range(arguments.start, arguments.start + arguments.seeds)):
            tally.add(verdict)
            if tally.failures == MOST_FAILURES:
                pool.shutdown(cancel_futures=True)
                break
    tally.conclude()
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
