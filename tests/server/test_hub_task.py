"""The hub's task: one batch of what waits, encoded once, kept once, handed out once."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Make, Start
from tests.server.guests import Guest
from triochat.chat import Departure, Hub, Submission, weight
from triochat.journal import Draft, JournalUnavailable, MemoryJournal, Outcome, Page
from triochat.protocol import Encoding, encode
from triochat.protocol import events as e
from triochat.protocol.runs import MessageRun, SayRun
from triochat.server import hub_task
from triochat.server.broadcast import Broadcast
from triochat.server.hub_task import MAX_BATCH, MAX_BATCH_OCTETS, run_hub
from triochat.server.outage import PAUSE


class SlowJournal(MemoryJournal):
    """Waits before it keeps a batch, as a disk does, and remembers how large the batches were."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[Draft]] = []
        self.disk = trio.Event()
        self.disk.set()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        self.batches.append(list(drafts))
        await self.disk.wait()
        return await super().append(drafts)

    def stop(self) -> None:
        self.disk = trio.Event()

    @property
    def sizes(self) -> list[int]:
        """How many entries each batch had."""
        return [sum(len(draft.texts) for draft in batch) for batch in self.batches]


class BrittleJournal(MemoryJournal):
    """Is not available while it is `down`."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        if self.down:
            raise JournalUnavailable("the disk is full")
        return await super().append(drafts)

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        if self.down:
            raise JournalUnavailable("the disk is gone")
        return await super().read_after(log, after, limit)

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        if self.down:
            raise JournalUnavailable("the disk is gone")
        return await super().read_before(log, before, limit)


# --- batches --------------------------------------------------------------------------------------


async def test_what_is_waiting_is_one_batch(start: Start, autojump_clock: MockClock) -> None:
    journal = SlowJournal()
    server = await start(journal=journal)
    guests = [await server.enter(f"guest{number}", "#dev") for number in range(10)]
    journal.stop()
    await guests[0].send("MSG #dev :first")
    await wait_all_tasks_blocked()
    for guest in guests:
        await guest.send("MSG #dev :one", "MSG #dev :two")
    await wait_all_tasks_blocked()
    assert journal.sizes == [1]
    journal.disk.set()
    for guest in guests:
        await guest.until(" 21 ")
    assert journal.sizes == [1, 20]


async def test_a_message_alone_leaves_at_once(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    alice = await server.enter("alice", "#dev")
    begin = trio.current_time()
    await alice.ask("MSG #dev :hi")
    assert trio.current_time() == begin


async def test_a_batch_is_encoded_once_for_each_encoding(
    start: Start, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start()
    framed = [await server.enter(f"framed{number}", "#lobby") for number in range(10)]
    text = [await server.enter_as_text(f"text{number}") for number in range(10)]
    encoded: list[tuple[int, Encoding]] = []

    def counting_encode(event: e.Event | MessageRun, encoding: Encoding) -> bytes:
        assert isinstance(event, MessageRun)
        encoded.append((len(event.texts), encoding))
        return encode(event, encoding)

    monkeypatch.setattr(hub_task, "encode", counting_encode)
    await framed[0].send("MSG #lobby :one", "MSG #lobby :two")
    for guest in framed + text:
        await guest.until("two")
    assert encoded == [(2, Encoding.FRAMED), (2, Encoding.ASCII_TEXT)]


async def test_each_gets_one_write_for_a_batch_its_acknowledgements_behind_it(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    alice = await server.enter("alice", "#dev")
    bob = await server.enter("bob", "#dev")
    await alice.line()
    published = server.inside.broadcast.statistics().published
    await alice.send("@a MSG #dev :one", "@b MSG #dev :two")
    entries = ["MSG #dev 1 MS alice :one", "MSG #dev 2 MS alice :two"]
    await wait_all_tasks_blocked()
    assert server.inside.broadcast.statistics().published == published + 2
    for guest, behind in ((alice, ["@a OK 1", "@b OK 2"]), (bob, [])):
        stream: Any = guest.stream
        data = await guest.read()
        assert not stream.waiting
        got = Guest(guest.stream)
        got._held = data
        assert await got.lines(2 + len(behind)) == entries + behind


@pytest.mark.parametrize("somebody_sees_lines", [False, True])
async def test_who_is_in_several_rooms_gets_all_of_a_batch_in_one_write(
    start: Start, autojump_clock: MockClock, somebody_sees_lines: bool
) -> None:
    journal = SlowJournal()
    server = await start(journal=journal)
    if somebody_sees_lines:
        await server.enter_as_text("dave")
    alice = await server.enter("alice", "#dev", "#ops", "#qa")
    bob = await server.enter("bob", "#dev", "#qa")
    carol = await server.enter("carol", "#ops")
    await alice.until("#ops carol")
    await bob.send("@b PING")
    await bob.until("PONG")
    journal.stop()
    await carol.send("MSG #ops :0")
    await wait_all_tasks_blocked()
    await alice.send("@1 MSG #dev :1", "@2 MSG #ops :2", "@3 PART #qa", "@4 MSG #dev :4")
    await wait_all_tasks_blocked()
    published = server.inside.broadcast.statistics().published
    journal.disk.set()
    await wait_all_tasks_blocked()
    assert server.inside.broadcast.statistics().published == published + 2 + 3
    one, two, four = "MSG #dev 1 MS alice :1", "MSG #ops 2 MS alice :2", "MSG #dev 2 MS alice :4"
    before = "MSG #ops 1 MS carol :0"
    said = [before, one, two, "@1 OK 1", "@2 OK 2", four, "@3 OK", "@4 OK 2"]
    assert await alice.lines(len(said)) == said
    assert await bob.lines(3) == [one, "LEFT #qa alice", four]
    assert await carol.lines(2) == [before, two]


class Sluice:
    """A hub that only counts what it is given."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.real = Hub("sluice")
        self.next_deadline: float | None = None

    def decide(self, batch: Sequence[Submission], *, ms: int, now: float) -> object:
        self.batches.append(len(batch))
        self.next_deadline = None
        return self.real.decide([], ms=ms, now=now)


