"""What the shell hands to the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from triochat.protocol.escape import wire_length
from triochat.protocol.events import (
    Hello,
    Join,
    ListRooms,
    Part,
    Quit,
    ReadHistory,
    Request,
    Say,
    Search,
    SetTopic,
)
from triochat.protocol.runs import SayRun

ClientId = int
"""The number of a connection; the shell never gives one out twice."""


ENTRY = 80
"""Octets that an entry, or a line of it, takes beside its text, roughly."""


@dataclass(frozen=True, slots=True)
class Departure:
    """The connection is over, without a word; `reason` is for those who are told of it."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """A follower has been given everything of `log` up to id `cursor`; may it be attached?

    It may have come to a stop before the end: then it is asked to read on from there.
    """

    log: str
    cursor: int
    tag: str | None


WAITS = (Hello, Join, ReadHistory, Search, ListRooms, CaughtUp)
"""What is answered by exactly one `Errand`: its sender waits for that before it goes on.

These may have to read the journal before anything else is said to their sender; as the sender
itself reads, nobody else waits. So each of them is the last request of its submission, and until its
`Errand` is there nothing further comes from its sender but a `Departure`.
"""


Asked = Request | SayRun | Departure | CaughtUp
"""What can be asked of the hub."""


class Submission(NamedTuple):
    """What one read of one connection brought.

    Attributes:
        client: whose it is.
        requests: in the order in which they were sent.
        text: it is a person who sees lines, and is in one room at a time.
        octets: the `weight` of all requests.
    """

    client: ClientId
    requests: Sequence[Asked]
    text: bool = False
    octets: int = 0


def weight(request: Asked) -> int:
    """Octets that everybody may get of a request, roughly."""
    match request:
        case SayRun():
            return ENTRY * len(request.texts) + request.octets
        case Say(text=words) | SetTopic(text=words) | Part(reason=words) | Quit(reason=words):
            return ENTRY + wire_length(words) + words.count("\n")
        case _:
            return ENTRY
