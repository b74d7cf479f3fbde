"""Rows of the screen that are exactly as wide as they have to be, and lists of them.

What is drawn here may come from the network: every text passes `harmless`.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import urwid

from triochat.screen.harmless import columns, fit, harmless

Row: TypeAlias = list[tuple[str, str]]
"""Style and text, piece by piece."""

PAGE_KEYS: Final = {"page up": -1, "page down": 1}
LINE_KEYS: Final = {"up": -1, "ctrl p": -1, "shift tab": -1, "down": 1, "ctrl n": 1, "tab": 1}


def paint(row: Iterable[tuple[str, str]], width: int, style: str) -> urwid.Canvas:
    """One row, cut with ``…`` or filled up to `width` columns, in `style` where nothing is."""
    markup: Row = []
    left = width
    for name, text in row:
        piece = fit(harmless(text), left) if left else ""
        if piece:
            markup.append((name, piece))
            left -= columns(piece)
    canvas: urwid.Canvas = urwid.Text([*markup, (style, " " * left)], wrap="clip").render((width,))
    return canvas


def ends(left: Row, right: Row, width: int, style: str) -> Row:
    """`left` at the left, `right` at the right of `width` columns. Where both do not fit, `left` is cut."""
    taken = sum(columns(harmless(text)) for _, text in right)
    space = width - taken
    cut: Row = []
    for name, text in left:
        piece = fit(harmless(text), space) if space > 0 else ""
        cut.append((name, piece))
        space -= columns(piece)
    return [*cut, (style, " " * max(space, 0)), *right]


def stack(rows: Sequence[urwid.Canvas], width: int, height: int, style: str) -> urwid.Canvas:
    """The rows below each other, with nothing below them down to `height`."""
    blank = [paint([], width, style) for _ in range(height - len(rows))]
    canvas: urwid.Canvas = urwid.CanvasCombine([(row, None, False) for row in (*rows[:height], *blank)])
    return canvas


class RowList(urwid.Widget):
    """A list of rows, of which one may be chosen; only what is seen is drawn.

    A subclass says how many there are, how one looks, and what a click does.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = True
    style = "list"

    def __init__(self) -> None:
        super().__init__()
        self.chosen: int | None = None
        self._top = 0
        self._height = 1

    def count(self) -> int:
        """How many rows."""
        raise NotImplementedError

    def row(self, index: int, width: int) -> Row:
        """One of them."""
        raise NotImplementedError

    def clicked(self, index: int) -> None:
        """Somebody clicked on it."""

    def refresh(self) -> None:
        """It is another list now, or looks another way."""
        if self.chosen is not None:
            self.chosen = min(max(self.chosen, 0), self.count() - 1) if self.count() else None
        self._invalidate()

    def choose(self, index: int) -> None:
        """Choose this one, or the nearest that there is."""
        self.chosen = index
        self.refresh()

    def scroll(self, by: int) -> None:
        """Look at what is `by` rows below."""
        self._top += by
        self._invalidate()

    def move(self, key: str) -> bool:
        """Do what `key` does to a list, if it does."""
        steps = {
            **LINE_KEYS,
            **{name: by * max(self._height - 1, 1) for name, by in PAGE_KEYS.items()},
            "home": -self.count(),
            "end": self.count(),
        }
        if key not in steps:
            return False
        if self.chosen is None:
            self.scroll(steps[key])
        else:
            self.choose(self.chosen + steps[key])
        return True

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]  # noqa: ARG002
        """Moves, and gives back what it does not know."""
        return None if self.move(key) else key

    def mouse_event(  # type: ignore[override]
        self,
        size: tuple[int, int],  # noqa: ARG002
        event: str,
        button: int,
        col: int,  # noqa: ARG002
        row: int,
        focus: bool,  # noqa: ARG002
    ) -> bool:
        """The wheel scrolls, a click is told of."""
        if "press" not in event:
            return False
        if button in (4, 5):
            by = -3 if button == 4 else 3
            if self.chosen is None:
                self.scroll(by)
            else:
                self.choose(self.chosen + by)
            return True
        if button == 1 and self._top + row < self.count():
            self.clicked(self._top + row)
            return True
        return False

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]  # noqa: ARG002
        """What of it is seen, with the chosen row in it."""
        width, self._height = size
        if self.chosen is not None:
            self._top = min(max(self._top, self.chosen - self._height + 1), self.chosen)
        self._top = max(min(self._top, self.count() - self._height), 0)
        rows = []
        for index in range(self._top, min(self._top + self._height, self.count())):
            row = self.row(index, width)
            style = self.style
            if index == self.chosen:
                style = "list.current"
                row = [(style, text) for _, text in row]
            rows.append(paint(row, width, style))
        return stack(rows, width, self._height, self.style)
