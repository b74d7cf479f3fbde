"""What came faster than it was taken note of, which a client drops: the desk asks for what it has missed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.client.network import network
from tests.screen.conftest import Sit
from tests.screen.sitting import Person, settled
from triochat.client import ChatClient, Disconnected, Lagged, Refused
from triochat.client.inbox import Mark
from triochat.client.opening import open_client_by
from triochat.journal import MemoryJournal
from triochat.protocol import events as e
from triochat.screen import lag as lag_module
from triochat.screen.buffer import Buffer, Line
from triochat.screen.desk import PAGE, Desk
from triochat.screen.lag import _read_inbox, run_recovery

LIMIT = 10
"""Events that wait for a desk in these tests."""
MANY = 3 * PAGE


@dataclass
class Seat:
    """Somebody whose desk takes note of what happens when a test says so; they are in #dev and #ops."""

    chat: ChatClient
    bob: ChatClient
    desk: Desk
    nursery: trio.Nursery
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)

    async def all_is_noted(self) -> None:
        self.nursery.start_soon(self._listen)
        await wait_all_tasks_blocked()

    def look_away(self) -> None:
        """Take note of nothing until `all_is_noted`."""
        self.scope.cancel()

    async def _listen(self) -> None:
        with trio.CancelScope() as self.scope:
            await self.desk.listen()

    def texts(self, name: str) -> list[str]:
        return [line.text for line in self.desk.buffers[name].lines if line.is_said]


@dataclass
class Watch:
    """A pane that stands where it was left."""

    scrolled: set[str] = field(default_factory=set)

    def changed(self) -> None: ...

    def turned(self, buffer: Buffer) -> bool:
        return buffer.name not in self.scrolled and not buffer.detached

    def mentioned(self, buffer: Buffer, line: Line) -> None: ...


@pytest.fixture
async def seat(autojump_clock: MockClock) -> AsyncIterator[Seat]:
    async with (
        network() as net,
        open_client_by(net.dial, nick="bob", jitter=lambda _, high: high) as bob,
        open_client_by(net.dial, nick="alice", jitter=lambda _, high: high) as chat,
        trio.open_nursery() as nursery,
    ):
        desk = Desk(chat, Watch(), lambda: 1000)
        nursery.start_soon(desk.outgoing.run)
        nursery.start_soon(run_recovery, desk)
        seat = Seat(chat, bob, desk, nursery)
        await seat.all_is_noted()
        for room in ("#ops", "#dev"):
            await bob.join(room)
            await desk.enter(room)
        await wait_all_tasks_blocked()
        seat.look_away()
        chat._conversation.events._limit = LIMIT
        yield seat
        nursery.cancel_scope.cancel()


async def flood(seat: Seat, *rooms: str, count: int = MANY) -> None:
    for number in range(count):
        for room in rooms:
            await seat.bob.submit(room, f"{number}")
    await seat.bob.ping()
    await wait_all_tasks_blocked()


async def test_who_is_there_and_the_topic_are_asked_for_again(seat: Seat) -> None:
    await seat.bob.set_topic("#ops", "tea")
    await seat.bob.part("#ops")
    await seat.bob.rename("robert")
    await flood(seat, "#dev")
    await seat.all_is_noted()
    assert seat.desk.buffers["#ops"].topic == "tea"
    assert set(seat.desk.buffers["#ops"].members.values()) == {"alice"}
    assert set(seat.desk.buffers["#dev"].members.values()) == {"alice", "robert"}


async def test_what_is_said_there_is_read_without_a_hole(seat: Seat) -> None:
    await flood(seat, "#dev")
    await seat.all_is_noted()
    here = seat.desk.current
    assert any("came too fast" in line.text for line in here.lines)
    assert not here.detached
    while not here.complete:
        await seat.desk.read_older()
    assert seat.texts("#dev") == [f"{number}" for number in range(MANY)]
    await seat.bob.say("#dev", "afterwards")
    await wait_all_tasks_blocked()
    assert seat.texts("#dev")[-2:] == [f"{MANY - 1}", "afterwards"]


async def test_elsewhere_it_is_read_when_somebody_looks(seat: Seat) -> None:
    await flood(seat, "#dev", "#ops")
    await seat.all_is_noted()
    assert seat.desk.buffers["#ops"].detached
    seat.desk.switch("#ops")
    await wait_all_tasks_blocked()
    await seat.desk.read_newest()
    while not seat.desk.current.complete:
        await seat.desk.read_older()
    assert seat.texts("#ops") == [f"{number}" for number in range(MANY)]


