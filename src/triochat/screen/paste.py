"""What comes from the clipboard, told apart from what is typed, so that 500 lines are not sent by accident.

A terminal that knows bracketed paste says where one begins and ends. With one that does not, the keys come in
one read: so line ends with text behind them in the same read are a paste too. Who types ahead of a very slow
line is asked once for nothing.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

SOON: Final = 0.3
"""Seconds in which what follows a paste without brackets is the rest of it: a read has its bound."""
LATE: Final = 3.0
"""Seconds without a key in which a paste ends whose end got lost; else the keyboard would be dead."""
_TEXT: Final = {"enter": "\n", "tab": "\t"}


class Paste(str):
    """A paste, as a key among others: it passes through widgets that know of none."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> "Paste":
        """Pasted text, its lines ended by newlines."""
        paste = super().__new__(cls, "paste")
        paste.text = text
        return paste


class PasteWatch:
    """Looks through the keys of each read, as the input filter of urwid's main loop.

    Args:
        now: seconds of a clock that does not jump.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._pasting: list[str] | None = None  # between the brackets
        self._last = -SOON  # when there was a paste without brackets
        self._read = 0.0  # when there was anything

    def filter(self, keys: Iterable[Any]) -> list[Any]:
        """The same keys, and what was pasted as one `Paste`. What is not text in a paste is left out."""
        out: list[Any] = []
        run: list[str] = []  # keys that make up text
        now = self._now()
        if self._pasting is not None and now - self._read > LATE:
            out.append(Paste("".join(self._pasting)))
            self._pasting = None
        for key in keys:
            if key == "begin paste":
                self._end(run, out)
                self._pasting = self._pasting or []
            elif self._pasting is not None:
                if key == "end paste":
                    out.append(Paste("".join(self._pasting)))
                    self._pasting = None
                elif _is_text(key):
                    self._pasting.append(_TEXT.get(key, key))
            elif _is_text(key):
                run.append(key)
            elif key != "end paste":
                self._end(run, out)
                out.append(key)
        self._end(run, out)
        self._read = now
        return out

    def _end(self, run: list[str], out: list[Any]) -> None:
        text = "".join(_TEXT.get(key, key) for key in run)
        now = self._now()
        following = now - self._last < SOON
        if text.count("\n") > 1 or "\n" in text[:-1] or (run and following):
            self._last = now
            out.append(Paste(text))
        else:
            out += run
        run.clear()


def _is_text(key: object) -> bool:
    return isinstance(key, str) and (len(key) == 1 or key in _TEXT)
