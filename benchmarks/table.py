"""The results for a terminal."""

from collections.abc import Iterator, Sequence

from benchmarks.chart import TIMES
from benchmarks.figures import Figures
from benchmarks.results import FLOOR, REFERENCE, Results
from benchmarks.scenarios import BY_NAME, Scenario, Target

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
    people = results.people.get(name)
    fewer = f" (here {people:,} people: more are not asked for, or too many open files)" if people else ""
    yield f"{name}: {scenario.summary}{fewer}"
    rows = []
    for peer in results.rounds[name]:
        middle = results.median(name, peer)
        assert middle is not None
        ratios = (results.ratio(name, peer, REFERENCE), results.ratio(name, peer, FLOOR))
        rows.append([peer, *_row(scenario, middle, ratios), f"±{results.spread(name, peer) / 2:.0%}"])
        rows[-1].append(_remarks(scenario, middle))
    yield from _columns([["", *_head(scenario), "spread", ""], *rows])
    for peer, why in results.failures.get(name, {}).items():
        yield f"  without {peer}: {why}"


def _head(scenario: Scenario) -> list[str]:
    if scenario.mode == "idle":
        return ["KiB each", "resident", "CPU"]
    what = ("joins/s", "µs/join") if scenario.mode == "join" else ("deliveries/s", "µs CPU")
    return [*what, "/ngircd", "/floor", "p50", "p99", "max", "resident", "server", "load", "load µs"]


def _row(scenario: Scenario, f: Figures, ratios: tuple[float | None, float | None]) -> list[str]:
    if scenario.mode == "idle":
        return [f"{f.memory_each:.1f}", f"{f.memory:.1f} MiB", f"{f.server_share:.2f} %"]
    return [
        f"{f.rate:,.0f}",
        _short(f.cpu),
        *(f"{ratio:.2f} {TIMES}" if ratio is not None else "-" for ratio in ratios),
        *(latency(us) for us in (f.p50, f.p99, f.max)),
        f"{f.memory:.1f} MiB",
        f"{f.server_share:.0f} %",
        f"{f.load_share:.0f} %",
        _short(f.load_cpu),
    ]


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
    rows = []
    for verdict in results.verdicts():
        target = verdict.target
        rows.append(
            [
                target.scenario,
                describe(target),
                f"≤ {amount(target, target.limit)}",
                "not measured" if verdict.value is None else amount(target, verdict.value),
                {True: "reached", False: "MISSED", None: ""}[verdict.met],
            ]
        )
    if rows:
        yield "targets"
        yield from _columns([["", "", "target", "here", ""], *rows])


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
