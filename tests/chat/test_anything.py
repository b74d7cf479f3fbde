"""Whatever several clients do, in whatever batches: what the protocol promises is what they see."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.desk import MANY, Desk, frame, says, secret
from triochat.chat import WAITS, ClientId, Departure, Limits, Submission
from triochat.chat import room as room_module
from triochat.journal import MemoryJournal
from triochat.protocol import events as e
from triochat.protocol.grammar import LOBBY, fold

NICKS = ["al", "AL", "bob", "cy", "Cy2"]
ROOMS = [LOBBY, "#a", "#b", "#c"]
LIMITS = Limits(rooms=3, rooms_each=2, grace=10.0, recent=2)

Entry = e.Message | e.TopicSet


class Witness:
    """What one client has seen; fails when it is not what was promised.

    Args:
        truth: what all have seen under each id, shared by all witnesses.
        forgetful: inboxes are let go, so their ids may leap.
    """

    def __init__(self, truth: dict[tuple[str, int], Entry], *, text: bool, forgetful: bool) -> None:
        self.truth = truth
        self.text = text
        self.forgetful = forgetful
        self.nick: str | None = None
        self.closed = False
        self.open: defaultdict[str, deque[e.Request]] = defaultdict(deque)
        self.cursors: dict[str, int] = {}  # rooms whose entries it gets live → the newest it has seen
        # rooms whose past it is given → the newest it was given; None: a person's first is any
        self.joining: dict[str, int | None] = {}
        self.names: dict[str, Counter[str]] = {}
        self.live_before_attached = 0
        self._inbox: int | None = None
        self._room = LOBBY

    def asked(self, request: e.Request) -> None:
        if request.tag is not None:
            self.open[request.tag].append(request)

    def see(self, seen: e.Event) -> None:
        frame(seen)
        assert not self.closed, "nothing comes behind the goodbye"
        request = self.open[seen.tag][0] if seen.tag is not None and not self.text else None
        if isinstance(seen, e.Ok | e.Failure | e.Pong | e.Bye) and request is not None:
            assert seen.tag is not None
            self.open[seen.tag].popleft()
        match seen:
            case e.Message() | e.TopicSet():
                self._entry(seen, request)
            case e.Gap():
                self._gap(seen, request)
            case e.Welcome():
                assert self.nick is None
                self.nick = seen.nick
            case e.Bye():
                self.closed = True
            case e.RoomInfo() if isinstance(request, e.Join):
                self.cursors.pop(seen.room, None)
                self.names[seen.room] = Counter()
                if request.after is not None:
                    self.joining[seen.room] = request.after
            case e.NameList() if isinstance(request, e.Join):
                self.names[seen.room].update(seen.nicks)
            case e.Ok():
                self._ok(seen, request)
            case e.Joined() | e.Left() | e.Renamed():
                self._presence(seen)
            case _:
                pass

    def _entry(self, seen: Entry, request: e.Request | None) -> None:
        place = fold(seen.target if isinstance(seen, e.Message) else seen.room)
        plain = replace(seen, tag=None)
        assert self.truth.setdefault((place, seen.id), plain) == plain, "all see the same"
        if place.startswith("@") and seen.tag is not None:
            assert isinstance(request, e.ReadHistory)
            assert self.nick is not None
            assert place == "@" + fold(self.nick), "nobody reads what was said to another"
        elif place.startswith("@"):
            if self.nick is not None and place == "@" + fold(self.nick):
                leap = self.forgetful and self._inbox is not None and seen.id > self._inbox
                assert self._inbox is None or seen.id == self._inbox + 1 or leap
                self._inbox = seen.id
        elif isinstance(request, e.Join) or (self.text and place in self.joining):
            # A person may be given some of it live, as it was said while that person was there.
            newest = self.joining[place]
            assert newest is None or seen.id == newest + 1
            self.joining[place] = seen.id
            if seen.tag is None:
                self.live_before_attached += 1
        elif seen.tag is None:
            assert seen.id == self.cursors[place] + 1, "live, in order, without holes"
            self.cursors[place] = seen.id
        else:
            assert self.text or isinstance(request, e.ReadHistory | e.Search | e.GetTopic)

    def _gap(self, seen: e.Gap, request: e.Request | None) -> None:
        assert seen.tag is not None or seen.target.startswith("@")
        if isinstance(request, e.Join) or (self.text and seen.target in self.joining):
            newest = self.joining[seen.target]
            assert newest is None or seen.first == newest + 1
            self.joining[seen.target] = seen.last
        elif seen.tag is None:
            assert self._inbox is None or seen.first == self._inbox + 1 or self.forgetful
            self._inbox = seen.last

    def _ok(self, seen: e.Ok, request: e.Request | None) -> None:
        match request:
            case None if self.text and seen.id is not None:
                assert self.joining.pop(self._room) in (None, seen.id)
                self.cursors = {self._room: seen.id}
            case e.Join():
                assert seen.id is not None
                if request.after is not None:
                    assert self.joining.pop(request.room) == max(seen.id, request.after)
                self.cursors[request.room] = seen.id
            case e.Part(room=str(room)):
                self.cursors.pop(room, None)
                self.names.pop(room, None)
            case e.Say(target=str(place), text=text) | e.SetTopic(room=str(place), text=text):
                assert seen.id is not None
                entry = self.truth.get((fold(place), seen.id))
                assert entry is None or entry.text == text
                assert self.cursors.get(place, seen.id) >= seen.id, "the echo comes first"
            case _:
                pass

    def _presence(self, seen: e.Joined | e.Left | e.Renamed) -> None:
        if isinstance(seen, e.Renamed):
            if seen.old == self.nick:
                self.nick = seen.new
                self._inbox = None
            for names in self.names.values():
                names[seen.new] += names.pop(seen.old, 0)
        elif self.text and isinstance(seen, e.Joined) and seen.nick == (self.nick or seen.nick):
            self.cursors.clear()
            self._room = seen.room
            self.joining = {seen.room: None}
        elif seen.room in self.names:
            self.names[seen.room][seen.nick] += 1 if isinstance(seen, e.Joined) else -1


class World:
    """Clients that do what they are told, as far as the protocol lets them."""

    def __init__(self, max_inboxes: int) -> None:
        self.desk = Desk(LIMITS, MemoryJournal(retention=4, max_inboxes=max_inboxes))
        self.forgetful = max_inboxes < len(NICKS)
        self.truth: dict[tuple[str, int], Entry] = {}
        self.witnesses: dict[ClientId, Witness] = {}
        self.connected: list[ClientId] = []
        self.waiting: set[ClientId] = set()
        self.queue: list[Submission] = []
        self.tags = 0

    def connect(self, session: int | None, nick: str, *, text: bool, adapt: bool) -> None:
        client = len(self.witnesses) + 1
        self.witnesses[client] = Witness(self.truth, text=text, forgetful=self.forgetful)
        self.desk.events[client] = []
        self.connected.append(client)
        if text:
            self.desk.people_who_see_lines.add(client)
        secret_ = None if session is None or text else secret(session)
        self._submit(client, e.Hello(nick, secret_, adapt=text and adapt))

    def ask(self, number: int, *requests: e.Request) -> None:
        client = self._pick(number)
        if client is None or client in self.waiting:
            return
        if self.witnesses[client].nick is None or self.witnesses[client].closed:
            self.depart(number)
            return
        for request in requests:
            sayable = self._as_it_can_be_said(client, request)
            if sayable is not None and client not in self.waiting:
                self._submit(client, sayable)

    def ask_at_once(self, number: int, room: str, texts: list[str], tags: list[str] | None) -> None:
        """Say a run; who sees lines, and who may not say it now, says it one by one."""
        client = self._pick(number)
        run = says(room, *texts, tags=tags)
        witness = None if client is None else self.witnesses[client]
        if client is None or witness is None or client in self.waiting:
            return
        if witness.text or witness.nick is None or witness.closed:
            self.ask(number, *run.frames())
            return
        asked = [self._tagged(witness, say) for say in run.frames()]
        for say in asked:
            witness.asked(say)
        tags = None if tags is None else [str(say.tag) for say in asked]
        self.queue.append(Submission(client, [says(room, *texts, tags=tags)]))

    def read(self, number: int) -> None:
        client = self._pick(number)
        if client is None or client not in self.desk.work:
            return
        caught_up = self.desk.read(client)
        if caught_up is not None:
            self.queue.append(Submission(client, [caught_up]))
        elif client not in self.desk.work:
            self.waiting.discard(client)
        self._look()

    def depart(self, number: int) -> None:
        client = self._pick(number)
        if client is not None:
            self.connected.remove(client)
            self.desk.work.pop(client, None)
            self.queue.append(Submission(client, [Departure()]))

    def turn(self, most: int | None = None, *, journal_is_down: bool = False, seconds: float = 0.0) -> None:
        """One batch, of the oldest `most` submissions."""
        self.desk.now += seconds
        self.desk.journal_is_down = journal_is_down
        self.desk.batch(*self.queue[:most])
        self.queue = [] if most is None else self.queue[most:]
        gone = set(self.desk.dismissed) | (set(self.witnesses) - set(self.connected))
        for client in gone & set(self.desk.work):
            del self.desk.work[client]
        queued = {one.client for one in self.queue if isinstance(one.requests[-1], WAITS)}
        self.waiting &= queued | set(self.desk.work)
        self._look()
        self.check()

    def end(self) -> None:
        """Everyone finishes what it has begun, all that was asked is answered, and all go home."""
        self.turn()
        for _ in range(MANY):
            if not self.desk.work:
                break
            for number in range(len(self.connected)):
                self.read(number)
            self.turn()
        assert not self.desk.work, "every errand ends"
        for client in self.connected:
            witness = self.witnesses[client]
            if not witness.closed:
                assert not any(witness.open.values()), "each is answered once"
        while self.connected:
            self.depart(0)
        self.turn()
        self.turn(seconds=LIMITS.grace)
        self.turn()
        hub = self.desk.hub
        assert not hub._people
        assert not hub._clients
        assert not hub._sessions
        assert not hub._held
        assert hub.next_deadline is None
        assert all(room.last for room in hub._rooms.values())

    def check(self) -> None:
        hub = self.desk.hub
        for nick, person in hub._people.items():
            assert fold(person.nick) == nick
            assert (person.client is None) == (person in hub._held)
            assert person.client is None or hub._clients[person.client] is person
            assert person.session is None or hub._sessions[person.session] is person
            assert all(person in room and hub._rooms[name] is room for name, room in person.rooms.items())
            assert len(person.rooms) <= (1 if person.text else LIMITS.rooms_each)
            if person.client is not None and not person.catching_up:
                assert person.inbox.missed_from is None
        assert set(hub._people.values()) >= {*hub._clients.values(), *hub._sessions.values(), *hub._held}
        for name, room in hub._rooms.items():
            assert all(person.rooms.get(name) is room for person in room._members)
            assert room.pending == 0
            assert len(room) or room.used or name in hub._vacated
            attached = {p.client for p, is_attached in room._members.items() if is_attached}
            assert set(room.audience) == attached
            assert all(p in room and p.client not in attached and p.client for p in room._followers)
            assert [entry.id for entry in room._recent] == list(
                range(room.last - len(room._recent) + 1, room.last + 1)
            )
            assert room._followers or not room._recent
        for client, person in hub._clients.items():
            witness = self.witnesses[client]
            assert witness.nick == person.nick
            assert set(witness.cursors) <= set(person.rooms)
            for name, names in witness.names.items():
                assert +names == Counter(hub._rooms[name].nicks)
        assert hub.statistics()["connected"] == len(hub._clients)

    def _as_it_can_be_said(self, client: ClientId, request: e.Request) -> e.Request | None:
        """Who sees lines means the room that it is in, and has no words for leaving it.

        Without a tag the answer to `GetTopic` looks like news, so nobody asks for that without one.
        """
        if not self.witnesses[client].text:
            return request
        match request:
            case e.Part() | e.GetTopic():
                return None
            case e.Say(target=str(target)) if target.startswith("#"):
                return replace(request, target=None)
            case e.SetTopic() | e.Search():
                return replace(request, room=None)
            case e.ReadHistory():
                return replace(request, target=None)
            case _:
                return request

    def _pick(self, number: int) -> ClientId | None:
        return self.connected[number % len(self.connected)] if self.connected else None

    def _submit(self, client: ClientId, request: e.Request) -> None:
        witness = self.witnesses[client]
        request = self._tagged(witness, request)
        witness.asked(request)
        if isinstance(request, WAITS):
            self.waiting.add(client)
        self.queue.append(Submission(client, [request], text=witness.text))

    def _tagged(self, witness: Witness, request: e.Request) -> e.Request:
        if witness.text:
            return replace(request, tag=None)
        if request.tag == "new":
            self.tags += 1
            return replace(request, tag=f"t{self.tags}")
        return request

    def _look(self) -> None:
        for client, events in self.desk.events.items():
            for seen in events:
                self.witnesses[client].see(seen)
            events.clear()


def populated(max_inboxes: int = 10) -> World:
    """Four who are framed, some of them in a room, and two who see lines."""
    world = World(max_inboxes)
    for number, nick in enumerate(["al", "bob", "cy", "dan"]):
        world.connect(number if number < 3 else None, nick, text=False, adapt=False)
    for nick in ("eve", "flo"):
        world.connect(None, nick, text=True, adapt=False)
    world.turn()
    for number in (0, 1, 2):
        world.ask(number, e.Join("#a", tag="new"))
    world.turn()
    return world


def any_request(rng: Random) -> e.Request:
    room = rng.choice(["#a", "#a", "#a", *ROOMS])
    target = rng.choice([room, room, room, room, room, room, *("@" + nick for nick in NICKS)])
    said = rng.choice(["one", "two"])
    tag = rng.choice([None, "new", "new"])
    kept = rng.choice([None, "new", "new", "s1", "s2"])
    kinds: dict[Callable[[], e.Request], float] = {
        lambda: e.Join(room, rng.choice([None, rng.randrange(10)]), tag="new"): 6,
        lambda: e.Part(room, tag="new"): 1,
        lambda: e.Say(target, said, tag=kept): 10,
        lambda: e.SetTopic(room, rng.choice(["", said]), tag=kept): 3,
        lambda: e.Rename(rng.choice(NICKS), tag=tag): 2,
        lambda: e.GetTopic(room, tag="new"): 1,
        lambda: e.ListNames(room, tag=tag): 1,
        lambda: e.ListRooms(tag=tag): 1,
        lambda: e.ReadHistory(
            target, rng.choice([None, rng.randrange(1, 10)]), rng.randrange(1, 5), tag="new"
        ): 1,
        lambda: e.ReadHistory(target, None, rng.randrange(1, 5), rng.randrange(9), tag="new"): 1,
        lambda: e.Search(room, said, tag="new"): 1,
        lambda: e.Ping(said, tag=tag): 1,
        lambda: e.Pong(): 1,
        lambda: e.Quit(said, tag=tag): 0.3,
    }
    return rng.choices(list(kinds), list(kinds.values()))[0]()


def any_run(rng: Random) -> tuple[str, list[str], list[str] | None]:
    length = rng.randrange(1, 6)
    tags = [rng.choice(["new", "new", "s1", "s2"]) for _ in range(length)]
    texts = [rng.choice(["one", "two"]) for _ in range(length)]
    return rng.choice(["#a", "#a", "#a", *ROOMS]), texts, rng.choice([None, tags, tags])


def act(world: World, rng: Random) -> None:
    number = rng.randrange(12)
    match rng.choices(["connect", "ask", "run", "read", "depart", "turn"], [2, 13, 4, 8, 1, 8])[0]:
        case "connect":
            text = rng.random() < 0.2
            session = rng.choice([None, 0, 1, 2, 2])
            world.connect(session, rng.choice(NICKS), text=text, adapt=rng.random() < 0.5)
        case "ask":
            world.ask(number, *(any_request(rng) for _ in range(rng.randrange(1, 4))))
        case "run":
            world.ask_at_once(number, *any_run(rng))
        case "read":
            world.read(number)
        case "depart":
            world.depart(number)
        case _:
            most = rng.choice([None, None, rng.randrange(8)])
            world.turn(most, journal_is_down=rng.random() < 0.05, seconds=rng.choice([0, 0, 0, 1, 4]))


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), length=st.integers(1, 150))
def test_what_was_promised_is_what_everyone_sees(seed: int, length: int) -> None:
    """One seed, one history."""
    rng = Random(seed)
    world = populated(rng.choice([1, 2, 10]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room_module, "RECENT", rng.choice([1, 3, 1024]))
        for _ in range(length):
            act(world, rng)
        world.end()


def test_such_histories_show_what_they_shall() -> None:
    """Among them are people who are handed what was said while they looked back."""
    handed = 0
    for seed in range(40):
        rng = Random(seed)
        world = populated()
        for _ in range(100):
            act(world, rng)
        handed += sum(witness.live_before_attached for witness in world.witnesses.values())
    assert handed