async def batches_of(submissions: list[Submission]) -> list[int]:
    """How many submissions the hub is given at a time if all of these wait."""
    send, receive = trio.open_memory_channel[Submission](math.inf)
    for submission in submissions:
        send.send_nowait(submission)
    send.close()
    sluice: Any = Sluice()
    await run_hub(sluice, MemoryJournal(), receive, Broadcast(), {}, {})
    batches: list[int] = sluice.batches
    return batches


async def test_a_batch_is_bounded_in_number() -> None:
    small = Submission(1, [e.Ping()])
    assert await batches_of([small] * (2 * MAX_BATCH + 1)) == [MAX_BATCH, MAX_BATCH, 1]


@pytest.mark.parametrize(
    ("request_", "octets"),
    [
        (e.Say("#dev", "x" * 8000), 8000),
        (e.Say("#dev", "\N{GRINNING FACE}" * 800), 8000),  # on the wire each is \U0001f600
        (e.Say("#dev", "\n" * 4000), 4000 * 3),  # for a person each line is indented
        (e.SetTopic("#dev", "x" * 8000), 8000),
        (e.Part("#dev", "x" * 8000), 8000),
        (e.Quit("x" * 8000), 8000),
        (SayRun("#dev", ["x" * 1000] * 8, None, 8 * 1010), 8000),
        (SayRun("#dev", ["x"] * 800, None, 800 * 10), 800 * 30),  # id, time and name are more than the text
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, e.Request | SayRun) else str(value),
)
async def test_a_batch_is_bounded_in_octets(request_: e.Request | SayRun, octets: int) -> None:
    batches = await batches_of([Submission(1, [request_], octets=weight(request_))] * 50)
    assert sum(batches) == 50
    assert max(batches) <= MAX_BATCH_OCTETS // octets + 1


async def test_a_batch_ends_with_what_goes_over_its_octets() -> None:
    """As the readers have counted them; here nothing is weighed again."""
    half, most = MAX_BATCH_OCTETS // 2, MAX_BATCH_OCTETS - 1
    for octets, expected in (
        ([half] * 5, [2, 2, 1]),
        ([most, 1, most, 0], [2, 2]),
        ([most, 0, 0, 2 * most, 0], [4, 1]),
        ([MAX_BATCH_OCTETS] * 3, [1, 1, 1]),
        ([10 * MAX_BATCH_OCTETS, 0], [1, 1]),
    ):
        assert await batches_of([Submission(1, [e.Ping()], octets=one) for one in octets]) == expected


