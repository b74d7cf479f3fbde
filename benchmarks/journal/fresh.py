"""What a process that has just started needs: ``python -m benchmarks.journal.fresh TASK FILE ENTRIES ROOMS``.

Tasks: ``open`` opens the journal, then reads pages; ``cold`` does the same, and has the system forget what it
holds of the file before each step; ``die`` appends for a while, and is gone as with ``kill -9``. What was
measured is written to standard output, as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

import trio

from benchmarks.journal.contents import Contents
from benchmarks.journal.measure import PAGE, random_pages
from triochat.journal import open_sqlite_journal

PAGES: Final = 100
BATCHES: Final = 50
"""What ``die`` appends: enough for a write-ahead log of some megabytes."""


def forget(path: Path) -> None:
    """Have the system drop what it holds in memory of the file. What is not on the disk yet stays."""
    for name in (path, path.with_name(path.name + "-wal")):
        if name.exists():
            with name.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def octets_read() -> int:
    """What this process has read so far, from files and whatever else."""
    [line] = [line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar:")]
    return int(line.split()[1])


async def visit(path: Path, contents: Contents, before_each: Callable[[], None]) -> dict[str, object]:
    """Open it, and read pages at random depths; milliseconds, and octets."""
    before_each()
    read = octets_read()
    began = time.perf_counter()
    async with open_sqlite_journal(path) as journal:
        opened = (time.perf_counter() - began) * 1e3
        read = octets_read() - read
        heads = await journal.heads()
        pages = []
        for log, depth, backwards in islice(random_pages(heads, contents, random.Random(1)), PAGES):
            before_each()
            began = time.perf_counter()
            if backwards:
                await journal.read_before(log, depth, PAGE)
            else:
                await journal.read_after(log, depth, PAGE)
            pages.append((time.perf_counter() - began) * 1e3)
    return {"open": opened, "read": read, "pages": pages}


async def die(path: Path, contents: Contents) -> None:
    """Append, and end without any farewell."""
    async with open_sqlite_journal(path, durability="normal") as journal:
        drafts = contents.drafts(f"dying{time.time_ns()}")
        for _ in range(BATCHES):
            await journal.append(list(islice(drafts, 32)))
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """See the module."""
    task, file, entries, rooms = sys.argv[1:]
    path, contents = Path(file), Contents(int(entries), int(rooms))
    if task == "die":
        trio.run(die, path, contents)
    before_each = (lambda: forget(path)) if task == "cold" else (lambda: None)
    sys.stdout.write(json.dumps(trio.run(visit, path, contents, before_each)) + "\n")


if __name__ == "__main__":
    main()
