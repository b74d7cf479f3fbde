"""What a desk makes of a real server, over a network in memory and a virtual clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.client.network import Network, network
from triochat.client import ChatClient
from triochat.client.opening import open_client_by
from triochat.journal import MemoryJournal
from triochat.protocol import events as e
from triochat.screen import desk as desk_module
from triochat.screen.buffer import Buffer, Line
from triochat.screen.desk import PAGE, PING_EVERY, Desk
from triochat.screen.outgoing import MOST_OUTGOING

Texts = list[tuple[str, str, str]]


@dataclass
class Watch:
    """Notes what it is told."""

    mentions: list[str] = field(default_factory=list)
    changes: int = 0
    looked_at: list[str] = field(default_factory=list)

    def changed(self) -> None:
        self.changes += 1

    def turned(self, buffer: Buffer) -> bool:
        self.looked_at.append(buffer.name)
        return True

    def mentioned(self, buffer: Buffer, line: Line) -> None:
        self.mentions.append(f"{buffer.name} {line.nick}: {line.text}")


@dataclass
class Seat:
    """Somebody at a desk."""

    net: Network
    chat: ChatClient
    desk: Desk
    watch: Watch
    bob: ChatClient

    def texts(self, name: str | None = None) -> Texts:
        buffer = self.desk.current if name is None else self.desk.buffers[name]
        return [
            (line.nick, line.text, line.state) for line in buffer.lines if line.kind in ("message", "action")
        ]


async def settled() -> None:
    """Everything that was under way has arrived; no time passes."""
    await wait_all_tasks_blocked()


async def checkpoints(count: int) -> None:
    for _ in range(count):
        await trio.lowlevel.checkpoint()


def is_lost(seat: Seat) -> bool:
    return seat.desk.lost is not None


def is_whole(buffer: Buffer) -> bool:
    """Whether its end is the end of the log."""
    return not buffer.detached


@pytest.fixture
async def seat(autojump_clock: MockClock) -> AsyncIterator[Seat]:
    async with sitting() as seat:
        yield seat


@asynccontextmanager
async def sitting() -> AsyncIterator[Seat]:
    async with (
        network() as net,
        open_client_by(net.dial, nick="bob", jitter=lambda _, high: high) as bob,
        open_client_by(net.dial, nick="alice", jitter=lambda _, high: high) as chat,
        trio.open_nursery() as nursery,
    ):
        watch = Watch()
        desk = Desk(chat, watch, lambda: 1000)
        nursery.start_soon(desk.listen)
        nursery.start_soon(desk.outgoing.run)
        yield Seat(net, chat, desk, watch, bob)
        nursery.cancel_scope.cancel()


async def test_entering_a_room_shows_what_was_said_there(seat: Seat) -> None:
    await seat.bob.join("#dev")
    await seat.bob.set_topic("#dev", "lunch")
    await seat.bob.say("#dev", "hello")
    await seat.desk.enter("#DEV")
    buffer = seat.desk.current
    assert (buffer.name, buffer.topic, set(buffer.members.values())) == ("#dev", "lunch", {"alice", "bob"})
    assert seat.texts() == [("bob", "hello", "kept")]
    assert buffer.complete
    assert buffer.unread == 0
    await seat.bob.say("#dev", "again")
    await settled()
    assert seat.texts()[-1] == ("bob", "again", "kept")


async def test_what_we_say_is_there_at_once_and_solid_when_it_is_kept(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    seat.desk.say("one")
    seat.desk.say("/me waves")
    assert seat.texts() == [("alice", "one", "pending"), ("alice", "waves", "pending")]
    assert [line.kind for line in seat.desk.current.lines] == ["message", "action"]
    await settled()
    assert seat.texts() == [("alice", "one", "kept"), ("alice", "waves", "kept")]
    assert [line.id for line in seat.desk.current.lines] == [1, 2]


async def test_the_same_words_twice_are_two_lines(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    for _ in range(3):
        seat.desk.say("again")
    await settled()
    assert [line.id for line in seat.desk.current.lines] == [1, 2, 3]


async def test_many_lines_are_kept_in_the_order_in_which_they_were_typed(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    for number in range(400):
        seat.desk.say(f"{number}")
    await settled()
    assert [text for _, text, _ in seat.texts()] == [f"{number}" for number in range(400)]
    assert {state for _, _, state in seat.texts()} == {"kept"}


async def test_without_a_connection_nothing_is_lost(seat: Seat, autojump_clock: MockClock) -> None:
    await seat.desk.enter("#dev")
    seat.desk.current.draft = "half a sen"
    seat.desk.say("before")
    await settled()
    await seat.net.stop()
    await settled()
    assert is_lost(seat)
    seat.desk.say("meanwhile")
    await settled()
    assert seat.texts() == [("alice", "before", "kept"), ("alice", "meanwhile", "pending")]
    await seat.net.start()
    await trio.sleep(30)
    assert not is_lost(seat)
    assert seat.texts() == [("alice", "before", "kept"), ("alice", "meanwhile", "kept")]
    assert seat.desk.current.draft == "half a sen"


async def test_what_is_refused_says_why_and_can_be_sent_again(seat: Seat) -> None:
    seat.desk.say("psst", "@carol")
    seat.desk.switch("@carol")
    await settled()
    [line] = seat.desk.current.lines
    assert (line.state, line.reason) == ("failed", "nobody here has the nick carol")
    async with open_client_by(seat.net.dial, nick="Carol") as carol:
        seat.desk.retry()
        await settled()
        assert seat.texts() == [("alice", "psst", "kept")]
        assert len(seat.desk.current.lines) == 1
        assert [entry.text for entry in await carol.history("@Carol") if isinstance(entry, e.Message)] == [
            "psst"
        ]
    seat.desk.retry()
    assert seat.texts() == [("alice", "psst", "kept")], "there is nothing that failed"


async def test_what_can_not_be_said_fails(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    seat.desk.say("x" * 100_000)
    await settled()
    [line] = seat.desk.current.lines
    assert line.state == "failed"
    assert line.reason


async def test_nobody_can_say_anything_nowhere(seat: Seat) -> None:
    seat.desk.say("hello?")
    [line] = seat.desk.current.lines
    assert (line.kind, line.text) == ("error", "you are in no room; /join #lobby enters one")


async def test_more_than_can_wait_is_told_at_once(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    await seat.desk.enter("#dev")
    for number in range(MOST_OUTGOING + 5):
        seat.desk.say(f"{number}")
    failed = [line for line in seat.desk.current.lines if line.state == "failed"]
    assert 0 < len(failed) <= 5
    await settled()
    seat.desk.retry(failed[0])
    await settled()
    assert failed[0].state == "kept"


async def test_what_is_said_elsewhere_is_counted(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    await seat.desk.enter("#ops")
    await seat.bob.join("#dev")
    await seat.bob.say("#dev", "lunch?")
    await seat.bob.say("#dev", "alice: lunch?")
    await seat.bob.say("@alice", "psst")
    await settled()
    assert (seat.desk.unread_elsewhere, seat.desk.mentions_elsewhere) == (3, 2)
    assert seat.watch.mentions == ["#dev bob: alice: lunch?", "@bob bob: psst"]
    assert list(seat.desk.buffers) == ["#dev", "#ops", "@bob"]
    seat.desk.next_unread()
    seat.desk.next_unread()
    assert seat.desk.unread_elsewhere == 0
    seat.desk.next_unread()
    assert seat.desk.current.name in ("#dev", "@bob")


async def test_a_mention_that_is_looked_at_is_not_unread_but_rings(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    await seat.bob.join("#dev")
    await seat.bob.say("#dev", "alice!")
    await settled()
    assert (seat.desk.current.mentions, seat.watch.mentions) == (0, ["#dev bob: alice!"])
    seat.desk.look(at_end=False)
    await seat.bob.say("#dev", "alice?")
    await settled()
    assert seat.desk.current.mentions == 1, "its end is not on the screen"
    seat.desk.look(at_end=True)
    assert seat.desk.current.mentions == 0


async def test_a_direct_conversation_has_both_sides(seat: Seat) -> None:
    seat.desk.say("hi", "@Bob")
    await settled()
    await seat.bob.say("@alice", "hello")
    await settled()
    seat.desk.switch("@bob")
    seat.desk.say("how are you?")
    await settled()
    assert seat.texts() == [
        ("alice", "hi", "kept"),
        ("bob", "hello", "kept"),
        ("alice", "how are you?", "kept"),
    ]
    assert list(seat.desk.buffers) == ["@bob"]


async def test_who_is_there(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    await seat.bob.join("#dev")
    await settled()
    assert set(seat.desk.current.members) == {"alice", "bob"}
    seat.desk.say("hi", "@bob")
    await settled()
    await seat.bob.rename("Robert")
    await settled()
    assert set(seat.desk.current.members.values()) == {"alice", "Robert"}
    assert list(seat.desk.buffers) == ["#dev", "@robert"]
    await seat.bob.part("#dev", "tea")
    await settled()
    assert set(seat.desk.current.members) == {"alice"}
    presence = [line.text for line in seat.desk.current.lines if line.kind == "presence"]
    assert presence == ["bob came in", "bob is now Robert", "Robert left (tea)"]


async def test_the_past_comes_page_by_page(seat: Seat) -> None:
    await seat.bob.join("#dev")
    for number in range(2 * PAGE + 50):
        await seat.bob.submit("#dev", f"{number}")
    await seat.bob.ping()
    await seat.desk.enter("#dev")
    buffer = seat.desk.current
    assert (len(buffer.lines), buffer.complete) == (PAGE, False)
    await seat.desk.read_older()
    await seat.desk.read_older()
    await seat.desk.read_older()
    assert buffer.complete
    assert [text for _, text, _ in seat.texts()] == [f"{number}" for number in range(2 * PAGE + 50)]


async def test_two_do_not_read_the_same_page(seat: Seat) -> None:
    await seat.bob.join("#dev")
    for number in range(3 * PAGE):
        await seat.bob.submit("#dev", f"{number}")
    await seat.bob.ping()
    await seat.desk.enter("#dev")
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(seat.desk.read_older)
    assert len(seat.desk.current.lines) == 2 * PAGE


async def test_a_search_leads_to_the_place(seat: Seat) -> None:
    await seat.bob.join("#dev")
    for number in range(6 * PAGE):
        await seat.bob.submit("#dev", f"needle {number}" if number in (70, 590) else f"hay {number}")
    await seat.bob.ping()
    await seat.desk.enter("#dev")
    found = await seat.desk.search("needle")
    assert [line.text for line in found] == ["needle 590", "needle 70"]
    near, far = found
    buffer = seat.desk.current
    assert (line := await seat.desk.read_around("#dev", near.id or 0)) in buffer.lines
    assert line is not None
    assert is_whole(buffer)
    line = await seat.desk.read_around("#dev", far.id or 0)
    assert line in buffer.lines
    assert line is not None
    assert line.text == "needle 70"
    assert not is_whole(buffer)
    await seat.bob.say("#dev", "meanwhile")
    await settled()
    assert buffer.newer == 1
    await seat.desk.read_newest()
    assert (buffer.detached, buffer.lines[-1].text) == (False, "meanwhile")
    assert len(buffer.lines) == PAGE


async def test_a_room_that_was_left_is_closed(seat: Seat) -> None:
    for room in ("#a", "#b", "#c"):
        await seat.desk.enter(room)
    seat.desk.switch("#b")
    await seat.desk.leave_room("#b")
    assert (list(seat.desk.buffers), seat.desk.current.name) == (["#a", "#c"], "#a")
    seat.desk.step(1)
    assert seat.desk.current.name == "#c"
    seat.desk.step(1)
    assert seat.desk.current.name == "#a"
    await seat.desk.leave_room("#a")
    await seat.desk.leave_room("#c")
    assert (seat.desk.buffers, seat.desk.current.name) == ({}, "")
    seat.desk.step(1)
    await seat.desk.enter("#d")
    await seat.chat.part("#d")
    await seat.desk.leave_room("#d")  # which the server knows already
    assert seat.desk.buffers == {}


async def test_how_far_away_the_server_is(seat: Seat, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(seat.desk.watch_connection)
        await settled()
        assert seat.desk.rtt is not None
        assert 0 <= seat.desk.rtt < 1
        seat.desk.rtt = 7.0
        await trio.sleep(PING_EVERY + 1)
        assert seat.desk.rtt < 1, "it is looked at again"
        nursery.cancel_scope.cancel()


async def test_a_line_is_not_shown_twice_though_it_is_read_and_heard(seat: Seat) -> None:
    await seat.bob.join("#dev")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(seat.desk.enter, "#dev")
        for number in range(20):
            await seat.bob.say("#dev", f"{number}")
    await settled()
    assert [text for _, text, _ in seat.texts()] == [f"{number}" for number in range(20)]


async def test_a_server_that_begins_anew_hides_nothing(seat: Seat, autojump_clock: MockClock) -> None:
    """It keeps nothing, so its ids begin at 1 again."""
    await seat.desk.enter("#dev")
    await seat.bob.join("#dev")
    for number in range(5):
        await seat.bob.say("#dev", f"old {number}")
    await settled()
    await seat.net.stop()
    seat.net.journal = MemoryJournal()
    await trio.sleep(3)
    await seat.net.start()
    await trio.sleep(60)
    for number in range(3):
        await seat.bob.say("#dev", f"new {number}")
    seat.desk.say("mine")
    await settled()
    seat.desk.say("mine again")
    await settled()
    said = [text for _, text, _ in seat.texts()]
    assert said == [*(f"old {n}" for n in range(5)), *(f"new {n}" for n in range(3)), "mine", "mine again"]
    notices = [line.text for line in seat.desk.current.lines if line.kind == "notice"]
    assert notices.count("the log of this room is another one from here on") == 1


@pytest.mark.parametrize("steps", range(8))
async def test_entering_a_busy_room_misses_nothing(seat: Seat, steps: int) -> None:
    await seat.bob.join("#dev")

    async def talk() -> None:
        for number in range(40):
            await seat.bob.submit("#dev", f"{number}")
            await checkpoints(3)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk)
        await checkpoints(20 + steps)
        await seat.desk.enter("#dev")
    await settled()
    assert [text for _, text, _ in seat.texts()] == [f"{number}" for number in range(40)]


@pytest.mark.parametrize("steps", range(8))
async def test_going_back_to_the_newest_misses_nothing_and_repeats_nothing(seat: Seat, steps: int) -> None:
    await seat.bob.join("#dev")
    for number in range(3 * PAGE):
        await seat.bob.submit("#dev", f"{number}")
    await seat.desk.enter("#dev")
    await settled()
    await seat.desk.read_around("#dev", 60)

    async def talk() -> None:
        for number in range(3 * PAGE, 4 * PAGE):
            await seat.bob.submit("#dev", f"{number}")
            await checkpoints(2)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(talk)
        await checkpoints(30 + steps)
        await seat.desk.read_newest()
    await settled()
    shown = [int(text) for _, text, _ in seat.texts()]
    assert shown == list(range(shown[0], 4 * PAGE))
    assert len(shown) >= PAGE


async def test_the_same_words_to_one_person_are_shown_as_often_as_they_were_said(seat: Seat) -> None:
    for _ in range(30):
        seat.desk.say("ping", "@bob")
    await settled()
    assert seat.texts("@bob") == [("alice", "ping", "kept")] * 30
    assert [line.id for line in seat.desk.buffers["@bob"].lines] == list(range(1, 31))


async def test_what_is_said_under_a_name_that_is_changed_is_our_own(seat: Seat) -> None:
    seat.desk.say("hi", "@bob")
    await seat.chat.rename("alicia")
    await settled()
    assert list(seat.desk.buffers) == ["@bob"]
    assert seat.texts("@bob") == [("alice", "hi", "kept")]


async def test_what_is_said_far_back_in_the_past_is_not_lost(seat: Seat) -> None:
    await seat.bob.join("#dev")
    for number in range(3 * PAGE):
        await seat.bob.submit("#dev", f"{number}")
    await seat.desk.enter("#dev")
    await seat.desk.read_around("#dev", 60)
    seat.desk.say("x" * 100_000)
    seat.desk.say("hello")
    await settled()
    [failed] = [line for line in seat.desk.current.lines if line.state == "failed"]
    await seat.desk.read_newest()
    assert [text for _, text, _ in seat.texts()][-2:] == ["hello", failed.text]


async def test_a_room_that_has_thrown_us_out_can_be_entered_again(seat: Seat) -> None:
    await seat.desk.enter("#dev")
    await seat.chat.part("#dev")
    await seat.desk.enter("#dev")
    assert set(seat.desk.current.members) == {"alice"}
    await seat.bob.join("#dev")
    await settled()
    assert set(seat.desk.current.members) == {"alice", "bob"}


async def test_strangers_fill_no_memory(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MOST_DIRECT", 3)
    for number in range(10):
        seat.desk.feed(e.Message(target="@alice", id=number + 1, ms=1, nick=f"x{number}", text="hi"))
    assert len(seat.desk.buffers) <= 4


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (e.Failure("unavailable", "the disk is full"), "the disk is full"),
        (e.Gap("@alice", 1, 4), "the messages 1 to 4 are no longer kept"),
    ],
)
async def test_what_is_of_no_room_is_told_where_one_looks(seat: Seat, event: e.Event, text: str) -> None:
    await seat.desk.enter("#dev")
    seat.desk.feed(event)
    assert seat.desk.current.lines[-1].text == text
