"""A terminal for tests: it is given keys and a size, and tells what was drawn.

For urwid's main loop it is a screen like the one of a real terminal: keys are read when a descriptor is
readable, so they are obeyed in the task of the loop, and what goes wrong with them goes wrong there. The
descriptor is that of a socket pair: what is written into one end can be read from the other at once, so
a virtual clock does not jump meanwhile.

Each frame is held against what any frame must be: every row is as wide as the screen, nothing in it acts on
a terminal, and every style has a colour.
"""

import socket
from collections.abc import Callable
from typing import Any, TypeAlias

import urwid

from triochat.protocol.escape import HARMFUL

Key: TypeAlias = str | tuple[str, int, int, int]
Run: TypeAlias = tuple[str, str]
"""A style, and the text that is drawn in it."""


class Terminal(urwid.BaseScreen):
    """See the module.

    Attributes:
        written: what was written past the drawing: bells and notifications.
        frames: how many different pictures were drawn.
        cursor: column and row; None if it is not to be seen.
        log: what happened to it, in order.
    """

    def __init__(self, columns: int = 100, rows: int = 24) -> None:
        super().__init__()
        self.written: list[str] = []
        self.frames = 0
        self.cursor: tuple[int, int] | None = None
        self.log: list[str] = []
        self._size = (columns, rows)
        self._canvas: urwid.Canvas | None = None
        self._rows: list[list[Run]] = []
        self._keys: list[Key] = []
        self._read, self._write = socket.socketpair()
        self._handle: object = None
        self._watch: Callable[[], object] = lambda: None

    # --- for a test -----------------------------------------------------------------------------

    def press(self, *keys: Key) -> None:
        """Press these, as fast as one read takes them."""
        self._keys += keys
        self._write.send(b"k")

    def resize(self, columns: int, rows: int) -> None:
        """Somebody draws at the corner of the window."""
        self._size = (columns, rows)
        self.press("window resize")

    def watch(self, watch: Callable[[], object]) -> None:
        """Call this with each frame."""
        self._watch = watch

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._size

    @property
    def rows(self) -> list[str]:
        """What stands in each row."""
        return ["".join(text for _, text in row).rstrip() for row in self._rows]

    @property
    def text(self) -> str:
        """The whole picture."""
        return "\n".join(self.rows)

    def row_of(self, part: str) -> int:
        """The first row in which this stands."""
        found = [number for number, row in enumerate(self.rows) if part in row]
        assert found, f"{part!r} is not in\n{self.text}"
        return found[0]

    def styles(self, part: str) -> set[str]:
        """The styles in which this is drawn, wherever it stands within one run."""
        return {style for row in self._rows for style, text in row if part in text}

    # --- for urwid ------------------------------------------------------------------------------

    def _start(self, *_: object, **__: object) -> None:
        self.log.append("started")

    def _stop(self) -> None:
        self.log.append("stopped")
        self._read.close()
        self._write.close()

    def hook_event_loop(self, loop: urwid.EventLoop, callback: Callable[[list[Key], list[int]], Any]) -> None:
        """Tell `callback` of keys."""

        def read() -> None:
            self._read.recv(4096)
            keys, self._keys = self._keys, []
            callback(keys, [])

        self._handle = loop.watch_file(self._read.fileno(), read)

    def unhook_event_loop(self, loop: urwid.EventLoop) -> None:
        """Do not, any more."""
        if self._handle is not None:
            loop.remove_watch_file(self._handle)
            self._handle = None

    def get_cols_rows(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._size

    def clear(self) -> None:
        """All of it is to be drawn anew."""
        self.log.append("cleared")
        self._canvas = None

    def draw_screen(self, size: tuple[int, int], canvas: urwid.Canvas) -> None:
        """Take a picture; like a real terminal, not of what is there already."""
        if canvas is self._canvas:
            return
        assert size == self._size
        self._canvas = canvas
        self.frames += 1
        self.cursor = canvas.cursor
        rows = [
            [(self._name(style), octets.decode()) for style, _, octets in row if octets]
            for row in canvas.content()
        ]
        assert len(rows) == size[1]
        for row in rows:
            text = "".join(text for _, text in row)
            assert urwid.calc_width(text, 0, len(text)) == size[0], f"not {size[0]} columns: {text!r}"
            assert not HARMFUL.search(text), f"would act on a terminal: {text!r}"
        self._rows = rows
        self._watch()

    def _name(self, style: object) -> str:
        """Of the uppermost, if a dialog's is below it."""
        layers: tuple[object, ...] = getattr(style, "layers", (style,))
        for layer in layers:
            assert layer is None or layer in self.palette, f"there is no style {layer}"
        return str(layers[0])

    def write(self, data: str) -> None:
        """Take what is no drawing."""
        self.written.append(data)

    def flush(self) -> None:
        """It is out at once."""
