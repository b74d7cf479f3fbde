"""An error that is logged is a complaint, unless the disk is full."""

import structlog
import trio

from tests.simulation.complaints import FORGIVEN, complaints
from tests.simulation.lasting import Lasting
from tests.simulation.record import Record

FULL = "the journal could not keep a batch"


async def test_an_error_of_the_journal_is_forgiven_while_the_disk_is_full(
    autojump_clock: trio.testing.MockClock,
) -> None:
    record, lasting = Record(), Lasting()
    with complaints(record, lasting):
        log = structlog.get_logger("triochat.hub")
        async with trio.open_nursery() as nursery:
            lasting.begin(nursery, "full disk", 5, lambda: None)
            log.error(FULL)
            await trio.sleep(5 + FORGIVEN / 2)
            log.error(FULL)
            assert record.complaints == []
            log.error("serving this client failed")
            assert len(record.complaints) == 1
            await trio.sleep(FORGIVEN)
            log.error(FULL)
            assert FULL in record.complaints.pop()
            log.warning("the journal could not be read")
    assert len(record.complaints) == 1
    assert [line[13:] for line in record.lines][-1] == "LOG        the journal could not be read "


async def test_another_fault_of_the_disk_is_no_excuse() -> None:
    record, lasting = Record(), Lasting()
    with complaints(record, lasting):
        async with trio.open_nursery() as nursery:
            lasting.begin(nursery, "slow disk", 0, lambda: None)
            structlog.get_logger("triochat.hub").error(FULL)
    assert len(record.complaints) == 1
