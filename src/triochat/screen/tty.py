"""The terminal that we were started on, and what becomes of it: it is suspended, tells no size, or is gone.

urwid's own screen for it, but for what differs here: Ctrl-C is a key, also behind a suspension; a size of 0
means that nobody knows it; and a terminal that was closed is an end, and not a fault.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import urwid

from triochat.null_device import discard

UNKNOWN: Final = (80, 24)
"""Columns and rows of a terminal that does not say how large it is, as a serial line."""
_GONE: Final = (errno.EIO, errno.ENXIO, errno.EPIPE)
"""How writing to a terminal fails that was closed."""


class TerminalScreen(urwid.display.raw.Screen):
    """See the module.

    Attributes:
        on_closed: is called when the terminal is gone, perhaps more than once.
    """

    def __init__(self, **files: Any) -> None:  # noqa: ANN401 -- urwid's own, for tests
        super().__init__(bracketed_paste_mode=True, **files)
        self.set_terminal_properties(colors=1 if os.environ.get("NO_COLOR") else 256)
        self.on_closed: Callable[[], object] = lambda: None

    def _start(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- urwid's
        super()._start(*args, **kwargs)
        self.tty_signal_keys(intr="undefined", quit="undefined")  # it puts them back itself

    def get_cols_rows(self) -> tuple[int, int]:
        """Columns and rows, never 0."""
        columns, rows = super().get_cols_rows()
        if columns > 0 and rows > 0:
            return columns, rows
        self.maxrow = UNKNOWN[1]
        return UNKNOWN

    def _read_raw_input(self, timeout: float) -> bytearray:
        try:
            return super()._read_raw_input(timeout)
        except RuntimeError:  # so urwid tells the end of the input
            self.on_closed()
        except OSError as error:
            if error.errno not in _GONE:
                raise
            discard(self._term_output_file)
            self.on_closed()
        return bytearray()

    def write(self, data: str) -> None:
        """Write, as long as there is something to write to."""
        with self._perhaps_gone():
            super().write(data)

    def flush(self) -> None:
        """Write what waits for it, likewise."""
        with self._perhaps_gone():
            super().flush()

    @contextmanager
    def _perhaps_gone(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _GONE:
                raise
            discard(self._term_output_file)
            self.on_closed()
