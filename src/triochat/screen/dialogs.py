"""What lies over the screen for a while: what a search found, the help, a question."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from textwrap import wrap
from typing import Final

import urwid

from triochat.screen.commands import HELP
from triochat.screen.drawing import Row, RowList
from triochat.screen.keys import Keys
from triochat.screen.layout import moment


def over(screen: urwid.Widget, dialog: urwid.Widget, title: str) -> urwid.Overlay[urwid.Widget, urwid.Widget]:
    """The dialog in a frame over the screen, with some of it to be seen around it."""
    framed = urwid.AttrMap(urwid.LineBox(dialog, title=title, title_attr="title"), "dialog")
    return urwid.Overlay(framed, screen, "center", ("relative", 90), "middle", ("relative", 80))


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a search found: where, when (Unix milliseconds), who, what, and its id in the log."""

    room: str
    ms: int
    nick: str
    text: str
    id: int


class SearchResults(RowList):
    """What was found; Enter or a click goes to the place.

    Args:
        found: in the order in which they are shown.
        style_of: nick → the style in which it is drawn.
        on_jump: is given the one to go to.
        on_close: nobody wants to go there.
        zone: of the times; None for this machine's.
    """

    style = "dialog"

    def __init__(
        self,
        found: Sequence[Found],
        style_of: Callable[[str], str],
        on_jump: Callable[[Found], None],
        on_close: Callable[[], None],
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self._found = list(found)
        self._style_of = style_of
        self._on_jump = on_jump
        self._on_close = on_close
        self._zone = zone
        if self._found:
            self.chosen = 0

    def count(self) -> int:
        """What was found, or a row that says that there is nothing."""
        return max(len(self._found), 1)

    def row(self, index: int, width: int) -> Row:
        """When, where, who, what; on few columns without the day and the room."""
        if not self._found:
            return [("notice", "No message holds these words.")]
        it = self._found[index]
        when = moment(it.ms, self._zone)
        wide = width >= 60
        return [
            ("time", when.strftime("%Y-%m-%d %H:%M " if wide else "%d.%m. ") if when else "--:-- "),
            ("topic", f"{it.room} " if wide else ""),
            (self._style_of(it.nick), it.nick),
            ("dialog", f": {it.text}"),
        ]

    def clicked(self, index: int) -> None:
        """Go there."""
        if self._found:
            self._on_jump(self._found[index])

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """Enter goes there, Esc closes."""
        if key == "enter" and self.chosen is not None:
            self.clicked(self.chosen)
        elif key in ("enter", "esc", "q"):
            self._on_close()
        else:
            return super().keypress(size, key)
        return None


def help_rows(keys: Keys) -> list[tuple[str, str]]:
    """Style and text of each row of the help: the commands, then the keys."""
    commands = [("dialog", line) for line in HELP.split("\n")]
    pressed = [("dialog", line) for line in keys.help()]
    return [("title", "Commands"), *commands, ("dialog", ""), ("title", "Keys"), *pressed]


class _Page(RowList):
    """Text to read, wrapped to the width that there is."""

    style = "dialog"

    def __init__(self, text: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._text = text
        self._rows = list(text)
        self._width = 0

    def count(self) -> int:
        """Rows, at the width at which it was drawn last."""
        return len(self._rows)

    def row(self, index: int, width: int) -> Row:  # noqa: ARG002
        """A row of it."""
        return [self._rows[index]]

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        """What of it is seen."""
        if size[0] != self._width:
            self._width = size[0]
            self._rows = [(style, row) for style, line in self._text for row in _wrapped(line, size[0])]
        return super().render(size, focus)


_COLUMNS: Final = re.compile(r"\S.*?\s{2,}(?=\S)|\S{1,12} (?=\S)")
"""What stands in front of a description."""


def _wrapped(line: str, width: int) -> list[str]:
    """What does not fit goes on below: in its column, where there is room for one, or else further in."""
    if len(line) <= width:
        return [line]
    if (columns := _COLUMNS.match(line)) and columns.end() <= width // 2:
        first, *rest = wrap(line[columns.end() :], width - columns.end()) or [""]
        return [columns[0] + first, *(" " * columns.end() + row for row in rest)]
    return wrap(" ".join(line.split()), max(width, 3), subsequent_indent="  ") or [""]


class HelpScreen(_Page):
    """Commands and keys, as they are set. Esc, Enter and ``q`` close it."""

    def __init__(self, keys: Keys, on_close: Callable[[], None]) -> None:
        super().__init__(help_rows(keys))
        self._keys = keys
        self._on_close = on_close

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """Scrolls or closes."""
        if key in ("esc", "enter", "q") or self._keys.action(key) == "help":
            self._on_close()
            return None
        return super().keypress(size, key)


class Question(_Page):
    """A question that is answered with ``y`` or ``n``; Esc is no, and Enter is nothing at all.

    Args:
        text: the question, a row for each of its lines.
        on_answer: is given the answer, once.
    """

    def __init__(self, text: str, on_answer: Callable[[bool], None]) -> None:
        super().__init__([("dialog", line) for line in (*text.split("\n"), "", "y: yes · n: no")])
        self._on_answer = on_answer

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """Takes the answer, and everything that could be one by accident."""
        if key in ("y", "Y", "n", "N", "esc"):
            self._on_answer(key in ("y", "Y"))
            return None
        if len(key) == 1 or key == "enter":
            return None
        return super().keypress(size, key)
