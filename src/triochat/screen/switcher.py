"""Ctrl+K: a part of a name, and one is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import urwid

from triochat.protocol.grammar import fold
from triochat.screen.drawing import Row, RowList, ends
from triochat.screen.editing import Editor
from triochat.screen.paste import Paste
from triochat.screen.sidebar import counts, look

PROMPT: Final = "Go to: "


@dataclass(frozen=True, slots=True)
class Place:
    """Where one may go: ``#room`` or ``@nick``, and what is unread there."""

    name: str
    unread: int = 0
    mentions: int = 0


def matching(places: Sequence[Place], part: str) -> list[Place]:
    """Those whose name holds `part`: where it begins the name first, then mentions, then what is unread."""
    wanted = fold(part.strip())
    bare = wanted.lstrip("#@")

    def order(it: Place) -> tuple[bool, int, bool]:
        inside = bool(bare) and not fold(it.name).lstrip("#@").startswith(bare)
        return inside, -it.mentions, not it.unread

    return sorted((it for it in places if wanted in fold(it.name)), key=order)


class _Places(RowList):
    def __init__(self, on_click: Callable[[Place], None]) -> None:
        super().__init__()
        self.places: list[Place] = []
        self._on_click = on_click

    def count(self) -> int:
        return len(self.places)

    def row(self, index: int, width: int) -> Row:
        it = self.places[index]
        return ends(
            [(look(it.unread, it.mentions), f" {it.name}")], counts(it.unread, it.mentions), width, "list"
        )

    def clicked(self, index: int) -> None:
        self._on_click(self.places[index])


class Switcher(urwid.Widget):
    """A line to type in, and below it what it may mean.

    Args:
        places: all there is, in the order of the list of buffers.
        on_choose: is given the name of one that was chosen.
        on_close: nobody wants to go anywhere.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = True

    def __init__(
        self, places: Sequence[Place], on_choose: Callable[[str], None], on_close: Callable[[], None]
    ) -> None:
        super().__init__()
        self._all = list(places)
        self._on_choose = on_choose
        self._on_close = on_close
        self._editor = Editor()
        self._list = _Places(lambda place: on_choose(place.name))
        self._narrow()

    def _narrow(self) -> None:
        self._list.places = matching(self._all, self._editor.text)
        self._list.choose(0)
        self._invalidate()

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """Types, moves in the list, goes, closes; what else there is comes back."""
        if isinstance(key, Paste):
            self._editor.insert(key.text.partition("\n")[0])
            self._narrow()
        elif key == "enter":
            if self._list.chosen is not None:
                self._on_choose(self._list.places[self._list.chosen].name)
        elif key == "esc":
            self._on_close()
        elif key not in ("home", "end") and self._list.move(key):
            self._invalidate()
        elif key in ("ctrl u", "ctrl w"):
            self._editor.do("edit.kill.before" if key == "ctrl u" else "edit.kill.word")
            self._narrow()
        else:
            if self._editor.type(size[0], key) is not None:
                return key
            self._narrow()
        return None

    def mouse_event(  # type: ignore[override]
        self, size: tuple[int, int], event: str, button: int, col: int, row: int, focus: bool
    ) -> bool:
        """The list's."""
        self._invalidate()
        return row > 0 and self._list.mouse_event((size[0], size[1] - 1), event, button, col, row - 1, focus)

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """Where the cursor is."""
        cursor: tuple[int, int] | None = self.render(size, focus=True).cursor
        return cursor

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        """The line and the list."""
        width, height = size
        room = max(width - len(PROMPT), 1)
        lead = urwid.Text([("prompt", PROMPT)], wrap="clip").render((width - room,))
        typed = self._editor.render(room, 1, focus=focus)
        line = urwid.CanvasJoin([(lead, None, False, width - room), (typed, None, True, room)])
        if height == 1:
            return line
        found = self._list.render((width, height - 1))
        return urwid.CanvasCombine([(line, None, True), (found, None, False)])
