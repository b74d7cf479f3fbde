"""What ``triochat tail`` prints, and the cursor that follows it.

First an entry is written, then the cursor is moved behind it: what a kill leaves behind may be printed again,
but nothing is left out.
"""

from typing import Final

import trio

from triochat.client.cursor_file import CursorFile, Place, Progress
from triochat.client.outlet import CHUNK, Outlet

LAZILY: Final = 0.2
"""Seconds from one cursor on the disk to the next, at least."""


class TailOutput:
    """Lines on their way to the output.

    Args:
        outlet: writes them.
        cursor: the file that keeps how far they came; None for none.
        encoding: of the lines; a character that it lacks becomes an escape.

    Attributes:
        fault: why the cursor could not be kept, the last time that it was tried.
    """

    def __init__(self, outlet: Outlet, cursor: CursorFile | None, encoding: str = "utf-8") -> None:
        self.fault: OSError | None = None
        self._outlet = outlet
        self._cursor = cursor
        self._encoding = encoding
        self._progress = Progress()
        self._lines: list[bytes] = []
        self._size = 0
        self._end = outlet.written
        self._moved = trio.Event()

    def kept(self, room: str) -> Place | None:
        """Where the one before us has come to in a room."""
        return None if self._cursor is None else self._cursor.places.get(room)

    def start(self, room: str, place: Place) -> None:
        """A room is printed from here on."""
        if self._cursor is not None:
            self._progress.start(room, place)
            self._moved.set()

    def put(self, line: str, room: str, place: Place) -> None:
        """Print this next; behind it a room is at this place."""
        data = line.encode(self._encoding, "backslashreplace")
        self._lines.append(data)
        self._size += len(data)
        self._end += len(data)
        if self._cursor is not None:
            self._progress.add(self._end, room, place)

    @property
    def full(self) -> bool:
        """Whether enough waits to be written."""
        return self._size >= CHUNK

    async def flush(self) -> None:
        """Write all that waits.

        Raises:
            OSError: that is not possible; `BrokenPipeError` if nobody reads it.
        """
        data = b"".join(self._lines)
        self._lines.clear()
        self._size = 0
        if data:
            try:
                await self._outlet.write(data)
            finally:
                self._moved.set()

    async def keep_cursor(self) -> None:
        """Have the cursor follow, on the disk, soon behind what is written."""
        if self._cursor is None:
            return
        while True:
            await self._moved.wait()
            self._moved = trio.Event()
            places = self._progress.at(self._outlet.written)
            try:
                await trio.to_thread.run_sync(self._cursor.save, places)
            except OSError as error:
                self.fault = error
            else:
                self.fault = None
            await trio.sleep(LAZILY)

    def finish(self) -> None:
        """Keep where the cursor is in the end: behind what was written and is not left in a pipe. Blocks."""
        if self._cursor is not None:
            try:
                self._cursor.save(self._progress.at(self._outlet.written - self._outlet.unread()))
            except OSError as error:
                self.fault = error
            else:
                self.fault = None
