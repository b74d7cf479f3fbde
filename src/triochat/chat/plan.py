"""What a batch decided, to be settled when the journal has answered.

The hub decides a whole batch at once; ids, and so every frame that names one, are known only when
the journal has kept it. A `Plan` records the steps in their order, each with the audience as it
was when the step was decided, and `settle` replays them with the ids filled in.

Entries of one log for one audience are gathered to a *run*, so that they are encoded and handed on
together; answers ride behind the runs. So an entry may overtake an answer that was decided before it,
but nothing overtakes an `Announce`, nor an answer behind which there is a `Flush`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from triochat.chat.deliveries import (
    Broadcast,
    Delivery,
    Dismiss,
    Errand,
    Replay,
    Replies,
    SendList,
    SendPage,
)
from triochat.chat.person import Inbox, Person
from triochat.chat.room import Room
from triochat.chat.submissions import ClientId
from triochat.journal.interface import Draft, Each, Kept, NoRoom, Outcome, Repeated, TagTaken, Unknown
from triochat.protocol.events import Event, Failure, Ok, ReadHistory, RoomInfo
from triochat.protocol.runs import MessageRun, OkRun


@dataclass(frozen=True, slots=True)
class Missed:
    """The inbox of a recipient who can't be told now."""

    inbox: Inbox


@dataclass(slots=True)  # not frozen: there is one for each message, and freezing it doubles its price
class KeepEntry:
    """Publish what became of a draft, and tell its sender."""

    place: Room | Inbox | Missed  # what has a new entry
    audience: tuple[ClientId, ...]
    sender: ClientId


@dataclass(frozen=True, slots=True)
class Recall:
    """Acknowledge what a draft recalls, or refuse it if it was never kept."""

    sender: ClientId
    refusal: Failure


class Reply(NamedTuple):
    """Answer one client."""

    client: ClientId
    event: Event


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell an audience of something that is no entry."""

    audience: Sequence[ClientId]
    event: Event


@dataclass(frozen=True, slots=True)
class DescribeRoom:
    """Answer with the room as it is by then."""

    client: ClientId
    room: Room
    members: int
    tag: str | None


@dataclass(frozen=True, slots=True)
class DescribeRooms:
    """Answer with all rooms as they are by then; each comes with its count of members."""

    client: ClientId
    rooms: Sequence[tuple[Room, int]]
    tag: str | None


@dataclass(frozen=True, slots=True)
class TellLast:
    """Answer ``OK`` with the room's last id by then."""

    client: ClientId
    room: Room
    tag: str | None


@dataclass(frozen=True, slots=True)
class TellTopic:
    """Answer with the room's topic by then, or with `otherwise` if it has none."""

    client: ClientId
    room: Room
    tag: str | None
    otherwise: Event | None


@dataclass(frozen=True, slots=True)
class ReplayRecent:
    """Send a client on the last `count` entries of a room."""

    client: ClientId
    room: Room
    count: int
    tag: str


@dataclass(frozen=True, slots=True)
class ReplayMissed:
    """Send a client that took its place again on what `person` missed, if it missed anything."""

    client: ClientId
    person: Person


@dataclass(frozen=True, slots=True)
class ReadInbox:
    """Send a client a page of its inbox, as far as that is its own by then."""

    client: ClientId
    inbox: Inbox
    request: ReadHistory


@dataclass(frozen=True, slots=True)
class Flush:
    """What was decided before this is delivered before what is decided behind it."""


OtherStep = (
    Recall
    | Announce
    | DescribeRoom
    | DescribeRooms
    | TellLast
    | TellTopic
    | ReplayRecent
    | ReplayMissed
    | ReadInbox
    | Flush
    | Reply
    | Errand
    | Dismiss
)
Step = KeepEntry | OtherStep


@dataclass(slots=True)
class Plan:
    """The steps of one batch.

    Attributes:
        drafts: what the journal is asked to keep, in the order of the steps that are about them.
    """

    drafts: list[Draft] = field(default_factory=list)
    _steps: list[Step] = field(default_factory=list)

    def add(self, step: Step) -> None:
        """Record what happens next."""
        self._steps.append(step)

    def keep(self, draft: Draft, step: KeepEntry | Recall) -> None:
        """Ask the journal for `draft`, and record what happens when it has answered."""
        self.drafts.append(draft)
        self._steps.append(step)

    def flush(self) -> None:
        """Record that nothing decided later may be delivered before this."""
        self._steps.append(Flush())

    def settle(self, outcomes: Sequence[Outcome] | None) -> list[Delivery]:
        """What is to be delivered, now that the journal has answered.

        Args:
            outcomes: one for each draft; None if the journal was not available.
        """
        settling = _Settling(self.drafts, outcomes)
        for step in self._steps:
            if isinstance(step, KeepEntry):  # under load nearly all that is decided
                settling.keep(step)
            else:
                settling.take(step)
        return settling.finish()


def _describe(room: Room, members: int, tag: str | None) -> RoomInfo:
    return RoomInfo(room.name, members, room.last, room.topic_text, tag=tag)


def _own_page(step: ReadInbox) -> SendPage | SendList:
    """What of an inbox was said to the one who asks, and not to another who had that nick before."""
    inbox, request = step.inbox, step.request
    if inbox.start is None:
        return SendList([] if request.tag is None else [Ok(tag=request.tag)], request.tag)
    after = None if request.after is None else max(request.after, inbox.start)
    return SendPage(inbox.log, request.before, request.limit, request.tag, after, floor=inbox.start)


