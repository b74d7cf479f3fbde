"""Servers that break a promise; see `tests.simulation.mutants`."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from triochat.chat import Hub, SendList, SendPage
from triochat.chat import hub as hub_module
from triochat.chat import plan as plan_module
from triochat.chat.person import Person
from triochat.chat.plan import KeepEntry, Plan, ReadInbox, Recall
from triochat.chat.room import Room
from triochat.journal import Draft
from triochat.protocol import Connection, Dialect, Encoding, LocalProtocolError
from triochat.protocol import events as e
from triochat.protocol.runs import MessageRun, OkRun, SayRun
from triochat.server import hub_task
from triochat.server.broadcast import Broadcast
from triochat.server.outbox import Outbox
from triochat.server.peer import Peer
from triochat.server.throttle import Throttle


@contextmanager
def loses_one(choose: random.Random) -> Iterator[None]:
    """Somebody is not given what all others are given."""
    publish = Broadcast.publish

    def lose(broadcast: Broadcast[int], parcels: Mapping[int, bytes]) -> None:
        publish(broadcast, {key: parcel for key, parcel in parcels.items() if choose.random() > 0.01})

    with patch.object(Broadcast, "publish", lose):
        yield


@contextmanager
def repeats_one(choose: random.Random) -> Iterator[None]:
    """Somebody is given something twice."""
    publish = Broadcast.publish

    def repeat(broadcast: Broadcast[int], parcels: Mapping[int, bytes]) -> None:
        publish(
            broadcast,
            {key: parcel * (2 if choose.random() < 0.01 else 1) for key, parcel in parcels.items()},
        )

    with patch.object(Broadcast, "publish", repeat):
        yield


@contextmanager
def swaps_two(choose: random.Random) -> Iterator[None]:
    """What was said first is told last."""
    encoded = hub_task._encoded

    def swap(events: Sequence[e.Event | MessageRun], encoding: Encoding) -> bytes:
        return encoded(events[::-1] if choose.random() < 0.1 else events, encoding)

    with patch.object(hub_task, "_encoded", swap):
        yield


@contextmanager
def forgets_a_member(choose: random.Random) -> Iterator[None]:
    """Somebody is not told of any more, and does not know."""
    advance = Room.advance

    def forget(room: Room, draft: Draft, first: int) -> None:
        advance(room, draft, first)
        if room._members and choose.random() < 0.01:
            room.dismiss(choose.choice(list(room._members)))

    with patch.object(Room, "advance", forget):
        yield


@contextmanager
def tells_nobody_who_has_gone(_: random.Random) -> Iterator[None]:
    """Who has gone is there for ever."""
    with patch.object(Hub, "_expire", lambda hub: hub._held.clear()):
        yield


@contextmanager
def gives_a_name_twice(_: random.Random) -> Iterator[None]:
    """To it ``Guest`` is another name than ``guest``."""
    with patch.object(hub_module, "fold", lambda name: name):
        yield


@contextmanager
def answers_nobody(choose: random.Random) -> Iterator[None]:
    """Now and then a request has no answer."""
    reply = Peer.reply

    def silent(peer: Peer, event: e.Event | OkRun) -> bytes:
        data = reply(peer, event)
        return b"" if isinstance(event, e.Ok) and choose.random() < 0.02 else data

    with patch.object(Peer, "reply", silent):
        yield


@contextmanager
def keeps_it_to_itself(choose: random.Random) -> Iterator[None]:
    """What is said to one alone does not always get there."""
    keep = Plan.keep

    def forget(plan: Plan, draft: Draft, step: KeepEntry | Recall) -> None:
        if isinstance(step, KeepEntry) and draft.target.startswith("@") and choose.random() < 0.2:
            step = KeepEntry(step.place, step.audience[:1], step.sender)
        keep(plan, draft, step)

    with patch.object(Plan, "keep", forget):
        yield


@contextmanager
def waits_for_the_slowest(_: random.Random) -> Iterator[None]:
    """Nobody is cut off, however much waits for it."""
    queue = Outbox.queue

    def endless(outbox: Outbox, data: bytes) -> bool:
        queue(outbox, data)
        return True

    with patch.object(Outbox, "queue", endless), patch.object(Outbox, "crowded", False):
        yield


@contextmanager
def tells_a_person_less(choose: random.Random) -> Iterator[None]:
    """Who reads lines and not frames is not told of everything."""
    encoded = hub_task._encoded

    def lose(events: Sequence[e.Event | MessageRun], encoding: Encoding) -> bytes:
        lost = encoding is not Encoding.FRAMED and choose.random() < 0.02
        return b"" if lost else encoded(events, encoding)

    with patch.object(hub_task, "_encoded", lose):
        yield


@contextmanager
def repeats_for_a_person(choose: random.Random) -> Iterator[None]:
    """Who reads lines and not frames is told of some things twice."""
    encoded = hub_task._encoded

    def repeat(events: Sequence[e.Event | MessageRun], encoding: Encoding) -> bytes:
        twice = encoding is not Encoding.FRAMED and choose.random() < 0.02
        return encoded(events, encoding) * (2 if twice else 1)

    with patch.object(hub_task, "_encoded", repeat):
        yield


@contextmanager
def mishears(choose: random.Random) -> Iterator[None]:
    """What a person types is not always heard."""
    add = Peer._add

    async def forget(peer: Peer, request: e.Request | SayRun) -> None:
        typed = isinstance(request, e.Say | SayRun) and peer.connection.dialect is Dialect.TEXT
        if not typed or choose.random() > 0.1:
            await add(peer, request)

    with patch.object(Peer, "_add", forget):
        yield


@contextmanager
def drops_what_is_too_much(_: random.Random) -> Iterator[None]:
    """Who says more than the rate limit allows is not heard later, but not at all."""
    charge, add = Throttle.charge, Peer._add
    over: list[Throttle] = []

    def note(throttle: Throttle, now: float, count: int = 1) -> float:
        if charge(throttle, now, count):
            over.append(throttle)
        return 0.0

    async def drop(peer: Peer, request: e.Request | SayRun) -> None:
        if peer._throttle in over:
            over.clear()
            if isinstance(request, e.Say):
                return
        await add(peer, request)

    with patch.object(Throttle, "charge", note), patch.object(Peer, "_add", drop):
        yield


@contextmanager
def tells_somebody_else(choose: random.Random) -> Iterator[None]:
    """What is said to one alone is now and then shown to one more."""
    keep = Plan.keep
    others: list[int] = []

    def tell(plan: Plan, draft: Draft, step: KeepEntry | Recall) -> None:
        if isinstance(step, KeepEntry) and draft.target.startswith("#"):
            others[:] = step.audience or others
        elif isinstance(step, KeepEntry) and others and choose.random() < 0.2:
            step = KeepEntry(step.place, (*step.audience, choose.choice(others)), step.sender)
        keep(plan, draft, step)

    with patch.object(Plan, "keep", tell):
        yield


@contextmanager
def can_not_say_everything(choose: random.Random) -> Iterator[None]:
    """Now and then the server has an event that can't be sent, which it logs as a fault of its own."""
    send = Connection.send

    def fail(connection: Connection, event: e.Event) -> bytes:
        if isinstance(event, e.Ok) and event.id and choose.random() < 0.02:
            raise LocalProtocolError("bad-frame", "it can't be said")
        return send(connection, event)

    with patch.object(Connection, "send", fail):
        yield


