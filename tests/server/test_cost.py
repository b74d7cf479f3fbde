"""What a message may cost, counted and not timed: see "What it costs" in docs/architecture.md.

A slip here is no wrong answer, only a server that is ten times slower, which no other test would notice.
"""

import socket
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Server, Start
from tests.server.guests import REAL, Guest
from tests.server.streams import bounded_stream_pair
from tests.server.wires import CountedSocket, plain_pair
from triochat.chat import ENTRY, Hub, Submission, weight
from triochat.chat.plan import Plan
from triochat.journal import Draft, MemoryJournal, Outcome
from triochat.protocol import encode, framed
from triochat.protocol.runs import SayRun
from triochat.server import direct, hub_task
from triochat.server.hub_task import MAX_BATCH_OCTETS
from triochat.server.outbox import Outbox
from triochat.server.peer import IN_FLIGHT

on_a_file = pytest.mark.skipif(sys.platform == "win32", reason="there a socket is no file")


class Journal(MemoryJournal):
    """Remembers the batches, and can be stopped, so that more and more waits for the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[Draft]] = []
        self._disk = trio.Event()
        self._disk.set()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        self.batches.append(list(drafts))
        await self._disk.wait()
        return await super().append(drafts)

    def stop(self) -> None:
        self._disk = trio.Event()

    def go_on(self) -> None:
        self._disk.set()


class Steps(trio.abc.Instrument):
    """Counts the steps of all tasks but the one that has made it, by name and by task."""

    def __init__(self) -> None:
        self._own = trio.lowlevel.current_task()
        self.names: Counter[str] = Counter()
        self.tasks: set[trio.lowlevel.Task] = set()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is not self._own:
            self.names[task.name.rpartition(".")[2]] += 1
            self.tasks.add(task)


class Counts:
    """What happens inside a server, as it happens.

    Attributes:
        decided: the submissions of each batch.
        encoded: texts in each run that was encoded for all.
        calls: of the functions that the counted ones are.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.decided: list[list[Submission]] = []
        self.calls: Counter[str] = Counter()
        self.sockets: list[CountedSocket] = []
        self._outboxes: list[tuple[Outbox, CountedSocket | None]] = []
        decide, init, take_over = Hub.decide, Outbox.__init__, direct.take_over

        def counting_decide(hub: Hub, batch: Sequence[Submission], *, ms: int, now: float) -> Plan:
            self.decided.append(list(batch))
            return decide(hub, batch, ms=ms, now=now)

        def counting_take_over(stream: trio.abc.Stream) -> tuple[trio.abc.Stream, CountedSocket | None]:
            stream, plain = take_over(stream)
            if plain is None:
                return stream, None
            self.sockets.append(CountedSocket(plain))
            return stream, self.sockets[-1]

        def counting_init(outbox: Outbox, *args: Any, send: Any, **options: Any) -> None:  # noqa: ANN401
            self._outboxes.append((outbox, None if send is None else send.__self__))
            init(outbox, *args, send=send, **options)

        monkeypatch.setattr(direct, "take_over", counting_take_over)
        monkeypatch.setattr(Hub, "decide", counting_decide)
        monkeypatch.setattr(Outbox, "__init__", counting_init)
        self.count(hub_task, "encode", encode)
        for name in ("parse_request", "build", "build_messages", "build_oks"):
            self.count(framed, name, getattr(framed, name))

    def count(self, module: object, name: str, function: Callable[..., Any]) -> None:
        def counting(*args: object) -> object:
            self.calls[name] += 1
            return function(*args)

        self._monkeypatch.setattr(module, name, counting)

    def reset(self) -> None:
        self.decided.clear()
        self.calls.clear()
        self._before = self._writes()

    @property
    def writes(self) -> list[int]:
        """To each client since `reset`, by the order in which they came."""
        return [now - before for before, now in zip(self._before, self._writes(), strict=True)]

    def _writes(self) -> list[int]:
        return [
            outbox.statistics().written + (0 if plain is None else plain.writes)
            for outbox, plain in self._outboxes
        ]


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return Counts(monkeypatch)


