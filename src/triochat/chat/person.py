"""Somebody who is here: one nick, at most one connection at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triochat.protocol.grammar import fold

if TYPE_CHECKING:
    from triochat.chat.room import Room
    from triochat.chat.submissions import ClientId


@dataclass(slots=True, eq=False)
class Inbox:
    """What is said to one person alone, from when it took its nick until it gives it up.

    The log of a nick outlives whoever has it. So this is made anew for whoever takes a nick, by a rename
    as well, and nothing in front of the first message that went here may be read by its owner.

    Attributes:
        log: its name, ``@bob``.
        start: id in front of the first message that was said to this person; None if there was none.
        missed_from: id in front of the first that came while it could not be delivered, and has not been
            given since; None if there is none.
        missed_to: id of the last such message.
    """

    log: str
    start: int | None = None
    missed_from: int | None = None
    missed_to: int = 0

    def receive(self, number: int) -> None:
        """A message to its owner was kept under this id."""
        if self.start is None:
            self.start = number - 1

    def miss(self, number: int) -> None:
        """The same, but it could not be delivered."""
        self.receive(number)
        if self.missed_from is None:
            self.missed_from = number - 1
        self.missed_to = number

    def give(self, cursor: int) -> bool:
        """Its owner was given what it missed up to id `cursor`: was that all?"""
        if cursor < self.missed_to:
            self.missed_from = cursor
            return False
        self.missed_from = None
        return True


@dataclass(slots=True, eq=False)
class Person:
    """A nick and what belongs to it.

    Attributes:
        nick: as it is shown.
        client: the connection; None while the person is *held*: cut off, and expected back.
        session: hash of the session's secret; None for one that can't return.
        text: a person who sees lines, and is in one room at a time.
        rooms: where it is a member, in the order of joining.
        inbox: what is said to it alone.
        catching_up: the connection is being given what was missed, so what comes now is missed too.
    """

    nick: str
    client: ClientId | None
    session: str | None = None
    text: bool = False
    rooms: dict[str, Room] = field(default_factory=dict)
    inbox: Inbox = field(init=False)
    catching_up: bool = False

    def __post_init__(self) -> None:
        self.inbox = Inbox("@" + fold(self.nick))

    def rename(self, nick: str) -> None:
        """Take another nick, and another inbox with it, unless it is only written in another way."""
        if fold(nick) != fold(self.nick):
            self.inbox = Inbox("@" + fold(nick))
        self.nick = nick
