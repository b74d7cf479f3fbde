"""How it ends: the terminal comes first, whatever happened."""

import pytest
import trio
from trio.testing import MockClock

from tests.screen.conftest import Sit
from tests.screen.sitting import SESSION, settled
from triochat.client.exchange import WINDOW
from triochat.client.opening import open_client_by
from triochat.config import ClientConfig
from triochat.protocol import events as e
from triochat.screen.app import PARTING
from triochat.screen.desk import Desk
from triochat.screen.outgoing import MOST_OUTGOING
from triochat.screen.pane import MessagePane


class WidgetError(Exception):
    """One on purpose."""


def fail(*_: object, **__: object) -> None:
    raise WidgetError


async def test_a_connection_that_does_not_come_back_comes_out(sit: Sit, clock: MockClock) -> None:
    async with sit() as me, open_client_by(me.net.dial, nick="alice", session=SESSION):
        await trio.sleep(10)
        assert me.reason() == "replaced"
        assert me.terminal.log[-1] == "stopped"


async def test_it_may_take_no_longer_than_somebody_wants_to_wait(sit: Sit, clock: MockClock) -> None:
    async with sit(config=ClientConfig(room="#dev", timeout=100)) as me:
        await me.net.stop()
        await trio.sleep(30)
        assert me.reason() is None
        await me.net.start()
        await me.until("connected again")
        await trio.sleep(200)
        assert me.reason() is None
        await me.net.stop()
        await trio.sleep(101)
        assert me.reason() == "it did not come back within 100 seconds"
        assert me.terminal.log[-1] == "stopped"


@pytest.mark.parametrize(
    ("where", "name", "key"),
    [
        pytest.param(MessagePane, "page", "page up", id="a key"),
        pytest.param(MessagePane, "_draw", "f2", id="drawing"),
        pytest.param(Desk, "read_older", "meta <", id="a task"),
    ],
)
async def test_a_fault_comes_out_after_the_terminal_was_given_back(
    sit: Sit, clock: MockClock, monkeypatch: pytest.MonkeyPatch, where: type, name: str, key: str
) -> None:
    seen: list[str] = []
    with pytest.RaisesGroup(WidgetError, flatten_subgroups=True):
        async with sit(past={"#dev": ["word"] * 200}) as me:
            log = me.terminal.log
            monkeypatch.setattr(where, name, fail)
            me.terminal.press(key)
            try:
                await me.type("more")
            finally:
                seen += log
    assert seen == ["started", "stopped"]


async def test_who_said_nothing_has_nothing_that_is_not_sent(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.net.stop()
        await trio.sleep(100)  # the server is asked meanwhile how far away it is
        assert me.chat.statistics().unanswered
        await me.type("/quit")
        assert me.farewell == ""
        assert me.unsent() == 0


@pytest.mark.parametrize("how", ["quit", "signal", "late", "lost"])
async def test_all_that_waits_is_told_of_as_not_sent(sit: Sit, clock: MockClock, how: str) -> None:
    async with sit(config=ClientConfig(room="#dev", timeout=100 if how == "late" else 0)) as me:
        await me.type("kept")
        await me.net.stop()
        await me.type("one")
        for number in range(WINDOW):
            me.app.desk.say(f"{number}", "@bob")
        await settled()
        match how:
            case "quit":
                await me.type("/quit")
            case "late":
                await trio.sleep(101)
            case "lost":
                me.chat._conversation._end("you are not wanted")
                await settled()
            case _:
                assert me.unsubmitted is None
        assert me.reason() == {
            "late": "it did not come back within 100 seconds",
            "lost": "you are not wanted",
        }.get(how)
        assert me.chat.statistics().unkept <= WINDOW
    assert me.unsent() == WINDOW + 1


async def test_who_leaves_waits_for_what_was_typed(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        for number in range(3 * WINDOW):
            me.app.desk.say(f"{number}")
        await me.type("/quit tea")
        assert me.farewell == "tea"
        assert me.unsent() == 0
        kept = await me.bob.history("#dev", limit=1000)
    assert [entry.text for entry in kept if isinstance(entry, e.Message)] == [
        f"{number}" for number in range(3 * WINDOW)
    ]


@pytest.mark.parametrize("how", ["late", "again", "lost"])
async def test_no_longer_than_somebody_wants_to(sit: Sit, clock: MockClock, how: str) -> None:
    async with sit() as me:
        me.app.desk.say("one")
        await settled()
        me.net.streams[-1].stick()
        for number in range(2 * WINDOW):
            me.app.desk.say(f"{number}", "@bob")
        me.app.desk.close("@bob")
        await me.type("/quit")
        assert me.sees(f"leaving when {2 * WINDOW} are sent")
        match how:
            case "late":
                await trio.sleep(PARTING - 1)
                assert me.sees("are sent")
                await trio.sleep(2)
            case "again":
                await me.type("/quit tea")
            case "lost":
                await me.net.stop()
                await settled()
        assert me.farewell == ("tea" if how == "again" else "")
        assert me.unsent() == 2 * WINDOW


async def test_what_is_too_much_to_wait_is_not_sent(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        for number in range(1 + MOST_OUTGOING + 3):
            me.app.desk.say(f"{number}")
        await me.type("/quit")
        assert me.unsent() == 3
