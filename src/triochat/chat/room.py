"""A room: who is in it, and where its log stands."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from triochat.chat.person import Person
from triochat.chat.submissions import ClientId
from triochat.journal.interface import Draft, Entry
from triochat.protocol.escape import wire_length

RECENT = 2048
RECENT_OCTETS = 262_144
"""The newest entries that a room remembers beside the journal while somebody follows it, and the octets of
their texts on the wire: enough for what is said between a follower's last look into the journal and its being
attached, which may be a batch or two; and, handed over at once, little beside a backlog."""


@dataclass(slots=True, eq=False)
class Room:
    """Members and the log's head.

    A member is *attached* once it gets entries as they are kept. One that still follows the log
    behind its cursor, or is held, is not; so it gets every entry exactly once. While somebody follows,
    the room remembers what is new; at other times nothing, for there may be very many rooms.

    Attributes:
        name: ``#dev``.
        last: id of the newest entry, 0 if there is none.
        topic: the entry that set the topic.
        pending: drafts for its log that the journal has not answered yet.
    """

    name: str
    last: int = 0
    topic: Entry | None = None
    pending: int = 0
    _members: dict[Person, bool] = field(default_factory=dict)  # → attached
    _audience: tuple[ClientId, ...] | None = None
    _followers: set[Person] = field(default_factory=set)
    _recent: deque[Entry] = field(default_factory=deque)  # the log's end
    _recent_octets: int = 0

    def __contains__(self, person: Person) -> bool:
        return person in self._members

    def __len__(self) -> int:
        return len(self._members)

    @property
    def used(self) -> bool:
        """Something was said here, or is about to be: the room stays when the last one leaves."""
        return self.last > 0 or self.pending > 0

    @property
    def topic_text(self) -> str:
        """The topic, empty if there is none."""
        return self.topic.text if self.topic is not None else ""

    @property
    def nicks(self) -> list[str]:
        """Who is here, in the order of joining."""
        return [person.nick for person in self._members]

    @property
    def audience(self) -> tuple[ClientId, ...]:
        """Who gets entries as they are kept. The same tuple until that changes."""
        if self._audience is None:
            self._audience = tuple(
                person.client
                for person, attached in self._members.items()
                if attached and person.client is not None
            )
        return self._audience

    def advance(self, draft: Draft, first: int) -> None:
        """`draft` is kept under the ids from `first` on: the newest now."""
        self.last = first + len(draft.texts) - 1
        if draft.kind == "topic":
            self.topic = draft.entry(first)
        if not self._followers:
            return
        for index, text in enumerate(draft.texts):
            self._recent.append(draft.entry(first + index, index))
            self._recent_octets += wire_length(text)
        while len(self._recent) > RECENT or self._recent_octets > RECENT_OCTETS:
            self._recent_octets -= wire_length(self._recent.popleft().text)

    def since(self, cursor: int) -> Sequence[Entry] | None:
        """The entries behind id `cursor`; None if the room does not remember that far."""
        missing = max(self.last - cursor, 0)
        if missing > len(self._recent):
            return None
        return [self._recent[index] for index in range(-missing, 0)]

    def watchers(self) -> list[ClientId]:
        """Who is told of comings and goings: every member that is connected."""
        return [person.client for person in self._members if person.client is not None]

    def admit(self, person: Person) -> None:
        """Make `person` a member, which follows."""
        self._members[person] = False
        self._followers.add(person)
        person.rooms[self.name] = self

    def attach(self, person: Person) -> None:
        """From now on `person` gets entries as they are kept."""
        self._members[person] = True
        self._audience = None
        self._unfollow(person)

    def detach(self, person: Person) -> None:
        """From now on `person` does not, but follows, if it is connected."""
        self._members[person] = False
        self._audience = None
        if person.client is None:
            self._unfollow(person)
        else:
            self._followers.add(person)

    def dismiss(self, person: Person) -> None:
        """End the membership of `person`."""
        del self._members[person]
        del person.rooms[self.name]
        self._audience = None
        self._unfollow(person)

    def _unfollow(self, person: Person) -> None:
        self._followers.discard(person)
        if not self._followers:
            self._recent.clear()
            self._recent_octets = 0
