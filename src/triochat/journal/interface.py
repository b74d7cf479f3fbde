"""What a journal is: the kept, ordered record of every room.

A journal decides ids and keeps entries; nothing else does. It takes a whole batch at once and
answers when all of it is kept, so that one commit, or one round trip to another machine, serves
every message of the batch. It reads by log and cursor.

A *log* is named by a room (``#dev``) or by the inbox of a nick (``@bob``, in lower case).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from triochat.protocol.events import Message, TopicSet

Kind = Literal["message", "topic"]


class JournalUnavailable(Exception):  # noqa: N818 -- it names what is the case, as in the wire's code
    """The journal could not keep or read this now; nothing of the batch was kept.

    The message is a sentence for the log, never for a peer.
    """


class JournalUnusable(Exception):  # noqa: N818 -- as above
    """A journal can't be opened; nothing was changed.

    The message is one sentence for a person: what is the matter, and what to do.
    """


class Draft(NamedTuple):
    """Entries of one author in one log, before they have ids: what one read of a connection brought.

    Attributes:
        log: the log that shall keep them.
        kind: messages or changes of topic.
        target: the room, or ``@nick`` as the recipient writes it.
        nick: who said it.
        texts: what was said, one or more; each becomes an entry. A change of topic has one.
        ms: Unix time in milliseconds, UTC.
        session: hash of the sender's session. Together with a tag it is the identity under which
            what comes again is recognised. None: it has none.
        tags: of the requests, one for each text; None: they have none.
        recall: do not keep it, only say whether it was kept before. So a message that is sent
            again is acknowledged even if its sender may no longer send it. Has one text, and a tag.
    """

    log: str
    kind: Kind
    target: str
    nick: str
    texts: Sequence[str]
    ms: int
    session: str | None = None
    tags: Sequence[str] | None = None
    recall: bool = False

    def entry(self, number: int, index: int = 0) -> "Entry":
        """What text number `index` is once it is kept under the id `number`."""
        return Entry(
            log=self.log,
            id=number,
            kind=self.kind,
            target=self.target,
            nick=self.nick,
            text=self.texts[index],
            ms=self.ms,
        )

    def apart(self) -> "Iterator[Draft]":
        """The same, each text in a draft of its own. It has tags."""
        for text, tag in zip(self.texts, self.tags or (), strict=True):
            yield self._replace(texts=(text,), tags=(tag,))


class Entry(NamedTuple):
    """A kept entry; `id` counts 1, 2, 3 … in its log.

    A tuple, since a journal in memory makes one for each message, and many at a time.
    """

    log: str
    id: int
    kind: Kind
    target: str
    nick: str
    text: str
    ms: int

    def event(self, tag: str | None = None) -> Message | TopicSet:
        """The frame that tells a peer of this entry."""
        if self.kind == "topic":
            return TopicSet(room=self.target, id=self.id, ms=self.ms, nick=self.nick, text=self.text, tag=tag)
        return Message(target=self.target, id=self.id, ms=self.ms, nick=self.nick, text=self.text, tag=tag)


class Kept(NamedTuple):
    """All of the draft is kept: its first text under this id, the others under those that follow."""

    first: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """It was kept before under the same key, with this id; nothing new is kept."""

    id: int


@dataclass(frozen=True, slots=True)
class TagTaken:
    """The draft's key belongs to an entry with another text or place; it is not kept."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Answer to a recall: nothing was kept under this key."""


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The journal has all the logs that it may have; the draft is not kept."""


@dataclass(frozen=True, slots=True)
class Each:
    """Some of the draft was there before, or a tag comes twice in it: each text has an outcome of its own."""

    outcomes: Sequence["Outcome"]


Outcome = Kept | Repeated | TagTaken | Unknown | NoRoom | Each
"""What became of a draft. Of one with several texts: `Kept`, `NoRoom` or `Each`, in which each has had
its own: `Kept`, `Repeated`, `TagTaken` or `NoRoom`."""


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive entries of a log.

    Attributes:
        entries: oldest first.
        first: the id of the oldest entry that the log still keeps (`last` + 1 if none).
        last: the id of the newest entry (0: there never was one).
    """

    entries: Sequence[Entry]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands: its newest id, and its topic's entry."""

    last: int
    topic: Entry | None


class Journal(Protocol):
    """One interface for memory, a file, or a log on another machine.

    Every method may raise `JournalUnavailable`. `append` is called by one task at a time, reads
    by many; none may be left half done by a cancellation.

    The ids of a log never come again. If a journal lets go of a whole log, a page of it is empty, with
    a `last` no lower than it ever had, and what is kept in it later goes on behind that.
    """

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Keep a batch, in its order, all or nothing; returns when it is durable."""
        ...

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """The first `limit` kept entries behind id `after`."""
        ...

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """The last `limit` kept entries in front of id `before` (None: the newest)."""
        ...

    async def search(self, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        """The newest `limit` entries of `log` that hold every word of `query`, newest first.

        Messages and topics; what is no longer kept is not found. The words of `query` are whole ones, as
        `triochat.journal.words.words` gives them; if there are none, nothing is found. May take a while, but
        holds up nobody.
        """
        ...

    async def heads(self) -> dict[str, Head]:
        """Where every log stands: what a server must know when it starts."""
        ...

    async def tidy(self, ms: int) -> bool:
        """Do one small step of what can wait, such as letting go of what is too old; `ms` is the time now.

        Returns:
            Whether there is more to do at once.
        """
        ...
