"""What docs/performance.md shows: all figures on that page are written by this module, none by hand."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks import chart, table
from benchmarks.results import Results
from benchmarks.scenarios import BY_NAME, Scenario

NOT_SHOWN = frozenset({"max", "server", "load", "load µs"})
"""Columns of the terminal's table that judge the measurement, not the server; the JSON has them."""


def files(results: Results) -> Iterator[tuple[str, str]]:
    """Name and content of all that the page takes in."""
    yield "performance.json", results.to_json()
    yield "performance.svg", chart.render(results)
    yield "performance-figures.md", "\n".join(render(results)) + "\n"


def render(results: Results) -> Iterator[str]:
    """The lines of the fragment."""
    yield "<!-- Written by `python -m benchmarks --docs docs`. Not to be edited. -->"
    yield ""
    yield from _circumstances(results)
    yield ""
    yield from _targets(results)
    for name in results.rounds:
        yield ""
        yield from _scenario(results, BY_NAME[name])


def _circumstances(results: Results) -> Iterator[str]:
    yield "```console"
    yield f"$ {results.command}"
    yield "```"
    yield ""
    machine, settings = results.machine, results.settings
    yield (
        f"* Machine: {machine['processor']}, {machine['cores']} cores, {machine['memory']} of memory, "
        f"{machine['system']}, {machine['python']}. Load before: {machine.get('load before', 'unknown')}."
    )
    if results.versions:
        versions = ", ".join(f"{peer}: {version}" for peer, version in results.versions.items())
        yield f"* Versions: {versions}."
    yield (
        f"* Rounds: {settings['rounds']}, each of {settings['seconds']:g} s behind {settings['warmup']:g} s "
        f"of warming up. Server on core {settings['server core']}, load generator (in "
        f"{settings['load generator']}) on core {settings['load core']}."
    )
    yield f"* Date: {results.date}."


def _targets(results: Results) -> Iterator[str]:
    rows = list(table.targets(results))
    if not rows:
        return
    verdicts = [row[-1] for row in rows]
    reached, open_ = verdicts.count("reached"), verdicts.count(table.INCONCLUSIVE)
    yield "### Targets"
    yield ""
    rest = (
        f"; of {open_} the target lies between the best round and the worst, so nobody knows" if open_ else ""
    )
    yield f"{reached} of {len(rows)} are reached{rest}."
    yield ""
    yield from _table(["scenario", "figure", "target", "here", ""], "llrrl", rows)


def _scenario(results: Results, scenario: Scenario) -> Iterator[str]:
    yield f"### {scenario.name}"
    yield ""
    yield f"{table.summary(results, scenario)}."
    rows = list(table.figures(results, scenario))
    if rows:
        shown = [key for key in rows[0].cells if key not in NOT_SHOWN]
        yield ""
        yield from _table(
            ["server", *shown],
            "l" + "r" * len(shown),
            ([row.peer, *(row.cells[key] for key in shown)] for row in rows),
        )
    remarks = [f"* {row.peer}: {row.remarks}." for row in rows if row.remarks]
    remarks += [f"* Without {peer}: {why}." for peer, why in results.failures.get(scenario.name, {}).items()]
    if remarks:
        yield ""
        yield from remarks


def _table(head: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """In Markdown; `sides` has an "l" or an "r" for each column."""
    yield _line(head)
    yield _line(["---:" if side == "r" else "---" for side in sides])
    for row in rows:
        yield _line(row)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"