async def test_readers_that_are_ready_while_the_hub_wakes_add_to_the_batch() -> None:
    send, receive = trio.open_memory_channel[Submission](math.inf)
    sluice: Any = Sluice()

    async def read(ticks: int) -> None:
        for _ in range(ticks):
            await trio.lowlevel.checkpoint()
        send.send_nowait(Submission(1, [e.Ping()]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_hub, sluice, MemoryJournal(), receive, Broadcast(), {}, {})
        for _ in range(20):  # in which order the tasks of a tick run is left to chance
            await wait_all_tasks_blocked()
            async with trio.open_nursery() as readers:
                readers.start_soon(read, 0)
                readers.start_soon(read, 1)
        await wait_all_tasks_blocked()
        send.close()
    assert sluice.batches == [2] * 20


async def test_the_hub_is_looked_at_when_it_wants_to_be(autojump_clock: MockClock) -> None:
    send, receive = trio.open_memory_channel[Submission](1)
    sluice: Any = Sluice()
    sluice.next_deadline = trio.current_time() + 30
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run_hub, sluice, MemoryJournal(), receive, Broadcast(), {}, {})
        await trio.sleep(29)
        assert sluice.batches == []
        await trio.sleep(2)
        assert sluice.batches == [0]
        send.close()


async def test_submissions_of_those_who_are_gone_are_no_fault() -> None:
    send, receive = trio.open_memory_channel[Submission](2)
    send.send_nowait(Submission(1, [e.Hello("alice")]))
    send.send_nowait(Submission(1, [Departure()]))
    send.close()
    hub = Hub("test")
    await run_hub(hub, MemoryJournal(), receive, Broadcast(), {}, {})
    assert hub.statistics()["people"] == 0


# --- the journal ----------------------------------------------------------------------------------


async def test_no_acknowledgement_and_no_publication_before_it_is_kept(
    start: Start, autojump_clock: MockClock
) -> None:
    journal = SlowJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")
    bob = await server.enter("bob", "#dev")
    await alice.line()
    journal.stop()
    await alice.send("@a MSG #dev :hi")
    for guest in (alice, bob):
        with trio.move_on_after(10):
            raise AssertionError(await guest.line())
    journal.disk.set()
    assert await alice.lines(2) == ["MSG #dev 1 MS alice :hi", "@a OK 1"]
    assert await bob.line() == "MSG #dev 1 MS alice :hi"


async def test_a_journal_that_is_not_available_is_told_and_the_server_goes_on(
    start: Start, autojump_clock: MockClock
) -> None:
    journal = BrittleJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")
    journal.down = True
    with structlog.testing.capture_logs() as logs:
        assert [line.split(" :")[0] for line in await alice.ask("MSG #dev :lost")] == ["ERROR unavailable"]
        assert [line.split(" :")[0] for line in await alice.ask("HISTORY #dev")] == ["ERROR unavailable"]
        assert await alice.ask("PING") == ["PONG"]
    assert [entry["event"] for entry in logs] == [
        "the journal could not keep a batch",
        "the journal could not be read",
    ]
    journal.down = False
    assert await alice.ask("MSG #dev :kept") == ["MSG #dev 1 MS alice :kept", "OK 1"]


async def test_a_disk_that_stays_full_is_told_now_and_then_not_for_each_batch(
    start: Start, autojump_clock: MockClock
) -> None:
    journal = BrittleJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")

    async def refused() -> None:
        assert (await alice.ask("MSG #dev :lost"))[-1].startswith("ERROR unavailable")

    with structlog.testing.capture_logs() as logs:
        journal.down = True
        for _ in range(20):
            await refused()
        await trio.sleep(PAUSE)
        for _ in range(20):
            await refused()
        journal.down = False
        assert (await alice.ask("MSG #dev :kept"))[-1] == "OK 1"
        assert (await alice.ask("MSG #dev :kept"))[-1] == "OK 2"
        journal.down = True
        await refused()
    level = {"log_level": "error", "error": "the disk is full"}
    assert logs == [
        {"event": "the journal could not keep a batch", "messages": 1, **level},
        {"event": "the journal can still keep nothing", "messages": 20, **level},
        {
            "event": "the journal keeps again",
            "messages": 19,
            "messages_in_all": 40,
            "seconds": PAUSE,
            "log_level": "info",
        },
        {"event": "the journal could not keep a batch", "messages": 1, **level},
    ]


