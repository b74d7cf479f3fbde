"""The simulated disk: what is kept outlives the server, and what is not is gone as a whole."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.simulation.clockwork import Threads
from tests.simulation.disk import NARROW, Disk, JournalOnDisk, narrow
from triochat.journal import Draft, JournalUnavailable, Kept


def draft(text: str) -> Draft:
    return Draft("#one", "message", "#one", "p1", (text,), 0)


@pytest.fixture
def slow_clock(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing takes time but what is slow on purpose, and threads do their work at once."""
    monkeypatch.setattr(Threads, "_delay", lambda _: 0.0)
    monkeypatch.setattr(trio.to_thread, "run_sync", Threads(random.Random(0)).run_sync)


async def texts(disk: Disk) -> list[str]:
    kept = await disk.everything()
    return [entry.text for entry in kept["#one"].entries] if kept else []


@pytest.fixture(params=["memory", "file"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the journal in a file is; None: it is the one in memory."""
    return tmp_path / "disk" if request.param == "file" else None


def a_disk(folder: Path | None = None, slow: float = 0.0) -> Disk:
    disk = Disk(random.Random(0), retention=100, folder=folder)
    disk.slow = slow
    disk.delay = lambda: disk.slow  # type: ignore[method-assign]  # as slow as it gets, each time
    return disk


async def test_the_next_server_finds_what_was_kept(folder: Path | None) -> None:
    disk = a_disk(folder)
    async with disk.open() as journal:
        assert await journal.append([draft("hello")]) == [Kept(1)]
        journal.kill()
    async with disk.open() as journal:
        page = await journal.read_after("#one", 0, 10)
        assert [entry.text for entry in page.entries] == ["hello"]
        assert (await journal.heads())["#one"].last == 1
    assert disk.appends == 1
    assert disk.torn == 0


async def killed_after(seconds: float, folder: Path | None) -> tuple[Disk, list[str]]:
    """A server that is killed so long after it began to append; and what it heard of that."""
    disk = a_disk(folder, slow=1.0)  # a second until it is kept, and another until the server knows
    heard = []
    async with disk.open() as journal, trio.open_nursery() as server:

        async def append() -> None:
            heard.append(str(await journal.append([draft("one"), draft("two")])))

        server.start_soon(append)
        await trio.sleep(seconds)
        journal.kill()
        await wait_all_tasks_blocked()
        server.cancel_scope.cancel()
    return disk, heard


async def test_a_batch_that_was_not_kept_yet_is_gone_as_a_whole(
    slow_clock: None, folder: Path | None
) -> None:
    disk, heard = await killed_after(0.5, folder)
    assert heard == []
    assert await texts(disk) == []
    assert disk.torn == 1


async def test_a_batch_that_was_kept_is_there_though_the_server_never_knew(
    slow_clock: None, folder: Path | None
) -> None:
    disk, heard = await killed_after(1.5, folder)
    assert heard == []
    assert await texts(disk) == ["one", "two"]
    assert disk.torn == 1


async def test_a_server_that_was_killed_later_knew(slow_clock: None, folder: Path | None) -> None:
    disk, heard = await killed_after(2.5, folder)
    assert len(heard) == 1
    assert await texts(disk) == ["one", "two"]
    assert disk.torn == 0


async def test_a_dead_server_keeps_nothing(autojump_clock: MockClock) -> None:
    disk = a_disk()
    async with disk.open() as journal:
        journal.kill()
        with trio.move_on_after(1000) as scope:
            await journal.append([draft("hello")])
        assert scope.cancelled_caught
    assert await texts(disk) == []


async def test_an_append_is_not_cancelled_as_no_thread_is(autojump_clock: MockClock) -> None:
    disk = a_disk(slow=1.0)
    async with disk.open() as journal:
        began = trio.current_time()
        with trio.move_on_after(0.5):
            await journal.append([draft("hello")])
        assert trio.current_time() == began + 2
    assert await texts(disk) == ["hello"]


READERS: list[Callable[[JournalOnDisk], Awaitable[object]]] = [
    lambda journal: journal.read_after("#one", 0, 10),
    lambda journal: journal.read_before("#one", None, 10),
    lambda journal: journal.search("#one", ["hello"], 10),
    lambda journal: journal.heads(),
    lambda journal: journal.tidy(10),
]


@pytest.mark.parametrize("read", READERS)
async def test_a_slow_disk_takes_its_time_for_everything(
    read: Callable[[JournalOnDisk], Awaitable[object]], autojump_clock: MockClock
) -> None:
    disk = a_disk()
    async with disk.open() as journal:
        await journal.append([draft("hello")])
        disk.slow = 1.0
        began = trio.current_time()
        await read(journal)
        assert trio.current_time() == began + 2


async def test_how_slow_it_is_is_drawn_within_its_bound() -> None:
    disk = Disk(random.Random(0), retention=100)
    disk.slow = 5.0
    delays = [disk.delay() for _ in range(50)]
    assert 0 <= min(delays) < max(delays) <= 5


async def test_a_full_disk_keeps_nothing_and_says_so(folder: Path | None) -> None:
    disk = a_disk(folder)
    async with disk.open() as journal:
        disk.full = True
        with pytest.raises(JournalUnavailable):
            await journal.append([draft("hello" * 10_000)])  # little may find a place that is free already
        assert await journal.heads() == {}
        disk.full = False
        await journal.append([draft("hello again")])
    assert await texts(disk) == ["hello again"]
    assert disk.appends == 1


async def test_a_disk_that_can_not_be_read_can_be_written(folder: Path | None) -> None:
    disk = a_disk(folder)
    async with disk.open() as journal:
        disk.failing = True
        await journal.append([draft("hello")])
        with pytest.raises(JournalUnavailable):
            await journal.read_after("#one", 0, 10)
        disk.failing = False
        assert (await journal.read_after("#one", 0, 10)).last == 1


async def test_a_server_that_is_set_back_has_what_the_back_up_had(folder: Path | None) -> None:
    disk = a_disk(folder)
    for before, after in ([], ["one"]), (["one"], ["one", "two"]), (["one", "two"], []):
        async with disk.open() as journal:
            assert [entry.text for entry in (await journal.read_after("#one", 0, 10)).entries] == before
            for text in after[len(before) :]:
                await journal.append([draft(text)])
            disk.back_up()
            await journal.append([draft("lost")])
            journal.kill()
        disk.set_back()
        assert await texts(disk) == (after or before)


async def test_without_a_back_up_it_has_nothing(folder: Path | None) -> None:
    disk = a_disk(folder)
    async with disk.open() as journal:
        await journal.append([draft("lost")])
        journal.kill()
    disk.set_back()
    assert await texts(disk) == []


def test_bounds_are_narrow_for_a_while() -> None:
    from triochat.journal import tag_runs

    wide = tag_runs.MAX_RUN
    with narrow():
        assert tag_runs.MAX_RUN == NARROW["tag_runs.MAX_RUN"] < wide
    assert wide == tag_runs.MAX_RUN
