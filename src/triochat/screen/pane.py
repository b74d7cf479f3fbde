"""The pane with what is said: a box widget around `Scroll`, which knows what is on the screen."""

from collections.abc import Callable, Hashable
from datetime import tzinfo
from typing import ClassVar, Final, Literal

import urwid
from urwid.util import apply_target_encoding

from triochat.screen.buffer import Buffer, Line
from triochat.screen.harmless import fit, harmless
from triochat.screen.layout import LEAST, Row
from triochat.screen.scroll import Place, Scroll

NICK_WIDTH: Final = 12
WHEEL: Final = 3
"""Rows that one notch of a mouse wheel scrolls."""
_WHEEL_UP: Final = 4
_WHEEL_DOWN: Final = 5
_SAID: Final = ("message", "action")


def _nothing(*_: object) -> None:
    pass


class MessagePane(urwid.Widget):
    """Shows a buffer. Whoever changes that calls `refresh`.

    It looks at the end until somebody scrolls up. What one looks at then stays where it is, whatever happens
    around it, and a row at the bottom tells of what is new; each buffer is found again as it was left.

    Args:
        buffer: what to show first.
        on_top: there is not much left above what is seen, and the buffer is not complete: older lines are to
            be read. It is called once for each oldest line, and again when somebody scrolls up.
        on_end: the last line of the buffer is on the screen now (True), or is not any more (False).
        on_more: so it is, but the buffer is detached, so the log goes on below; and again for who goes on
            scrolling down. Who wants to see the very end (`to_end`) is told of by `on_end`.
        nick_width: columns for nicks, at most.
        retry: the key that sends a failed line again, for people; empty if there is none.
        zone: in which time zone clocks are shown; None for that of this machine.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = False
    ignore_focus: ClassVar[bool] = True

    def __init__(
        self,
        buffer: Buffer,
        *,
        on_top: Callable[[], None] = _nothing,
        on_end: Callable[[bool], None] = _nothing,
        on_more: Callable[[], None] = _nothing,
        nick_width: int = NICK_WIDTH,
        retry: str = "",
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self._on_top = on_top
        self._on_end = on_end
        self._on_more = on_more
        self._nick_width = nick_width
        self._retry = retry
        self._zone = zone
        self._size = (80, 24)
        self._asked: Line | None = None  # the oldest line when we asked for older ones
        self._told = True  # what `on_end` was told; who shows a buffer takes it to be at its end
        self._left: dict[Buffer, Scroll] = {}  # those that were not left at their end
        self._scroll = self._new(buffer)

    # --- what is shown --------------------------------------------------------------------------

    @property
    def buffer(self) -> Buffer:
        """What is shown."""
        return self._scroll.buffer

    @property
    def at_bottom(self) -> bool:
        """Whether the last line that the buffer holds is on the screen."""
        return self._scroll.following

    @property
    def at_end(self) -> bool:
        """Whether nothing that was said is below what is on the screen."""
        return self._scroll.following and not self.buffer.detached

    @property
    def laid_out(self) -> int:
        """How many lines were laid out for this buffer: what drawing costs, for tests."""
        return self._scroll.laid_out

    def show(self, buffer: Buffer) -> None:
        """Show another buffer, where one looked at it last; at its end if that was where."""
        if buffer is self.buffer:
            return
        if not self._scroll.following:
            self._left[self.buffer] = self._scroll
        self._scroll = self._left.pop(buffer) if buffer in self._left else self._new(buffer)
        self._asked, self._told = None, True
        self.refresh()

    def forget(self, buffer: Buffer) -> None:
        """A buffer was closed: it need not be known how it was left."""
        self._left.pop(buffer, None)

    def refresh(self) -> None:
        """Draw anew: something about the buffer has changed."""
        self._invalidate()

    # --- scrolling ------------------------------------------------------------------------------

    def scroll(self, rows: int) -> None:
        """Scroll down so many rows; up if `rows` is negative."""
        if rows < 0:
            self._asked = None
        self._fit().by(rows)
        self._scrolled(down=rows > 0)

    def page(self, pages: int) -> None:
        """Scroll so many screens. What was the last row, or the first, can still be seen."""
        self.scroll(pages * max(self._size[1] - 2, 1))

    def to_top(self) -> None:
        """Show the oldest line that there is."""
        self._asked = None
        self._fit().to_start()
        self._scrolled()

    def to_end(self) -> None:
        """Show the newest line, and each that comes."""
        self._scroll.to_end()
        self._invalidate()
        self._tell_end(anyway=True, sought=True)

    def hold(self) -> None:
        """Stay at what is looked at, though the buffer is about to go on below it."""
        self._scroll.hold()
        self._told = False

    def to_line(self, line: Line) -> bool:
        """Show `line`, and some of what was said before; False if the buffer does not hold it."""
        found = self._fit().to_line(line)
        self._scrolled()
        return found

    def mouse_event(
        self,
        size: tuple[int, int],  # type: ignore[override]
        event: str,
        button: int,
        col: int,  # noqa: ARG002
        row: int,
        focus: bool,  # noqa: ARG002
    ) -> bool | None:
        """The wheel scrolls; a click on what tells of new messages goes to them."""
        if not urwid.util.is_mouse_press(event):
            return False
        self._size = size
        if button in (_WHEEL_UP, _WHEEL_DOWN):
            self.scroll(WHEEL if button == _WHEEL_DOWN else -WHEEL)
            return True
        if button == 1 and row == size[1] - 1 and self._below(self._fit().visible()):
            self.to_end()
            return True
        return False

    def _scrolled(self, *, down: bool = False) -> None:
        self._invalidate()
        self._tell_end(anyway=down and self.at_bottom)

    def _tell_end(self, *, anyway: bool = False, sought: bool = False) -> None:
        if anyway or self.at_bottom != self._told:
            self._told = self.at_bottom
            if self._told and self.buffer.detached and not sought:
                self._on_more()
            else:
                self._on_end(self._told)

    # --- drawing --------------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]  # noqa: ARG002
        """Draw what is on the screen, at a cost that does not depend on how long the buffer is."""
        self._size = size
        version = self.buffer.version
        canvas = self._draw()
        self._tell_end()
        self._ask_for_older()
        if self.buffer.version != version:
            # urwid keeps what is returned here, and a change that was told while it is made is lost on it.
            canvas = self._draw()
        return canvas

    def _draw(self) -> urwid.Canvas:
        width, height = self._size
        scroll = self._fit()
        visible = scroll.visible()
        if visible:
            shown = [row for _, row in visible]
            shown = [[] for _ in range(height - len(shown))] + shown
            if below := self._below(visible):
                shown[-1] = [("below", fit(below, scroll.width).center(scroll.width))]
        else:
            hint = fit(_hint(self.buffer), scroll.width)
            shown = [[] for _ in range(height)]
            shown[height // 2] = [("notice", hint.center(scroll.width))]
        canvas: urwid.Canvas = _canvas(shown, scroll.width)
        if width < scroll.width:
            canvas = urwid.CompositeCanvas(canvas)
            canvas.pad_trim_left_right(0, width - scroll.width)
        return canvas

    def _below(self, visible: list[tuple[Place, Row]]) -> str:
        """What the last row says of what is below it; empty if there is nothing to say."""
        buffer = self.buffer
        if self.at_end or not visible or self._size[1] < 3:
            return ""
        new = buffer.unread
        if not buffer.detached and new:
            # Some of the unread ones may be on the screen already, or above it.
            last = visible[-1][0].at
            said = (line.kind in _SAID and not line.own for line in reversed(buffer.lines[last + 1 :]))
            new = min(new, sum(said))
        if new:
            return f"▼ {new} new message{'s' * (new > 1)} below"
        return "▼ newer messages below" if buffer.detached else ""

    def _ask_for_older(self) -> None:
        lines = self.buffer.lines
        if not lines or self.buffer.complete or lines[0] is self._asked:
            return
        if self._scroll.top().at < self._size[1]:  # so less than about a screen is above
            self._asked = lines[0]
            self._on_top()

    def _fit(self) -> Scroll:
        """The scroll, in the size of the pane."""
        width, height = self._size
        self._scroll.resize(max(width, LEAST), height)
        return self._scroll

    def _new(self, buffer: Buffer) -> Scroll:
        return Scroll(buffer, nick_width=self._nick_width, retry=self._retry, zone=self._zone)


def _hint(buffer: Buffer) -> str:
    """What stands in an empty pane."""
    if not buffer.name:
        return "You are in no room. /join #lobby enters one."
    if buffer.is_room:
        return f"Nothing was said in {harmless(buffer.name)} yet. Type a line and press Enter."
    return f"Say something to {harmless(buffer.name)}: type a line and press Enter."


def _canvas(shown: list[Row], width: int) -> urwid.TextCanvas:
    """Rows in the encoding of the terminal."""
    texts: list[bytes] = []
    attributes: list[list[tuple[Hashable, int]]] = []
    sets: list[list[tuple[Literal["0", "U"] | None, int]]] = []
    for row in shown:
        parts = [(style, *apply_target_encoding(text)) for style, text in row if text]
        texts.append(b"".join(text for _, text, _ in parts))
        attributes.append([(style, len(text)) for style, text, _ in parts])
        sets.append([run for _, _, set_ in parts for run in set_])
    return urwid.TextCanvas(texts, attributes, sets, maxcol=width)
