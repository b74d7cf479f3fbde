import io
import os
import threading
from pathlib import Path

import pytest
import trio
import trio.testing

from triochat.client.printer import MAX_QUEUED, Printer, write


async def test_both_streams_in_one_order() -> None:
    both = io.StringIO()

    class Err(io.StringIO):
        def write(self, text: str) -> int:
            return both.write(f"! {text}")

    printer = Printer(both, Err())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(printer.run)
        await printer.show(["one", "two"])
        await printer.complain("wrong")
        await printer.show([])
        await printer.ask("name: ")
        printer.finish()
    assert both.getvalue() == "one\ntwo\n! triochat: wrong\nname: "


async def test_a_blocked_output_stops_nobody_but_those_who_print() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as out:
        printer = Printer(out, io.StringIO())
        shown = 0

        async def show() -> None:
            nonlocal shown
            while True:
                await printer.show(["x" * 4096])
                shown += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(printer.run)
            nursery.start_soon(show)
            await trio.testing.wait_all_tasks_blocked(0.02)
            # What a pipe holds, the batch that is stuck, and what is queued.
            assert shown <= 65536 // 4096 + 2 * MAX_QUEUED
            nursery.cancel_scope.cancel()  # and nobody waits for the thread
    os.close(reading)


async def test_nobody_reads() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    err = io.StringIO()
    with os.fdopen(writing, "w") as out:
        printer = Printer(out, err)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(printer.run)
            await printer.show(["lost"])
            await printer.broken.wait()
            await printer.show(["lost as well"])
            await printer.complain("heard")
            printer.finish()
    assert err.getvalue() == "triochat: heard\n"


async def test_nobody_reads_what_goes_wrong() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    out = io.StringIO()
    with os.fdopen(writing, "w") as err:
        printer = Printer(out, err)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(printer.run)
            await printer.complain("lost")
            await printer.show(["heard"])
            printer.finish()
    assert out.getvalue() == "heard\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
async def test_a_full_disk_is_told_once() -> None:
    err = io.StringIO()
    with os.fdopen(os.open("/dev/full", os.O_WRONLY), "w") as out:
        printer = Printer(out, err)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(printer.run)
            await printer.show(["lost"])
            await printer.broken.wait()
            await printer.show(["lost as well"])
            printer.finish()
    assert printer.failed
    assert err.getvalue() == "triochat: the output can't be written: No space left on device\n"


async def test_who_closes_the_window_reads_no_more_and_that_is_no_fault() -> None:
    window, terminal = os.openpty()
    err = io.StringIO()
    with os.fdopen(terminal, "w") as out:
        printer = Printer(out, err)
        os.close(window)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(printer.run)
            await printer.show(["lost"])
            await printer.broken.wait()
            printer.finish()
    assert not printer.failed
    assert err.getvalue() == ""


async def test_what_goes_wrong_is_one_clean_line() -> None:
    err = io.StringIO()
    printer = Printer(None, err)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(printer.run)
        await printer.complain("no file a\nb\x1b[2J")
        printer.finish()
    assert err.getvalue() == "triochat: no file a b\ufffd[2J\n"


async def test_outputs_that_were_closed_before_the_start() -> None:
    printer = Printer(None, None)
    assert printer.broken.is_set()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(printer.run)
        await printer.show(["lost"])
        await printer.complain("lost")
        printer.finish()
    assert not printer.failed


def test_characters_that_the_encoding_lacks() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="ascii") as out:
        write(out, "grüße ☺\n")
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == rb"gr\xfc\xdfe \u263a" + b"\n"


def test_an_output_that_somebody_made_non_blocking() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    size = 1 << 20
    seen = bytearray()

    def read() -> None:
        while data := os.read(reading, 65536):
            seen.extend(data)

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writing, "w") as out:
        write(out, "x" * size)
    thread.join()
    os.close(reading)
    assert len(seen) == size
