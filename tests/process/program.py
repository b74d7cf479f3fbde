"""A running command, line by line, with a deadline on every wait."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal

import trio

import triochat

PATIENCE = 30.0
"""Seconds for anything, also for an interpreter to start on a busy machine."""

_INSTALLED = Path(sys.executable).with_name("triochat")
TRIOCHAT = [str(_INSTALLED)] if _INSTALLED.exists() else [sys.executable, "-m", "triochat"]
"""The command that a user has."""
PYTHON = [sys.executable, "-u"]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Ours, but for what would configure triochat."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("TRIOCHAT_")}
    return {**env, "PYTHONPATH": str(Path(triochat.__file__).parents[1]), "PYTHONUTF8": "1", **more}


class Output:
    """What comes out of a pipe."""

    def __init__(self) -> None:
        self.text = ""
        self._taken = 0
        self._ended = False
        self._more = trio.Event()

    async def read(self, pipe: trio.abc.ReceiveStream) -> None:
        async with pipe:
            async for data in pipe:
                self.text += data.decode()
                self._changed()
        self._ended = True
        self._changed()

    async def until(self, part: str) -> str:
        """The text that is new, up to the end of `part`."""
        with trio.fail_after(PATIENCE):
            while (found := self.text.find(part, self._taken)) < 0:
                assert not self._ended, f"it ended without {part!r}: {self.text!r}"
                await self._more.wait()
        begin, self._taken = self._taken, found + len(part)
        return self.text[begin : self._taken]

    async def line(self) -> str:
        return (await self.until("\n")).removesuffix("\n")

    async def rest(self) -> str:
        """Everything to the end that is new."""
        with trio.fail_after(PATIENCE):
            while not self._ended:
                await self._more.wait()
        begin, self._taken = self._taken, len(self.text)
        return self.text[begin:]

    def _changed(self) -> None:
        self._more.set()
        self._more = trio.Event()


class Program:
    """A process; killed when the nursery in which `run` runs is cancelled."""

    def __init__(
        self, *command: str, env: Mapping[str, str] | None = None, stdin: int = subprocess.PIPE
    ) -> None:
        self._command = command
        self._stdin = stdin
        self._env = environment(env or {})
        self.out = Output()
        self.err = Output()
        self.process: trio.Process

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        pipe = subprocess.PIPE
        self.process = await trio.lowlevel.open_process(
            self._command, stdin=self._stdin, stdout=pipe, stderr=pipe, env=self._env
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        try:
            async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
                if self.process.stdin is not None:
                    await stack.enter_async_context(self.process.stdin)
                nursery.start_soon(self.out.read, self.process.stdout)
                nursery.start_soon(self.err.read, self.process.stderr)
                task_status.started()
        finally:
            if self.process.poll() is None:
                self.process.kill()
            with trio.move_on_after(PATIENCE, shield=True):
                await self.process.wait()

    async def type(self, *lines: str) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.send_all("".join(f"{line}\n" for line in lines).encode())

    async def close_stdin(self) -> None:
        assert self.process.stdin is not None
        await self.process.stdin.aclose()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def exit_code(self) -> int:
        with trio.fail_after(PATIENCE):
            return await self.process.wait()

    async def stop(self, how: Literal["TERM", "INT"] = "TERM") -> int:
        self.signal(signal.SIGTERM if how == "TERM" else signal.SIGINT)
        return await self.exit_code()
