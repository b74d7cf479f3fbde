"""What the log says while the journal keeps nothing: as much as somebody will read.

Clients send again what was refused, so a full disk would be told thousands of times a second, and the log
may lie on that very disk.
"""

from typing import Final

import structlog
import trio

PAUSE: Final = 5.0
"""Seconds in which an outage that goes on is told once."""


class Outage:
    """Tells of the first failure, now and then of those since, and of the end.

    Args:
        log: where to.
    """

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        self._log = log
        self._began: float | None = None  # None: there is none
        self._told = 0.0
        self._untold = 0
        self._messages = 0

    def refused(self, messages: int, error: Exception) -> None:
        """So many were not kept; the error is a sentence, so it is told without a traceback."""
        now = trio.current_time()
        self._messages += messages
        self._untold += messages
        if self._began is None:
            self._began = now
            self._tell("the journal could not keep a batch", now, error)
        elif now - self._told >= PAUSE:
            self._tell("the journal can still keep nothing", now, error)

    def kept(self) -> None:
        """A batch was kept."""
        if self._began is None:  # as nearly always
            return
        self._log.info(
            "the journal keeps again",
            messages=self._untold,
            messages_in_all=self._messages,
            seconds=round(trio.current_time() - self._began, 1),
        )
        self._began = None
        self._messages = self._untold = 0

    def _tell(self, event: str, now: float, error: Exception) -> None:
        self._log.error(event, messages=self._untold, error=str(error))
        self._told = now
        self._untold = 0
