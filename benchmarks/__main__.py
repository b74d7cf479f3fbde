"""The command: ``python -m benchmarks --help``."""

import argparse
import datetime
import platform
import shlex
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from benchmarks import adapters, chart, page, scenarios, table
from benchmarks.machine import describe, lacking
from benchmarks.measure import Bench
from benchmarks.processes import BenchmarkError, choose_cores, raise_file_limit
from benchmarks.progress import Progress
from benchmarks.results import SUBJECT, Results
from benchmarks.scenarios import Scenario

QUICK = ("trickle", "burst", "tiny")


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    names = "\n".join(f"  {s.name:18} {s.summary}" for s in scenarios.SCENARIOS)
    peers = "\n".join(f"  {p.name:18} {p.summary}" for p in adapters.PEERS)
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what a delivery costs the server, beside other servers in the same run.",
        epilog=f"scenarios:\n{names}\n\npeers:\n{peers}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    add("--scenarios", "-s", type=_names(scenarios.BY_NAME), metavar="A,B", help="default: all")
    add(
        "--peers",
        "-p",
        type=_names(adapters.BY_NAME),
        metavar="A,B",
        help=f"default: {','.join(adapters.USUAL)}",
    )
    add("--rounds", "-r", type=_at_least(1), metavar="N", help="default: 5; the median counts")
    add("--seconds", type=_at_least(0.1), metavar="S", help="of each measurement; default: 2")
    add("--warmup", type=_at_least(0), metavar="S", help="of load before each; default: 0.5")
    add("--quick", action="store_true", help=f"{', '.join(QUICK)} only, one round of half a second")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    add("--svg", type=Path, metavar="FILE", help="draw the chart there")
    add("--docs", type=_folder, metavar="FOLDER", help="renew all that performance.md in there shows")
    add("--again", type=Path, metavar="FILE", help="measure nothing: show what such a JSON file has kept")
    add("--server-core", type=int, metavar="N", help="run the servers there; default: the last one allowed")
    add("--load-core", type=int, metavar="N", help="run the load there; default: another one")
    add("--spin", action="store_true", help="the load generator never sleeps: no server pays for waking it")
    add("--python-load", action="store_true", help="use the load generator in Python, compiler or not")
    add("--people", type=_at_least(2), metavar="N", help="at most so many in each scenario, to try things")
    return arguments


def _names(known: Collection[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        wanted = [name for name in text.split(",") if name]
        for name in wanted:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(known)}")
        return wanted

    return names


def _at_least(least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"{least:g} or more, not {text}")
        return value

    return number


def _folder(text: str) -> Path:
    if not Path(text).is_dir():  # known now, and not after half an hour
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return Path(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and show.

    Returns:
        The exit code: 0, or 1 if this project's server failed somewhere, or 2 if there is nothing to show.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    if options.again is not None:
        try:
            results = Results.from_json(options.again.read_text(encoding="utf-8"))
        except (OSError, KeyError, TypeError, ValueError) as error:
            sys.stderr.write(f"benchmarks: {options.again} can't be shown again: {error!r}\n")
            return 2
        return _show(results, options)
    if lacks := lacking():
        sys.stderr.write(f"{lacks}\n")
        return 2
    if platform.system() != "Linux":
        sys.stderr.write("benchmarks: this needs Linux: epoll, /proc and the clocks of other processes\n")
        return 2
    names = options.scenarios or (QUICK if options.quick else list(scenarios.BY_NAME))
    rounds = int(options.rounds or (1 if options.quick else 5))
    seconds = options.seconds or (0.5 if options.quick else 2.0)
    warmup = options.warmup if options.warmup is not None else (0.2 if options.quick else 0.5)
    server_core, load_core = choose_cores()
    if options.server_core is not None:
        server_core = options.server_core
    if options.load_core is not None:
        load_core = options.load_core
    files = raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        bench = Bench(
            Path(folder),
            server_core=server_core,
            load_core=load_core,
            files=files,
            python_load=options.python_load,
            spin=options.spin,
            warmup=warmup,
            seconds=seconds,
        )
        results = Results(
            machine=describe(),
            command=shlex.join(["python", "-m", "benchmarks", *arguments]),
            settings={
                "rounds": rounds,
                "seconds": seconds,
                "warmup": warmup,
                "server core": "any" if server_core is None else server_core,
                "load core": "any" if load_core is None else load_core,
                "load generator": bench.load_language,
                "spin": int(bench.spin),
            },
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        )
        played = [_fitted(bench, results, scenarios.BY_NAME[name], options.people) for name in names]
        try:
            _play(bench, results, played, options.peers or adapters.USUAL, rounds)
        except KeyboardInterrupt:
            sys.stderr.write("\ninterrupted: what follows is what there is; the page is left as it was\n")
            options.docs = None
    return _show(results, options)


def _show(results: Results, options: argparse.Namespace) -> int:
    for line in table.render(results):
        sys.stdout.write(line + "\n")
    if options.json is not None:
        options.json.write_text(results.to_json(), encoding="utf-8")
    if options.svg is not None:
        options.svg.write_text(chart.render(results), encoding="utf-8")
    if options.docs is not None:
        for name, text in page.files(results):
            (options.docs / name).write_text(text, encoding="utf-8")
    return int(any(SUBJECT in failed for failed in results.failures.values()))


def _fitted(bench: Bench, results: Results, scenario: Scenario, most: float | None) -> Scenario:
    """The scenario, smaller if it must be; that it is, is kept."""
    fitted = bench.fitted(scenario, None if most is None else int(most))
    if fitted.people != scenario.people:
        results.people[scenario.name] = fitted.people
    return fitted


def _play(
    bench: Bench, results: Results, played: Sequence[Scenario], names: Sequence[str], rounds: int
) -> None:
    """Round by round all scenarios, and in each all peers, each time another one first."""
    peers = []
    for name in names:
        peer = adapters.BY_NAME[name](bench.folder, bench.compiler)
        if lacks := peer.missing():
            for scenario in played:
                results.fail(scenario.name, name, lacks)
        else:
            peers.append(peer)
            if version := peer.version():
                results.versions[name] = version
    for scenario in played:
        results.rounds[scenario.name] = {}
        for peer in peers:
            if unfit := peer.unfit(scenario):
                results.fail(scenario.name, peer.name, unfit)
    progress = Progress(
        rounds * sum(p.name not in results.failures.get(s.name, {}) for s in played for p in peers)
    )
    for turn in range(rounds):
        for scenario in played:
            for peer in [*peers[turn % len(peers) :], *peers[: turn % len(peers)]] if peers else []:
                if peer.name in results.failures.get(scenario.name, {}):
                    continue
                progress.step(f"round {turn + 1}: {scenario.name}, {peer.name}")
                try:
                    results.add(scenario.name, peer.name, bench.measure(peer, scenario))
                except BenchmarkError as trouble:
                    progress.note(f"{scenario.name}, {peer.name}: {trouble}")
                    results.fail(scenario.name, peer.name, str(trouble))
    progress.end()


if __name__ == "__main__":
    sys.exit(main())
