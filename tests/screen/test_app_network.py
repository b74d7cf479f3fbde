"""What comes over the network, and when nothing does."""

import pytest
import trio
from trio.testing import MockClock

from tests.screen.conftest import Sit
from tests.screen.sitting import NOON, settled
from triochat.config import ClientConfig
from triochat.journal.interface import Draft
from triochat.screen.buffer import Line
from triochat.screen.keys import Keys

FLOOD = 5000


@pytest.mark.parametrize(
    ("config", "written"),
    [
        (ClientConfig(room="#dev"), "\a"),
        (ClientConfig(room="#dev", no_bell=True), ""),
        (ClientConfig(room="#dev", notify="osc9"), "\a\x1b]9;bob in #dev: alice: tea; now\a"),
        (
            ClientConfig(room="#dev", no_bell=True, notify="osc777"),
            "\x1b]777;notify;bob in #dev;alice: tea, now\a",
        ),
    ],
)
async def test_a_mention_asks_for_attention(
    sit: Sit, clock: MockClock, config: ClientConfig, written: str
) -> None:
    async with sit(config=config) as me:
        await me.bob.join("#dev")
        await me.bob.say("#dev", "nobody in particular")
        await me.bob.say("#dev", "alice: tea; now")
        await settled()
        assert "".join(me.terminal.written) == written
        assert me.terminal.styles("tea; now") == {"mention"}


@pytest.mark.parametrize("notify", ["osc9", "osc777"])
async def test_nobody_breaks_out_of_a_notification(sit: Sit, clock: MockClock, notify: str) -> None:
    config = ClientConfig(room="#dev", no_bell=True, notify=notify)  # type: ignore[arg-type]
    async with sit(config=config) as me:
        evil = "x\a\x1b\\\x9c\x1b]0;owned\a\n\r\u202e;"
        me.app.mentioned(me.app.desk.current, Line("message", evil * 100, NOON, f"b{evil}"))
        [data] = me.terminal.written
        assert data.count("\x1b") == data.count("\a") == 1
        assert data.startswith("\x1b]")
        assert data.endswith("\a")
        assert all(character.isprintable() for character in data[1:-1])
        assert data.count(";") == (3 if notify == "osc777" else data.count(";"))


async def test_a_lost_connection_costs_neither_view_nor_draft_nor_what_was_said(
    sit: Sit, clock: MockClock
) -> None:
    async with sit(past={"#dev": [f"word {number}" for number in range(60)]}) as me:
        await me.type("half a sen", enter=False)
        await me.press("page up")
        before = [row[19:75] for row in me.terminal.rows[1:21]]
        await me.net.stop()
        await settled()
        assert me.sees("connecting…")
        assert [row[19:75] for row in me.terminal.rows[1:21]] == before
        await me.type("tence")
        assert me.terminal.styles("half a sentence") == {"pending"}
        await me.type("and anoth", enter=False)
        await me.press("page up")
        before = [row[19:75] for row in me.terminal.rows[1:21]]
        await me.net.start()
        await me.until("online")
        assert [row[19:75] for row in me.terminal.rows[1:21]] == before
        assert me.terminal.rows[-1] == "#dev> and anoth"
        await me.press("meta >")
        assert me.terminal.styles("half a sentence") == {"None"}
        assert me.text.count("half a sentence") == 1


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_it_can_be_used_on_a_small_screen(sit: Sit, clock: MockClock, size: tuple[int, int]) -> None:
    async with sit(size=size, past={"#dev": [f"word {number}" for number in range(60)]}) as me:
        await me.bob.join("#dev")
        await me.bob.set_topic("#dev", "a topic that is longer than any screen is wide, " * 5)
        await me.bob.say("#dev", "alice: there is more to say than fits into a row " * 3)
        await me.type("hello, and some more words", enter=False)
        assert me.terminal.cursor is not None
        assert me.terminal.cursor[1] == size[1] - 1
        assert me.sees("more words", "online", "bob")
        for key in ("f1", "ctrl k", "f2", "page up", "page up", "meta enter", "meta enter", "meta >"):
            await me.press(key)
        assert me.terminal.cursor is not None
        await me.press("ctrl c")
        await me.type("/search word")
        await me.press("esc")
        assert me.terminal.rows[-1] == "#dev>"


