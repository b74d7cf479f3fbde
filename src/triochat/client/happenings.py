"""What iterating over a client yields: what the server says, and some that it does not."""

from dataclasses import dataclass, replace
from typing import TypeVar

from triochat.client.event_buffer import EventBuffer, Lagged
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


@dataclass(frozen=True, slots=True)
class RoomState:
    """How a room stands that we enter, or go back into: `Joined` and `Left` behind this change it.

    It comes for each `ChatClient.join`, and for each room behind `Reconnected`: at least once, and the newest
    counts. That method returns the same names; but which events are newer than its answer is seen only here.
    If we are refused after all, our own `Left` follows. It may be among what `Lagged` stands for: then
    `ChatClient.join` brings it once more.

    Attributes:
        room: its name.
        nicks: who is there, oneself included.
        topic: empty if there is none.
    """

    room: str
    nicks: tuple[str, ...]
    topic: str


Entry = e.Message | e.TopicSet | e.Gap
"""One line of a room's log, or what is no longer kept of it."""
Told = e.Event | Disconnected | Reconnected | RoomState
"""What a client notes for its program."""
Happening = Told | Lagged
"""What iterating over a `ChatClient` yields."""

_Any = TypeVar("_Any")


def untagged(event: _Any) -> _Any:
    """The event without its tag, if it has one.

    What was missed or is read later comes in answers to requests of ours, under their tags. To a program it
    is the same as what it heard at once.
    """
    if isinstance(event, e.Event) and event.tag is not None:
        return replace(event, tag=None)
    return event


class Happenings:
    """An asynchronous iterator over what happens, as a program gets it: without tags."""

    def __init__(self, events: EventBuffer[Told]) -> None:
        self._events = events

    def __aiter__(self) -> "Happenings":
        return self

    async def __anext__(self) -> Happening:
        return untagged(await self._events.__anext__())
