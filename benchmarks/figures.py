"""From counts to figures, and from the figures of several rounds to their medians."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from statistics import median

from benchmarks.scenarios import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One measurement, or the medians of several.

    Attributes:
        rate: a second: deliveries, and in "join" joins.
        cpu: microseconds of server CPU for each delivery; in "join" for each join.
        p50: latency in microseconds, from the send of a message to its arrival at a member; in "join"
            from the request to the end of its answer.
        p99: the same.
        max: the same.
        memory: resident, at the end, in MiB.
        memory_each: KiB of resident memory that each connection has added.
        server_share: of one core, in percent, that the server used.
        load_share: of one core, in percent, that the load generator used.
        load_cpu: microseconds of the generator's CPU for each delivery.
        lost: connections that the server closed.
        stalled: whether nothing was delivered any more; then the other figures say little.
        cut_off: whether the member that never reads was cut off.
        unread: MiB that the kernel still kept for it.
        grown: MiB of resident memory that the server gained from before the load to after it.
    """

    rate: float
    cpu: float
    p50: float
    p99: float
    max: float
    memory: float
    memory_each: float
    server_share: float
    load_share: float
    load_cpu: float
    lost: float
    stalled: float
    cut_off: float
    unread: float
    grown: float


MIB = 1024 * 1024


def figures(result: dict[str, float], *, mode: Mode, people: int, empty: int, full: int, end: int) -> Figures:
    """Reckon.

    Args:
        result: what the load generator has told.
        mode: of the scenario.
        people: how many were connected.
        empty: resident memory of the server before the first came.
        full: when all were there.
        end: after the load.
    """
    seconds = result["seconds"]
    units = people if mode == "join" else result["deliveries"]
    if mode == "join" and result["stalled"]:
        units = 0

    def each(total: float) -> float:
        return total / units if units else 0.0

    return Figures(
        rate=units / seconds if seconds else 0.0,
        cpu=each(result["server_cpu"] * 1e6),
        p50=result["p50"],
        p99=result["p99"],
        max=result["max"],
        memory=end / MIB,
        memory_each=(full - empty) / people / 1024,
        server_share=100 * result["server_cpu"] / seconds if seconds else 0.0,
        load_share=100 * result["own_cpu"] / seconds if seconds else 0.0,
        load_cpu=each(result["own_cpu"] * 1e6),
        lost=result["lost"],
        stalled=float(result["stalled"]),
        cut_off=float(result["cut_off"]),
        unread=result["unread"] / MIB,
        grown=(end - full) / MIB,
    )


def medians(rounds: Sequence[Figures]) -> Figures:
    """Of each figure by itself."""
    return Figures(**{f.name: median(getattr(each, f.name) for each in rounds) for f in fields(Figures)})


def spread(rounds: Sequence[Figures], key: str) -> float:
    """How far the rounds are apart: (largest - smallest) / median."""
    values = [getattr(each, key) for each in rounds]
    middle = median(values)
    return float((max(values) - min(values)) / middle) if middle else 0.0
