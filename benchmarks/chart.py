"""The results as a picture: CPU per delivery against ngircd, on a scale of factors.

Written by hand as SVG. It brings its own background and follows the reader's choice of light or
dark. Bars start at 1, what ngircd needs: to the left is cheaper, to the right dearer. Each bar
carries its name and figure, so that nothing depends on colour. The marks on this project's row are
targets: what it needs should lie at them or to their left.
"""

import math
import textwrap
from collections.abc import Iterator
from html import escape

from benchmarks.results import FLOOR, REFERENCE, SUBJECT, Results
from benchmarks.scenarios import BY_NAME, TARGETS

WIDTH = 860
LEFT, RIGHT = 160, 70
ROW, BAR, GAP = 20, 14, 34
TOP, LINE = 100, 16
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
LETTERS = 115
"""What surely fits on a line of small print."""

TIMES = "×"  # noqa: RUF001 -- the sign for "times"

STYLE = """
  svg { font: 13px system-ui, sans-serif; }
  .back { fill: #ffffff; } .text { fill: #24292f; } .soft { fill: #57606a; }
  .grid { stroke: #d8dee4; } .one { stroke: #57606a; stroke-width: 1.5; }
  .bar { fill: #afb8c1; } .ours { fill: #0969da; } .least { fill: #6e7781; }
  .target { fill: #fb8500; stroke: #ffffff; }
  .title { font-size: 17px; font-weight: 600; } .small { font-size: 11px; } .strong { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .back { fill: #161b22; } .text { fill: #e6edf3; } .soft { fill: #9198a1; }
    .grid { stroke: #30363d; } .one { stroke: #9198a1; }
    .bar { fill: #57606a; } .ours { fill: #4493f8; } .least { fill: #8b949e; }
    .target { fill: #ffa657; stroke: #161b22; }
  }
"""


def render(results: Results) -> str:
    """The SVG document; empty bars are left out, so is a scenario without the reference."""
    reference = _reference(results)
    groups = list(_groups(results, reference)) if reference else []
    targets = {name: list(_targets(results, name, reference)) for name, _ in groups} if reference else {}
    ratios = [ratio for _, bars in groups for _, ratio in bars]
    ratios += [ratio for marks in targets.values() for ratio, _ in marks]
    low = min([*ratios, 0.5]) / 1.15
    high = max([*ratios, 2.0]) * 1.15

    def x(ratio: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(ratio / low) / math.log(high / low)

    notes = list(_small_print(results))
    bottom = TOP + sum(GAP + ROW * len(bars) for _, bars in groups) + 8
    height = bottom + 12 + LINE * (len(notes) + 1)
    body = [*_frame(results, reference or "nobody", height)]
    for below, line in enumerate(notes, 1):
        body.append(f'<text class="soft small" x="16" y="{bottom + 12 + LINE * below}">{escape(line)}</text>')
    ticks = [tick for tick in TICKS if low <= tick <= high]
    body.extend(_tick(tick, x(tick)) for tick in ticks)
    y = TOP
    for name, bars in groups:
        y += GAP
        body.append(
            f'<text class="text" x="16" y="{y - 9}"><tspan class="strong">{name}</tspan>'
            f'<tspan class="soft" dx="8">{escape(BY_NAME[name].summary)}</tspan></text>'
        )
        body.extend(_grid(tick, x(tick), y, y + ROW * len(bars)) for tick in ticks)
        for peer, ratio in bars:
            body.extend(_bar(peer, ratio, x(min(ratio, 1)), x(max(ratio, 1)), y))
            if peer == SUBJECT:
                body.extend(_mark(x(ratio), kind, y) for ratio, kind in targets[name])
            y += ROW
    label = "Server CPU per delivery by scenario and server"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" aria-label="{label}">\n<style>{STYLE}</style>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _reference(results: Results) -> str | None:
    """Who is 1: ngircd, else the floor, else whoever is there."""
    present = [peer for peers in results.rounds.values() for peer in peers]
    return next((name for name in (REFERENCE, FLOOR, *present) if name in present), None)


def _groups(results: Results, reference: str) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    for name, peers in results.rounds.items():
        if BY_NAME[name].mode != "window" or BY_NAME[name].slow:
            continue
        bars = [
            (peer, ratio)
            for peer in peers
            if (ratio := results.ratio(name, peer, reference)) is not None and ratio > 0
        ]
        if bars:
            yield name, sorted(bars, key=lambda bar: bar[1])


def _targets(results: Results, name: str, reference: str) -> Iterator[tuple[float, str]]:
    """Where the targets of a scenario lie on the scale, and whose they are."""
    for target in TARGETS:
        if target.scenario == name and target.key == "cpu" and target.against in (REFERENCE, FLOOR):
            unit = 1.0 if target.against == reference else results.ratio(name, target.against, reference)
            if unit:
                yield target.limit * unit, target.against


def _frame(results: Results, reference: str, height: int) -> Iterator[str]:
    yield f'<rect class="back" width="{WIDTH}" height="{height}" rx="6"/>'
    title = f"Server CPU per delivery, {reference} = 1 {TIMES}"
    yield f'<text class="text title" x="16" y="28">{escape(title)}</text>'
    rounds = results.settings["rounds"]
    counted = "one round" if rounds == 1 else f"median of {rounds} interleaved rounds"
    yield (
        '<text class="soft" x="16" y="48">left of the line is cheaper, right is dearer; '
        f"logarithmic scale; {counted}</text>"
    )
    legend = (
        (16, 62, REFERENCE, f"target of {SUBJECT} against {REFERENCE}"),
        (288, 51, FLOOR, f"target against the {FLOOR}, the least that any program needs"),
    )
    for x, y, against, words in legend:
        yield _mark(x + 6, against, y)
        yield f'<text class="soft" x="{x + 16}" y="68">{words}</text>'


def _small_print(results: Results) -> Iterator[str]:
    machine = results.machine
    described = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, {machine['python']}"
    versions = ", ".join(f"{peer}: {version}" for peer, version in results.versions.items())
    yield from textwrap.wrap(f"$ {results.command}", LETTERS)
    yield from textwrap.wrap("; ".join(filter(None, (described, versions, results.date))), LETTERS)


def _tick(tick: float, x: float) -> str:
    return f'<text class="soft small" text-anchor="middle" x="{x:.1f}" y="{TOP}">{tick:g} {TIMES}</text>'


def _grid(tick: float, x: float, above: int, below: int) -> str:
    kind = "one" if tick == 1 else "grid"
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{above - 4}" y2="{below}"/>'


def _bar(peer: str, ratio: float, start: float, end: float, y: int) -> Iterator[str]:
    kind = "ours" if peer.startswith(SUBJECT) else "least" if peer == FLOOR else "bar"
    weight = " strong" if peer.startswith(SUBJECT) else ""
    middle = y + BAR - 3
    yield f'<text class="text{weight}" text-anchor="end" x="{LEFT - 10}" y="{middle}">{escape(peer)}</text>'
    width = max(end - start, 2)
    yield f'<rect class="{kind}" x="{start:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>'
    yield f'<text class="text small{weight}" x="{end + 6:.1f}" y="{middle}">{ratio:.2f} {TIMES}</text>'


def _mark(x: float, against: str, y: int) -> str:
    """From above for the reference, from below for the floor, so that both can be seen at one place."""
    start, height = (y - 3, 8) if against == REFERENCE else (y + BAR + 3, -8)
    return f'<path class="target" d="M{x - 5:.1f} {start}h10l-5 {height}z"/>'