async def test_any_size_can_be_drawn(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": ["word"]}) as me:
        await me.bob.join("#dev")
        for text in ("typed", "漢字" * 20):
            await me.type(text, enter=False)
            for size in ((30, 8), (20, 5), (12, 4), (8, 3), (5, 2), (3, 1), (1, 1), (200, 60)):
                await me.resize(*size)
                for key in ("f2", "f1", "esc", "ctrl k", "esc", "meta enter", "page up", "meta >"):
                    await me.press(key)
        assert me.sees("word")


async def test_keys_are_answered_in_a_flood(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(80, 24)) as me:
        await me.bob.join("#dev")
        await settled()
        before = me.terminal.frames
        pictures: list[str] = []
        me.terminal.watch(lambda: pictures.append(me.text))

        async def flood() -> None:
            for number in range(FLOOD):
                await me.bob.submit("#dev", f"flood {number}")
                if number == FLOOD // 5:
                    me.terminal.press(*"typed")
            await me.bob.ping()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(flood)
        await settled()
        await settled()
        assert me.sees("#dev> typed")
        if not me.sees("came too fast"):
            assert me.sees(f"flood {FLOOD - 1}")
        seen = next(picture for picture in pictures if "#dev> typed" in picture)
        assert f"flood {FLOOD - 1}" not in seen, "it was seen before all was over"
        assert me.terminal.frames - before < 3 * FLOOD // 100
        assert me.app._pane.laid_out < 30 * (me.terminal.frames - before)
        assert len(me.app.desk.current.lines) <= 5500


async def test_a_time_that_there_is_not_ends_nothing(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.net.journal.append([Draft("#dev", "message", "#dev", "carol", ("when",), 10**18)])
        await me.type("/search when")
        assert me.sees("--:-- #dev carol: when")


HOSTILE = [
    "\u202eevil\u202c \u2066x\u2069 \u200f\u200e\u061c",
    "z\u200bero\u200d\u2060\ufeff wi\u00addth",
    "e" + "\u0301" * 60 + " z̸̧̛͓͔a̵l̷g̶o̴",
    "\u0301 alone at the start",
    "漢字" * 60,
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 👍🏽 " * 10,
    "שלום עולם مرحبا بالعالم",
    "a\tb\tc\nsecond\n\nfourth",
    "x" * 900,
    "\u3164\u2800\u00a0 \u2028\u2029",
    "\ufdfd \U00012031 ꧅",
    "กำ ผู้ น้ำ क्षि தமிழ் 한국 각",
]


@pytest.mark.parametrize("size", [(100, 30), (80, 24), (40, 12)])
async def test_hostile_text_breaks_no_row(sit: Sit, clock: MockClock, size: tuple[int, int]) -> None:
    """The terminal of these tests holds each row of each frame against the width of the screen."""
    async with sit(size=size) as me:
        await me.type("/query bob")
        await me.press("meta 1")
        for text in HOSTILE:
            await me.bob.join("#dev")
            await me.bob.say("#dev", text)
            await me.bob.say("@alice", text)
            await me.bob.set_topic("#dev", text)
            await me.bob.part("#dev", text)
            await settled()
            await me.press("meta 2", "meta 1")
            await me.press(*Keys().keys("page.up"), "meta >")
        me.terminal.press("begin paste", *"".join(HOSTILE).replace("\n", ""), "end paste")
        await settled()
        await me.press("ctrl c")
        await me.type("/search fourth")
        await me.press("esc")
        await me.type("/who")
        await me.resize(size[0] - 1, size[1])
        assert me.sees("#dev")


async def test_what_could_act_on_a_terminal_is_not_drawn(sit: Sit, clock: MockClock) -> None:
    """No server of ours lets it pass, and no client; this is about the screen alone."""
    async with sit() as me:
        evil = "x\x1b[2J\x1b]0;owned\a\x9b31m\x00\x7f\r\b"
        desk = me.app.desk
        here = desk.current
        here.topic = evil
        here.members[evil] = evil
        here.append(Line("message", evil, NOON, evil), looked_at=True)
        here.append(Line("presence", f"bob left ({evil})", NOON), looked_at=True)
        here.append(
            Line("message", evil, NOON, "alice", own=True, state="failed", reason=evil), looked_at=True
        )
        desk.open(f"#{evil}").append(Line("message", evil, NOON, evil), looked_at=False)
        here.draft = evil
        me.app.changed()
        await settled()
        assert me.text.count("owned") > 5
        await me.press("ctrl k", "enter", "meta 2", "meta 1")
        assert me.sees("owned")


async def test_idle_nothing_is_drawn(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        before = me.terminal.frames
        await trio.sleep(3600)
        assert me.terminal.frames == before, "the server is as far away as it was"
        assert me.terminal.written == []