class Room:
    """A server with some members in ``#dev``; what they sent and got before is of no account."""

    def __init__(
        self, journal: Journal, server: Server, members: list[Guest], ends: list[socket.socket]
    ) -> None:
        self.journal = journal
        self.server = server
        self.members = members
        self._ends = ends

    def send_at_once(self, number: int, data: bytes) -> None:
        """Without a checkpoint."""
        assert self._ends[number].send(data) == len(data)

    async def drain(self, last: str) -> None:
        """Read up to `last` in each of them; nothing else may be behind it but what answers it."""
        for member in self.members:
            await member.until(last)


async def room_of(members: int, start: Start, *, sockets: bool, text: int = 0) -> Room:
    journal = Journal()
    server = await start(journal=journal, rate_limit=0, idle_timeout=1e6, sniff_time=0.001)
    guests: list[Guest] = []
    ends: list[socket.socket] = []
    for number in range(members + text):
        if sockets:
            left, right = socket.socketpair()
            ends.append(right)
            server.listener.hand_over(trio.SocketStream(trio.socket.from_stdlib_socket(left)))
            guest = Guest(trio.SocketStream(trio.socket.from_stdlib_socket(right)), REAL)
        else:
            ours, theirs = bounded_stream_pair(1 << 20)
            server.listener.hand_over(ours)
            guest = Guest(theirs, REAL)
        if number < members:
            await guest.hello(f"guest{number}", "#lobby")
        else:
            await guest.text_hello(f"text{number}")
        guests.append(guest)
    for guest in guests:  # all has been read, and the last one knows it
        await guest.send("PING" if guest in guests[:members] else "/who")
        await guest.until("PONG" if guest in guests[:members] else "In #lobby")
    await wait_all_tasks_blocked()
    return Room(journal, server, guests, ends)


async def close(room: Room) -> None:
    for member in room.members:
        await trio.aclose_forcefully(member.stream)


SOCKETS = pytest.mark.parametrize("sockets", [pytest.param(True, marks=on_a_file), False])


# --- wake-ups -------------------------------------------------------------------------------------


async def steps_of_messages(members: int, start: Start) -> Steps:
    """What ten messages cost, one after the other."""
    room = await room_of(members, start, sockets=True)
    steps = Steps()
    for number in range(10):
        trio.lowlevel.add_instrument(steps)
        room.send_at_once(0, b"@t MSG #lobby :%d\n" % number)
        assert (await room.members[0].until("@t OK"))[0].endswith(f" guest0 :{number}")
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
        for member in room.members[1:]:
            assert (await member.line()).endswith(f" guest0 :{number}")
    await close(room)
    return steps


@on_a_file
async def test_a_message_wakes_nobody_but_the_poller_and_the_hub(start: Start) -> None:
    few = await steps_of_messages(5, start)
    many = await steps_of_messages(50, start)
    # Not even its reader, where the poller takes what it sent; and a writer there is none.
    assert sys.platform != "linux" or "welcome" not in few.names
    assert len(few.tasks) == len(many.tasks) == 2  # of 50 members
    assert few.names == many.names
    assert few.names.total() <= 10 * 6


@on_a_file
async def test_what_is_put_to_an_idle_socket_starts_no_writer(nursery: trio.Nursery) -> None:
    ours, theirs, plain = plain_pair()
    async with ours, theirs:
        outbox = Outbox(ours, nursery, limit=1000, send_timeout=30, send=plain.send)
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        for _ in range(10):
            outbox.put(b"x")
            await trio.lowlevel.checkpoint()
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
        assert not steps.names
        assert plain.writes == 10


async def test_a_writer_is_started_once_for_all_that_is_put_until_it_runs(nursery: trio.Nursery) -> None:
    steps_of: list[int] = []
    for puts in (1, 100):
        ours, theirs = bounded_stream_pair()
        outbox = Outbox(ours, nursery, limit=1000, send_timeout=30)
        steps = Steps()
        trio.lowlevel.add_instrument(steps)
        for _ in range(puts):
            outbox.put(b"x")
        await wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(steps)
        steps_of.append(steps.names.total())
        assert theirs.writes == 1
    assert steps_of[0] == steps_of[1]


