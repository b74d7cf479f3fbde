"""The journal is tidied up, step by step."""

import pytest
import trio
from trio.testing import MockClock

from triochat.journal import JournalUnavailable, MemoryJournal
from triochat.server.housekeeping import IDLE, PAUSES, run_housekeeping


class Untidy(MemoryJournal):
    """Takes a second for each step, and has so many of them; one of them does not work."""

    def __init__(self, steps: int, fault: int | None = None) -> None:
        super().__init__()
        self.steps = steps
        self.fault = fault
        self.began: list[float] = []

    async def tidy(self, ms: int) -> bool:  # noqa: ARG002
        self.began.append(trio.current_time())
        if len(self.began) == self.fault:
            raise JournalUnavailable("the disk is full")
        await trio.sleep(1)
        self.steps -= 1
        return self.steps > 0


async def pauses(journal: Untidy, seconds: float) -> list[float]:
    """Run it for so long; from the beginning of a step to that of the next."""
    with trio.move_on_after(seconds):
        await run_housekeeping(journal)
    return [later - earlier for earlier, later in zip(journal.began, journal.began[1:], strict=False)]


async def test_steps_take_a_small_part_of_the_time(autojump_clock: MockClock) -> None:
    taken = await pauses(Untidy(3), 3 + 2 * PAUSES + 2 * IDLE)
    assert taken == pytest.approx([1 + PAUSES, 1 + PAUSES, 1 + IDLE])


async def test_a_fault_of_the_disk_is_survived(autojump_clock: MockClock) -> None:
    taken = await pauses(Untidy(3, fault=1), 2 * PAUSES)
    assert taken[:2] == pytest.approx([IDLE, 1 + PAUSES])
