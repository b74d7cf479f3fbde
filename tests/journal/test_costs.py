"""What opening a file and reading in it costs, counted and not timed: it must not grow with what was said.

Counted are steps of SQLite's machine, and octets that the process has read. How long all of this takes, with
a million entries, is what ``python -m benchmarks.journal`` measures.
"""

import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.journal.drafts import draft, run
from triochat.journal import Draft, Kept, open_sqlite_journal
from triochat.journal import batch as batch_module
from triochat.journal.batch import Batch

ROOMS = 10
PAGE = 50
SMALL, LARGE = 60, 4000
"""Entries in each room of the files that are compared: a page from the small one is full as well."""


class Steps:
    """Counts the steps of all connections that are opened while it is there."""

    def __init__(self) -> None:
        self.taken = 0

    def _step(self) -> None:
        self.taken += 1

    @staticmethod
    def install(monkeypatch: pytest.MonkeyPatch) -> "Steps":
        steps = Steps()
        connect: Callable[..., sqlite3.Connection] = sqlite3.connect

        def counted(*args: object, **settings: object) -> sqlite3.Connection:
            connection = connect(*args, **settings)
            connection.set_progress_handler(steps._step, 1)
            return connection

        monkeypatch.setattr(sqlite3, "connect", counted)
        return steps

    async def of(self, do: Awaitable[object]) -> int:
        before = self.taken
        await do
        return self.taken - before


def octets_read() -> int:
    """By this process, from files and whatever else."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    raise AssertionError("the system does not say")


async def fill(path: Path, entries: int) -> None:
    """So many in each room and a topic, all in the indexes, and closed."""
    with pytest.MonkeyPatch.context() as patch:
        # Of tags some are left for later, at most so many, and opening reads those.
        patch.setattr("triochat.journal.sqlite.UNINDEXED_AT_EASE", 0)
        await _fill(path, entries)


async def _fill(path: Path, entries: int) -> None:
    async with open_sqlite_journal(path, durability="normal") as journal:
        for first in range(1, entries, 200):
            numbers = [str(number) for number in range(first, min(first + 200, entries))]
            texts = [f"{number} of what was said" for number in numbers]
            rooms = [f"#room{room}" for room in range(ROOMS)]
            await journal.append([run(*texts, tags=numbers, session=room, log=room) for room in rooms])
        await journal.append([draft("topic", log=room, kind="topic") for room in rooms])
        while await journal.tidy(0):
            pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture
async def files(folder: Path) -> dict[int, Path]:
    """By the number of entries in each room; made once, and only read."""
    files = {entries: folder / f"{entries}.db" for entries in (SMALL, LARGE)}
    for entries, path in files.items():
        if not path.exists():
            await fill(path, entries)
    assert files[LARGE].stat().st_size > 20 * files[SMALL].stat().st_size
    return files


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps.install(monkeypatch)


async def open_and_close(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        assert len(await journal.heads()) == ROOMS


async def test_opening_takes_as_many_steps_whatever_was_said(files: dict[int, Path], steps: Steps) -> None:
    taken = {entries: await steps.of(open_and_close(path)) for entries, path in files.items()}
    assert taken[SMALL] == taken[LARGE] > ROOMS


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process what it has read")
async def test_opening_does_not_read_what_was_said(files: dict[int, Path]) -> None:
    """Not even in one step, as SQLite counts the rows of a table."""
    read: dict[int, int] = {}
    for entries, path in files.items():
        before = octets_read()
        await open_and_close(path)
        read[entries] = octets_read() - before
    assert read[SMALL] > 4096, "it is counted"
    # A larger tree is a page or two deeper.
    assert read[LARGE] < read[SMALL] + 65_536 < files[LARGE].stat().st_size / 20


@pytest.mark.parametrize("backwards", [False, True], ids=["after", "before"])
async def test_a_page_takes_as_many_steps_from_any_depth(
    files: dict[int, Path], steps: Steps, backwards: bool
) -> None:
    taken: set[int] = set()
    for entries, path in files.items():
        async with open_sqlite_journal(path) as journal:
            for tenth in range(10):
                depth = PAGE + 1 + (entries - 2 * PAGE) * tenth // 9 if entries == LARGE else PAGE + 1

                async def read(depth: int = depth) -> None:
                    if backwards:
                        page = await journal.read_before("#room3", depth, PAGE)
                    else:
                        page = await journal.read_after("#room3", depth - PAGE - 1, PAGE)
                    assert [entry.id for entry in page.entries] == list(range(depth - PAGE, depth))

                taken.add(await steps.of(read()))
    assert len(taken) == 1
    assert PAGE < taken.pop() < 30 * PAGE


async def test_appending_takes_as_many_steps_whatever_is_there(
    files: dict[int, Path], steps: Steps, tmp_path: Path
) -> None:
    taken: set[int] = set()
    for entries, path in files.items():
        copy = shutil.copy(path, tmp_path)
        async with open_sqlite_journal(copy) as journal:

            async def append(entries: int = entries) -> None:
                said = run("a", "b", "c", tags=("x1", "x2", "x3"), session="another", log="#room3")
                assert await journal.append([said]) == [Kept(entries + 1)]

            taken.add(await steps.of(append()))
    assert len(taken) == 1


async def test_to_let_go_of_many_inboxes_at_once_costs_as_much_as_each_of_them(tmp_path: Path) -> None:
    """Twice as many are twice as much: of those that were there, and of those that the batch makes itself."""
    costs = []
    for attempt, number in enumerate((100, 100, 200)):  # 3.12 tells of no instruction at the first attempt
        path = tmp_path / f"{attempt}.db"
        async with open_sqlite_journal(path, max_inboxes=number) as journal:
            await journal.append([draft(log=f"@a{inbox}") for inbox in range(number)])
            batch = Batch(journal._ledger, journal._file.writer, number, number)
            drafts = [draft(log=f"#{room}") for room in range(number)]
            drafts += [draft(log=f"@b{inbox}") for inbox in range(2 * number)]
            costs.append(opcodes(batch, drafts))
            assert len(batch._gone) == 2 * number
    assert costs[2] == pytest.approx(2 * costs[1], rel=0.1)


def opcodes(batch: Batch, drafts: Sequence[Draft]) -> int:
    """Instructions of Python that are executed in `triochat.journal.batch` for these drafts."""
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401 -- what sys.settrace wants
        nonlocal count
        if frame.f_code.co_filename != batch_module.__file__:
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for one in drafts:
            batch.append(one)
    finally:
        sys.settrace(before)
    return count
