"""How far ``triochat tail`` has printed each room, in a small file, for the next one to go on from there."""

import json
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from triochat.client.kept_file import InUse, KeptFile
from triochat.protocol.grammar import MAX_ID, is_room

FORMAT: Final = 1
MAX_OCTETS: Final = 1024 * 1024
"""Far more than all rooms of a tail; what is larger is something else."""
UNREAD: Final = 1024 * 1024
"""Octets that a pipe may hold: as many as Linux allows who is not root."""


class CursorError(Exception):
    """The cursor file can't be used; the message is a sentence that says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the log of a room.

    Attributes:
        id: of the last entry in front of it; 0 at the beginning.
        ms: when that was said, in Unix milliseconds, to know the log by; 0 if we don't know.
    """

    id: int = 0
    ms: int = 0


class CursorFile:
    """A cursor file, locked until it is closed.

    Args:
        path: where it is, or shall be.

    Attributes:
        places: what stands in it, by room.

    Raises:
        CursorError: it is no cursor file, or somebody else uses it, or it can't be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._file = KeptFile(path)
        except InUse:
            raise CursorError(f"another tail uses the cursor file {path}; give each its own") from None
        except OSError as error:
            raise CursorError(f"the cursor file {path} can't be used: {error.strerror}") from None
        try:
            data = self._file.read(MAX_OCTETS)
            self.places = _read(data) if data else {}  # an empty one may be from mktemp
        except OSError as error:
            self.close()
            raise CursorError(f"the cursor file {path} can't be read: {error.strerror}") from None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            self.close()
            raise CursorError(
                f"{path} is no cursor file of triochat, or it is damaged;"
                " it was left as it is, give another name"
            ) from None

    def close(self) -> None:
        """Let others use it."""
        self._file.close()

    def save(self, places: Mapping[str, Place]) -> None:
        """Replace what stands in it, of these rooms. It is on the disk when this returns.

        Raises:
            OSError: that is not possible; what stood in it still does.
        """
        changed = {**self.places, **places}
        if changed != self.places:
            rooms = {room: asdict(place) for room, place in changed.items()}
            self._file.replace(f"{json.dumps({'triochat-cursor': FORMAT, 'rooms': rooms}, indent=1)}\n")
            self.places = changed


def _read(data: bytes) -> dict[str, Place]:
    content = json.loads(data)
    if content["triochat-cursor"] != FORMAT:
        raise ValueError("of another version")
    places = {room: Place(id=kept["id"], ms=kept["ms"]) for room, kept in content["rooms"].items()}
    for room, place in places.items():
        if not (is_room(room) and _is_number(place.id) and _is_number(place.ms)):
            raise ValueError("no place in a room")
    return places


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_ID


class Progress:
    """Which places the octets of an output stand for.

    It can be set back by what may still lie in a pipe, so it remembers that much.
    """

    def __init__(self) -> None:
        self._settled: dict[str, Place] = {}
        self._lines: deque[tuple[int, str, Place]] = deque()

    def start(self, room: str, place: Place) -> None:
        """All in front of this place need not be printed."""
        self._settled[room] = place

    def add(self, end: int, room: str, place: Place) -> None:
        """The output as far as octet `end` brings a room to a place."""
        self._lines.append((end, room, place))

    def at(self, octets: int) -> dict[str, Place]:
        """Where all rooms are, if so much of the output counts."""
        while self._lines and self._lines[0][0] <= octets - UNREAD:
            _, room, place = self._lines.popleft()
            self._settled[room] = place
        places = dict(self._settled)
        for end, room, place in self._lines:
            if end > octets:
                break
            places[room] = place
        return places