class _Settling:
    def __init__(self, drafts: Sequence[Draft], outcomes: Sequence[Outcome] | None) -> None:
        self.deliveries: list[Delivery] = []
        # In the order of the steps: each takes its own.
        self._answered: Iterator[tuple[Draft, Outcome | None]] = zip(
            drafts, [None] * len(drafts) if outcomes is None else outcomes, strict=True
        )
        self._unpublished: dict[str, tuple[tuple[ClientId, ...], list[Event | MessageRun]]] = {}  # by log
        self._answers: list[tuple[ClientId, Event | OkRun]] = []
        self._behind: list[Errand | Dismiss] = []
        self._returned: list[ReplayMissed] = []

    def take(self, step: OtherStep) -> None:
        match step:
            case Recall():
                self._recall(step)
            case Announce():
                self.flush()
                if step.audience:
                    self.deliveries.append(Broadcast(step.audience, (step.event,)))
            case DescribeRoom():
                self._reply(step.client, _describe(step.room, step.members, step.tag))
            case DescribeRooms():
                events: list[Event] = [_describe(room, members, step.tag) for room, members in step.rooms]
                if step.tag is not None:
                    events.append(Ok(tag=step.tag))
                self._behind.append(Errand(step.client, SendList(events, step.tag)))
            case TellLast():
                if step.tag is not None:
                    self._reply(step.client, Ok(step.room.last, tag=step.tag))
            case TellTopic():
                topic = step.room.topic if step.room.topic_text else None
                answer = step.otherwise if topic is None else topic.event(step.tag)
                if answer is not None:
                    self._reply(step.client, answer)
            case ReplayRecent():
                count = min(step.count, step.room.last)
                replay = Replay(step.room.name, step.room.last - count, step.tag, recent=count or None)
                self._behind.append(Errand(step.client, replay))
            case ReplayMissed():
                self._returned.append(step)
            case ReadInbox():
                self._behind.append(Errand(step.client, _own_page(step)))
            case Flush():
                self.flush()
            case Reply():
                self._answers.append(step)
            case _:
                self._behind.append(step)

    def flush(self) -> None:
        for audience, events in self._unpublished.values():
            self.deliveries.append(Broadcast(audience, events))
        self._unpublished.clear()
        if self._answers:
            self.deliveries.append(Replies(self._answers))
            self._answers = []
        self.deliveries += self._behind
        self._behind.clear()

    def finish(self) -> list[Delivery]:
        self.flush()
        # Last, because only now it is known whether anything was missed before or behind the return.
        for step in self._returned:
            self.deliveries.append(Errand(step.client, self._missed(step)))
        return self.deliveries

    def _missed(self, step: ReplayMissed) -> Replay | None:
        person = step.person
        if person.client != step.client:  # gone again
            return None
        inbox = person.inbox
        if inbox.missed_from is None:
            person.catching_up = False
            return None
        return Replay(inbox.log, inbox.missed_from, None)

    def _reply(self, client: ClientId, event: Event | OkRun) -> None:
        self._answers.append((client, event))

    def keep(self, step: KeepEntry) -> None:
        draft, outcome = next(self._answered)
        place = step.place
        if isinstance(place, Room):
            place.pending -= 1
        if isinstance(outcome, Kept):
            self._kept(step, draft, outcome.first)
        elif isinstance(outcome, Each):
            assert draft.tags is not None, "what has no tags was never there before"
            for one, text, tag in zip(outcome.outcomes, draft.texts, draft.tags, strict=True):
                if isinstance(one, Kept):
                    self._kept(step, draft._replace(texts=(text,), tags=(tag,)), one.first)
                else:
                    self._tell(step.sender, (tag,), one)
        else:
            self._tell(step.sender, draft.tags or (None,) * len(draft.texts), outcome)

    def _kept(self, step: KeepEntry, draft: Draft, first: int) -> None:
        """All of `draft` is kept, under the ids from `first` on."""
        log, kind, target, nick, texts, ms, _, tags, _ = draft
        place = step.place
        if isinstance(place, Room):
            place.advance(draft, first)
        elif isinstance(place, Inbox):
            place.receive(first)
        else:
            place.inbox.miss(first)
        audience = step.audience
        if audience:
            # As in `Hub._keep`: a run made by its own constructor costs twice as much.
            event: Event | MessageRun = (
                tuple.__new__(MessageRun, (target, first, ms, nick, texts))
                if kind == "message"
                else draft.entry(first).event()
            )
            run = self._unpublished.get(log)
            # A room's audience is the same tuple until it changes; that of an inbox depends on the sender.
            if run is not None and (run[0] is audience or run[0] == audience):
                run[1].append(event)
            else:
                if run is not None:
                    self.deliveries.append(Broadcast(*self._unpublished.pop(log)))
                self._unpublished[log] = (audience, [event])
        if tags is not None:
            self._answers.append((step.sender, tuple.__new__(OkRun, (first, tags))))

    def _recall(self, step: Recall) -> None:
        _, outcome = next(self._answered)
        if isinstance(outcome, Unknown):
            self._reply(step.sender, step.refusal)
        else:
            assert step.refusal.tag is not None, "without a tag nothing can be recalled"
            self._tell(step.sender, (step.refusal.tag,), outcome)

    def _tell(self, sender: ClientId, tags: Sequence[str | None], outcome: Outcome | None) -> None:
        """Tell of one outcome, once for each request."""
        for tag in tags:
            match outcome:
                case Repeated():
                    self._reply(sender, Ok(outcome.id, tag=tag))
                case TagTaken():
                    self._fail(
                        sender, tag, "not-allowed", "this tag was used for another text; take a new one"
                    )
                case NoRoom():
                    self._fail(
                        sender, tag, "unavailable", "this server keeps no more rooms; use one that is there"
                    )
                case _:
                    self._fail(sender, tag, "unavailable", "it could not be kept; send it again in a while")

    def _fail(self, client: ClientId, tag: str | None, code: str, sentence: str) -> None:
        self._reply(client, Failure(code, sentence, tag=tag))