@contextmanager
def does_not_know_its_members(choose: random.Random) -> Iterator[None]:
    """Now and then it takes somebody for one who is not in the room."""
    joined_room = Hub._joined_room

    def refuse(hub: Hub, person: Person, name: str | None) -> Room:
        if choose.random() < 0.01:
            raise hub_module._Refused("not-in-room", "you are not in this room")
        return joined_room(hub, person, name)

    with patch.object(Hub, "_joined_room", refuse):
        yield


@contextmanager
def inherits_what_was_said(_: random.Random) -> Iterator[None]:
    """Who takes a nick may read what was said to the one who had it before."""
    own_page = plan_module._own_page

    def all_pages(step: ReadInbox) -> SendPage | SendList:
        step.inbox.start = 0
        return own_page(step)

    with patch.object(plan_module, "_own_page", all_pages):
        yield


@contextmanager
def holds_nobody(_: random.Random) -> Iterator[None]:
    """Whose connection breaks is gone at once."""
    with patch.object(Hub, "_depart", lambda hub, person, departure: hub._remove(person, departure.reason)):
        yield


@contextmanager
def closes_without_a_word(_: random.Random) -> Iterator[None]:
    """Whose place another connection has taken is not told so."""
    reply = Peer.reply

    def silent(peer: Peer, event: e.Event | OkRun) -> bytes:
        return b"" if event == e.Bye("replaced") else reply(peer, event)

    with patch.object(Peer, "reply", silent):
        yield
