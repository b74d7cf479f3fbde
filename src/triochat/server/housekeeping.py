"""One task that lets the journal do what can wait: in small steps, and never in anybody's way."""

import time

import structlog
import trio

from triochat.journal import Journal, JournalUnavailable

IDLE = 5.0
"""Seconds between two looks when there was nothing to do."""
PAUSES = 50
"""How much longer a pause is than the step in front of it: so all of this takes 2 % of the time."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.housekeeping")


async def run_housekeeping(journal: Journal) -> None:
    """Tidy up for ever. That the journal can't now is logged, and tried again."""
    while True:
        began = trio.current_time()
        try:
            more = await journal.tidy(time.time_ns() // 1_000_000)
        except JournalUnavailable as error:
            log.warning("the journal could not be tidied up", error=str(error))
            more = False
        await trio.sleep(PAUSES * (trio.current_time() - began) if more else IDLE)
