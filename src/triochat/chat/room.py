"""A room: who is in it, and where its log stands."""

from dataclasses import dataclass, field

from triochat.chat.person import Person
from triochat.chat.submissions import ClientId
from triochat.journal.interface import Entry


@dataclass(slots=True, eq=False)
class Room:
    """Members and the log's head.

    A member is *attached* once it gets entries as they are kept. One that still follows the log
    behind its cursor, or is held, is not; so it gets every entry exactly once.

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

    def advance(self, entry: Entry) -> None:
        """`entry` is the newest now."""
        self.last = entry.id
        if entry.kind == "topic":
            self.topic = entry

    def watchers(self) -> list[ClientId]:
        """Who is told of comings and goings: every member that is connected."""
        return [person.client for person in self._members if person.client is not None]

    def admit(self, person: Person) -> None:
        """Make `person` a member, not attached yet."""
        self._members[person] = False
        person.rooms[self.name] = self

    def attach(self, person: Person) -> None:
        """From now on `person` gets entries as they are kept."""
        self._members[person] = True
        self._audience = None

    def detach(self, person: Person) -> None:
        """From now on `person` does not."""
        self._members[person] = False
        self._audience = None

    def dismiss(self, person: Person) -> None:
        """End the membership of `person`."""
        del self._members[person]
        del person.rooms[self.name]
        self._audience = None
