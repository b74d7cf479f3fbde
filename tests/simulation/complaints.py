"""What the server and the clients log: an error of their own is a fault of ours, unless we broke the disk."""

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import structlog

from tests.simulation.lasting import Lasting
from tests.simulation.record import Record

FORGIVEN: Final = 1.0
"""Seconds behind a fault of the disk in which something may still come of it: a thread may be at work."""


@contextmanager
def complaints(record: Record, lasting: Lasting) -> Iterator[None]:
    """Note in `record` what is logged for as long as the block lasts."""

    def note(_: object, level: str, event: MutableMapping[str, Any]) -> NoReturn:
        if level in ("exception", "error", "critical") and not _forgiven(event["event"], lasting):
            record.complaints.append(f"{event}")
        if level != "debug":
            record.note("LOG", f"{event['event']} {event.get('nick', event.get('peer', ''))}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.format_exc_info, note], cache_logger_on_first_use=False
    )
    logging.getLogger("trio").setLevel(logging.ERROR)
    try:
        yield
    finally:
        structlog.configure(**before)


def _forgiven(event: str, lasting: Lasting) -> bool:
    """Whether it says that nothing can be kept, while or just after nothing can."""
    return "journal" in event and lasting.is_on("full disk", within=FORGIVEN)
