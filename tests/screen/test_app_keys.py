"""What keys do on the whole screen."""

import pytest
from trio.testing import MockClock

from tests.screen.conftest import Sit
from tests.screen.sitting import Person, settled
from triochat.protocol import events as e
from triochat.screen.keys import Keys


async def said(me: Person, room: str = "#dev") -> list[str]:
    """What the server has."""
    return [entry.text for entry in await me.chat.history(room) if isinstance(entry, e.Message)]


async def test_keys_go_from_room_to_room(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("/join #ops")
        await me.type("/join #tea")
        for keys, room in [
            (["meta 1"], "#dev"),
            (["meta 3"], "#tea"),
            (["meta 9"], "#tea"),
            (["meta right"], "#dev"),
            (["meta left"], "#tea"),
            (["meta left"], "#ops"),
            (["ctrl k", "t", "enter"], "#tea"),
            (["ctrl k", "#", "d", "enter"], "#dev"),
            (["ctrl k", "t", "esc"], "#dev"),
            (["ctrl k", "meta 2"], "#ops"),
        ]:
            await me.press(*keys)
            assert me.terminal.rows[0] == room
            assert me.terminal.rows[-1] == f"{room}>"
        await me.press(("mouse press", 1, 3, 1))
        assert me.terminal.rows[0] == "#dev"
        await me.type("still typing", enter=False)
        assert me.terminal.rows[-1] == "#dev> still typing"


async def test_a_draft_stays_with_its_room(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("/join #ops")
        await me.type("for ops", enter=False)
        await me.press("meta 1")
        assert me.terminal.rows[-1] == "#dev>"
        await me.type("for dev", enter=False)
        await me.press("ctrl k", "o", "enter")
        assert me.terminal.rows[-1] == "#ops> for ops"
        await me.press("enter", "meta left")
        assert me.terminal.rows[-1] == "#dev> for dev"
        assert (await said(me), await said(me, "#ops")) == ([], ["for ops"])


async def test_what_was_typed_before(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("one")
        await me.type("two")
        await me.type("half", enter=False)
        typed = []
        for key in ("up", "up", "up", "down", "down"):
            await me.press(key)
            typed.append(me.terminal.rows[-1])
        assert typed == ["#dev> two", "#dev> one", "#dev> one", "#dev> two", "#dev> half"]


@pytest.mark.parametrize(
    ("typed", "tabs", "completed"),
    [
        ("bo", 1, "bob: "),
        ("ask c", 1, "ask carol "),
        ("/jo", 1, "/join "),
        ("/join #d", 1, "/join #dev "),
        (":tad", 1, "🎉"),
    ],
)
async def test_tab_completes(sit: Sit, clock: MockClock, typed: str, tabs: int, completed: str) -> None:
    async with sit(past={"#dev": ["hello"]}) as me:
        await me.bob.join("#dev")
        await me.type(typed, enter=False)
        await me.press(*["tab"] * tabs)
        await me.type("|", enter=False)
        assert me.terminal.rows[-1] == f"#dev> {completed}|"


async def test_emoji_have_short_names(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("done :tada: but not `:tada:`")
        assert await said(me) == ["done 🎉 but not `:tada:`"]
        assert me.sees("done 🎉 but not `:tada:`")


async def test_a_message_may_have_several_lines(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("one", enter=False)
        await me.press("meta enter")
        await me.type("two", enter=False)
        assert me.terminal.rows[-2:] == ["#dev> one", "      two"]
        await me.press("enter")
        assert await said(me) == ["one\ntwo"]
        assert me.terminal.row_of("│ two") == me.terminal.row_of("│ one") + 1


async def test_a_paste_of_several_lines_asks(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        paste = ["begin paste", *"one", "enter", *"two", "end paste"]
        me.terminal.press(*paste)
        await settled()
        assert me.sees("Send 2 lines? Enter: as one message · L: line by line · Esc: edit")
        await me.press("x")
        assert await said(me) == []
        await me.press("enter")
        assert await said(me) == ["one\ntwo"]
        me.terminal.press(*paste)
        await me.press("l")
        assert await said(me) == ["one\ntwo", "one", "two"]
        me.terminal.press(*paste)
        await me.press("esc")
        assert me.terminal.rows[-2:] == ["#dev> one", "      two"]
        await me.press("meta 1", "ctrl c")
        assert me.terminal.rows[-1] == "#dev>"
        assert len(await said(me)) == 3


async def test_the_help_lies_over_the_screen(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(80, 60)) as me:
        for ask, close in [("/help", "esc"), ("f1", "f1"), ("f1", "ctrl c"), ("f1", "ctrl d")]:
            if ask.startswith("/"):
                await me.type(ask)
            else:
                await me.press(ask)
            assert me.sees("Help", "/join #room", "Commands", "Keys", "Alt+1…9", "Ctrl+K")
            await me.press(close)
            assert not me.sees("Commands")
        assert me.farewell is None
        await me.press("f1")
        await me.type("hello")  # who types means the input
        assert not me.sees("Commands")
        assert await said(me) == ["hello"]


async def test_ctrl_c_gives_up_what_is_typed_and_then_leaves(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("never mind", enter=False)
        await me.press("ctrl c")
        assert (me.terminal.rows[-1], me.farewell) == ("#dev>", None)
        await me.press("ctrl c")
        assert (me.farewell, me.terminal.log) == ("", ["started", "stopped"])


async def test_ctrl_d_deletes_and_leaves_where_nothing_is_typed(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("ab", enter=False)
        await me.press("home", "ctrl d")
        assert me.terminal.rows[-1] == "#dev> b"
        await me.press("ctrl d", "ctrl d")
        assert me.farewell == ""


async def test_last_words(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("/quit tea time")
        assert me.farewell == "tea time"


async def test_commands(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(100, 30)) as me:
        await me.bob.join("#dev")
        for typed, seen in [
            ("/who", "#dev: alice, bob"),
            ("/rooms", "#dev: 2 here"),
            ("/topic", "#dev: there is no topic"),
            ("/nick alicia", "alice is now alicia"),
            ("/me waves", "* alicia waves"),
            ("/bell", "the bell is off"),
            ("/bell on", "the bell is on"),
            ("/bell loud", "the form is: /bell on, or /bell off"),
            ("/dance", "there is no such command; /help lists them"),
            ("/join nowhere!", "'-'"),
        ]:
            await me.type(typed)
            assert seen in me.text
        await me.type("/join #ops")
        await me.type("/close")
        assert me.terminal.rows[0] == "#dev"
        await me.type("/part")
        assert me.sees("You are in no room. /join #lobby enters one.")
        await me.type("hello?")
        assert me.sees("you are in no room")


async def test_what_was_wiped_comes_back_with_a_key(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": ["old words"]}) as me:
        await me.type("/clear")
        assert not me.sees("old words")
        await me.type("new words")
        assert me.sees("new words")
        assert not me.sees("old words")
        await me.press("page up")
        assert me.sees("old words", "new words")
        await me.press("page up")
        assert me.text.count("old words") == 1


async def test_drawing_anew(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        assert "cleared" not in me.terminal.log
        await me.press("ctrl l")
        assert me.terminal.log[-1] == "cleared"


@pytest.mark.parametrize(("keys", "hint"), [(("f5", "ctrl t"), " — F5 sends it again"), ((), "")])
async def test_the_key_that_sends_again_is_called_as_it_is_set(
    sit: Sit, clock: MockClock, keys: tuple[str, ...], hint: str
) -> None:
    async with sit(size=(120, 24), keys=Keys({"retry": keys})) as me:
        await me.type("/query carol")
        await me.type("psst")
        row = me.terminal.rows[me.terminal.row_of("not sent")]
        assert row.split("│")[2].strip() == f"not sent: nobody here has the nick carol{hint}"
