"""What docs/performance.md shows: it comes from one file of figures, and from nowhere else."""

import xml.etree.ElementTree as ET
from dataclasses import fields
from pathlib import Path

import pytest
from benchmarks import chart, page
from benchmarks.figures import Figures
from benchmarks.results import Results

DOCS = Path(__file__).parents[2] / "docs"


def figures(**known: float) -> Figures:
    return Figures(**{field.name: 0.0 for field in fields(Figures)} | known)


def results(**cpu: float) -> Results:
    """One round of *burst*, with so much CPU for each delivery."""
    return Results(
        machine={
            "processor": "P",
            "cores": "2",
            "memory": "1.0 GiB",
            "system": "Linux 6 x86_64",
            "python": "CPython 3.11.0",
        },
        command="python -m benchmarks",
        settings={
            "rounds": 1,
            "seconds": 2.0,
            "warmup": 0.5,
            "server core": 1,
            "load core": 0,
            "load generator": "C",
            "spin": 0,
        },
        date="2026-01-31",
        rounds={"burst": {peer: [figures(cpu=each)] for peer, each in cpu.items()}},
    )


def targets_in(svg: str) -> int:
    return sum(element.get("class") == "target" for element in ET.fromstring(svg).iter())


@pytest.mark.parametrize("name", ["performance.json", "performance.svg", "performance-figures.md"])
def test_the_page_shows_what_its_figures_say(name: str) -> None:
    """If not: ``python -m benchmarks --again docs/performance.json --docs docs``."""
    kept = Results.from_json((DOCS / "performance.json").read_text(encoding="utf-8"))
    assert dict(page.files(kept))[name] == (DOCS / name).read_text(encoding="utf-8")


def test_results_come_back_from_json() -> None:
    found = results(triochat=0.1, ngircd=0.4)
    found.versions["ngircd"] = "ngIRCd 27"
    found.fail("burst", "uvloop", "uvloop is not installed")
    found.people["burst"] = 20
    assert Results.from_json(found.to_json()) == found


def test_the_page_has_ratios_targets_and_who_is_missing() -> None:
    found = results(triochat=0.1, ngircd=0.4, floor=0.05)
    found.fail("burst", "uvloop", "uvloop is not installed")
    lines = list(page.render(found))
    assert "1 of 2 are reached." in lines
    assert "| burst | CPU per delivery against ngircd | ≤ 0.35 × | 0.25 × | reached |" in lines  # noqa: RUF001
    assert "| burst | CPU per delivery against the floor | ≤ 1.80 × | 2.00 × | MISSED |" in lines  # noqa: RUF001
    assert "* Without uvloop: uvloop is not installed." in lines
    [row] = [line for line in lines if line.startswith("| triochat ")]
    assert row.split(" | ")[2:5] == ["0.100", "0.25 ×", "2.00 ×"]  # noqa: RUF001


def verdict(*cpu: float, **others: float) -> bool | None:
    """Of *burst* against ngircd, where 0.35 is the target and each round of ngircd costs 1."""
    found = results()
    rounds = [figures(cpu=each, **others) for each in cpu]
    found.rounds["burst"] = {"triochat": rounds, "ngircd": [figures(cpu=1.0)] * len(cpu)}
    first, *_ = found.verdicts()
    return first.met


def test_a_target_within_the_spread_is_neither_reached_nor_missed() -> None:
    assert verdict(0.2, 0.3, 0.35) is True
    assert verdict(0.36, 0.4, 0.5) is False
    assert verdict(0.2, 0.3, 0.36) is None
    assert verdict(0.3, 0.4, 0.5) is None
    assert verdict(0.35) is True
    assert verdict(0.36) is False


def test_a_figure_and_one_against_the_baseline_have_a_spread_too() -> None:
    found = results()
    found.rounds = {
        "calm": {"triochat": [figures(p99=100.0), figures(p99=200.0)]},
        "slow": {"triochat": [figures(p99=110.0), figures(p99=300.0)]},
        "fair": {"triochat": [figures(p99=40_000.0), figures(p99=60_000.0)]},
    }
    told = {v.target.scenario: (v.best, v.worst, v.met) for v in found.verdicts()}
    assert told == {"slow": (1.1, 1.5, None), "fair": (40_000.0, 60_000.0, None)}
    lines = list(page.render(found))
    assert (
        "0 of 2 are reached; of 2 the target lies between the best round and the worst, so nobody knows."
        in lines
    )
    assert "| fair | p99 latency | ≤ 50.0 ms | 50.0 ms | inconclusive |" in lines


def test_the_chart_marks_both_targets_beside_their_legend() -> None:
    assert targets_in(chart.render(results(triochat=0.1, ngircd=0.4, floor=0.05))) == 2 + 2


def test_the_chart_leaves_out_a_target_against_who_was_not_measured() -> None:
    assert targets_in(chart.render(results(triochat=0.1, ngircd=0.4))) == 2 + 1


def test_the_chart_of_nothing_is_a_picture_still() -> None:
    assert targets_in(chart.render(results())) == 2
