"""A terminal that is closed in front of the client, or that tells no size."""

import os
import select
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.process.conftest import Serve, ServerProgram
from tests.process.program import PATIENCE, TRIOCHAT, environment

START = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
if sys.argv[1] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execvp(sys.argv[2], sys.argv[2:])
"""


class Window:
    """A window of no size, with a program in it."""

    def __init__(self, terminal: int, process: trio.Process) -> None:
        self._terminal = terminal
        self._process = process
        self._seen = b""

    async def until(self, part: str) -> None:
        """Wait until this was written to it."""
        with trio.fail_after(PATIENCE):
            while part.encode() not in self._seen:
                await trio.lowlevel.wait_readable(self._terminal)
                self._seen += os.read(self._terminal, 65536)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def close(self) -> None:
        while select.select([self._terminal], [], [], 0)[0]:
            os.read(self._terminal, 65536)
        os.close(self._terminal)
        self._terminal = -1

    async def exit_code(self) -> int:
        """Wait for the end of the program."""
        with trio.fail_after(PATIENCE):
            return await self._process.wait()


@asynccontextmanager
async def window(*command: str, how: str, env: dict[str, str], err: Path) -> AsyncIterator[Window]:
    terminal, inside = os.openpty()
    try:
        with err.open("wb") as log:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-c", START, how, *command],
                stdin=inside,
                stdout=inside,
                stderr=log,
                env={**environment(env), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            )
    finally:
        os.close(inside)
    subject = Window(terminal, process)
    try:
        yield subject
    finally:
        process.kill()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + PATIENCE):
            await process.wait()
        if subject._terminal != -1:
            os.close(subject._terminal)


def client(server: ServerProgram, *options: str) -> list[str]:
    return [*TRIOCHAT, "client", f"127.0.0.1:{server.port}", "--nick", "alice", "--room", "#dev", *options]


@pytest.mark.parametrize(
    ("options", "how", "code"),
    [([], "", 129), ([], "nohup", 0), (["--plain"], "", 129), (["--plain"], "nohup", 0)],
)
async def test_who_closes_the_window_leaves(
    serve: Serve, home: dict[str, str], tmp_path: Path, options: list[str], how: str, code: int
) -> None:
    server = await serve()
    err = tmp_path / "err"
    async with (
        await server.connect() as witness,
        window(*client(server, *options), how=how, env=home, err=err) as shown,
    ):
        await witness.hello("witness", "#dev")
        assert await witness.line() == "JOINED #dev alice"
        await shown.until("#dev")
        shown.type("half\r")
        assert (await witness.line()).endswith("alice :half")
        shown.type("and half")
        shown.close()
        assert await witness.line() == "LEFT #dev alice"
        assert await shown.exit_code() == code
    assert err.read_text() == ""


async def test_a_terminal_that_tells_no_size_is_drawn_on(
    serve: Serve, home: dict[str, str], tmp_path: Path
) -> None:
    server = await serve()
    err = tmp_path / "err"
    async with window(*client(server), how="", env=home, err=err) as shown:
        await shown.until("Nothing was said in #dev yet.")
        shown.type("/quit\r")
        assert await shown.exit_code() == 0
    assert err.read_text() == ""
