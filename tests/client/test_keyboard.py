import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

from triochat.client.keyboard import LIMIT, BadLine, Keyboard


class Pipe:
    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()

    def type(self, data: bytes) -> None:
        os.write(self.writing, data)

    def end(self) -> None:
        os.close(self.writing)
        self.writing = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    os.close(pipe.reading)
    if pipe.writing != -1:
        pipe.end()


async def all_lines(keyboard: Keyboard) -> list[str | BadLine]:
    lines = []
    while (line := await keyboard.next_line()) is not None:
        lines.append(line)
    return lines


async def test_lines_of_every_kind(pipe: Pipe) -> None:
    pipe.type("one\r\n\ntwo ☺\nlast without an end".encode())
    pipe.end()
    keyboard = Keyboard(pipe.reading)
    assert await all_lines(keyboard) == ["one", "", "two ☺", "last without an end"]
    assert await keyboard.next_line() is None
    assert not keyboard.is_terminal


async def test_a_character_in_two_reads(pipe: Pipe, nursery: trio.Nursery) -> None:
    keyboard = Keyboard(pipe.reading)
    lines: list[str | BadLine | None] = []

    async def read() -> None:
        lines.append(await keyboard.next_line())

    nursery.start_soon(read)
    for octet in "☺\n".encode():
        await trio.testing.wait_all_tasks_blocked()
        assert not lines
        pipe.type(bytes([octet]))
    with trio.fail_after(5):
        while not lines:
            await trio.lowlevel.checkpoint()
    assert lines == ["☺"]


async def test_a_cancelled_wait_takes_nothing(pipe: Pipe) -> None:
    keyboard = Keyboard(pipe.reading)
    with trio.move_on_after(0):
        await keyboard.next_line()
    pipe.type(b"still there\n")
    assert await keyboard.next_line() == "still there"


async def test_what_is_no_text_and_what_is_too_much(pipe: Pipe) -> None:
    pipe.type(b"caf\xe9 \x1b[2J" + b"x" * 99 + b"\ngood\n")
    keyboard = Keyboard(pipe.reading)
    bad = await keyboard.next_line()
    assert isinstance(bad, BadLine)
    assert "UTF-8" in bad.sentence
    assert "caf\\xe9" in bad.sentence
    assert bad.sentence.endswith("x…”")
    assert bad.sentence.isprintable()
    assert await keyboard.next_line() == "good"

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.to_thread.run_sync, pipe.type, b"x" * LIMIT + b"\nshort\n")
        too_long = await keyboard.next_line()
        assert isinstance(too_long, BadLine)
        assert "longer" in too_long.sentence
        assert await keyboard.next_line() == "short"


async def test_a_regular_file(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text("one\ntwo")
    with path.open("rb") as file:
        assert await all_lines(Keyboard(file.fileno())) == ["one", "two"]


async def test_nothing_at_all() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    try:
        assert await all_lines(Keyboard(null)) == []
    finally:
        os.close(null)


async def test_a_descriptor_that_is_none(pipe: Pipe) -> None:
    closed = os.dup(pipe.reading)
    os.close(closed)
    assert await all_lines(Keyboard(closed)) == []
    assert await all_lines(Keyboard(-1)) == []


async def test_a_fault_of_the_system_is_no_end(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(IsADirectoryError):
            await Keyboard(folder).next_line()
    finally:
        os.close(folder)


async def test_a_terminal_that_is_closed_ends_the_input() -> None:
    master, slave = os.openpty()
    keyboard = Keyboard(slave)
    assert keyboard.is_terminal
    os.write(master, b"hello\n")
    assert await keyboard.next_line() == "hello"
    os.close(master)
    assert await keyboard.next_line() is None
    os.close(slave)


async def test_the_descriptor_stays_as_it_is(pipe: Pipe) -> None:
    pipe.type(b"x\n")
    await Keyboard(pipe.reading).next_line()
    assert os.get_blocking(pipe.reading)
