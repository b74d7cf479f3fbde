"""Whole lines to pipes and files."""

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from triochat.client.outlet import Outlet

LINE = b"x" * 99 + b"\n"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who reads a pipe")


@pytest.fixture
def pipe() -> Iterator[list[int]]:
    """Both ends; a test takes out what it closes."""
    ends = list(os.pipe())
    yield ends
    for end in ends:
        os.close(end)


async def test_a_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        outlet = Outlet(file.fileno())
        await outlet.write(LINE * 2000)
        assert outlet.written == 200_000
        assert outlet.unread() == 0
    assert (tmp_path / "out").read_bytes() == LINE * 2000


async def test_a_cancelled_write_has_written_whole_lines(pipe: list[int]) -> None:
    outlet = Outlet(pipe[1])
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.write, LINE * 5000)
            await trio.testing.wait_all_tasks_blocked(0.01)
            scope.cancel()
    assert 0 < outlet.written < 500_000
    assert outlet.written % len(LINE) == 0
    assert len(os.read(pipe[0], 1_000_000)) == outlet.written


async def test_a_long_line_that_was_begun_is_finished_if_the_reader_lets_it(pipe: list[int]) -> None:
    outlet = Outlet(pipe[1])
    read = b""
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.write, (b"x" * 99_999 + b"\n") * 2)
            await trio.testing.wait_all_tasks_blocked(0.01)
            scope.cancel()
            with trio.CancelScope(shield=True):
                while not read.endswith(b"\n"):
                    await trio.lowlevel.wait_readable(pipe[0])
                    read += os.read(pipe[0], 4096)
    assert len(read) == outlet.written == 100_000


async def test_one_that_does_not_block(pipe: list[int]) -> None:
    os.set_blocking(pipe[1], False)
    outlet = Outlet(pipe[1])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.write, LINE * 3000)
        left = 300_000
        while left:
            await trio.lowlevel.wait_readable(pipe[0])
            left -= len(os.read(pipe[0], 65536))


@LINUX
async def test_what_nobody_will_read(pipe: list[int]) -> None:
    outlet = Outlet(pipe[1])
    await outlet.write(LINE * 3)
    assert outlet.unread() == 0
    assert os.read(pipe[0], 100) == LINE
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.reader_gone)
        await trio.testing.wait_all_tasks_blocked(0.01)
        os.close(pipe.pop(0))
    assert outlet.unread() == 200
    with pytest.raises(BrokenPipeError):
        await outlet.write(LINE)


@LINUX
async def test_a_pipe_that_was_opened_for_both(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    fd = os.open(tmp_path / "fifo", os.O_RDWR)
    outlet = Outlet(fd)
    await outlet.write(LINE)
    with trio.move_on_after(0.05) as scope:
        await outlet.reader_gone()
    assert scope.cancelled_caught
    os.close(fd)


def test_none() -> None:
    with pytest.raises(OSError, match="descriptor"):
        Outlet(-1)


def test_blocking_is_left_as_it_was(pipe: list[int]) -> None:
    before = fcntl.fcntl(pipe[1], fcntl.F_GETFL)
    Outlet(pipe[1])
    assert fcntl.fcntl(pipe[1], fcntl.F_GETFL) == before
