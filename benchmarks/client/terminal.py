"""A program on a terminal of 80 columns and 24 rows, and somebody who types there and looks."""

import fcntl
import os
import random
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from benchmarks.processes import BenchmarkError

COLUMNS: Final = 80
ROWS: Final = 24
PATIENCE: Final = 60.0
"""Seconds for whatever a program must do at last, also on a busy machine."""
PARTING: Final = 5.0
"""Seconds for a program that is asked to leave."""
FRAME: Final = b"\x1b[?25h"
"""What a frame ends with: the cursor is shown again."""
WIPE: Final = b"\x15"
"""Ctrl+U: nothing is typed any more."""
LEAVE: Final = WIPE + b"\x04"
"""And Ctrl+D."""


class Terminal:
    """Starts a program on a new terminal; leaving the block ends it.

    Whatever it writes is looked at once: `until` finds only what is new.

    Args:
        command: program and arguments.

    Attributes:
        began: when it was started, in seconds of `time.monotonic`.
        pid: its process.
        octets: how many it has written so far, of those that were read.
        seen: when the mark of `look_for` came; None if it has not.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._name = " ".join(command[-6:])
        self.octets = 0
        self.seen: float | None = None
        self._mark = b""
        self._tail = b""
        self._unread = b""
        self._ours, theirs = os.openpty()
        try:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            self.began = time.monotonic()
            # Its terminal is gone when we are, and so is it then.
            self._child = subprocess.Popen(
                command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
            )
        except BaseException:
            os.close(self._ours)
            raise
        finally:
            os.close(theirs)
        self.pid = self._child.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._leave()
        finally:
            os.close(self._ours)
            self._child.terminate()
            try:
                self._child.wait(PARTING)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def press(self, keys: bytes) -> None:
        """Type this."""
        os.write(self._ours, keys)

    def look_for(self, mark: bytes) -> None:
        """From now on take note of when `mark` comes, whatever else is waited for: see `seen`."""
        self._mark, self._tail, self.seen = mark, b"", None

    def read(self, seconds: float) -> bytes:
        """What it writes next; empty if it writes nothing for so long.

        Raises:
            BenchmarkError: it has ended.
        """
        if unread := self._unread:
            self._unread = b""
            return unread
        if not select.select([self._ours], [], [], max(seconds, 0))[0]:
            return b""
        try:
            data = os.read(self._ours, 1 << 16)
        except OSError:  # so Linux tells that nobody has the other side open any more
            raise BenchmarkError(f"{self._name} has ended too early") from None
        self.octets += len(data)
        if self._mark and self.seen is None:
            looked_at = self._tail + data
            if self._mark in looked_at:
                self.seen = time.monotonic()
            self._tail = looked_at[-len(self._mark) :]
        return data

    def rest(self, seconds: float = 0) -> None:
        """Pass over all that it writes within so many seconds, and has written already."""
        deadline = time.monotonic() + seconds
        while self.read(deadline - time.monotonic()) or time.monotonic() < deadline:
            pass

    def settle(self, pause: float = 0.3) -> None:
        """Pass over all that it writes until it has written nothing for `pause` seconds."""
        deadline = time.monotonic() + PATIENCE
        while self.read(pause):
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{self._name} was still drawing after {PATIENCE:.0f} s")

    def until(self, mark: bytes, what: str, seconds: float = PATIENCE) -> float:
        """Read on to the end of `mark`; returns when that was, in seconds of `time.monotonic`.

        Raises:
            BenchmarkError: it did not come; `what` says what has not happened.
        """
        deadline = time.monotonic() + seconds
        data = b""
        while (at := data.find(mark)) < 0:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"{self._name}: {what} within {seconds:.0f} s")
            data = data[-len(mark) :] + self.read(deadline - time.monotonic())
        now = time.monotonic()
        self._unread = data[at + len(mark) :]
        return now

    def _leave(self) -> None:
        deadline = time.monotonic() + PARTING
        with suppress(BenchmarkError, OSError):  # as it should
            self.press(LEAVE)
            while time.monotonic() < deadline:
                self.read(deadline - time.monotonic())


class Typist:
    """Types letters that nobody else writes, and takes the time until each is on the terminal.

    Rows are drawn whole, so a letter comes again whenever what is typed does. But a row never holds as many
    as there are letters, so each is one that was not drawn since it was typed last, two wipes ago.

    Args:
        terminal: where.
    """

    LETTERS: Final = [chr(code).encode() for code in range(0x410, 0x450)]  # Cyrillic
    WIPE_EVERY: Final = len(LETTERS) // 2
    PAUSE: Final = (0.005, 0.05)
    """Seconds between two keys, drawn anew each time, so that they meet a flood in all its phases."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._typed = 0
        self._choose = random.Random(1)

    def key(self) -> float:
        """Type one; milliseconds until it is there."""
        if self._typed % self.WIPE_EVERY == 0:
            self.wipe()
        letter = self.LETTERS[self._typed % len(self.LETTERS)]
        self._typed += 1
        self._terminal.rest()
        pressed = time.monotonic()
        self._terminal.press(letter)
        return (self._terminal.until(letter, "a key was not shown") - pressed) * 1e3

    def pause(self) -> None:
        """Do nothing for a moment, but look."""
        self._terminal.rest(self._choose.uniform(*self.PAUSE))

    def type(self, count: int) -> list[float]:
        """Type so many, with pauses."""
        taken = []
        for _ in range(count):
            self.pause()
            taken.append(self.key())
        return taken

    def wipe(self) -> None:
        """Give up what is typed."""
        self._terminal.press(WIPE)
        self.pause()
