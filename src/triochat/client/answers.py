"""What requests return: the frames of an answer as values."""

from collections.abc import Sequence
from dataclasses import dataclass

from triochat.client.errors import ClientError
from triochat.client.happenings import Entry, untagged
from triochat.protocol import events as e


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredRoom:
    """A room at the moment in which one entered it.

    Attributes:
        room: its name.
        nicks: who is there, oneself included.
        last: the id of its last entry; 0 if there is none.
        topic: empty if there is none.
        missed: what stands behind the id that one asked from, oldest first.
    """

    room: str
    nicks: tuple[str, ...]
    last: int
    topic: str
    missed: tuple[Entry, ...]


def entered(room: str, answer: Sequence[e.Event]) -> EnteredRoom:
    """The answer to ``JOIN``."""
    return EnteredRoom(
        room=room,
        nicks=nicks(answer),
        last=kept_id(answer),
        topic=next((info.topic for info in answer if isinstance(info, e.RoomInfo)), ""),
        missed=entries(answer),
    )


def nicks(answer: Sequence[e.Event]) -> tuple[str, ...]:
    """Those whom the ``NAMES`` frames of an answer name."""
    return tuple(nick for names in answer if isinstance(names, e.NameList) for nick in names.nicks)


def entries(answer: Sequence[e.Event]) -> tuple[Entry, ...]:
    """The lines of a log in an answer, and the gaps between them."""
    return tuple(untagged(entry) for entry in answer if isinstance(entry, Entry))


def kept_id(answer: Sequence[e.Event]) -> int:
    """The id that stands behind ``OK``.

    Raises:
        ClientError: none does.
    """
    ok = answer[-1]
    if not isinstance(ok, e.Ok) or ok.id is None:
        raise ClientError("the server agreed, but did not say under which id")
    return ok.id
