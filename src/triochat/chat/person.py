"""Somebody who is here: one nick, at most one connection at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triochat.protocol.grammar import fold

if TYPE_CHECKING:
    from triochat.chat.room import Room
    from triochat.chat.submissions import ClientId


@dataclass(slots=True, eq=False)
class Person:
    """A nick and what belongs to it.

    Attributes:
        nick: as it is shown.
        client: the connection; None while the person is *held*: cut off, and expected back.
        session: hash of the session's secret; None for one that can't return.
        text: a person who sees lines, and is in one room at a time.
        rooms: where it is a member, in the order of joining.
        missed_from: id in front of the first direct message that came while it could not be
            delivered; None if there was none.
        missed_to: id of the last such message.
        catching_up: the connection is being given what was missed, so what comes now is missed too.
    """

    nick: str
    client: ClientId | None
    session: str | None = None
    text: bool = False
    rooms: dict[str, Room] = field(default_factory=dict)
    missed_from: int | None = None
    missed_to: int = 0
    catching_up: bool = False

    @property
    def inbox(self) -> str:
        """The log of what was said to this nick alone."""
        return "@" + fold(self.nick)

    def miss(self, number: int) -> None:
        """A direct message was kept under this id, but could not be delivered."""
        if self.missed_from is None:
            self.missed_from = number - 1
        self.missed_to = number