@on_a_file
async def test_a_message_on_a_socket_is_one_read_and_one_write_for_each(
    start: Start, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the kernel: what trio's streams do beside that is not done."""
    room = await room_of(5, start, sockets=True)
    own = trio.lowlevel.current_task()
    through_a_stream: list[str] = []
    for name in ("send_all", "receive_some"):
        method = getattr(trio.SocketStream, name)

        async def watched(stream: trio.SocketStream, *args: object, of: Any = method) -> object:  # noqa: ANN401
            if trio.lowlevel.current_task() is not own:
                through_a_stream.append(of.__name__)
            return await of(stream, *args)

        monkeypatch.setattr(trio.SocketStream, name, watched)
    counts.reset()
    before = sum(plain.reads for plain in counts.sockets)
    for number in range(10):
        room.send_at_once(0, b"MSG #lobby :%d\n" % number)
        await room.drain(f":{number}")
    assert sum(plain.reads for plain in counts.sockets) == before + 10
    assert counts.writes == [10] * 5
    assert through_a_stream == []
    await close(room)


# --- writes and encodings -------------------------------------------------------------------------


@SOCKETS
@pytest.mark.parametrize("members", [5, 50])
async def test_one_batch_is_one_write_for_each_member(
    start: Start, counts: Counts, sockets: bool, members: int
) -> None:
    """The acknowledgement rides in it, behind the room's bytes; and each run is encoded once."""
    room = await room_of(members, start, sockets=sockets)
    senders = 4
    room.journal.stop()
    await room.members[0].send("MSG #lobby :first")
    await wait_all_tasks_blocked()
    for number in range(senders):
        await room.members[number].send(f"@t MSG #lobby :{number}a", f"@u MSG #lobby :{number}b")
    await wait_all_tasks_blocked()
    counts.reset()
    published = room.server.inside.broadcast.statistics().published
    room.journal.go_on()
    for number, member in enumerate(room.members):
        lines = await member.lines(1 + 2 * senders)
        assert [line.split()[0] for line in lines] == ["MSG"] * (1 + 2 * senders)
        if number < senders:
            assert [line.split()[:2] for line in await member.lines(2)] == [["@t", "OK"], ["@u", "OK"]]
    assert len(counts.decided) == 1
    assert counts.writes == [2] * members  # the first message, then all the others
    assert room.server.inside.broadcast.statistics().published == published + 2 * members
    assert counts.calls["encode"] == counts.calls["build_messages"] == 1 + senders
    assert counts.calls["build_oks"] == senders
    assert not counts.calls["build"]
    await close(room)


async def test_a_run_is_encoded_once_for_each_encoding(start: Start, counts: Counts) -> None:
    """However those who want it the one way and the other are mixed."""
    room = await room_of(10, start, sockets=False, text=10)
    for member in room.members[:5]:  # they leave, and come in behind the others
        await member.ask("PART #lobby")
        await member.ask("JOIN #lobby")
    counts.reset()
    await room.members[0].send("MSG #lobby :one", "MSG #lobby :two", "MSG #lobby :three")
    await room.drain("three")
    assert counts.calls["encode"] == 2
    assert counts.writes == [1] * 20
    await close(room)


# --- a read ---------------------------------------------------------------------------------------


@SOCKETS
async def test_a_read_full_of_messages_is_one_of_everything(
    start: Start, counts: Counts, sockets: bool
) -> None:
    room = await room_of(5, start, sockets=sockets)
    counts.reset()
    room.journal.batches.clear()
    await room.members[0].send(*(f"@t{number} MSG #lobby :{number}" for number in range(100)))
    assert len(await room.members[0].until("@t99 OK")) == 200
    [[submission]] = counts.decided
    [request] = submission.requests
    assert isinstance(request, SayRun)
    [[draft]] = room.journal.batches
    assert list(draft.texts) == list(map(str, range(100)))
    for member in room.members[1:]:
        await member.until(":99")
    assert counts.writes == [1] * 5
    assert counts.calls == {"encode": 1, "build_messages": 1, "build_oks": 1}  # and no parse_request
    await close(room)


async def test_what_is_unusual_is_counted_as_well(start: Start, counts: Counts) -> None:
    """Else the test above would show nothing."""
    room = await room_of(2, start, sockets=False)
    counts.reset()
    await room.members[0].send(*["MSG #LOBBY :loud"] * 9, "@t PING")
    await room.drain("loud")
    await room.members[0].until("PONG")
    assert counts.calls["parse_request"] == 10
    assert counts.calls["build"] == 1
    await close(room)


async def test_a_read_is_one_run_for_each_room(start: Start, counts: Counts) -> None:
    room = await room_of(2, start, sockets=False)
    alice = room.members[0]
    await alice.ask("JOIN #other")
    counts.reset()
    room.journal.batches.clear()
    said = [f"MSG {name} :{number}" for name in ("#lobby", "#other") for number in range(40)]
    await alice.send(*said, "@t PING")
    await alice.until("PONG")
    [[submission]] = counts.decided
    assert [type(request).__name__ for request in submission.requests] == ["SayRun", "SayRun", "Ping"]
    [drafts] = room.journal.batches
    assert [(draft.log, len(draft.texts)) for draft in drafts] == [("#lobby", 40), ("#other", 40)]
    assert counts.writes == [1, 1]
    assert counts.calls["encode"] == 2
    await close(room)


@on_a_file
async def test_who_is_ready_at_the_same_time_shares_a_batch(start: Start, counts: Counts) -> None:
    room = await room_of(10, start, sockets=True)
    counts.reset()
    room.journal.batches.clear()
    for number in range(10):
        room.send_at_once(number, b"@t MSG #lobby :hi\n")
    for member in room.members:
        assert len(await member.until("@t OK")) == 11
    assert [len(batch) for batch in counts.decided] == [10]
    assert len(room.journal.batches) == 1
    assert counts.writes == [1] * 10
    await close(room)


# --- fairness -------------------------------------------------------------------------------------

FLOODS = {
    "short": b"MSG #dev :x\n",
    "tagged": b"@tag MSG #dev :hello\n",
    "long": b"MSG #dev :" + b"x" * 4989 + b"\n",
    "half a share": b"MSG #dev :" + b"x" * 4090 + b"\n",
    "loud": b"MSG #DEV :" + b"x" * 989 + b"\n",  # not taken as a run
    "with CR": b"MSG #dev :" + b"x" * 988 + b"\r\n",
    "private": b"MSG @bob :" + b"x" * 989 + b"\n",
    "escaped": rb"MSG #dev :" + rb"\x0a" * 240 + b"\n",
}


EACH_FLOOD = [pytest.param(flood, id=name) for name, flood in FLOODS.items()]


def octets(submission: Submission) -> int:
    """What is said in it."""
    return sum(
        sum(map(len, request.texts)) if isinstance(request, SayRun) else len(getattr(request, "text", ""))
        for request in submission.requests
    )


def messages(submission: Submission) -> int:
    """How many it holds."""
    return sum(len(one.texts) if isinstance(one, SayRun) else 1 for one in submission.requests)


@pytest.mark.parametrize("flood", EACH_FLOOD)
async def test_a_flood_has_its_share_and_no_more(
    start: Start, counts: Counts, autojump_clock: MockClock, flood: bytes
) -> None:
    journal = Journal()
    server = await start(journal=journal, rate_limit=0, backlog=1 << 26, send_timeout=1e6, idle_timeout=1e6)
    mallory = await server.enter("mallory", "#dev", limit=1 << 22)
    bob = await server.enter("bob", "#dev", limit=1 << 26)
    await bob.ask("PING")
    for _ in range(10):
        await mallory.send_bytes(flood * (65536 // len(flood)))
    client = 1
    for _ in range(5):
        journal.stop()
        await wait_all_tasks_blocked()
        # What is in front of bob: what is being kept, and what waits.
        waiting = server.inside.submissions.statistics().current_buffer_used
        assert waiting <= IN_FLIGHT
        counts.reset()
        await bob.send("MSG #dev :me too")
        await wait_all_tasks_blocked()
        journal.go_on()
        await bob.until("bob :me too")
        shares = [[one for one in batch if one.client == client] for batch in counts.decided]
        [batch] = [i for i, batch in enumerate(counts.decided) if any(one.client != client for one in batch)]
        assert batch <= 1  # the next, or the one after
        for share in shares:
            assert len(share) <= IN_FLIGHT
            assert all(len(one.requests) <= framed.RUN_OCTETS // ENTRY + 1 for one in share)
            assert sum(map(octets, share)) <= MAX_BATCH_OCTETS // 2
    await mallory.close()


async def enter_mallory(start: Start, counts: Counts) -> Guest:
    """One that may send as much as it likes, and one that it may send it to."""
    server = await start(rate_limit=0, backlog=1 << 26, send_timeout=1e6, idle_timeout=1e6)
    mallory = await server.enter("mallory", "#dev", limit=1 << 24)
    await server.enter("bob", limit=1 << 24)
    counts.reset()
    return mallory


@pytest.mark.parametrize("flood", EACH_FLOOD)
async def test_the_share_of_one_submission(
    start: Start, counts: Counts, autojump_clock: MockClock, flood: bytes
) -> None:
    """`RUN_OCTETS`, and the message or run that goes over it; and no great number of small messages."""
    mallory = await enter_mallory(start, counts)
    await mallory.send_bytes(flood * (65536 // len(flood)))
    await mallory.ask("PING")
    shares = [one for batch in counts.decided for one in batch]
    assert max(map(octets, shares)) <= framed.RUN_OCTETS * 2
    assert max(map(messages, shares)) <= framed.LONGEST_RUN + framed.RUN_OCTETS // ENTRY


@pytest.mark.parametrize("flood", EACH_FLOOD)
async def test_a_submission_knows_what_it_weighs(
    start: Start, counts: Counts, autojump_clock: MockClock, flood: bytes
) -> None:
    """However it has come to its end; nothing of it is charged to the next."""
    mallory = await enter_mallory(start, counts)
    for behind in (b"", b"NAMES #dev\n", b"JOIN #other\n", b"nonsense\n", b"PING\n"):
        await mallory.send_bytes(flood * (20_000 // len(flood)) + behind)
        await mallory.ask("PING")
    submissions = [one for batch in counts.decided for one in batch]
    for one in submissions:
        weights = list(map(weight, one.requests))
        assert one.octets == sum(weights)
        assert one.octets - weights[-1] < framed.RUN_OCTETS  # it ends with the one that goes over it
    assert max(one.octets for one in submissions) >= framed.RUN_OCTETS


async def test_a_share_that_is_just_full_is_full(
    start: Start, counts: Counts, autojump_clock: MockClock
) -> None:
    mallory = await enter_mallory(start, counts)
    eighth = f"MSG #DEV :{'x' * (framed.RUN_OCTETS // 8 - ENTRY)}"  # not taken as a run
    await mallory.send(*[eighth] * 16, "@end PING")
    await mallory.until("@end PONG")
    assert [len(one.requests) for batch in counts.decided for one in batch] == [8, 8, 1]


async def test_what_ends_a_share_is_not_charged_to_the_next(
    start: Start, counts: Counts, autojump_clock: MockClock
) -> None:
    server = await start(rate_limit=0)
    alice = await server.enter("alice", "#dev")
    for ending in ("NAMES #dev", "JOIN #other", "nonsense"):
        counts.reset()
        half = f"MSG #DEV :{'x' * 5000}"  # not taken as a run
        await alice.send(half, ending, half, "@end PING")
        await alice.until("@end PONG")
        sizes = [len(one.requests) for batch in counts.decided for one in batch]
        assert sizes == ([1, 2] if ending == "nonsense" else [2, 2])
