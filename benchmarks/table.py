"""The results for a terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.chart import TIMES
from benchmarks.figures import Figures
from benchmarks.results import FLOOR, REFERENCE, Results
from benchmarks.scenarios import BY_NAME, Scenario, Target

INCONCLUSIVE = "inconclusive"
"""Of a target that lies between the best round and the worst."""
BUSY = 90.0
"""Percent of its core from which on the load generator may be what is measured."""


def render(results: Results) -> Iterator[str]:
    """The lines."""
    yield ", ".join(f"{key}: {value}" for key, value in results.machine.items())
    yield f"$ {results.command}"
    if results.versions:
        yield ", ".join(f"{peer}: {version}" for peer, version in results.versions.items())
    for name in results.rounds:
        yield ""
        yield from _scenario(results, BY_NAME[name])
    yield ""
    yield from _targets(results)


def _scenario(results: Results, scenario: Scenario) -> Iterator[str]:
    name = scenario.name
    yield f"{name}: {summary(results, scenario)}"
    rows = list(figures(results, scenario))
    body = [[row.peer, *row.cells.values(), row.remarks] for row in rows]
    if rows:
        yield from _columns([["", *rows[0].cells, ""], *body])
    for peer, why in results.failures.get(name, {}).items():
        yield f"  without {peer}: {why}"


def summary(results: Results, scenario: Scenario) -> str:
    """What happens, and whether with fewer people than it should."""
    people = results.people.get(scenario.name)
    fewer = f" (here {people:,} people: more are not asked for, or too many open files)" if people else ""
    return scenario.summary + fewer


@dataclass(frozen=True, slots=True)
class Row:
    """What there is to say of one peer in one scenario: `cells` by the heads of their columns."""

    peer: str
    cells: dict[str, str]
    remarks: str


def figures(results: Results, scenario: Scenario) -> Iterator[Row]:
    """The rows of a scenario; all have the same columns."""
    name = scenario.name
    for peer in results.rounds[name]:
        middle = results.median(name, peer)
        assert middle is not None
        ratios = (results.ratio(name, peer, REFERENCE), results.ratio(name, peer, FLOOR))
        cells = _cells(scenario, middle, ratios)
        several = len(results.rounds[name][peer]) > 1
        cells["spread"] = f"±{results.spread(name, peer) / 2:.0%}" if several else "-"
        yield Row(peer, cells, _remarks(scenario, middle))


def _cells(scenario: Scenario, f: Figures, ratios: tuple[float | None, float | None]) -> dict[str, str]:
    if scenario.mode == "idle":
        return {
            "KiB each": f"{f.memory_each:.1f}",
            "resident": f"{f.memory:.1f} MiB",
            "CPU": f"{f.server_share:.2f} %",
        }
    rate, cost = ("joins/s", "µs/join") if scenario.mode == "join" else ("deliveries/s", "µs CPU")
    to_ngircd, to_floor = (f"{ratio:.2f} {TIMES}" if ratio is not None else "-" for ratio in ratios)
    return {
        rate: f"{f.rate:,.0f}",
        cost: _short(f.cpu),
        "/ngircd": to_ngircd,
        "/floor": to_floor,
        "p50": latency(f.p50),
        "p99": latency(f.p99),
        "max": latency(f.max),
        "resident": f"{f.memory:.1f} MiB",
        "server": f"{f.server_share:.0f} %",
        "load": f"{f.load_share:.0f} %",
        "load µs": _short(f.load_cpu),
    }


def _remarks(scenario: Scenario, f: Figures) -> str:
    remarks = []
    if f.stalled:
        remarks.append("STALLED: nothing is delivered any more")
    if scenario.slow:
        fate = "cut off" if f.cut_off else "kept"
        remarks.append(
            f"who does not read is {fate}; {f.unread:.1f} MiB in the kernel, {f.grown:+.1f} MiB resident"
        )
    if f.lost:
        remarks.append(f"{f.lost:.0f} connections lost")
    if scenario.mode in ("window", "flood") and f.load_share > BUSY > f.server_share:
        remarks.append("the load generator may be the bottleneck")
    return "; ".join(remarks)


def _targets(results: Results) -> Iterator[str]:
    rows = list(targets(results))
    if rows:
        yield "targets"
        yield from _columns([["", "", "target", "here", ""], *rows])


def targets(results: Results) -> Iterator[list[str]]:
    """For each target: where, of what, how much, how much it is here, and a word on that."""
    for verdict in results.verdicts():
        target = verdict.target
        yield [
            target.scenario,
            describe(target),
            f"≤ {amount(target, target.limit)}",
            "not measured" if verdict.value is None else amount(target, verdict.value),
            ""
            if verdict.value is None
            else {True: "reached", False: "MISSED", None: INCONCLUSIVE}[verdict.met],
        ]


def describe(target: Target) -> str:
    """A target's figure in words."""
    figure = {"cpu": "CPU per delivery", "p99": "p99 latency", "memory_each": "memory of each connection"}
    against = {
        None: "",
        FLOOR: " against the floor",
        "baseline": f" against {BY_NAME[target.scenario].baseline}",
    }.get(target.against, f" against {target.against}")
    return figure[target.key] + against


def amount(target: Target, value: float) -> str:
    """A value as its target counts it."""
    if target.unit == "µs":
        return latency(value)
    return f"{value:.2f} {TIMES}" if target.unit == TIMES else f"{value:.1f} {target.unit}"


def latency(us: float) -> str:
    """Microseconds, in a unit that fits."""
    return f"{us:.0f} µs" if us < 1000 else f"{us / 1e3:.1f} ms" if us < 1e6 else f"{us / 1e6:.1f} s"


def _short(us: float) -> str:
    return f"{us:.3f}" if us < 10 else f"{us:.1f}" if us < 1000 else f"{us:,.0f}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Aligned: the first column and the last to the left, all others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        yield ("  " + "  ".join([*cells, row[-1]])).rstrip()
