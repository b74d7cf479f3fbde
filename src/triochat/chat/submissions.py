"""What the shell hands to the hub."""

from collections.abc import Sequence
from dataclasses import dataclass

from triochat.protocol.events import Hello, Join, ListRooms, ReadHistory, Request

ClientId = int
"""The number of a connection; the shell never gives one out twice."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The connection is over, without a word; `reason` is for those who are told of it."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """A follower has been given everything of `log` up to id `cursor`; may it be attached?"""

    log: str
    cursor: int
    tag: str | None


WAITS = (Hello, Join, ReadHistory, ListRooms, CaughtUp)
"""What is answered by exactly one `Errand`: its sender waits for that before it goes on.

These may have to read the journal before anything else is said to their sender; as the sender
itself reads, nobody else waits. So each of them is the last request of its submission, and until its
`Errand` is there nothing further comes from its sender but a `Departure`.
"""


@dataclass(frozen=True, slots=True)
class Submission:
    """What one read of one connection brought.

    Attributes:
        client: whose it is.
        requests: in the order in which they were sent.
        text: it is a person who sees lines, and is in one room at a time.
    """

    client: ClientId
    requests: Sequence[Request | Departure | CaughtUp]
    text: bool = False
