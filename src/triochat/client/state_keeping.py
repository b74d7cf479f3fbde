"""Keeping a client's state in its file: what must be safe before it is sent, and what may follow later.

A message is on the disk before it is on the wire; so whenever we are killed, it is either not sent, or the
next client knows its tag and asks again. And one that was refused has gone from the disk before anybody is
told so, or the next client would send it after all. (If the file can't be written neither is so: better sent
than safe.) To write and to wait for the disk takes milliseconds, on a busy machine far more; so a thread does
it, and what comes meanwhile is written together, next. All else (how far was read, what was kept) may be old
when we are killed: the next client then reads a little twice, and asks for what it need not. So it is written
at most once a second. That we are in a room is written at once: one that does not know it misses all that is
said there until somebody enters it again.
"""

from collections.abc import Callable
from typing import Final

import trio

from triochat.client.state_file import State, StateFile

LAZILY: Final = 1.0
"""Seconds by which the file may be behind in what need not be safe at once."""


class StateKeeping:
    """The task that writes, and what waits for it.

    Args:
        file: where to.
        snapshot: how it stands now.
        failed: is told why nothing can be written; once, until it can be again.
    """

    def __init__(
        self,
        file: StateFile,
        *,
        snapshot: Callable[[], State],
        failed: Callable[[OSError], None],
    ) -> None:
        self._file = file
        self._snapshot = snapshot
        self._failed = failed
        self._broken = False
        self._waiting: list[Callable[[], None]] = []
        self._changed = trio.Event()
        self._urgent = trio.Event()
        self._saved: State | None = file.state

    def call_when_safe(self, act: Callable[[], None]) -> None:
        """Call this when how it stands now is on the disk; in the order in which that was asked."""
        self._waiting.append(act)
        self.touch(soon=True)

    def touch(self, *, soon: bool = False) -> None:
        """Something else has changed; `soon`: more than a second of it would be missed."""
        self._changed.set()
        if soon:
            self._urgent.set()

    async def run(self) -> None:
        """Write what has changed, again and again."""
        while True:
            await self._changed.wait()
            with trio.move_on_after(LAZILY):
                await self._urgent.wait()
            self._changed, self._urgent = trio.Event(), trio.Event()
            batch, self._waiting = self._waiting, []
            state = self._snapshot()
            if state != self._saved:
                try:
                    await trio.to_thread.run_sync(self._file.save, state)
                except OSError as error:
                    self._fail(error)
                else:
                    self._saved, self._broken = state, False
            for act in batch:  # also if it failed: better sent than safe
                act()

    def finish(self) -> None:
        """Write how it stands in the end. Blocks; nobody is there any more whom that could delay.

        Raises:
            OSError: that is not possible; in the file stands what stood there before.
        """
        state = self._snapshot()
        if state != self._saved:
            self._file.save(state)

    def _fail(self, error: OSError) -> None:
        if not self._broken:
            self._broken = True
            self._failed(error)
