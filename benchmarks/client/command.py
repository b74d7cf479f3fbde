"""What the command does: see ``python -m benchmarks.client --help``.

Starts a server of this checkout, and clients on terminals of their own beside it, and holds what is promised
of the client against what it takes here.
"""

import argparse
import os
import platform
import signal
import site
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from types import FrameType
from typing import Final, NoReturn

from benchmarks.client import measure
from benchmarks.client.scripts import scripts
from benchmarks.client.table import Table
from benchmarks.findings import write_page
from benchmarks.journal.measure import Times
from benchmarks.machine import describe
from benchmarks.processes import BenchmarkError, Process

HELP = 150.0
FRAME = 500.0
"""From the start; in milliseconds, like the next two promises."""
KEY = 100.0
"""For 99 of 100 keys, beside a flood."""
SLOWEST = 250.0
"""For the slowest key while very many messages come at once."""
IDLE = 0.05
"""Seconds of CPU while nothing is done for `Plan.idle` seconds."""
PAGED = 1.5
"""Times the memory that it had before somebody paged back."""

PAGE_NAME: Final = "performance-client.md"
WRITTEN: Final = "<!-- Written by `python -m benchmarks.client --docs docs`. Not to be edited. -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is done.

    Attributes:
        rounds: how often each is measured, in turns with what it is compared with.
        memory_rounds: the same for memory, which takes long and hardly varies.
        keys: that are typed in each round, when all is quiet and again beside a flood.
        rate: messages a second in the flood.
        burst: messages that come at once.
        idle: seconds in which nothing is done.
        full: messages in the room in which somebody pages back.
        pages: how many, of those that the server is asked for.
        more: messages that come then.
        lines: messages that scripts send, or are shown.
    """

    rounds: int = 15
    memory_rounds: int = 3
    keys: int = 20
    rate: float = 2000
    burst: int = 5000
    idle: float = 10
    full: int = 20_000
    pages: int = 100
    more: int = 20_000
    lines: int = 20_000


USUAL: Final = Plan()


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.client",
        description="Hold what is promised of the client against what it takes here. Needs some minutes.",
    )
    add = arguments.add_argument
    add("--rounds", type=_rounds, metavar="N", help=f"how often to measure each; default: {USUAL.rounds}")
    add("--docs", type=Path, metavar="FOLDER", help=f"write {PAGE_NAME} there, which performance.md takes in")
    return arguments


def _rounds(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"1 or more, not {text}")
    return value


def main(argv: Sequence[str] | None = None, plan: Plan = USUAL) -> int:
    """Measure, and show.

    Returns:
        The exit code: 0 if all is kept that is promised, 1 if not, 2 if it can't be measured here.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    if platform.system() != "Linux":
        sys.stderr.write("benchmarks: this needs Linux: it asks /proc what a client takes\n")
        return 2
    if options.rounds is not None:
        plan = replace(plan, rounds=options.rounds)
    table = Table()
    machine = describe()
    try:
        with _told_to_end(), tempfile.TemporaryDirectory(prefix="client-") as folder, _at_home(Path(folder)):
            _measure(Path(folder), plan, table)
    except BenchmarkError as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2
    lines = table.tell(machine, f"Rounds: {plan.rounds}")
    if options.docs is not None:
        write_page(options.docs / PAGE_NAME, WRITTEN, "benchmarks.client", arguments, lines)
    return int(table.missed > 0)


@contextmanager
def _told_to_end() -> Iterator[None]:
    """Whoever ends us ends what we have started too."""

    def end(number: int, _: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _at_home(folder: Path) -> Iterator[None]:
    """What is started has a home of its own, and no settings; the terminal is one that all know."""
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(("TRIOCHAT_", "XDG_")) or name == "NO_COLOR"]:
        del os.environ[name]
    os.environ.setdefault("PYTHONUSERBASE", site.getuserbase())  # which is in the home that is left
    os.environ.update(HOME=str(folder), TERM="xterm-256color", LC_ALL="C.UTF-8")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _server(folder: Path) -> Iterator[int]:
    """A server of this checkout; its port."""
    command = [*measure.TRIOCHAT, "server", "--port", "0", "--memory", "--rate-limit", "0"]
    command += ["--retention", "1000000"]  # in memory it would keep less than there is to page back
    server = Process(command, core=None, log=folder / "server.log", bound=True)
    try:
        yield int(server.read_line(60).rpartition(":")[2])
    finally:
        server.stop()


def _measure(folder: Path, plan: Plan, table: Table) -> None:
    with _server(folder) as port:
        _say("starting it")
        _starts(port, plan, table)
        _say("keys, in quiet and in floods")
        _keys(port, plan, table)
        _say("doing nothing")
        idle = measure.idle(port, plan.idle)
        table.seconds(f"CPU while nothing is done for {plan.idle:g} s", idle.cpu, IDLE)
        table.figure("octets to the terminal meanwhile", f"{idle.octets:,}")
        _say("memory")
        _memory(port, plan, table)
        _say("scripts")
        _scripts(port, plan, table, folder / "scripts.log")


def _starts(port: int, plan: Plan, table: Table) -> None:
    found = measure.starts(port, plan.rounds)
    bare = ("python -c pass", median(found.bare))
    for what, taken, bound in (
        ("triochat --help, to its end", found.help, HELP),
        ("triochat client, to the first frame", found.frame, FRAME),
        ("triochat client, until the room is shown", found.room, None),
    ):
        table.times(what, Times(taken), bound, beside=bare, ratio=measure.ratio(taken, found.bare))


def _keys(port: int, plan: Plan, table: Table) -> None:
    found = measure.keys(port, plan.rounds, plan.keys, plan.rate, plan.burst)
    quiet = measure.times(found.idle)
    table.times("key to echo, all is quiet", quiet)
    table.times(
        f"key to echo, beside {plan.rate:,.0f} messages a second",
        measure.times(found.flood),
        KEY,
        share=0.99,
        beside=("all is quiet", quiet.middle),
        ratio=found.ratio,
    )
    table.figure("messages a second that did come", f"{median(found.rates):,.0f}/s")
    burst = f"{plan.burst:,} messages that come at once"
    table.times(f"slowest key beside {burst}", Times(found.slowest), SLOWEST)
    table.times(f"until the last of {burst} is shown", Times(found.shown))


def _memory(port: int, plan: Plan, table: Table) -> None:
    found = measure.memory(port, plan.memory_rounds, full=plan.full, pages=plan.pages, more=plan.more)
    table.memory("memory, a room was entered", found.entered)
    before = f"entered: {median(found.entered) / 2**20:.1f} MiB"
    ratio = measure.ratio(found.paged, found.entered)
    table.memory(f"memory, {plan.pages} pages back", found.paged, beside=before, ratio=ratio, most=PAGED)
    ratio = measure.ratio(found.more, found.entered)
    table.memory(f"memory, then {plan.more:,} messages more", found.more, beside=before, ratio=ratio)


def _scripts(port: int, plan: Plan, table: Table, log: Path) -> None:
    found = scripts(port, plan.rounds, plan.lines, log)
    table.rates(f"tail --since 0 --json of {plan.lines:,} messages", plan.lines, found.tail)
    table.memory("memory of tail, at most", found.tail_memory)
    table.rates(
        f"send of {plan.lines:,} lines from a pipe",
        plan.lines,
        found.send,
        beside=f"a bare socket: {plan.lines / median(found.floor):,.0f}/s",
        ratio=measure.ratio(found.send, found.floor),
    )
    table.memory("memory of send, at most", found.send_memory)


def _say(what: str) -> None:
    sys.stderr.write(what + "\n")
