"""How a terminal is asked for somebody's attention: its bell, and a notification where it knows one.

OSC 9 is iTerm2's, and known to many; OSC 777 is that of urxvt, foot and VTE. A terminal that knows neither
may print them, so they are sent only where that is asked for. What they say is made harmless first.
"""

from typing import Literal, Protocol

from triochat.screen.harmless import harmless

MOST: int = 200
"""Characters that a notification has."""


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
    """

    def __init__(self, screen: object, *, bell: bool, notify: Literal["off", "osc9", "osc777"]) -> None:
        self._screen = screen
        self.bell = bell
        self._notify = notify

    def ring(self, who: str, text: str) -> None:
        """Somebody has said something to us."""
        data = self._data(harmless(who), harmless(text)[:MOST])
        if data and hasattr(self._screen, "write"):
            self._screen.write(data)
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
