"""How far it is, on the terminal's standard error."""

import sys
import time


class Progress:
    """One line that is written over; where there is no terminal, a line for each step.

    Args:
        total: how many steps there are.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._begun = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def step(self, what: str) -> None:
        """Begin the next step."""
        passed = time.monotonic() - self._begun
        left = (
            f", about {_clock(passed / self._done * (self._total - self._done))} left" if self._done else ""
        )
        self._done += 1
        self._write(f"[{self._done}/{self._total}] {what}{left}")

    def note(self, text: str) -> None:
        """Say something that stays."""
        self._write(text)
        if self._terminal:
            sys.stderr.write("\n")

    def end(self) -> None:
        """Leave the line clean."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
