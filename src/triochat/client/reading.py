"""How far a room was read, and whether its log is still the one of which we have read so much.

A server that keeps nothing begins a room anew, and one that is set back to a back-up has the beginning of the
log that we know. See `triochat.client.heard`.
"""

from triochat.client.cursor_file import Place
from triochat.client.happenings import Entry
from triochat.client.heard import Heard
from triochat.protocol import events as e


class Reading:
    """A room, as far as it was read.

    Args:
        room: its name.

    Attributes:
        id: of the last entry that was read.
        heard: the times of what was read.
    """

    def __init__(self, room: str) -> None:
        self.room = room
        self.id = 0
        self.heard = Heard()
        self._before: Heard | None = (
            None  # of the log that it had before, as long as this may be its beginning
        )

    @property
    def place(self) -> Place:
        """Where that is."""
        return Place(self.id, self.heard.last_ms)

    def go_to(self, place: Place) -> None:
        """Read on behind a place."""
        self.id, self.heard = place.id, Heard()
        if place.ms:
            self.heard.add(place.id, place.ms)

    def begin_anew(self) -> None:
        """It is another log than it was: all of it is new but what we have had."""
        self._before, self.heard, self.id = self._before or self.heard, Heard(), 0

    def advance(self, entry: Entry) -> bool:
        """Take note of an entry. Whether it is new."""
        if isinstance(entry, e.Gap):
            self.id, self.heard = entry.last, Heard()
            return self._before is None
        self.id = entry.id
        self.heard.add(entry.id, entry.ms)
        if self._before is not None and not self._before.may_have(entry.id, entry.ms):
            self._before = None
        return self._before is None
