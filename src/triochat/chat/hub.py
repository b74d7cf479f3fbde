"""The hub: it alone decides what happens in the chat, and in which order.

Theory of operation: hand a batch of submissions to `Hub.decide`, give the drafts of the plan that
it returns to the journal, hand the outcomes to `Plan.settle`, and carry out the deliveries in their
order. The order of a batch is the order in which its submissions stand in it; nothing else orders.

Keeps laws 1 to 3 of docs/architecture.md: no I/O and no clock (time comes in as an argument, and
`next_deadline` says when the hub wants to be looked at again), one place that changes the chat, and
no ``OK`` before the journal has answered.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triochat.chat.deliveries import Dismiss, Errand, Replay, SendMatches, SendPage
from triochat.chat.person import Inbox, Person
from triochat.chat.plan import (
    Announce,
    DescribeRoom,
    DescribeRooms,
    KeepEntry,
    Missed,
    Plan,
    ReadInbox,
    Recall,
    ReplayMissed,
    ReplayRecent,
    Reply,
    TellLast,
    TellTopic,
)
from triochat.chat.room import Room
from triochat.chat.submissions import WAITS, CaughtUp, ClientId, Departure, Submission
from triochat.journal.interface import Draft, Head, Kind
from triochat.journal.words import words
from triochat.protocol import events as e
from triochat.protocol.grammar import LOBBY, fold
from triochat.protocol.runs import SayRun
from triochat.protocol.text import HELP

NAMES_IN_A_FRAME = 100
"""Nicks in one ``NAMES`` frame, which holds them even if all are of the longest."""
HISTORY_TAG = "history"
"""Marks entries as history for a peer of the text dialect, which has no tags of its own."""


MAX_WORDS = 32
"""Different words that one may search for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a hub allows.

    Attributes:
        rooms: rooms that exist at once.
        rooms_each: rooms that one person may be in.
        grace: seconds for which a person with a session is held after its connection broke.
        recent: entries that a peer of the text dialect is shown when it enters a room.
    """

    rooms: int = 10_000
    rooms_each: int = 100
    grace: float = 30.0
    recent: int = 20


class _Refused(Exception):  # noqa: N818 -- it never leaves this module
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Hub:
    """Everyone who is here, every room, and what they may do.

    Args:
        server: the name that `Welcome` carries.
        heads: where the journal's logs stand.
        limits: what is allowed.
    """

    def __init__(
        self, server: str, heads: Mapping[str, Head] | None = None, limits: Limits | None = None
    ) -> None:
        self._server = server
        self._limits = limits or Limits()
        self._people: dict[str, Person] = {}  # by folded nick
        self._clients: dict[ClientId, Person] = {}
        self._sessions: dict[str, Person] = {}
        # → deadline, and why it went; all wait equally long, so in the order of the deadlines
        self._held: dict[Person, tuple[float, str]] = {}
        self._rooms: dict[str, Room] = {}
        self._vacated: set[str] = set()  # rooms that stay only if something said in them gets kept
        for name, head in (heads or {}).items():
            if name.startswith("#"):
                self._rooms[name] = Room(name, head.last, head.topic)
        self._plan = Plan()
        self._ms = 0
        self._now = 0.0

    @property
    def next_deadline(self) -> float | None:
        """When to call `decide` again though nothing was submitted; on the clock of `now`."""
        return next((deadline for deadline, _ in self._held.values()), None)

    def statistics(self) -> dict[str, int]:
        """How many are here: ``people``, those ``held`` among them, ``connected``; and ``rooms``."""
        return {
            "people": len(self._people),
            "held": len(self._held),
            "connected": len(self._clients),
            "rooms": len(self._rooms),
        }

    def decide(self, batch: Sequence[Submission], *, ms: int, now: float) -> Plan:
        """Decide a batch; the plan of the one before must be settled.

        Args:
            batch: in the order in which it shall happen.
            ms: Unix time in milliseconds. A clock that is set back does not take the chat back.
            now: seconds on a clock that is never set, for deadlines.
        """
        self._ms = max(self._ms, ms)
        self._now = now
        self._plan = Plan()
        self._sweep()
        self._expire()
        # A follower waits while it asks, so nothing of its own stands before this; and it must be
        # attached in front of what this batch adds, or a busy room would be ahead of it for ever. What is
        # waited for is the last of its submission (see `WAITS`), so there is no need to look at the others.
        for client, requests, _, _ in batch:
            if requests and isinstance(last := requests[-1], CaughtUp):
                self._caught_up(client, last)
        for client, requests, text, _ in batch:
            for request in requests:
                if isinstance(request, SayRun):  # under load nearly all that is asked
                    self._say_run(client, request)
                else:
                    self._take(client, request, text=text)
        return self._plan

    # --- dispatch -------------------------------------------------------------------------------

    def _take(self, client: ClientId, request: e.Request | Departure | CaughtUp, *, text: bool) -> None:
        if isinstance(request, CaughtUp):
            return  # decided before everything else
        if isinstance(request, e.Hello):
            self._hello(client, request, text=text)
            return
        person = self._clients.get(client)
        if person is None:
            # Replaced, or gone: what it still says is not heard, but a reader must not wait for ever.
            if isinstance(request, WAITS):
                self._plan.add(Errand(client, None))
            return
        if isinstance(request, Departure):
            self._depart(person, request)
            return
        try:
            _HANDLERS[type(request)](self, person, client, request)
        except _Refused as refused:
            self._fail(client, refused, request.tag)
            if isinstance(request, WAITS):
                self._plan.add(Errand(client, None))

    def _reply(self, client: ClientId, event: e.Event) -> None:
        self._plan.add(Reply(client, event))

    def _ok(self, client: ClientId, tag: str | None) -> None:
        if tag is not None:
            self._reply(client, e.Ok(tag=tag))

    def _fail(self, client: ClientId, refused: _Refused, tag: str | None) -> None:
        self._reply(client, e.Failure(refused.code, refused.sentence, tag=tag))

    # --- coming and going -----------------------------------------------------------------------

    def _hello(self, client: ClientId, hello: e.Hello, *, text: bool) -> None:
        if client in self._clients:
            self._fail(client, _Refused("not-allowed", "you have said who you are"), hello.tag)
            self._plan.add(Errand(client, None))
            return
        session = None if hello.session is None else _hash(hello.session)
        if session is not None and (person := self._sessions.get(session)) is not None:
            if person.client is None or hello.takeover:
                self._return(person, client, hello.tag)
            else:
                self._ask_for_another(client, hello, "you are here already, by another connection")
            return
        nick = hello.nick
        if fold(nick) in self._people:
            if not hello.adapt:
                self._ask_for_another(client, hello, "somebody has this nick; take another")
                return
            nick = self._free_variant(nick)
        person = Person(nick, client, session, text)
        self._people[fold(nick)] = person
        self._clients[client] = person
        if session is not None:
            self._sessions[session] = person
        if text:
            room = self._room(LOBBY)
            self._enter_as_text(person, client, room)
            self._reply(client, e.Welcome(nick, self._server))
            self._plan.add(ReplayRecent(client, room, self._limits.recent, HISTORY_TAG))
            self._plan.flush()
            return
        self._reply(client, e.Welcome(nick, self._server, tag=hello.tag))
        self._ok(client, hello.tag)
        self._plan.add(Errand(client, None))
        self._plan.flush()  # nothing that is said to this nick from now on may overtake its welcome

    def _ask_for_another(self, client: ClientId, hello: e.Hello, sentence: str) -> None:
        self._fail(client, _Refused("nick-in-use", sentence), hello.tag)
        self._reply(client, e.Prompt(sentence))
        self._plan.add(Errand(client, None))

    def _return(self, person: Person, client: ClientId, tag: str | None) -> None:
        """The session is known: its new connection takes the old one's place."""
        self._held.pop(person, None)
        if person.client is not None:
            self._reply(person.client, e.Bye("replaced"))
            self._plan.add(Dismiss(person.client))
            self._disconnect(person)
        person.client = client
        self._clients[client] = person
        self._reply(client, e.Welcome(person.nick, self._server, tag=tag))
        self._ok(client, tag)
        person.catching_up = True  # until it is known that nothing was missed, in this batch either
        self._plan.add(ReplayMissed(client, person))

    def _free_variant(self, nick: str) -> str:
        number = 2
        while fold(variant := f"{nick[: 32 - len(str(number))]}{number}") in self._people:
            number += 1
        return variant

    def _disconnect(self, person: Person) -> None:
        assert person.client is not None
        del self._clients[person.client]
        person.client = None
        person.catching_up = False
        for room in person.rooms.values():
            room.detach(person)

    def _depart(self, person: Person, departure: Departure) -> None:
        if person.session is not None and self._limits.grace > 0:
            self._disconnect(person)
            self._held[person] = (self._now + self._limits.grace, departure.reason)
        else:
            self._remove(person, departure.reason)

    def _quit(self, person: Person, client: ClientId, request: e.Quit) -> None:
        self._reply(client, e.Bye("you quit", tag=request.tag))
        self._plan.add(Dismiss(client))
        self._remove(person, request.reason)

    def _expire(self) -> None:
        while self._held:
            person, (deadline, reason) = next(iter(self._held.items()))
            if deadline > self._now:
                return
            del self._held[person]
            self._remove(person, reason)

    def _remove(self, person: Person, reason: str) -> None:
        if person.client is not None:
            self._disconnect(person)
        del self._people[fold(person.nick)]
        if person.session is not None:
            del self._sessions[person.session]
        for room in list(person.rooms.values()):
            self._leave(person, room, reason)

    def _rename(self, person: Person, client: ClientId, request: e.Rename) -> None:
        old, new = person.nick, request.nick
        if self._people.get(fold(new), person) is not person:
            raise _Refused("nick-in-use", "somebody has this nick; take another")
        if new != old:
            audience = {client: None}
            for room in person.rooms.values():
                audience |= dict.fromkeys(room.watchers())
            del self._people[fold(old)]
            self._people[fold(new)] = person
            person.rename(new)
            self._plan.add(Announce(tuple(audience), e.Renamed(old, new)))
        self._ok(client, request.tag)

    # --- rooms ----------------------------------------------------------------------------------

    def _room(self, name: str) -> Room:
        """The room of that name, made if need be."""
        room = self._rooms.get(name)
        if room is None:
            if len(self._rooms) >= self._limits.rooms and name != LOBBY:
                raise _Refused("too-many-rooms", "this server has no more rooms; join one that is there")
            room = self._rooms[name] = Room(name)
        return room

    def _find(self, person: Person, name: str | None) -> Room:
        """The room that a request means; None is the one that a text peer is in."""
        if name is None:
            room = next(iter(person.rooms.values()), None)
            if room is None:
                raise _Refused("not-in-room", "you are in no room; JOIN one first")
            return room
        try:
            return self._rooms[name]
        except KeyError:
            raise _Refused("no-such-room", "there is no such room; JOIN makes it") from None

    def _joined_room(self, person: Person, name: str | None) -> Room:
        room = self._find(person, name)
        if person not in room:
            raise _Refused("not-in-room", "you are not in this room; JOIN it first")
        return room

    def _leave(self, person: Person, room: Room, reason: str) -> None:
        room.dismiss(person)
        self._plan.add(Announce(room.watchers(), e.Left(room.name, person.nick, reason)))
        if not len(room):
            if not room.used:
                del self._rooms[room.name]
            elif not room.last:
                self._vacated.add(room.name)

    def _sweep(self) -> None:
        """Let go of the rooms that were left empty, and in which nothing could be kept after all."""
        for name in self._vacated:
            room = self._rooms[name]
            if not len(room) and not room.used:
                del self._rooms[name]
        self._vacated.clear()

    def _join(self, person: Person, client: ClientId, request: e.Join) -> None:
        if (
            not person.text
            and request.room not in person.rooms
            and len(person.rooms) >= self._limits.rooms_each
        ):
            raise _Refused("too-many-rooms", "you are in as many rooms as one may be; PART one first")
        room = self._room(request.room)
        if person.text:
            if person in room:
                self._reply(client, e.Notice("you are in this room already"))
                self._plan.add(Errand(client, None))
                return
            for other in list(person.rooms.values()):
                self._leave(person, other, "")
            self._enter_as_text(person, client, room)
            self._plan.add(ReplayRecent(client, room, self._limits.recent, HISTORY_TAG))
            return
        if person not in room:
            self._plan.add(Announce(room.watchers(), e.Joined(room.name, person.nick)))
            room.admit(person)
        self._plan.add(DescribeRoom(client, room, len(room), request.tag))
        self._name(client, room, request.tag)
        if request.after is None:
            room.attach(person)
            self._plan.add(TellLast(client, room, request.tag))
            self._plan.add(Errand(client, None))
        else:
            room.detach(person)
            self._plan.add(Errand(client, Replay(room.name, request.after, request.tag)))
        self._plan.flush()

    def _enter_as_text(self, person: Person, client: ClientId, room: Room) -> None:
        """A person who sees lines is told of its own coming, and follows until it has seen the last ones."""
        self._plan.add(Announce((*room.watchers(), client), e.Joined(room.name, person.nick)))
        room.admit(person)

    def _caught_up(self, client: ClientId, request: CaughtUp) -> None:
        person = self._clients.get(client)
        if person is None:
            self._plan.add(Errand(client, None))
            return
        room = person.rooms.get(request.log)
        read_on = Errand(client, Replay(request.log, request.cursor, request.tag))
        if room is not None:
            # In a busy room there is always something newer. What little it is the hub has at hand.
            missing = room.since(request.cursor)
            if missing is None:
                self._plan.add(read_on)
                return
            for entry in missing:
                # For a person it is no history: it was said while that person was in the room.
                self._reply(client, entry.event(None if person.text else request.tag))
            room.attach(person)
            self._plan.add(TellLast(client, room, request.tag))
        elif request.log == person.inbox.log:
            if not person.inbox.give(request.cursor):
                self._plan.add(read_on)
                return
            person.catching_up = False
        self._plan.add(Errand(client, None))
        self._plan.flush()

    def _part(self, person: Person, client: ClientId, request: e.Part) -> None:
        self._leave(person, self._joined_room(person, request.room), request.reason)
        self._ok(client, request.tag)

    def _name(self, client: ClientId, room: Room, tag: str | None) -> None:
        nicks = room.nicks
        for start in range(0, len(nicks), NAMES_IN_A_FRAME):
            some = tuple(nicks[start : start + NAMES_IN_A_FRAME])
            self._reply(client, e.NameList(room.name, some, tag=tag))

    def _list_names(self, person: Person, client: ClientId, request: e.ListNames) -> None:
        room = self._find(person, request.room)
        self._name(client, room, request.tag)
        if person.text and not len(room):
            self._reply(client, e.Notice("nobody is in this room"))
        self._ok(client, request.tag)

    def _list_rooms(self, _: Person, client: ClientId, request: e.ListRooms) -> None:
        rooms = [(room, len(room)) for room in self._rooms.values()]
        self._plan.add(DescribeRooms(client, rooms, request.tag))
        self._plan.flush()

    def _read_history(self, person: Person, client: ClientId, request: e.ReadHistory) -> None:
        target = request.target
        if target is not None and target.startswith("@"):
            if fold(target) != person.inbox.log:
                raise _Refused("not-allowed", "what was said to somebody else alone is not for you")
            self._plan.add(ReadInbox(client, person.inbox, request))
            return
        room = self._find(person, target)
        tag = HISTORY_TAG if person.text else request.tag
        page = SendPage(room.name, request.before, request.limit, tag, request.after)
        self._plan.add(Errand(client, page))

    # --- what is kept ---------------------------------------------------------------------------

    def _say(self, person: Person, client: ClientId, request: e.Say) -> None:
        target = request.target
        if target is not None and target.startswith("@"):
            self._say_to_person(person, client, request, target)
        else:
            self._keep_in_room(person, client, request, "message", target, request.text)

    def _say_run(self, client: ClientId, run: SayRun) -> None:
        person = self._clients.get(client)
        if person is None:  # replaced, or gone: what it still says is not heard
            return
        room = person.rooms.get(run.room)
        if room is None:  # each is refused by itself, or recalled
            for say in run.frames():
                try:
                    self._say(person, client, say)
                except _Refused as refused:
                    self._fail(client, refused, say.tag)
            return
        self._keep(person, client, room, "message", run.texts, run.tags)

    def _set_topic(self, person: Person, client: ClientId, request: e.SetTopic) -> None:
        self._keep_in_room(person, client, request, "topic", request.room, request.text)

    def _keep_in_room(
        self, person: Person, client: ClientId, request: e.Request, kind: Kind, name: str | None, text: str
    ) -> None:
        try:
            room = self._joined_room(person, name)
        except _Refused as refused:
            self._recall(person, client, request, kind, name or "", text, refused)
            return
        self._keep(person, client, room, kind, (text,), _tags(request))

    def _keep(
        self,
        person: Person,
        client: ClientId,
        room: Room,
        kind: Kind,
        texts: Sequence[str],
        tags: Sequence[str] | None,
    ) -> None:
        room.pending += 1
        name = room.name  # in lower case, so there is nothing to fold
        # `tuple.__new__` is all that `Draft(…)` does, but that is a function in Python: twice the price.
        draft = tuple.__new__(
            Draft, (name, kind, name, person.nick, texts, self._ms, person.session, tags, False)
        )
        self._plan.keep(draft, KeepEntry(room, room.audience, client))

    def _say_to_person(self, person: Person, client: ClientId, request: e.Say, target: str) -> None:
        to = self._people.get(fold(target[1:]))
        if to is None:
            refused = _Refused("no-such-nick", f"nobody here has the nick {target[1:]}")
            self._recall(person, client, request, "message", target, request.text, refused)
            return
        audience: tuple[ClientId, ...] = (client,)
        place: Inbox | Missed = to.inbox
        if to.client is None or to.catching_up:
            place = Missed(to.inbox)
        elif to is not person:
            audience = (client, to.client)
        draft = self._draft(person, "message", "@" + to.nick, (request.text,), _tags(request))
        self._plan.keep(draft, KeepEntry(place, audience, client))

    def _recall(
        self,
        person: Person,
        client: ClientId,
        request: e.Request,
        kind: Kind,
        target: str,
        text: str,
        refused: _Refused,
    ) -> None:
        """Refuse, unless it was kept before: then its sender only did not hear of it."""
        if request.tag is None or person.session is None:
            raise refused
        draft = self._draft(person, kind, target, (text,), (request.tag,), recall=True)
        refusal = e.Failure(refused.code, refused.sentence, tag=request.tag)
        self._plan.keep(draft, Recall(client, refusal))

    def _draft(
        self,
        person: Person,
        kind: Kind,
        target: str,
        texts: Sequence[str],
        tags: Sequence[str] | None,
        *,
        recall: bool = False,
    ) -> Draft:
        return Draft(fold(target), kind, target, person.nick, texts, self._ms, person.session, tags, recall)

    # --- the rest -------------------------------------------------------------------------------

    def _get_topic(self, person: Person, client: ClientId, request: e.GetTopic) -> None:
        room = self._find(person, request.room)
        otherwise = e.Notice("this room has no topic; /topic and a text sets it") if person.text else None
        self._plan.add(TellTopic(client, room, request.tag, otherwise))
        self._ok(client, request.tag)
        self._plan.flush()

    def _search(self, person: Person, client: ClientId, request: e.Search) -> None:
        room = self._joined_room(person, request.room)
        query = tuple(dict.fromkeys(words(request.text)))
        if not query:
            raise _Refused("bad-text", "there is no word in this; name one or more, of letters and digits")
        if len(query) > MAX_WORDS:
            raise _Refused("bad-text", f"these are too many words; name {MAX_WORDS} at most")
        tag = HISTORY_TAG if person.text else request.tag
        self._plan.add(Errand(client, SendMatches(room.name, query, request.limit, tag)))

    def _help(self, _: Person, client: ClientId, __: e.Help) -> None:
        self._reply(client, e.Notice(HELP))

    def _ping(self, _: Person, client: ClientId, request: e.Ping) -> None:
        self._reply(client, e.Pong(request.token, tag=request.tag))

    def _blank(self, *_: object) -> None:
        """Nothing was asked."""

    def _pong(self, *_: object) -> None:
        """Its reader has seen that the peer lives; there is nothing else to do."""


def _tags(request: e.Request) -> Sequence[str] | None:
    return None if request.tag is None else (request.tag,)


def _hash(session: str) -> str:
    """What is remembered of a session: enough to know it again, not enough to use it."""
    return hashlib.sha256(fold(session).encode("ascii")).hexdigest()


_HANDLERS: dict[type[e.Request], Callable[[Hub, Person, ClientId, Any], None]] = {
    e.Rename: Hub._rename,
    e.Join: Hub._join,
    e.Part: Hub._part,
    e.Say: Hub._say,
    e.GetTopic: Hub._get_topic,
    e.SetTopic: Hub._set_topic,
    e.ListNames: Hub._list_names,
    e.ListRooms: Hub._list_rooms,
    e.ReadHistory: Hub._read_history,
    e.Search: Hub._search,
    e.Quit: Hub._quit,
    e.Help: Hub._help,
    e.Blank: Hub._blank,
    e.Ping: Hub._ping,
    e.Pong: Hub._pong,
}
