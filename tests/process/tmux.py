"""A real terminal: tmux, by a socket of its own, with a shell in it. Keys in, screen out."""

import os
import re
import shlex
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

from tests.process.program import PATIENCE, environment

LOOK_EVERY: Final = 0.03
"""Seconds between two looks at the screen: nobody tells us when it has changed."""
_COLOUR = re.compile(r"\x1b\[(?:[0-9;:]*[;:])?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:[;:][0-9;:]*)?m")


class Tmux:
    """A terminal of 80 by 24."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = {**environment(env), "LC_ALL": "C.UTF-8"}
        self._env.pop("TMUX", None)
        self._socket = f"triochat-{os.getpid()}-{uuid.uuid4().hex[:8]}"

    async def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, "-f", "/dev/null", *arguments]
        with trio.fail_after(PATIENCE):
            done = await trio.run_process(
                command, capture_stdout=True, env=self._env, stdin=subprocess.DEVNULL
            )
        return done.stdout.decode()

    async def start(self) -> None:
        """Open it, with a shell in it that has read no file of anybody's."""
        await self._tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", str(self._folder), "exec sh")
        await self.when(lambda screen: bool(screen.strip()))  # its prompt, whichever that is

    async def stop(self) -> None:
        """Close it, and end what is in it."""
        path = await self._tmux("display-message", "-p", "#{socket_path}")
        await self._tmux("kill-server")
        await trio.Path(path.strip()).unlink(missing_ok=True)  # which tmux leaves there

    async def type(self, text: str) -> None:
        """Type text."""
        await self._tmux("send-keys", "-l", "--", text)

    async def press(self, *keys: str) -> None:
        """Press keys, by tmux's names: ``Enter``, ``C-c``, ``PageUp``."""
        await self._tmux("send-keys", *keys)

    async def run(self, *command: str, env: str = "") -> None:
        """Type a command; when it has ended there is a line ``code N``."""
        await self.type(f"{env} {shlex.join(command)}; echo code $?")
        await self.press("Enter")

    async def resize(self, columns: int, rows: int) -> None:
        """Make it larger or smaller."""
        await self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    async def screen(self, *, colours: bool = False) -> str:
        """What is to be seen, with escape sequences for colours or without."""
        return await self._tmux("capture-pane", "-p", "-J" if not colours else "-e")

    async def until(self, *parts: str, gone: str = "") -> str:
        """Wait until all of this is to be seen, and `gone` is not; returns the screen."""

        def there(screen: str) -> bool:
            return all(part in screen for part in parts) and not (gone and gone in screen)

        return await self.when(there)

    async def when(self, there: Callable[[str], bool]) -> str:
        """Wait until the screen is like that, and return it."""
        screen = ""
        try:
            with trio.fail_after(PATIENCE):
                while not there(screen := await self.screen()):  # noqa: ASYNC110 -- a screen tells nobody
                    await trio.sleep(LOOK_EVERY)
        except trio.TooSlowError:
            raise AssertionError(f"it does not come to that:\n{screen}") from None
        return screen

    async def restored(self) -> bool:
        """Whether this is the ordinary screen, with a cursor, and nobody wants the mouse or marked pastes."""
        flags = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{mouse_standard_flag} #{mouse_button_flag}"
        return (await self._tmux("display-message", "-p", flags)).split() == ["0", "1", "0", "0", "0"]

    async def ended(self, code: int) -> str:
        """Wait for the end of the command: with this exit code, and the terminal as it was."""
        screen = await self.when(lambda screen: re.search(r"^code \d+$", screen, re.MULTILINE) is not None)
        assert f"\ncode {code}\n" in f"\n{screen}", screen
        assert await self.restored()
        return screen

    async def settings(self) -> str:
        """What stty tells of it."""
        path = self._folder / f"stty-{uuid.uuid4().hex}"
        await self.type(f"clear; stty -a > {path} && mv {path} {path}.done")
        await self.press("Enter")
        done = path.with_suffix(".done")
        with trio.fail_after(PATIENCE):
            while not done.exists():  # noqa: ASYNC110 -- a file tells nobody
                await trio.sleep(LOOK_EVERY)
        return done.read_text()


def has_colours(screen: str) -> bool:
    """Whether anything of it is coloured, foreground or background."""
    return _COLOUR.search(screen) is not None


@asynccontextmanager
async def terminal(folder: Path, env: Mapping[str, str]) -> AsyncIterator[Tmux]:
    """A terminal, closed in the end."""
    tmux = Tmux(folder, env)
    try:
        await tmux.start()
        yield tmux
    finally:
        with trio.CancelScope(deadline=trio.current_time() + PATIENCE, shield=True):
            await tmux.stop()
