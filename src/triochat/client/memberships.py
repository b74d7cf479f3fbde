"""The rooms that we are in, and our inbox: how far we have heard their logs, and who else is there.

By this a client that comes back knows where to go on, which entry it has had before, and who came and
went meanwhile. It is fed with what the server says; it does nothing by itself.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field

from triochat.client.happenings import RoomState
from triochat.client.heard import Heard
from triochat.client.inbox import Inbox
from triochat.protocol import events as e
from triochat.protocol.grammar import fold


@dataclass(slots=True)
class Membership:
    """One room.

    Attributes:
        last: id of the last entry that we have heard.
        seen: id of the last one that the program has taken.
        heard: the times of what we have heard of its log.
        before: the same of the log that it had before, as long as this one may be the beginning of that.
        seen_before: what the program had taken of that.
        confirmed: the server has said that we are in.
        stated: the program was told that we are.
        people: who is there, oneself included; folded nick → nick.
    """

    last: int
    seen: int
    heard: Heard = field(default_factory=Heard)
    before: Heard | None = None
    seen_before: int = 0
    confirmed: bool = True
    stated: bool = False
    people: dict[str, str] = field(default_factory=dict)


class Memberships:
    """All rooms that we are in, by name, in the order in which we came.

    Args:
        inbox: what is said to us alone.
        seen: rooms that we were in before, and the ids up to which we have seen their logs.
    """

    def __init__(self, inbox: Inbox, seen: Mapping[str, int] | None = None) -> None:
        self.inbox = inbox
        self._rooms = {room: Membership(last, last) for room, last in (seen or {}).items()}

    def __iter__(self) -> Iterator[str]:
        return (room for room, membership in self._rooms.items() if membership.confirmed)

    def seen(self) -> dict[str, int]:
        """Where a program that takes our place would have to go on."""
        return {room: self._rooms[room].seen for room in self}

    def last(self, room: str) -> int:
        """The id of the last entry that we have heard in a room that we are in."""
        return self._rooms[room].last

    def last_ms(self, room: str) -> int:
        """When that was said; 0 if we don't know."""
        return self._rooms[room].heard.last_ms

    # --- coming and going -----------------------------------------------------------------------

    def confirm(self, room: str, last: int) -> None:
        """We are in a room, perhaps as before, and get what comes behind id `last`."""
        membership = self._rooms.setdefault(room, Membership(last, last))
        if not membership.confirmed:
            membership.seen = last
            membership.confirmed = True
        if membership.last != last:
            membership.last, membership.heard = last, Heard()

    def forget_unconfirmed(self, asked: Container[str] = ()) -> list[str]:
        """The connection is lost: we may be in none of the rooms that we were entering.

        Args:
            asked: rooms that we will ask for again.

        Returns:
            Those of the others of which the program was told that we are in.
        """
        stated: list[str] = []
        for room, membership in list(self._rooms.items()):
            if membership.confirmed:
                continue
            if room in asked:
                membership.people = {}  # all will be named again
            else:
                del self._rooms[room]
                stated += [room] * membership.stated
        return stated

    def refuse(self, room: str, *, named: bool) -> bool:
        """We are not let in. Whether the program has to hear that: it was told that we are.

        Args:
            room: that we have asked for, and may be in from before.
            named: the answer had come to who is there: then we are out, wherever we were before.
        """
        membership = self._rooms.get(room)
        if membership is None or (membership.confirmed and not named):
            return False
        self.leave(room)
        return membership.stated

    def leave(self, room: str) -> None:
        """We are in a room no more."""
        self._rooms.pop(room, None)

    def restart(self, room: str) -> int:
        """The log of a room is another one than it was: a new one, or the beginning of the old one again.

        Returns:
            The id behind which to ask: the first entry that comes shows which of the two it is (see `knows`);
            and if none does, it is another one. 0: there is nothing by which it could be known.
        """
        membership = self._rooms[room]
        if membership.before is None:  # else it is not known yet what this one was
            membership.before, membership.seen_before = membership.heard, membership.seen
        behind = membership.before.first - 1 if membership.before.last_ms else 0
        membership.heard = Heard()
        membership.last, membership.seen = behind, min(membership.seen_before, behind)
        return behind

    def is_uncertain(self, room: str) -> bool:
        """Whether nothing has shown yet what log this is, since `restart`."""
        membership = self._rooms[room]
        return membership.before is not None and not membership.heard.last_ms

    def knows(self, room: str, number: int, ms: int) -> bool:
        """Whether that is an entry of the log that the room had before."""
        before = self._rooms[room].before
        return before is not None and before.has(number, ms)

    def begin_anew(self, room: str) -> None:
        """The log of a room is a new one: all of it is to be told."""
        membership = self._rooms[room]
        membership.last = membership.seen = 0
        membership.heard, membership.before = Heard(), None

    def caught_up(self, room: str) -> None:
        """All is heard that was said in a room so far: what comes is new."""
        self._rooms[room].before = None

    def compare(self, state: RoomState, me: str) -> list[e.Event | RoomState]:
        """Note how a room stands, and tell that, behind what must have happened since we last heard.

        Args:
            state: of a room that we are in, or about to enter.
            me: our nickname, of which nobody tells us.
        """
        room = state.room
        membership = self._rooms.setdefault(room, Membership(0, 0, confirmed=False))
        before, now = membership.people, {fold(nick): nick for nick in state.nicks}
        membership.people, membership.stated = now, True
        if not before:  # taken over from a program that has ended, too: nobody was told who was there
            return [state]
        gone = [e.Left(room, nick) for key, nick in before.items() if key not in now and key != fold(me)]
        come = [e.Joined(room, nick) for key, nick in now.items() if key not in before and key != fold(me)]
        return [*gone, *come, state]

    # --- what is heard --------------------------------------------------------------------------

    def hear(self, event: e.Event, me: str) -> bool:
        """Take note of what the server says of itself. Whether it is new.

        Args:
            event: what it says.
            me: our nickname.
        """
        match event:
            case e.Message() | e.Gap() if self.inbox.concerns(event):
                return self.inbox.hear(event)
            case e.Message(target=room, id=number, ms=ms) | e.TopicSet(room=room, id=number, ms=ms):
                return self._advance(room, number, ms)
            case e.Gap(target=room, last=number):
                return self._advance(room, number, None)
            case e.Joined(room=room, nick=nick):
                return self._note(room, fold(nick), nick)
            case e.Left(room=room, nick=nick):
                return self._note(room, fold(nick), None)
            case e.Renamed(old=old, new=new):
                for membership in self._rooms.values():
                    if membership.people.pop(fold(old), None) is not None:
                        membership.people[fold(new)] = new
                if fold(old) == fold(me) != fold(new):
                    self.inbox.begin(new)  # each nick has its own
            case _:
                pass
        return True

    def _note(self, room: str, key: str, nick: str | None) -> bool:
        """Somebody is there, or not any more. Whether to tell: if we know nobody, all will be named."""
        membership = self._rooms.get(room)
        if membership is None or not membership.people:
            return False
        if nick is None:
            membership.people.pop(key, None)
        else:
            membership.people[key] = nick
        return True

    def take(self, event: object) -> bool:
        """The program has taken an event. Whether that changes where another would have to go on."""
        ms: int | None = None
        match event:
            case e.Message() | e.Gap() if self.inbox.concerns(event):
                return self.inbox.take(event)
            case e.Message(target=room, id=number) | e.TopicSet(room=room, id=number):
                ms = event.ms
            case e.Gap(target=room, last=number):
                pass
            case _:
                return False
        membership = self._rooms.get(room)
        # It may be one of the log that the room had before, and the program is late.
        if membership is None or not membership.seen < number <= membership.last:
            return False
        if ms is not None and membership.heard.contradicts(number, ms):
            return False
        membership.seen = number
        return True

    def _advance(self, room: str, number: int, ms: int | None) -> bool:
        membership = self._rooms.get(room)
        if membership is None:
            return True
        if number <= membership.last:
            return False
        membership.last = number
        if ms is None:
            membership.heard = Heard()
            return True
        membership.heard.add(number, ms)
        if membership.before is not None and membership.before.has(number, ms):
            if number <= membership.seen_before:
                membership.seen = number
            return False
        membership.before = None
        return True


class Roll:
    """Collects who is in a room, from the first frames of the answer to ``JOIN``.

    They stand together, and tell of one moment; behind them, before the answer ends, others may come
    and go.
    """

    def __init__(self, room: str) -> None:
        self._room = room
        self._info: e.RoomInfo | None = None
        self._nicks: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether all are named who are there."""
        return self._info is not None and len(self._nicks) >= self._info.members

    def add(self, event: e.Event) -> RoomState | None:
        """How the room stands, as soon as all are named who are there."""
        if isinstance(event, e.RoomInfo):
            self._info, self._nicks = event, []
        elif isinstance(event, e.NameList) and self._info is not None:
            self._nicks.extend(event.nicks)
            if self.complete:
                return RoomState(self._room, tuple(self._nicks), self._info.topic)
        return None
