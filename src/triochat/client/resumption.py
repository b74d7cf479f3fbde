"""Going back into all rooms, after the hello on a new connection.

A room is entered behind the last entry that we have heard of it, so the server says exactly what was missed
and goes on with what is new, with neither hole nor repeat. Nothing else is asked before the last room has
answered: what still waits for an answer was meant for somebody who is in these rooms.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from triochat.client.errors import ConnectionLost
from triochat.client.memberships import Memberships, Roll
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol import framed

TRANSIENT: Final = frozenset({"unavailable", "throttled"})
"""Refusals that another attempt may help against."""


@dataclass(slots=True)
class _Entering:
    room: str
    after: int
    roll: Roll = field(default_factory=Roll)


class Resumption:
    """The rooms that have not answered yet.

    Args:
        memberships: where we are, and how far.
        nick: our nickname.
        tags: to mark the requests.
        send: writes a request.
        tell: gets what happened meanwhile, for the program.
    """

    def __init__(
        self,
        memberships: Memberships,
        nick: str,
        tags: Tags,
        send: Callable[[bytes], None],
        tell: Callable[[e.Event], None],
    ) -> None:
        self._memberships = memberships
        self._nick = nick
        self._tags = tags
        self._send = send
        self._tell = tell
        self._entering: dict[str, _Entering] = {}
        for room in memberships:
            self._enter(room)

    @property
    def ended(self) -> bool:
        """Whether we are back in all rooms."""
        return not self._entering

    def _enter(self, room: str) -> None:
        tag = self._tags.next()
        after = self._memberships.last(room)
        self._entering[tag] = _Entering(room, after)
        self._send(framed.build(e.Join(room, after, tag=tag)))

    def hear(self, event: e.Event) -> bool:
        """Take note of an event with a tag. Whether it belongs to an answer to us.

        Raises:
            ConnectionLost: it does not work now; another connection has to be tried.
        """
        entering = self._entering.get(event.tag or "")
        if entering is None:
            return False
        room = entering.room
        if (nicks := entering.roll.add(event)) is not None:
            for change in self._memberships.compare(room, nicks, self._nick):
                self._tell(change)
        match event:
            case e.Message() | e.TopicSet() | e.Gap() if self._memberships.hear(event, self._nick):
                self._tell(event)
            case e.Ok(tag=tag, id=last):
                del self._entering[str(tag)]
                if last is not None and last < entering.after:
                    # The server has lost its memory, and all in this log is new to us.
                    self._memberships.restart(room)
                    self._enter(room)
            case e.Failure(tag=tag, code=code, sentence=sentence):
                if code in TRANSIENT:
                    raise ConnectionLost(sentence)
                del self._entering[str(tag)]
                self._memberships.leave(room)
                self._tell(e.Failure(code, sentence))
                self._tell(e.Left(room, self._nick, sentence))
            case _:
                pass
        return True
