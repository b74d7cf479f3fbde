"""Runs: consecutive frames that differ only in a word or two, as one value.

A chat under load is mostly one thing: many messages to one room. Taken one by one, each would cost a
value, its validation and half a dozen calls on its way from a read to a write; a run costs that once,
and each message only its share of a regular expression and of a join. A single message is a run of one.

A run does not validate itself. It is made of what has been validated: by the one regular expression
of `triochat.protocol.framed.parse_says`, or as a frame of its own.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from triochat.protocol.events import Message, Ok, Say


class PlainTexts(tuple[str, ...]):
    """Texts none of which needs an escape on the framed wire.

    Who parses them has seen that; it stays with them, so who builds them need not look again.
    """

    __slots__ = ()


class SayRun(NamedTuple):
    """Consecutive `Say` of one client to one room.

    Attributes:
        room: in lower case.
        texts: what is said, one or more.
        tags: one for each text; None: they have none.
        octets: how long all of it is on the framed wire.
    """

    room: str
    texts: Sequence[str]
    tags: Sequence[str] | None
    octets: int

    def frames(self) -> Iterator[Say]:
        """The same, one by one."""
        tags: Sequence[str | None] = self.tags or [None] * len(self.texts)
        for text, tag in zip(self.texts, tags, strict=True):
            yield Say(self.room, text, tag=tag)


class MessageRun(NamedTuple):
    """Consecutive `Message` by one author, of one time, under consecutive ids.

    Attributes:
        target: the room, or ``@nick``.
        first: id of the first text.
        ms: Unix time in milliseconds, UTC.
        nick: who said it.
        texts: what was said, one or more.
    """

    target: str
    first: int
    ms: int
    nick: str
    texts: Sequence[str]

    def frames(self) -> Iterator[Message]:
        """The same, one by one."""
        for number, text in enumerate(self.texts, self.first):
            yield Message(target=self.target, id=number, ms=self.ms, nick=self.nick, text=text)


class OkRun(NamedTuple):
    """Consecutive `Ok` that acknowledge messages kept under consecutive ids.

    Attributes:
        first: id of the first.
        tags: one for each, one or more.
    """

    first: int
    tags: Sequence[str]

    def frames(self) -> Iterator[Ok]:
        """The same, one by one."""
        for number, tag in enumerate(self.tags, self.first):
            yield Ok(number, tag=tag)
