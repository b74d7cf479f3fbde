"""What the hub wants done, in this order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from triochat.chat.submissions import ClientId
from triochat.protocol.events import Event
from triochat.protocol.runs import MessageRun, OkRun


class Broadcast(NamedTuple):
    """Give the same events to everyone in `audience`: encode them once."""

    audience: Sequence[ClientId]
    events: Sequence[Event | MessageRun]


class Replies(NamedTuple):
    """Give each of these clients an event, or acknowledgements, of its own.

    One value for many, and plain pairs in it: under load there is one for each message.
    """

    answers: Sequence[tuple[ClientId, Event | OkRun]]


@dataclass(frozen=True, slots=True)
class Replay:
    """Read `log` behind id `after`, send it, and submit `CaughtUp`.

    Read slice by slice until there is no more. The cursor then is the last id that was sent or, if there
    is a later one that is no longer kept, that one: ``max(cursor, page.last)``.

    Attributes:
        tag: of the request; goes onto every entry.
        recent: if given, one or more: read no more than so many, and ask for the rest.
    """

    log: str
    after: int
    tag: str | None
    recent: int | None = None


@dataclass(frozen=True, slots=True)
class SendPage:
    """Read up to `limit` entries of `log`, send them, oldest first, then ``OK``.

    Attributes:
        before: those in front of this id; None: the newest.
        after: those behind this id instead.
        floor: what is not behind this id is not for the client: it is neither sent nor told to be gone.
    """

    log: str
    before: int | None
    limit: int
    tag: str | None
    after: int | None = None
    floor: int = 0


@dataclass(frozen=True, slots=True)
class SendMatches:
    """Search `log` for the newest `limit` entries with all these words, send them, then ``OK``."""

    log: str
    words: Sequence[str]
    limit: int
    tag: str | None


@dataclass(frozen=True, slots=True)
class SendList:
    """Send these, however many they are."""

    events: Sequence[Event]
    tag: str | None


Work = Replay | SendPage | SendMatches | SendList


@dataclass(frozen=True, slots=True)
class Errand:
    """What a client that waits shall do next; None: go on reading."""

    client: ClientId
    work: Work | None


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Close the client's connection once it has everything that was sent to it."""

    client: ClientId


Delivery = Broadcast | Replies | Errand | Dismiss
