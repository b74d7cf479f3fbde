"""Every journal there is, for the one suite that all of them pass."""

from collections.abc import Callable

import pytest

from triochat.journal import Journal, MemoryJournal

RETENTION = 5
"""Entries that each journal here keeps of each log."""

JOURNALS: dict[str, Callable[[], Journal]] = {
    "memory": lambda: MemoryJournal(retention=RETENTION),
}


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest) -> Journal:
    return JOURNALS[request.param]()
