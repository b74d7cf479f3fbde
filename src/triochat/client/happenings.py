"""What iterating over a client yields, beside what the server says."""

from dataclasses import dataclass

from triochat.client.event_buffer import Lagged
from triochat.protocol import events as e


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is lost, and the client tries to get it back. Requests wait meanwhile.

    Attributes:
        reason: the server's own words, or ours; clean it before it reaches a terminal.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The connection is back, and we are who we were. What was missed follows, then what is new.

    Attributes:
        nick: the nickname that we have.
    """

    nick: str


Entry = e.Message | e.TopicSet | e.Gap
"""One line of a room's log, or what is no longer kept of it."""
Happening = e.Event | Lagged | Disconnected | Reconnected
"""What iterating over a `ChatClient` yields."""