async def test_who_looks_at_the_past_goes_on_looking_at_it(seat: Seat) -> None:
    await flood(seat, "#dev", count=4)
    await seat.all_is_noted()
    seat.desk.look(at_end=False)
    before = seat.texts("#dev")
    seat.desk.feed(Lagged(7))
    await flood(seat, "#dev", count=2)
    assert seat.texts("#dev") == before
    assert (seat.desk.current.detached, seat.desk.current.newer) == (True, 2)
    await seat.desk.read_newest()
    assert seat.texts("#dev") == [*before, "0", "1"]


async def test_what_we_said_stands_in_its_place_once(seat: Seat) -> None:
    await flood(seat, "#dev", count=3)
    seat.desk.say("ours")
    await wait_all_tasks_blocked()
    await flood(seat, "#dev", count=20)
    await seat.all_is_noted()
    assert seat.texts("#dev") == ["0", "1", "2", "ours", *(f"{number}" for number in range(20))]
    assert all(line.in_log for line in seat.desk.current.lines)


async def test_a_name_that_we_have_taken_meanwhile_is_ours(seat: Seat) -> None:
    await seat.chat.rename("alicia")
    await flood(seat, "#dev")
    await seat.all_is_noted()
    await seat.bob.say("#dev", "alicia: tea?")
    await seat.chat.say("#dev", "yes")
    await wait_all_tasks_blocked()
    question, answer = seat.desk.current.lines[-2:]
    assert question.mention
    assert answer.own


