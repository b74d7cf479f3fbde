"""A hub, a journal and every client's reader at one desk: the whole chat without an event loop.

What clients say and see is written as frames, so a test reads like the protocol. Sentences are left
out, as they are for people: ``ERROR code``, ``NICK``, ``NOTICE``.
"""

from collections import Counter
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from triochat.chat import (
    WAITS,
    Asked,
    Broadcast,
    CaughtUp,
    ClientId,
    Dismiss,
    Errand,
    Hub,
    Limits,
    Replies,
    SendList,
    SendMatches,
    SendPage,
    Submission,
    Work,
)
from triochat.chat.history import behind, found, in_front
from triochat.journal import Journal, MemoryJournal
from triochat.protocol import events as e
from triochat.protocol import framed, text
from triochat.protocol.runs import MessageRun, OkRun, SayRun

SLICE = 2
"""Entries that a reader reads at a time: few, so that a test needs few to see several slices."""
MANY = 10_000
"""More steps than any errand takes."""
MS = 1000
"""What the clock says, unless a test sets it."""

Said = str | Asked
T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waits")


def secret(number: int) -> str:
    """A session."""
    return f"{number:032x}"


def frame(event: e.Event) -> str:
    """An event as a frame, without what is said to people."""
    tag = "" if event.tag is None else f"@{event.tag} "
    match event:
        case e.Failure():
            assert event.sentence
            return f"{tag}ERROR {event.code}"
        case e.Prompt():
            return f"{tag}NICK"
        case e.Notice():
            assert event.sentence
            return f"{tag}NOTICE"
        case _:
            return framed.build(event).decode("ascii").removesuffix("\n")


def says(room: str, *texts: str, tags: Sequence[str] | None = None) -> SayRun:
    """A run as a connection makes it."""
    frames = SayRun(room, texts, tags, octets=0).frames()
    return SayRun(room, texts, tags, octets=sum(len(framed.build(say)) for say in frames))


def one_by_one(event: e.Event | MessageRun | OkRun) -> Sequence[e.Event]:
    """What a run stands for."""
    if not isinstance(event, MessageRun | OkRun):
        return (event,)
    frames = tuple(event.frames())
    assert frames, "no run is empty"
    return frames


