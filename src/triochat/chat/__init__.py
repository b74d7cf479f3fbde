"""What the chat does: requests in, entries to keep and deliveries to make out. Sans-IO: see `Hub`."""

from triochat.chat.deliveries import (
    Broadcast,
    Delivery,
    Dismiss,
    Errand,
    Replay,
    Replies,
    SendList,
    SendMatches,
    SendPage,
    Work,
)
from triochat.chat.hub import HISTORY_TAG, Hub, Limits
from triochat.chat.plan import Plan
from triochat.chat.submissions import ENTRY, WAITS, Asked, CaughtUp, ClientId, Departure, Submission, weight

__all__ = [
    "ENTRY",
    "HISTORY_TAG",
    "WAITS",
    "Asked",
    "Broadcast",
    "CaughtUp",
    "ClientId",
    "Delivery",
    "Departure",
    "Dismiss",
    "Errand",
    "Hub",
    "Limits",
    "Plan",
    "Replay",
    "Replies",
    "SendList",
    "SendMatches",
    "SendPage",
    "Submission",
    "Work",
    "weight",
]