@pytest.mark.parametrize("page", [7, 1000], ids=["in several pages", "in one page"])
async def test_what_was_said_to_us_alone_is_read_again_where_it_belongs(
    seat: Seat, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(lag_module, "MAX_PAGE", page)
    await seat.bob.say("@alice", "before")
    await seat.all_is_noted()
    seat.look_away()
    await whisper(seat, *(f"{number}" for number in range(30)))
    await flood(seat, "#dev", count=LIMIT - 5)
    await whisper(seat, "last")
    await seat.all_is_noted()
    assert seat.texts("@bob") == ["before", *(f"{number}" for number in range(30)), "last"]
    here = seat.desk.buffers["@bob"]
    assert (here.unread, here.mentions) == (32, 32)
    assert here.unread_from is here.lines[0]


async def test_all_of_it_is_read_again_by_who_has_had_nothing(seat: Seat) -> None:
    await whisper(seat, *(f"{number}" for number in range(30)))
    await seat.all_is_noted()
    here = seat.desk.buffers["@bob"]
    assert seat.texts("@bob") == [f"{number}" for number in range(30)]
    assert here.unread_from is here.lines[0]
    assert here.unread == 30


async def test_who_has_another_nick_since_reads_what_was_said_to_that_one(
    seat: Seat, autojump_clock: MockClock
) -> None:
    await whisper(seat, *(f"{number}" for number in range(30)))
    await seat.all_is_noted()
    seat.look_away()
    await seat.chat.rename("alicia")
    await whisper(seat, *(f"{number} again" for number in range(20)), to="@alicia")
    await seat.all_is_noted()
    await trio.sleep(2 * lag_module.PAUSE)
    assert seat.texts("@bob")[30:] == [f"{number} again" for number in range(20)]


async def test_what_we_answer_to_one_alone_stays_in_its_place(seat: Seat) -> None:
    seat.desk.say("kept, and its echo dropped", "@bob")
    await wait_all_tasks_blocked()
    await flood(seat, "#dev", count=LIMIT)
    seat.desk.say("its echo comes", "@bob")
    await wait_all_tasks_blocked()
    await seat.all_is_noted()
    await whisper(seat, "one")
    seat.desk.say("two", "@bob")
    await wait_all_tasks_blocked()
    await whisper(seat, "three")
    assert seat.texts("@bob") == ["kept, and its echo dropped", "its echo comes", "one", "two", "three"]
    assert all(line.in_log for line in seat.desk.buffers["@bob"].lines)


async def test_what_was_read_again_and_told_after_all_is_shown_once(seat: Seat) -> None:
    message = e.Message(target="@alice", id=1, ms=1, nick="bob", text="tea?")
    seat.desk.show_missed(message)
    seat.desk.feed(message)
    seat.desk.feed(e.Message(target="@alice", id=2, ms=2, nick="bob", text="tea!"))
    assert seat.texts("@bob") == ["tea?", "tea!"]


async def test_what_is_read_before_it_is_told_under_another_nick_is_shown_once(seat: Seat) -> None:
    seat.chat._conversation.events._limit = 6
    await whisper(seat, *(f"{number}" for number in range(10)))
    await seat.chat.rename("alicia")
    await whisper(seat, "a", "b", to="@alicia")
    await listen_slowly(seat)
    said = seat.texts("@bob")
    assert {"a", "b"} <= {*said}
    assert len(said) == len(set(said))


@pytest.mark.parametrize("slowly", [False, True], ids=["told first", "read first"])
async def test_who_has_another_nick_by_now_is_shown_once(seat: Seat, slowly: bool) -> None:
    seat.chat._conversation.events._limit = 6
    await whisper(seat, *(f"{number}" for number in range(10)))
    await seat.bob.rename("robert")
    await whisper(seat, "a", "b")
    await (listen_slowly(seat) if slowly else seat.all_is_noted())
    said = [text for name in seat.desk.buffers for text in seat.texts(name)]
    assert sorted(said) == sorted([*(f"{number}" for number in range(10)), "a", "b"])


async def test_who_comes_back_is_told_nothing_that_it_had_before(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with network() as net, open_client_by(net.dial, nick="bob") as bob:
        for first in (True, False):
            async with (
                open_client_by(net.dial, nick="alice", state=tmp_path / "state") as chat,
                trio.open_nursery() as nursery,
            ):
                desk = Desk(chat, Watch(), lambda: 1000)
                nursery.start_soon(run_recovery, desk)
                if first:
                    await bob.say("@alice", "before")
                    await anext(aiter(chat))
                    assert chat.inbox == 1
                    net.cut()  # so it is held
                    await wait_all_tasks_blocked()
                    chat._conversation._caller = None
                else:
                    desk.feed(Lagged(1))
                    await trio.sleep(1)
                    assert desk.heard is None
                    assert not desk.buffers
                nursery.cancel_scope.cancel()


async def test_the_inbox_of_a_server_that_began_anew_is_read_from_its_beginning(
    autojump_clock: MockClock,
) -> None:
    async with (
        network() as net,
        open_client_by(net.dial, nick="alice") as chat,
        open_client_by(net.dial, nick="bob") as bob,
        trio.open_nursery() as nursery,
    ):
        seat = Seat(chat, bob, Desk(chat, Watch(), lambda: 1000), nursery)
        nursery.start_soon(run_recovery, seat.desk)
        await seat.all_is_noted()
        await whisper(seat, *(f"old {number}" for number in range(20)))
        await net.stop()
        net.journal = MemoryJournal()
        await net.start()
        await trio.sleep(60)
        seat.look_away()
        chat._conversation.events._limit = 3
        await whisper(seat, *(f"new {number}" for number in range(10)))
        await seat.all_is_noted()
        assert seat.texts("@bob")[20:] == [f"new {number}" for number in range(10)]
        nursery.cancel_scope.cancel()


async def test_a_hole_in_the_inbox_is_told_of(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def history(*_: object, **__: object) -> tuple[e.Gap | e.Message, ...]:
        gap = e.Gap(target="@alice", first=2, last=9)
        return gap, e.Message(target="@alice", id=10, ms=501, nick="bob", text="y")

    monkeypatch.setattr(seat.chat, "history", history)
    seat.desk.feed(Lagged(3))
    await wait_all_tasks_blocked()
    told = [line.text for line in seat.desk.current.lines if line.kind == "gap"]
    assert told == ["the messages 2 to 9 are no longer kept"]
    assert seat.texts("@bob") == ["y"]


async def test_an_inbox_that_can_not_be_read_is_told_of(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    async def history(*_: object, **__: object) -> tuple[()]:
        raise Refused("unavailable", "it can't be read now")

    monkeypatch.setattr(seat.chat, "history", history)
    seat.desk.feed(Lagged(3))
    await wait_all_tasks_blocked()
    told = [line.text for line in seat.desk.current.lines if line.kind == "error"]
    assert "what was said to you alone can't be read: it can't be read now" in told
    assert seat.desk.heard is None


async def test_what_is_dropped_again_is_read_from_where_the_first_was(
    seat: Seat, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int | None]] = []

    async def history(target: str, *, limit: int, after: int | None = None) -> tuple[()]:
        del limit
        asked.append((target, after))
        if len(asked) == 1:  # in the middle of the first reading
            inbox.seen = Mark(nick="alice", id=5)
            desk.feed(Lagged(1))
        await trio.lowlevel.checkpoint()
        return ()

    desk = Desk(seat.chat, Watch(), lambda: 1000)  # which nobody recovers but we
    monkeypatch.setattr(seat.chat, "history", history)
    inbox = seat.chat._conversation.memberships.inbox
    inbox.seen = Mark(nick="alice", id=2)
    desk.feed(Lagged(1))
    await _read_inbox(desk)
    assert asked[0] == ("@alice", 2)
    left = [desk.heard]
    desk.behind = trio.Event()
    await _read_inbox(desk)
    assert asked[1] == ("@alice", 2)
    left.append(desk.heard)
    assert left == [("alice", 2), None]
    desk.heard = "alice", 5
    await seat.chat.rename("alicia")
    await _read_inbox(desk)
    assert asked[2] == ("@alicia", 0)


async def test_what_one_says_to_oneself_is_shown_once(seat: Seat) -> None:
    seat.desk.say("to me", "@alice")
    await wait_all_tasks_blocked()
    await flood(seat, "#dev", count=LIMIT)
    seat.desk.say("to me again", "@alice")
    await wait_all_tasks_blocked()
    await whisper(seat, "x")
    await seat.all_is_noted()
    assert seat.texts("@alice") == ["to me", "to me again"]
    assert all(line.in_log for line in seat.desk.buffers["@alice"].lines)
    assert seat.texts("@bob") == ["x"]


@pytest.mark.parametrize("page", [5, 10, 30])
async def test_pages_that_are_just_full_while_more_is_dropped(
    seat: Seat, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(lag_module, "MAX_PAGE", page)
    await whisper(seat, *(f"{number}" for number in range(30)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen_slowly, seat)
        for number in range(30, 90):
            await seat.bob.submit("@alice", f"{number}")
    await seat.all_is_noted()
    await trio.sleep(5)
    assert seat.texts("@bob") == [f"{number}" for number in range(90)]
    assert seat.desk.heard is None


async def test_that_the_connection_is_back_may_be_what_was_dropped(seat: Seat) -> None:
    seat.desk.feed(Disconnected("gone"))
    seat.desk.feed(Lagged(1))
    assert not seat.desk.lost
    seat.desk.say("hello", "@bob")
    assert seat.desk.outgoing.waiting


async def listen_slowly(seat: Seat) -> None:
    """As with thousands of events: what is asked meanwhile is answered before they are taken note of."""
    events = aiter(seat.chat)
    while seat.chat.statistics().unseen:
        seat.desk.feed(await anext(events))
        await wait_all_tasks_blocked()


async def test_of_the_inbox_of_another_nick_nothing_was_told(seat: Seat) -> None:
    await whisper(seat, "one", "two")
    await seat.all_is_noted()
    seat.look_away()
    seat.desk.feed(Lagged(1))
    assert seat.desk.heard == ("alice", 2)
    await seat.chat.rename("ALICE")
    seat.desk.feed(Lagged(1))
    assert seat.desk.heard == ("alice", 2)
    await seat.chat.rename("alicia")
    seat.desk.feed(Lagged(1))
    assert seat.desk.heard == ("alicia", 0)


async def test_a_flood_that_goes_on_is_told_of_once(seat: Seat, autojump_clock: MockClock) -> None:
    def told() -> list[str]:
        lines = [line for buffer in seat.desk.buffers.values() for line in buffer.lines]
        return [line.text for line in lines if "too fast" in line.text]

    here = seat.desk.current
    for count in (7, 8, 9):
        before = here.version
        seat.desk.feed(Lagged(count))
        assert here.version > before
        seat.desk.feed(e.Joined(room="#dev", nick=f"guest-{count}"))
        seat.desk.switch("#ops")
    assert told() == ["24 messages came too fast to be shown; they are read again"]
    await trio.sleep(2 * lag_module.PAUSE)  # by now all is asked for
    seat.desk.feed(Lagged(1))
    assert len(told()) == 2


async def whisper(seat: Seat, *texts: str, to: str = "@alice") -> None:
    for text in texts:
        await seat.bob.say(to, text)
    await wait_all_tasks_blocked()


async def test_the_screen_shows_the_newest_whatever_came_too_fast(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": ["long ago"]}) as me:
        await me.bob.join("#dev")
        await me.bob.join("#ops")
        await me.type("/join #ops")
        await too_fast(me, "#ops", "#dev")
        assert any("too fast" in line.text for line in me.app.desk.current.lines)
        await sees_the_newest(me, "#ops")
        assert not me.sees("below")
        await me.press("meta 1")
        await sees_the_newest(me, "#dev")
        assert not me.sees("below")
        await me.press("meta 2", "page up", "page up")
        before = [row[19:75] for row in me.terminal.rows[1:20]]
        await too_fast(me, "#ops")
        assert [row[19:75] for row in me.terminal.rows[1:20]] == before
        assert me.sees("below")


async def too_fast(me: Person, *rooms: str) -> None:
    """All of it arrives in one piece."""
    me.chat._conversation.events._limit = 2
    async with trio.open_nursery() as nursery:
        for number in range(PAGE):
            for room in rooms:
                nursery.start_soon(me.bob.submit, room, f"{room} {number}")
    await settled()
    await trio.sleep(10)
    await settled()


async def sees_the_newest(me: Person, room: str) -> None:
    newest = [entry.text for entry in await me.bob.history(room, limit=10) if isinstance(entry, e.Message)]
    assert [text for row in me.terminal.rows for text in newest if f"│ {text} " in row] == newest
