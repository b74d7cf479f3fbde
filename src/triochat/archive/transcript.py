"""An export for people: who said what, and when, room by room and day by day.

Every entry begins with its time, and the further lines of a text are indented. So no text can look like
somebody else's; and nothing that acts on a terminal gets there.
"""

from datetime import datetime, tzinfo
from typing import Final

from triochat.journal.interface import Entry
from triochat.journal.snapshot import Gap, Item
from triochat.protocol.escape import clean
from triochat.protocol.text import ACTION

_CONTINUED: Final = " " * len("hh:mm:ss ")


class Transcript:
    """Tells of one log after the other.

    Args:
        zone: in which time zone the clock is shown; None for that of this machine.
    """

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._gap: Gap | None = None
        self._log = ""
        self._day = ""

    def tell(self, item: Item) -> list[str]:
        """The lines that tell of the next part, without their ends; of a log without entries, none."""
        if isinstance(item, Gap):
            self._gap = item
            return []
        lines: list[str] = []
        if item.log != self._log:
            lines += self._head(item.log)
        day, clock = self._when(item.ms)
        if day != self._day:
            lines.append(f"--- {day} ---")
            self._day = day
        first, *others = _said(item)
        return [*lines, clean(f"{clock} {first}"), *(clean(f"{_CONTINUED}{other}") for other in others)]

    def _head(self, log: str) -> list[str]:
        title = f"private messages to {log[1:]}" if log.startswith("@") else log
        lines = [f"=== {title} ==="]
        if self._log:
            lines.insert(0, "")
        if self._gap is not None and self._gap.log == log:
            lines.append(f"(The entries 1 to {self._gap.last} are not here.)")
        self._log, self._day = log, ""
        return lines

    def _when(self, ms: int) -> tuple[str, str]:
        try:
            date, clock = datetime.fromtimestamp(ms / 1000, self._zone).isoformat(" ", "seconds").split(" ")
        except (OverflowError, OSError, ValueError):  # a file may hold any number
            return "at an unknown time", "--:--:--"
        return date, clock[:8]


def _said(entry: Entry) -> list[str]:
    """One line or more."""
    if entry.kind == "topic":
        topic = entry.text.replace("\n", " ")
        return [f"{entry.nick} set the topic: {topic}" if topic else f"{entry.nick} cleared the topic"]
    lead = f"* {entry.nick} " if entry.text.startswith(ACTION) else f"<{entry.nick}> "
    return f"{lead}{entry.text.removeprefix(ACTION)}".split("\n")
