"""The whole screen, and when it is drawn anew."""

from trio.testing import MockClock

from tests.screen.conftest import Sit
from tests.screen.sitting import settled


async def test_what_changes_while_it_is_drawn_does_not_freeze_it(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": [f"old {number}" for number in range(80)]}) as me:
        await me.type("/join #two")
        await me.bob.join("#two")
        await me.press("meta 1", "page up", "page up", "meta 2")
        await me.press("meta 1")  # the pane finds out only now that its end is not on the screen
        assert "#two 1" not in me.text
        for number in (1, 2):
            await me.bob.say("#two", "news")
            await settled()
            assert f"#two {number}" in me.text


async def test_what_is_seen_while_it_is_drawn_is_no_longer_new(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(60, 12), past={"#dev": [f"old {number}" for number in range(12)]}) as me:
        await me.bob.join("#dev")
        await me.press("page up")
        await me.bob.say("#dev", "news")
        await settled()
        assert me.app.desk.current.unread == 1
        await me.resize(60, 40)
        assert me.app.desk.current.unread == 0
        assert not me.app.window._stale


async def test_a_change_behind_one_that_was_not_drawn_is_drawn(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        me.app.window._stale = True  # as if it had been drawn all the same, and stored
        me.app.desk.current.topic = "something new"
        me.app.changed()
        await settled()
        assert me.sees("something new")