async def test_each_message_of_a_run_that_is_refused_counts(autojump_clock: MockClock) -> None:
    send, receive = trio.open_memory_channel[Submission](9)
    send.send_nowait(Submission(1, [e.Hello("alice", session="ab" * 16), e.Join("#dev")]))
    send.send_nowait(Submission(1, [SayRun("#dev", ("1", "2", "3"), ("a", "b", "c"), 30)]))
    send.close()
    journal = BrittleJournal()
    journal.down = True
    with structlog.testing.capture_logs() as logs:
        await run_hub(Hub("test"), journal, receive, Broadcast(), {}, {})
    assert [entry["messages"] for entry in logs] == [3]


async def test_who_can_not_be_given_the_past_is_not_in_the_room(
    start: Start, autojump_clock: MockClock
) -> None:
    journal = BrittleJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")
    await alice.ask("MSG #dev :hi")
    bob = await server.enter("bob")
    journal.down = True
    answer = await bob.ask("JOIN #dev after=0")
    assert answer[-1].startswith("ERROR unavailable")
    assert await alice.lines(2) == ["JOINED #dev bob", "LEFT #dev bob"]
    assert (await bob.ask("MSG #dev :hi"))[-1].startswith("ERROR not-in-room")
    journal.down = False
    assert (await bob.ask("JOIN #dev after=0"))[2:] == ["MSG #dev 1 MS alice :hi", "OK 1"]
    assert (await bob.ask("MSG #dev :hi"))[-1] == "OK 2"


async def test_a_person_goes_on_without_the_past(start: Start, autojump_clock: MockClock) -> None:
    journal = BrittleJournal()
    server = await start(journal=journal)
    alice = await server.enter_as_text("alice")
    await alice.send("hi")
    await alice.line()
    journal.down = True
    bob = await server.enter_as_text("bob")
    assert await bob.line() == "The past can't be read now; ask again."
    journal.down = False
    await alice.send("hello bob")
    assert await bob.line() == "alice: hello bob"


async def test_who_can_not_be_given_what_it_missed_may_come_again(
    start: Start, autojump_clock: MockClock
) -> None:
    journal = BrittleJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice")
    bob = await server.enter("bob", session=1)
    await bob.close()
    await wait_all_tasks_blocked()
    assert await alice.ask("MSG @bob :where are you?") == ["MSG @bob 1 MS alice :where are you?", "OK 1"]
    journal.down = True
    bob = await server.enter("bob", session=1)
    assert await bob.rest() == ["BYE :what you missed can't be read now"]
    journal.down = False
    bob = await server.enter("bob", session=1)
    assert await bob.line() == "MSG @bob 1 MS alice :where are you?"


# --- faults ---------------------------------------------------------------------------------------


async def test_a_fault_in_the_journal_ends_the_server(make_server: Make, autojump_clock: MockClock) -> None:
    class Faulty(MemoryJournal):
        async def append(self, _: Sequence[Draft]) -> list[Outcome]:
            raise ZeroDivisionError

    server = make_server()

    async def converse() -> None:
        alice = await server.enter("alice", "#dev")
        await alice.send("MSG #dev :hi")
        assert not await alice.rest_of_bytes()  # cut off, without a word

    async with trio.open_nursery() as nursery:

        async def run() -> None:
            with pytest.RaisesGroup(ZeroDivisionError):
                await server.serve(Faulty())

        nursery.start_soon(run)
        await wait_all_tasks_blocked()
        await converse()
    with pytest.raises(trio.BrokenResourceError):
        server.connect()  # nobody listens any more


async def test_a_fault_in_the_hub_ends_the_server(
    make_server: Make,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = make_server()

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Hub, "decide", fail)
    async with trio.open_nursery() as nursery:

        async def run() -> None:
            with pytest.RaisesGroup(ZeroDivisionError):
                await server.serve()

        nursery.start_soon(run)
        await wait_all_tasks_blocked()
        alice = server.connect()
        await alice.send("NICK alice triochat/1")
        assert not await alice.rest_of_bytes()
