"""Going back into all rooms, and on in our inbox, after the hello on a new connection.

A room is entered behind the last entry that we have heard of it, so the server says exactly what was missed
and goes on with what is new, with neither hole nor repeat. Nothing else is asked before the last of them
has answered: what still waits for an answer was meant for somebody who is in these rooms.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from triochat.client.errors import TRANSIENT, ConnectionLost
from triochat.client.inbox import InboxReading
from triochat.client.memberships import Memberships, Roll
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol import framed


@dataclass(slots=True)
class _Entering:
    room: str
    after: int
    roll: Roll = field(default_factory=Roll)


class Resumption:
    """The rooms that have not answered yet, and the inbox if it was not read to its end.

    Args:
        memberships: where we are, and how far.
        nick: our nickname.
        tags: to mark the requests.
        send: writes a request.
        tell: gets what happened meanwhile, for the program.
        returning: the server may know us, so something may have been said to us alone.
    """

    def __init__(
        self,
        memberships: Memberships,
        nick: str,
        tags: Tags,
        send: Callable[[bytes], None],
        tell: Callable[[e.Event], None],
        *,
        returning: bool = True,
    ) -> None:
        self._memberships = memberships
        self._nick = nick
        self._tags = tags
        self._send = send
        self._tell = tell
        self._entering: dict[str, _Entering] = {}
        self._reading: InboxReading | None = None
        if returning:
            self._reading = InboxReading(memberships.inbox, tags, send, tell)
        for room in memberships:
            self._enter(room)

    @property
    def ended(self) -> bool:
        """Whether we are back in all rooms, and nothing was missed any more."""
        return not self._entering and (self._reading is None or self._reading.ended)

    def _enter(self, room: str) -> None:
        tag = self._tags.next()
        after = self._memberships.last(room)
        self._entering[tag] = _Entering(room, after)
        self._send(framed.build(e.Join(room, after, tag=tag)))

    def hold(self, event: e.Event) -> bool:
        """Keep an event without a tag until its turn comes. Whether it has to wait for that."""
        return self._reading is not None and self._reading.hold(event)

    def hear(self, event: e.Event) -> bool:
        """Take note of an event with a tag. Whether it belongs to an answer to us.

        Raises:
            ConnectionLost: it does not work now; another connection has to be tried.
        """
        if self._reading is not None and self._reading.hear(event):
            return True
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
