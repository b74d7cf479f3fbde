"""What is to be seen on the whole screen."""

import gc
import re
from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.screen.conftest import Sit
from tests.screen.sitting import settled
from triochat.client.opening import open_client_by
from triochat.config import ClientConfig
from triochat.protocol import events as e
from triochat.screen.app import prepare
from triochat.screen.desk import PAGE

DAY = 86_400_000


async def test_it_opens_and_enters_the_room(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": ["good morning"]}) as me:
        assert me.sees("#dev", "carol │ good morning", "1 here", " online 0 ms  alice  #dev")
        assert me.terminal.rows[-1] == "#dev>"
        assert me.terminal.cursor == (6, 23)
        assert me.chat.joined == ("#dev",)
        assert me.terminal.frames <= 3


async def test_an_empty_room_says_what_to_do(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        assert me.sees("Nothing was said in #dev yet.")


async def test_what_we_say_is_pending_until_it_is_kept(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.net.stop()
        await me.type("hello")
        assert me.terminal.styles("hello") == {"pending"}
        assert me.sees("connecting…", "1 not sent yet")
        await me.net.start()
        await me.until("connected again")
        assert me.terminal.styles("hello") == {"None"}
        assert not me.sees("not sent yet")


async def test_what_failed_says_why_and_a_key_sends_it_again(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(120, 24)) as me:
        await me.type("/query carol")
        await me.type("psst")
        assert me.sees("not sent: nobody here has the nick carol — Ctrl+R sends it again")
        assert me.terminal.styles("psst") == {"failed"}
        async with open_client_by(me.net.dial, nick="carol"):
            await me.press("ctrl r")
            assert not me.sees("not sent")
            assert me.terminal.styles("psst") == {"None"}
            assert me.text.count("psst") == 1


async def test_the_key_sends_all_of_them_again_in_their_order(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(120, 24)) as me:
        await me.type("/query carol")
        await me.type("one")
        await me.type("two")
        assert me.text.count("not sent") == 2
        async with open_client_by(me.net.dial, nick="carol") as carol:
            await me.press("ctrl r")
            assert not me.sees("not sent")
            kept = await carol.history("@carol")
        assert [entry.text for entry in kept if isinstance(entry, e.Message)] == ["one", "two"]


async def test_days_are_apart(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": ["one", "two"]}, apart=DAY) as me:
        assert me.terminal.row_of("Monday, 21 September 2026") < me.terminal.row_of("one")
        assert me.terminal.row_of("one") < me.terminal.row_of("Tuesday, 22 September 2026")
        assert me.terminal.styles("Tuesday") == {"day"}


async def test_a_line_shows_from_where_on_it_was_not_read(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": ["old"]}) as me:
        await me.bob.join("#dev")
        await me.type("/join #ops")
        await me.bob.say("#dev", "fresh")
        await me.press("meta 1")
        assert me.terminal.row_of("old") < me.terminal.row_of("─ new ─") < me.terminal.row_of("fresh")
        assert me.terminal.styles(" new ") == {"unread"}
        await me.press("meta 2", "meta 1")
        assert not me.sees("─ new ─")


async def test_what_is_new_below_is_told(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#dev": [f"word {number}" for number in range(60)]}) as me:
        await me.bob.join("#dev")
        await me.press("page up")
        before = [row[19:75] for row in me.terminal.rows[1:20]]
        await me.bob.say("#dev", "one")
        await me.bob.say("#dev", "two")
        await settled()
        assert me.sees("▼ 2 new messages below")
        assert [row[19:75] for row in me.terminal.rows[1:20]] == before
        await me.press("meta >")
        assert me.sees("one", "two")
        assert not me.sees("below")


async def test_paging_back_reads_older_messages_without_end(sit: Sit, clock: MockClock) -> None:
    texts = [f"word {number} of it" for number in range(3 * PAGE)]
    async with sit(past={"#dev": texts}) as me:
        assert len(me.app.desk.current.lines) == PAGE
        for _ in range(len(texts) // 10):
            if me.sees("word 0 of it"):
                break
            await me.press("page up")
        assert me.sees("word 0 of it")
        assert len(me.app.desk.current.lines) == len(texts)
        await me.press("ctrl end")
        assert me.sees(texts[-1])


async def test_what_a_search_found_is_a_list_that_leads_there(sit: Sit, clock: MockClock) -> None:
    texts = [f"needle {number}" if number in (5, 240) else f"hay {number}" for number in range(250)]
    async with sit(past={"#dev": texts}) as me:
        await me.type("/search needle")
        assert me.sees("2 found in #dev: needle", "carol: needle 240", "carol: needle 5")
        assert me.terminal.styles("needle 240") >= {"list.current"}
        await me.press("down", "enter")
        assert me.sees("carol │ needle 5", "hay 6")
        assert not me.sees("found in")
        assert not me.sees("hay 249")
        await me.bob.join("#dev")
        await me.bob.say("#dev", "meanwhile")
        await settled()
        assert me.sees("▼ newer messages below") or me.sees("▼ 1 new message below")
        await me.press("meta >")
        assert me.sees("hay 249", "meanwhile")
        await me.type("/search nothing")
        assert me.sees("#dev: no message holds these words")


async def test_behind_what_a_search_found_one_reads_on(sit: Sit, clock: MockClock) -> None:
    texts = ["needle" if number == 5 else f"hay {number}" for number in range(4 * PAGE + 30)]
    async with sit(past={"#dev": texts}) as me:
        await me.bob.join("#dev")
        await me.type("/search needle")
        await me.press("enter")
        read: list[int] = []
        for _ in range(60):
            seen = [int(number) for number in re.findall(r"hay (\d+)", me.text)]
            assert not read or not seen or seen[0] <= read[-1] + 1
            read.extend(number for number in seen if not read or number > read[-1])
            await me.press("page down")
        assert read[-1] == len(texts) - 1
        assert read[5:] == list(range(read[5], len(texts)))
        await me.bob.say("#dev", "and on")
        await settled()
        assert me.sees("and on")
        assert not me.sees("below")


async def test_who_says_something_to_one_person_stays_where_they_are(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(120, 24)) as me:
        await me.type("/msg bob psst")
        assert me.terminal.rows[-1] == "#dev>"
        assert me.sees("to bob alone: psst", "2 @bob")
        await me.type("/msg carol psst")
        assert me.terminal.rows[-1] == "#dev>"
        assert me.sees("not sent to carol: nobody here has the nick carol")
        await me.type("/topic lunch")
        assert me.sees("set the topic: lunch")
        await me.type("/query bob")
        await me.type("/msg bob again")
        assert me.text.count("again") == 1


async def test_a_room_that_one_is_not_in_is_completed(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.bob.join("#devices")
        await me.type("/join #dev", enter=False)
        await settled()
        await me.press("tab", "tab")
        assert me.terminal.rows[-1] == "#dev> /join #devices"
        await me.press("enter")
        assert me.terminal.rows[-1] == "#devices>"


@pytest.mark.parametrize("command", ["/part", "/topic", "/topic lunch", "/who", "/search words"])
async def test_what_is_about_a_room_makes_no_sense_in_a_conversation(
    command: str, sit: Sit, clock: MockClock
) -> None:
    async with sit(size=(120, 24)) as me:
        await me.type("/query bob")
        await me.type(command)
        assert me.sees("this is a conversation with one person, and no room; /close puts it away")
        await me.type("/close")
        await me.type("/part")
        await me.type(command)
        assert me.sees("you are in no room; /join #lobby enters one")


async def test_a_room_that_one_is_not_in_can_not_be_left(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(120, 24)) as me:
        await me.bob.join("#ops")
        await me.type("/part #ops")
        assert me.sees("you are not in")


async def test_where_it_is_narrow_members_go_first_and_then_rooms(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(90, 24)) as me:
        assert me.sees("1 here", "1 #dev")
        await me.resize(89, 24)
        assert me.sees("1 #dev")
        assert not me.sees("1 here")
        await me.press("f2")
        assert me.sees("1 here", "1 #dev")
        await me.resize(69, 24)
        assert me.sees("1 here")
        assert not me.sees("1 #dev")
        await me.press("f2")
        assert not me.sees("1 here")
        await me.type("/query bob")
        await me.type("hi")
        await me.resize(100, 24)
        assert me.sees("2 @bob")
        assert not me.sees("here")


async def test_the_topic_stands_above(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.bob.join("#dev")
        await me.bob.set_topic("#dev", "lunch at noon")
        await settled()
        assert me.terminal.rows[0] == "#dev  lunch at noon"
        assert me.sees("bob set the topic: lunch at noon")
        await me.type("/topic")
        assert me.sees("#dev: lunch at noon")


async def test_the_status_line_tells_what_is_unread_elsewhere(sit: Sit, clock: MockClock) -> None:
    async with sit(size=(60, 20)) as me:
        await me.bob.join("#dev")
        await me.type("/join #ops")
        await me.bob.say("#dev", "one")
        await me.bob.say("#dev", "alice: two")
        await settled()
        assert me.terminal.rows[-2] == " online 0 ms  alice  #ops".ljust(52) + " #dev 2"
        assert me.terminal.styles(" #dev 2 ") == {"status.alert"}


async def test_unread_messages_and_mentions_are_counted_in_the_list(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.bob.join("#dev")
        await me.type("/join #ops")
        await me.bob.say("#dev", "one")
        await settled()
        assert me.terminal.rows[1].startswith("1 #dev           1│")
        await me.bob.say("#dev", "alice: two")
        await me.bob.say("@alice", "three")
        await settled()
        assert me.terminal.rows[1].startswith("1 #dev        @1 2│")
        assert me.terminal.rows[3].startswith("3 @bob        @1 1│")
        await me.press("meta a")
        assert me.terminal.rows[3].startswith("3 @bob        @1 1│") or me.sees("bob │ three")


async def test_a_click_on_somebody_else_begins_a_conversation(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.bob.join("#dev")
        await me.type("half", enter=False)
        for nick, name in (("alice", "#dev"), ("bob", "@bob")):
            row = next(n for n, row in enumerate(me.terminal.rows) if row.endswith(f"│{nick}"))
            await me.press(("mouse press", 1, 90, row))
            assert me.terminal.rows[0] == name
        assert me.terminal.styles("@bob") >= {"list.current"}
        await me.press("meta 1")
        assert me.terminal.styles("@bob") == {"list"}
        assert me.terminal.styles("#dev") >= {"list.current"}
        assert me.terminal.rows[-1] == "#dev> half"


async def test_a_conversation_follows_a_new_nick(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.type("/query bob")
        await me.type("how", enter=False)
        await me.type(" are you?")
        await me.type("half", enter=False)
        await me.bob.say("@alice", "well")
        await me.bob.join("#dev")
        await me.bob.rename("robert")
        await settled()
        assert me.sees("@robert")
        assert me.terminal.rows[-1] == "@robert> half"


async def test_what_is_closed_is_forgotten(sit: Sit, clock: MockClock) -> None:
    async with sit(past={"#two": ["word"] * 80}) as me:
        await me.type("/join #two")
        await me.press("page up")
        await me.type("/close")
        await me.type("/join #two")
        await me.type("/clear")
        await me.type("/part")
        await me.type("/query bob")
        for number in range(60):
            await me.bob.say("@alice", f"word {number}")
        await settled()
        await me.press("page up", "page up")
        await me.type("/close")
        assert list(me.app.desk.buffers) == ["#dev"]
        assert not me.app._pane._left
        assert not me.app._cleared


async def test_a_room_that_is_refused_keeps_nobody_out_of_the_others(sit: Sit, clock: MockClock) -> None:
    async with sit() as me:
        await me.app._enter_all(["#no such room", "#two"], ["welcome, all of you"])
        await settled()
        assert me.chat.joined == ("#dev", "#two")
        assert me.sees("welcome, all of you")
        assert [line.kind for line in me.app.desk.buffers["#dev"].lines] == ["error"]


def test_python_does_not_look_through_what_was_imported_for_cycles(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.touch()
    gc.unfreeze()
    try:
        prepare(ClientConfig(keys=empty, theme=empty))
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
