"""A terminal that nobody sees: tmux, on a socket of its own, without anybody's settings."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import trio

PATIENCE: Final = 15.0
"""Seconds after which what should be on the screen will not be there any more."""
SETTINGS: Final = "set-option -g status off\nset-option -g default-terminal tmux-256color\n"


class NotShown(Exception):  # noqa: N818 -- what happened, not a kind of error
    """Something is not on the screen; the message says what is."""


class Terminal:
    """One in which a program runs.

    Args:
        tmux: the command up to the socket's name.
        width: columns.
        height: rows.
    """

    def __init__(self, tmux: Sequence[str], width: int, height: int) -> None:
        self._tmux = [*tmux]
        self.width = width
        self.height = height

    async def type(self, text: str) -> None:
        """Type this, letter by letter."""
        await self._run("send-keys", "-l", "--", text)

    async def press(self, *keys: str) -> None:
        """Press these keys, named as tmux names them: ``Enter``, ``M-1``."""
        await self._run("send-keys", *keys)

    async def resize(self, width: int, height: int) -> None:
        """Be of another size; the program hears of it."""
        self.width, self.height = width, height
        await self._run("resize-window", "-x", str(width), "-y", str(height))

    async def text(self) -> str:
        """What is on the screen, without colours."""
        return await self._run("capture-pane", "-p")

    async def picture(self) -> str:
        """What is on the screen, with escape sequences for colours, and with blanks at the ends of rows."""
        return await self._run("capture-pane", "-p", "-e", "-N")

    async def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, from 0."""
        x, y = (await self._run("display-message", "-p", "#{cursor_x} #{cursor_y}")).split()
        return int(x), int(y)

    async def shows(self, *words: str) -> None:
        """Wait until all of this is on the screen.

        Raises:
            NotShown: it does not come.
        """
        seen = ""
        with trio.move_on_after(PATIENCE):
            while True:
                seen = await self.text()
                if all(word in seen for word in words):
                    return
                await trio.sleep(0.05)  # nobody tells when a terminal has drawn
        raise NotShown(f"{', '.join(word for word in words if word not in seen)!r} is not in\n{seen}")

    async def _run(self, *command: str) -> str:
        done = await trio.run_process([*self._tmux, *command], capture_stdout=True)
        return bytes(done.stdout).decode()


@asynccontextmanager
async def open_terminal(
    command: Sequence[str], folder: Path, env: Mapping[str, str], width: int, height: int
) -> AsyncGenerator[Terminal, None]:
    """A terminal of this size in which the command runs, until this block ends.

    Args:
        command: a program and its arguments.
        folder: an empty one, for the socket.
        env: all that the program has for an environment, but ``TERM``.
        width: columns.
        height: rows.
    """
    settings = folder / "tmux.conf"
    settings.write_text(SETTINGS)
    tmux = ["tmux", "-u", "-S", str(folder / "tmux"), "-f", str(settings)]
    size = ("-x", str(width), "-y", str(height))
    await trio.run_process([*tmux, "new-session", "-d", *size, "--", *command], env=env)
    try:
        yield Terminal(tmux, width, height)
    finally:
        with trio.CancelScope(deadline=trio.current_time() + PATIENCE, shield=True):
            await trio.run_process([*tmux, "kill-server"], check=False, capture_stderr=True)
