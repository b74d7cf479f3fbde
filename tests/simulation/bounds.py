"""What may queue in a client: what waits for the program, and for the server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from triochat.client import event_buffer
from triochat.client.exchange import WINDOW
from triochat.client.link import MAX_PONGS
from triochat.client.statistics import ChatStatistics

UNASKED: Final = 16
"""Frames that a client sends by itself: for each room that it goes back to, its inbox, a ping, a good-bye."""
FEW: Final = 100
"""Events that may wait for a program where it is to miss some."""


@contextmanager
def few_events() -> Iterator[None]:
    """Give the clients a bound for events that is soon reached."""
    with patch.object(event_buffer, "LIMIT", FEW):
        yield


def above_bounds(who: str, statistics: ChatStatistics) -> list[str]:
    """What is more than it may be."""
    bounds = {
        "requests without an answer": (statistics.unanswered, WINDOW),
        "frames to write": (statistics.unsent, WINDOW + MAX_PONGS + UNASKED),
        "events that nobody took": (statistics.unseen, event_buffer.LIMIT),
    }
    return [f"{who} has {count} {what}, of {most}" for what, (count, most) in bounds.items() if count > most]
