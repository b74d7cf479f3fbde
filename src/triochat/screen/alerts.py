"""How a terminal is asked for somebody's attention: its bell, and a notification where it knows one.

OSC 9 is iTerm2's, and known to many; OSC 777 is that of urxvt, foot and VTE. A terminal that knows neither
may print them, so they are sent only where that is asked for. What they say is made harmless first, and
what the terminal has no character for is a question mark.
"""

import math
from collections.abc import Callable
from typing import Final, Literal, Protocol, runtime_checkable

import trio

from triochat.screen.harmless import harmless

MOST: Final = 200
"""Characters that a notification has."""
PAUSE: Final = 1.0
"""Seconds for which it is quiet behind a ring, or whoever is said much to would be deafened."""


@runtime_checkable
class Terminal(Protocol):
    """What urwid's screen on a terminal has."""

    def write(self, data: str) -> None:
        """Write this to it."""
        ...

    def flush(self) -> None:
        """Now."""
        ...


class Alerts:
    """Rings for us.

    Args:
        screen: one that is no terminal is not rung.
        bell: ring the bell.
        notify: ask for a notification, and how.
        encoding: of the terminal.
        now: gives seconds, of a clock that is never set back.
    """

    def __init__(
        self,
        screen: object,
        *,
        bell: bool,
        notify: Literal["off", "osc9", "osc777"],
        encoding: str = "utf-8",
        now: Callable[[], float] = trio.current_time,
    ) -> None:
        self._screen = screen
        self.bell = bell
        self._notify = notify
        self._encoding = encoding
        self._now = now
        self._quiet_until = -math.inf

    def ring(self, who: str, text: str) -> None:
        """Somebody has said something to us. Within `PAUSE` of the last ring, nothing is done."""
        data = self._data(harmless(who), harmless(text)[:MOST])
        if data and isinstance(self._screen, Terminal) and self._now() >= self._quiet_until:
            self._quiet_until = self._now() + PAUSE
            self._screen.write(data.encode(self._encoding, "replace").decode(self._encoding))
            self._screen.flush()

    def _data(self, who: str, text: str) -> str:
        bell = "\a" if self.bell else ""
        match self._notify:
            case "osc9":
                return f"{bell}\x1b]9;{who}: {text}\a"
            case "osc777":
                return f"{bell}\x1b]777;notify;{who.replace(';', ',')};{text.replace(';', ',')}\a"
            case _:
                return bell
