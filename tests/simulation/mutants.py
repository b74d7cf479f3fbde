"""Servers and clients that break one promise each: what a checker that can fail must find.

Each is the real one but for one method, for as long as its block lasts, and breaks its promise now and
then, by lots that are drawn from the seed.
"""

import copy
import dataclasses
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final
from unittest.mock import patch

from tests.simulation.disk import Disk, JournalOnDisk
from triochat.chat import Hub
from triochat.chat import hub as hub_module
from triochat.chat.person import Person
from triochat.chat.plan import KeepEntry, Plan, Recall
from triochat.chat.room import Room
from triochat.client.happenings import RoomState
from triochat.client.memberships import Memberships
from triochat.client.state_file import State, StateFile
from triochat.journal import Draft, Entry, Journal, MemoryJournal, Outcome, Page
from triochat.journal.sqlite import SqliteJournal
from triochat.protocol import Connection, Dialect, Encoding, LocalProtocolError
from triochat.protocol import events as e
from triochat.protocol.runs import MessageRun, OkRun, SayRun
from triochat.server import hub_task
from triochat.server.broadcast import Broadcast
from triochat.server.outbox import Outbox
from triochat.server.peer import Peer
from triochat.server.throttle import Throttle

Mutant = Callable[[random.Random], AbstractContextManager[None]]


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
def acknowledges_early(_: random.Random) -> Iterator[None]:
    """It says that something is kept, and a crash shows that the last three batches were not."""
    append, kill = JournalOnDisk.append, JournalOnDisk.kill
    before: deque[dict[str, object]] = deque(maxlen=3)

    async def early(journal: JournalOnDisk, drafts: Sequence[Draft]) -> list[Outcome]:
        if isinstance(journal._journal, MemoryJournal):
            before.append(copy.deepcopy(journal._journal.__dict__))
        return await append(journal, drafts)

    def lose(journal: JournalOnDisk) -> None:
        if before:
            journal._journal.__dict__.update(before.popleft())
            before.clear()
        kill(journal)

    with patch.object(JournalOnDisk, "append", early), patch.object(JournalOnDisk, "kill", lose):
        yield


@contextmanager
def forgets_tags(_: random.Random) -> Iterator[None]:
    """What is sent again is kept again."""
    append = JournalOnDisk.append

    async def forget(journal: JournalOnDisk, drafts: Sequence[Draft]) -> list[Outcome]:
        return await append(journal, [draft._replace(session=None) for draft in drafts])

    with patch.object(JournalOnDisk, "append", forget):
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
def goes_on_one_too_late(_: random.Random) -> Iterator[None]:
    """Who returns misses the first of what it missed."""
    read_after = JournalOnDisk.read_after

    async def late(journal: JournalOnDisk, log: str, after: int, limit: int) -> Page:
        return await read_after(journal, log, after + (after > 0), limit)

    with patch.object(JournalOnDisk, "read_after", late):
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
def loses_what_is_not_in_the_database(_: random.Random) -> Iterator[None]:
    """A crash takes what stood in the write-ahead log only."""
    copy_of = Disk._copy

    def forget(disk: Disk, of: Path | None) -> Path:
        folder = copy_of(disk, of)
        (folder / "journal-wal").unlink(missing_ok=True)
        return folder

    with patch.object(Disk, "_copy", forget):
        yield


@contextmanager
def forgets_what_it_had_to_say(_: random.Random) -> Iterator[None]:
    """A client that does not say what it finds in its file."""
    load = StateFile._load

    def ignore(file: StateFile) -> State | None:
        state = load(file)
        return None if state is None else dataclasses.replace(state, unsent=())

    with patch.object(StateFile, "_load", ignore):
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
def forgets_how_far_it_had_come(_: random.Random) -> Iterator[None]:
    """A client that reads all again, whatever its file says."""
    load = StateFile._load

    def ignore(file: StateFile) -> State | None:
        state = load(file)
        return None if state is None else dataclasses.replace(state, rooms=dict.fromkeys(state.rooms, 0))

    with patch.object(StateFile, "_load", ignore):
        yield


@contextmanager
def tells_nobody_who_came_meanwhile(_: random.Random) -> Iterator[None]:
    """A client that does not say who came and went while it was away."""
    compare = Memberships.compare

    def silent(memberships: Memberships, state: RoomState, me: str) -> list[e.Event | RoomState]:
        told = compare(memberships, state, me)
        return told if state.room not in memberships else []

    with patch.object(Memberships, "compare", silent):
        yield


@contextmanager
def turns_over_two_pages(choose: random.Random) -> Iterator[None]:
    """Now and then the last entry of a page is not on it."""
    read_before = JournalOnDisk.read_before

    async def shorten(journal: JournalOnDisk, log: str, before: int | None, limit: int) -> Page:
        page = await read_before(journal, log, before, limit)
        return dataclasses.replace(page, entries=page.entries[: -1 if choose.random() < 0.2 else None])

    with patch.object(JournalOnDisk, "read_before", shorten):
        yield


@contextmanager
def finds_nothing(choose: random.Random) -> Iterator[None]:
    """Now and then a search does not find what is there."""
    search = JournalOnDisk.search

    async def miss(journal: JournalOnDisk, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        found = await search(journal, log, query, limit)
        return found if choose.random() > 0.2 else []

    with patch.object(JournalOnDisk, "search", miss):
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
def has_holes(_: random.Random) -> Iterator[None]:
    """A journal that does not give back everything that it was given."""

    def without_some(read_after: Callable[..., Awaitable[Page]]) -> Callable[..., Awaitable[Page]]:
        async def read(journal: Journal, log: str, after: int, limit: int) -> Page:
            page = await read_after(journal, log, after, limit)
            return dataclasses.replace(page, entries=[one for one in page.entries if one.id % 10 != 7])

        return read

    with ExitStack() as stack:
        for kind in (MemoryJournal, SqliteJournal):
            stack.enter_context(patch.object(kind, "read_after", without_some(kind.read_after)))
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


MUTANTS: Final[dict[str, tuple[Mutant, str]]] = {
    mutant.__name__: (mutant, checker)
    for mutant, checker in (
        (loses_one, "no_holes"),
        (repeats_one, "one_order"),
        (swaps_two, "one_order"),
        (acknowledges_early, "kept_once"),
        (forgets_tags, "kept_once"),
        (forgets_a_member, "presence"),
        (goes_on_one_too_late, "no_holes"),
        (tells_nobody_who_has_gone, "nothing_left"),
        (gives_a_name_twice, "presence"),
        (keeps_it_to_itself, "private_arrives"),
        (loses_what_is_not_in_the_database, "kept_once"),
        (forgets_what_it_had_to_say, "resent"),
        (answers_nobody, "everything_ended"),
        (waits_for_the_slowest, "within_bounds"),
        (tells_a_person_less, "all_at_netcat"),
        (repeats_for_a_person, "once_at_netcat"),
        (mishears, "typed_is_kept"),
        (drops_what_is_too_much, "everything_ended"),
        (forgets_how_far_it_had_come, "one_order"),
        (tells_nobody_who_came_meanwhile, "presence"),
        (turns_over_two_pages, "answers_are_whole"),
        (finds_nothing, "answers_are_whole"),
        (tells_somebody_else, "private"),
        (has_holes, "ids_in_a_row"),
        (can_not_say_everything, "no_complaints"),
        (does_not_know_its_members, "said_by_witnesses"),
    )
}
"""By name, and the checker that is meant to find it."""
