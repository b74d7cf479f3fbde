"""The results as a picture: CPU per delivery against ngircd, on a scale of factors.

Written by hand as SVG. It brings its own background and follows the reader's choice of light or
dark. Bars start at 1, what ngircd needs: to the left is cheaper, to the right dearer. Each bar
carries its name and figure, so that nothing depends on colour.
"""

import math
import textwrap
from collections.abc import Iterator
from html import escape

from benchmarks.results import FLOOR, REFERENCE, SUBJECT, Results
from benchmarks.scenarios import BY_NAME

WIDTH = 860
LEFT, RIGHT = 150, 90
ROW, BAR, GAP = 20, 14, 34
TOP, BOTTOM = 74, 90

TIMES = "×"  # noqa: RUF001 -- the sign for "times"

STYLE = """
  svg { font: 13px system-ui, sans-serif; }
  .back { fill: #ffffff; } .text { fill: #24292f; } .soft { fill: #57606a; }
  .grid { stroke: #d8dee4; } .one { stroke: #57606a; stroke-width: 1.5; }
  .bar { fill: #afb8c1; } .ours { fill: #0969da; } .least { fill: #8c959f; }
  .title { font-size: 17px; font-weight: 600; } .small { font-size: 11px; } .strong { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .back { fill: #161b22; } .text { fill: #e6edf3; } .soft { fill: #9198a1; }
    .grid { stroke: #30363d; } .one { stroke: #9198a1; }
    .bar { fill: #57606a; } .ours { fill: #4493f8; } .least { fill: #6e7681; }
  }
"""


def render(results: Results) -> str:
    """The SVG document; empty bars are left out, so is a scenario without the reference."""
    reference = _reference(results)
    groups = list(_groups(results, reference)) if reference else []
    ratios = [ratio for _, bars in groups for _, ratio in bars]
    low = min([*ratios, 0.5]) / 1.15
    high = max([*ratios, 2.0]) * 1.15

    def x(ratio: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(ratio / low) / math.log(high / low)

    height = TOP + sum(GAP + ROW * len(bars) for _, bars in groups) + BOTTOM
    body = [*_frame(results, reference or "nobody", height)]
    for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200):
        if low <= tick <= high:
            body.extend(_tick(tick, x(tick), height))
    y = TOP
    for name, bars in groups:
        y += GAP
        body.append(
            f'<text class="text" x="16" y="{y - 9}"><tspan class="strong">{name}</tspan>'
            f'<tspan class="soft" dx="8">{escape(BY_NAME[name].summary)}</tspan></text>'
        )
        for peer, ratio in bars:
            body.extend(_bar(peer, ratio, x(min(ratio, 1)), x(max(ratio, 1)), y))
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


def _frame(results: Results, reference: str, height: int) -> Iterator[str]:
    machine = results.machine
    yield f'<rect class="back" width="{WIDTH}" height="{height}" rx="6"/>'
    title = f"Server CPU per delivery, {reference} = 1 {TIMES}"
    yield f'<text class="text title" x="16" y="28">{escape(title)}</text>'
    yield (
        '<text class="soft" x="16" y="47">left of the line is cheaper, right is dearer; '
        f"median of {results.settings['rounds']} interleaved rounds</text>"
    )
    described = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, {machine['python']}"
    versions = ", ".join(f"{peer}: {version}" for peer, version in results.versions.items())
    lines = [*textwrap.wrap(f"{described}; {versions}", 125), *textwrap.wrap(f"$ {results.command}", 125)]
    for above, line in enumerate(reversed(lines)):
        yield f'<text class="soft small" x="16" y="{height - 12 - 16 * above}">{escape(line)}</text>'


def _tick(tick: float, x: float, height: int) -> Iterator[str]:
    kind = "one" if tick == 1 else "grid"
    yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 4}" y2="{height - BOTTOM + 4}"/>'
    yield (f'<text class="soft small" text-anchor="middle" x="{x:.1f}" y="{TOP - 9}">{tick:g} {TIMES}</text>')


def _bar(peer: str, ratio: float, start: float, end: float, y: int) -> Iterator[str]:
    kind = "ours" if peer.startswith(SUBJECT) else "least" if peer == FLOOR else "bar"
    weight = " strong" if peer.startswith(SUBJECT) else ""
    middle = y + BAR - 3
    yield f'<text class="text{weight}" text-anchor="end" x="{LEFT - 10}" y="{middle}">{escape(peer)}</text>'
    width = max(end - start, 2)
    yield f'<rect class="{kind}" x="{start:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2"/>'
    yield f'<text class="text small{weight}" x="{end + 6:.1f}" y="{middle}">{ratio:.2f} {TIMES}</text>'
