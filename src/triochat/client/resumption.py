"""Going back into all rooms, and on in our inbox, after the hello on a new connection.

A room is entered behind the last entry that we have heard of it, so the server says exactly what was missed
and goes on with what is new, with neither hole nor repeat. Nothing else is asked before the last of them
has answered: what still waits for an answer was meant for somebody who is in these rooms.

The server may be another than it was: one that keeps nothing and was restarted, or one that was given a
back-up. Then our cursor means nothing, and the new log may have outgrown it. To find that out we ask for the
last entry that we have heard once more. If another one comes, or none, we ask from the first one on whose
time we know: if that comes again, it is the beginning of the log that we know, and what we have not heard is
new; if not, all of it is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from triochat.client.errors import TRANSIENT, ConnectionLost
from triochat.client.happenings import RoomState
from triochat.client.inbox import InboxReading
from triochat.client.memberships import Memberships, Roll
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol import framed


@dataclass(slots=True)
class _Entering:
    room: str
    heard: int
    doubtful: bool  # whether it is the log of which we have heard so much
    uncertain: bool = False  # whether it is at least the beginning of that
    roll: Roll = field(init=False)

    def __post_init__(self) -> None:
        self.roll = Roll(self.room)


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
        tell: Callable[[e.Event | RoomState], None],
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
        heard = self._memberships.last(room)
        doubtful = heard > 0 and self._memberships.last_ms(room) > 0
        # A cut may have come before anything was heard of it.
        self._ask(_Entering(room, heard, doubtful, uncertain=self._memberships.is_uncertain(room)))

    def _ask(self, entering: _Entering) -> None:
        tag = self._tags.next()
        self._entering[tag] = entering
        self._send(framed.build(e.Join(entering.room, entering.heard - entering.doubtful, tag=tag)))

    def hold(self, event: e.Event) -> bool:
        """Keep an event without a tag until its turn comes. Whether it has to wait for that.

        Of a room that we ask for anew the answer will bring it again.
        """
        if isinstance(event, e.Message | e.TopicSet | e.Gap):
            room = event.room if isinstance(event, e.TopicSet) else event.target
            if any(entering.room == room for entering in self._entering.values()):
                return True
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
        if (here := entering.roll.add(event)) is not None:
            for change in self._memberships.compare(here, self._nick):
                self._tell(change)
        match event:
            case e.Message() | e.TopicSet() | e.Gap():
                if self._is_another(entering, event):
                    self._restart(entering, str(event.tag))
                elif self._is_new(entering, event):
                    self._begin_anew(entering, str(event.tag))
                else:
                    self._pass_on(entering, event)
            case e.Ok(tag=tag, id=last):
                if last is not None and last < entering.heard:
                    self._restart(entering, str(tag))
                elif entering.uncertain and entering.heard:
                    self._begin_anew(entering, str(tag))
                else:
                    del self._entering[str(tag)]
                    self._memberships.caught_up(room)
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

    def _is_another(self, entering: _Entering, event: e.Message | e.TopicSet | e.Gap) -> bool:
        """Whether the first entry of an answer shows that this is not the log of which we have heard."""
        doubtful, entering.doubtful = entering.doubtful, False
        return (
            doubtful
            and not isinstance(event, e.Gap)  # what we have heard is no longer kept, so nobody can tell
            and (event.id, event.ms) != (entering.heard, self._memberships.last_ms(entering.room))
        )

    def _is_new(self, entering: _Entering, event: e.Message | e.TopicSet | e.Gap) -> bool:
        """Whether this shows that it is not even the beginning of the log that we know."""
        if isinstance(event, e.Gap) or not entering.uncertain:
            return False
        entering.uncertain = False
        return entering.heard > 0 and not self._memberships.knows(entering.room, event.id, event.ms)

    def _restart(self, entering: _Entering, tag: str) -> None:
        """It is not the log of which we have heard so much: look whether it is the beginning of that."""
        del self._entering[tag]  # what is left of that answer is dropped
        if entering.uncertain:
            self._begin_anew(entering)
            return
        behind = self._memberships.restart(entering.room)
        self._ask(_Entering(entering.room, behind, doubtful=False, uncertain=True))

    def _begin_anew(self, entering: _Entering, tag: str | None = None) -> None:
        """It is another log, and new from its first entry on."""
        if tag is not None:
            del self._entering[tag]
        self._memberships.begin_anew(entering.room)
        self._ask(_Entering(entering.room, 0, doubtful=False))

    def _pass_on(self, entering: _Entering, event: e.Message | e.TopicSet | e.Gap) -> None:
        """Tell what is new of it."""
        if isinstance(event, e.Gap) and event.first <= entering.heard < event.last:
            event = replace(event, first=entering.heard + 1)
        if self._memberships.hear(event, self._nick):
            self._tell(event)
