"""What the command does: see ``python -m benchmarks.journal --help``.

Fills a file with a million entries in a thousand rooms, through the journal itself, and holds what is
promised of such a file against what it takes here.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import trio

from benchmarks.findings import write_page
from benchmarks.journal import measure
from benchmarks.journal.contents import Contents
from benchmarks.journal.measure import Times
from benchmarks.journal.table import Table
from benchmarks.machine import describe
from triochat.journal import SqliteJournal, open_sqlite_journal

OPEN = 1000.0
PAGE = 10.0
SEARCH = 100.0
"""The promises, in milliseconds."""
READ = 0.01
"""As a part of the file: what opening it may read. The promise is that it does not read the entries."""

OPENINGS = 5
TRIES = 20
PAGES = 1000
BURST: Final = 20_000
"""Entries that come at once, and a search behind them."""
HOUSEKEEPING = 5.0
"""Seconds for which it is watched."""

PAGE_NAME: Final = "performance-journal.md"
WRITTEN: Final = "<!-- Written by `python -m benchmarks.journal --docs docs`. Not to be edited. -->"


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.journal",
        description="Hold what is promised of a journal in a file against what it takes here."
        " Needs two minutes and 300 MB.",
    )
    add = arguments.add_argument
    add("--entries", type=_at_least(20_000), default=1_000_000, metavar="N")
    add("--rooms", type=_at_least(10), default=1000, metavar="N")
    add("--folder", type=Path, metavar="FOLDER", help="make the file there; default: with the temporary ones")
    add("--docs", type=Path, metavar="FOLDER", help=f"write {PAGE_NAME} there, which performance.md takes in")
    return arguments


def _at_least(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{least} or more, not {text}")
        return value

    return number


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and show.

    Returns:
        The exit code: 0 if all is kept that is promised, 1 if not, 2 if it can't be measured here.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    options = parser().parse_args(arguments)
    if platform.system() != "Linux":
        sys.stderr.write("benchmarks: this needs Linux: it asks /proc what was read\n")
        return 2
    contents = Contents(options.entries, options.rooms)
    table = Table()
    machine = describe()
    with tempfile.TemporaryDirectory(prefix="journal-", dir=options.folder) as folder:
        path = Path(folder) / "chat.db"
        _say("filling it")
        trio.run(_fill, path, contents, table)
        octets = path.stat().st_size
        for task in ("open", "cold"):
            _say(f"opening it in a fresh process, {task}")
            _open(path, contents, table, task, OPENINGS)
        _fresh("die", path, contents)
        _say("opening it after kill -9")
        _open(path, contents, table, "cold", 1, "after kill -9")
        trio.run(_measure, path, contents, table)
    lines = table.tell(
        machine, f"The file: {contents.entries:,} entries in {contents.rooms:,} rooms, {octets / 1e6:,.0f} MB"
    )
    if options.docs is not None:
        write_page(options.docs / PAGE_NAME, WRITTEN, "benchmarks.journal", arguments, lines)
    return int(table.missed > 0)


def _say(what: str) -> None:
    sys.stderr.write(what + "\n")


async def _fill(path: Path, contents: Contents, table: Table) -> None:
    async with open_sqlite_journal(path, durability="normal") as journal:
        rate = await measure.fill(journal, contents)
        table.figure("append, in batches of some 270 entries", f"{rate:,.0f}/s")
        seconds = await measure.tidy(journal)
        table.figure("put into the index of words, without a pause", f"{contents.entries / seconds:,.0f}/s")


def _fresh(task: str, path: Path, contents: Contents) -> str:
    """Have a process of its own do something with the file; what it wrote."""
    command = [sys.executable, "-m", "benchmarks.journal.fresh", task, str(path)]
    command += [str(contents.entries), str(contents.rooms)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=task != "die")
    return done.stdout


def _open(path: Path, contents: Contents, table: Table, task: str, tries: int, when: str = "") -> None:
    told = [json.loads(_fresh(task, path, contents)) for _ in range(tries)]
    when = when or {"open": "the file in memory", "cold": "the file on the disk alone"}[task]
    table.times(f"open, {when}", Times([one["open"] for one in told]), OPEN)
    read = max(one["read"] for one in told)
    if when != "after kill -9":  # what is in the write-ahead log is read
        table.share(
            f"read of the file by opening it ({read / 1024:,.0f} KiB)", read / path.stat().st_size, READ
        )
        table.times(
            f"page of {measure.PAGE}, {when}", Times([ms for one in told for ms in one["pages"]]), PAGE
        )


async def _measure(path: Path, contents: Contents, table: Table) -> None:
    async with open_sqlite_journal(path) as journal:
        await measure.tidy(journal)
        quiet = await _ask(journal, contents, "all is quiet")
        async with measure.talk(journal, contents):
            beside = await _ask(journal, contents, "while people talk")
        for what, times in quiet.items():
            table.times(what, times, PAGE if what.startswith("page") else SEARCH, beside[what])
        _say("pages while somebody searches")
        worst = next(query for query in measure.queries(contents) if query.query == measure.WORST)
        async with measure.searching(journal, worst):
            times = await measure.pages(journal, contents, PAGES // 10)
        table.times("page while somebody searches for two words that never meet", times, PAGE)
        _say("the index of words")
        await measure.fill(journal, Contents(BURST, contents.rooms), "burst")
        rate = await measure.housekeeping(journal, HOUSEKEEPING)
        table.figure("put into the index by the housekeeping of a server", f"{rate:,.0f}/s")
        await measure.tidy(journal)
        await measure.fill(journal, Contents(BURST, 1), "flood")
        [behind] = (await measure.search(journal, worst, 1)).all
        table.figure(f"search in a room behind {BURST:,} messages that came at once", f"{behind:,.0f} ms")


async def _ask(journal: SqliteJournal, contents: Contents, when: str) -> dict[str, Times]:
    """Pages, and all searches."""
    _say(f"pages and searches, {when}")
    found = {"page at a random depth": await measure.pages(journal, contents, PAGES)}
    for query in measure.queries(contents):
        found[str(query)] = await measure.search(journal, query, TRIES)
    return found