class Desk:
    """Drives a hub as the shell would.

    Args:
        limits: see `Hub`.
        journal: its coroutines must never wait.
    """

    def __init__(self, limits: Limits | None = None, journal: Journal | None = None) -> None:
        self.journal: Journal = journal or MemoryJournal()
        self.hub = Hub("test.server", at_once(self.journal.heads()), limits)
        self.ms = MS
        self.now = 0.0
        self.journal_is_down = False
        self.people_who_see_lines: set[ClientId] = set()
        self.events: dict[ClientId, list[e.Event]] = {}
        self.work: dict[ClientId, Work] = {}
        self.dismissed: list[ClientId] = []
        self._looked: Counter[ClientId] = Counter()

    # --- one turn of the hub --------------------------------------------------------------------

    def submit(self, client: ClientId, *said: Said) -> Submission:
        """What one read of a client brings; a line that it does not know is a fault of the test."""
        return Submission(
            client, [self._parse(client, one) for one in said], text=client in self.people_who_see_lines
        )

    def batch(self, *submissions: Submission) -> None:
        """Decide, keep, settle, and hand out what is to be delivered; errands are left to `read`."""
        plan = self.hub.decide(submissions, ms=self.ms, now=self.now)
        outcomes = None if self.journal_is_down else at_once(self.journal.append(plan.drafts))
        errands: Counter[ClientId] = Counter()
        for delivery in plan.settle(outcomes):
            match delivery:
                case Broadcast():
                    assert delivery.audience
                    assert delivery.events
                    events = [single for event in delivery.events for single in one_by_one(event)]
                    for client in delivery.audience:
                        self.events.setdefault(client, []).extend(events)
                case Replies():
                    assert delivery.answers
                    for client, event in delivery.answers:
                        self.events.setdefault(client, []).extend(one_by_one(event))
                case Errand():
                    errands[delivery.client] += 1
                    if delivery.work is not None:
                        self.work[delivery.client] = delivery.work
                case Dismiss():
                    assert isinstance(self.events[delivery.client][-1], e.Bye)
                    self.dismissed.append(delivery.client)
        waiting = Counter(s.client for s in submissions for r in s.requests if isinstance(r, WAITS))
        assert errands == waiting, "each that waits is answered by exactly one errand"

    def _parse(self, client: ClientId, said: Said) -> Asked:
        if not isinstance(said, str):
            return said
        if client not in self.people_who_see_lines:
            return framed.parse_request(said.encode("ascii"))
        return text.parse(said)

    # --- a client's reader ----------------------------------------------------------------------

    def read(self, client: ClientId) -> CaughtUp | None:
        """Do one step of a client's errand; `CaughtUp`, to be submitted, if it has come to the end."""
        work = self.work.pop(client)
        events = self.events[client]
        if isinstance(work, SendList):
            events += work.events
            return None
        if isinstance(work, SendPage | SendMatches):
            events += self._look_up(client, work)
            if work.tag is not None:
                events.append(e.Ok(tag=work.tag))
            return None
        assert work.recent is None or work.recent > 0
        page = at_once(self.journal.read_after(work.log, work.after, work.recent or SLICE))
        events += behind(page, work.log, work.after, work.tag)
        if not page.entries:
            return CaughtUp(work.log, max(work.after, page.last), work.tag)
        if work.recent is not None:
            return CaughtUp(work.log, page.entries[-1].id, work.tag)
        self.work[client] = replace(work, after=page.entries[-1].id)
        return None

    def _look_up(self, client: ClientId, work: SendPage | SendMatches) -> Iterable[e.Event]:
        if isinstance(work, SendMatches):
            entries = at_once(self.journal.search(work.log, work.words, work.limit))
            return found(entries, work.tag, for_person=client in self.people_who_see_lines)
        if work.after is not None:
            page = at_once(self.journal.read_after(work.log, work.after, work.limit))
            return behind(page, work.log, work.after, work.tag)
        page = at_once(self.journal.read_before(work.log, work.before, work.limit))
        return in_front(page, work.log, work.before, work.limit, work.tag, work.floor)

    def catch_up(self, client: ClientId) -> CaughtUp:
        """Read to the end."""
        for _ in range(MANY):
            if (caught_up := self.read(client)) is not None:
                return caught_up
        raise AssertionError("it reads for ever")

    # --- conveniences ---------------------------------------------------------------------------

    def ask(self, client: ClientId, *said: Said) -> list[str]:
        """Have a client say something, run all its errands, and return what is new to it."""
        waiting: list[Said] = []
        for one in said:
            waiting.append(one)
            if isinstance(self._parse(client, one), WAITS):
                self.batch(self.submit(client, *waiting))
                waiting.clear()
                self.run_errands(client)
        self.batch(self.submit(client, *waiting))
        return self.news(client)

    def run_errands(self, client: ClientId) -> None:
        """As the client's reader would, with nobody else saying anything meanwhile."""
        for _ in range(MANY):
            if client not in self.work:
                return
            if (caught_up := self.read(client)) is not None:
                self.batch(self.submit(client, caught_up))
        raise AssertionError("it is sent on for ever")

    def news(self, client: ClientId) -> list[str]:
        """What a client has seen since it was last asked for."""
        events = self.events.get(client, [])
        new = [frame(event) for event in events[self._looked[client] :]]
        self._looked[client] = len(events)
        return new

    def all_news(self, *clients: ClientId) -> list[list[str]]:
        """The news of several clients."""
        return [self.news(client) for client in clients]

    def enter(self, client: ClientId, nick: str, *rooms: str, session: int | None = None) -> None:
        """Let a client in, in the framed dialect, and forget what it and the others saw of that."""
        number = client if session is None else session
        self.ask(client, f"NICK {nick} triochat/1 session={secret(number)}", *(f"JOIN {r}" for r in rooms))
        self.forget()

    def enter_as_text(self, client: ClientId, nick: str, *rooms: str) -> None:
        """Let a person in who sees lines, and forget what it and the others saw of that."""
        self.greet(client, nick)
        self.ask(client, *(f"/join {room}" for room in rooms))
        self.forget()

    def greet(self, client: ClientId, nick: str, *, adapt: bool = False) -> list[str]:
        """Let a person in who sees lines."""
        self.people_who_see_lines.add(client)
        return self.ask(client, e.Hello(nick, adapt=adapt))

    def forget(self) -> None:
        """Nothing that was seen until now is news."""
        for client in self.events:
            self.news(client)

    def later(self, seconds: float) -> None:
        """Time passes; the hub is looked at if it wants to be."""
        self.now += seconds
        deadline = self.hub.next_deadline
        if deadline is not None and deadline <= self.now:
            self.batch()

    def names(self, client: ClientId, room: str) -> list[str]:
        """Who is in a room."""
        lines = [line.split() for line in self.ask(client, f"@names NAMES {room}")]
        return [nick for line in lines if line[:2] == ["@names", "NAMES"] for nick in line[3:]]
