from contextlib import suppress
from functools import partial

import pytest
import trio
import trio.testing

from tests.client.servers import Script, real_server, scripted, unused_address
from triochat.client import (
    ChatClient,
    ConnectionLost,
    EnteredRoom,
    Lagged,
    Receipt,
    Refused,
    RoomState,
    open_client,
)
from triochat.client.exchange import WINDOW
from triochat.client.link import HELLO_TIMEOUT, MAX_PONGS
from triochat.client.opening import open_client_on
from triochat.config import ServerConfig
from triochat.protocol import LocalProtocolError
from triochat.protocol import events as e
from triochat.server import serve

# --- with a real server ---------------------------------------------------------------------------


async def test_two_clients_chat() -> None:
    async with (
        real_server() as (host, port),
        open_client(host, port, nick="alice") as alice,
        open_client(host, port, nick="bob") as bob,
    ):
        assert (alice.nick, alice.server) == ("alice", "triochat")
        entered = await alice.join("#Dev")
        assert (entered.room, entered.nicks, entered.last, entered.missed) == ("#dev", ("alice",), 0, ())
        await bob.join("#dev")
        assert await alice.say("#dev", "hello") == 1
        assert await bob.say("#dev", "zwei\nZeilen ☺") == 2
        assert await alice.say("@bob", "psst") == 1
        await bob.rename("robert")
        assert bob.nick == "robert"
        await bob.part("#dev", "tea")
        events: list[object] = []
        while not isinstance(event := await anext(aiter(alice)), e.Left):
            events.append(event)
    assert events[:2] == [RoomState("#dev", ("alice",), ""), e.Joined("#dev", "bob")]
    assert [event.text for event in events if isinstance(event, e.Message)] == [
        "hello",
        "zwei\nZeilen ☺",
        "psst",
    ]
    assert events[-1] == e.Renamed("bob", "robert")
    assert event == e.Left("#dev", "robert", "tea")


async def test_every_question_has_its_answer() -> None:
    async with real_server() as (host, port), open_client(host, port, nick="alice") as chat:
        await chat.join("#dev")
        assert await chat.topic("#dev") == ""
        assert await chat.set_topic("#DEV", "lunch") == 1
        assert await chat.topic("#dev") == "lunch"
        assert [await chat.say("#dev", text) for text in "abc"] == [2, 3, 4]
        assert await chat.names("#dev") == ("alice",)
        assert [(info.room, info.topic) for info in await chat.rooms()] == [("#dev", "lunch")]
        page = await chat.history("#dev", before=4, limit=2)
        assert [(entry.id, entry.text) for entry in page if isinstance(entry, e.Message)] == [
            (2, "a"),
            (3, "b"),
        ]
        await chat.ping()
        again = await chat.join("#dev", after=2)
        assert again.topic == "lunch"
        assert again.last == 4
        assert [entry.id for entry in again.missed if isinstance(entry, e.Message)] == [3, 4]


async def test_history_is_read_both_ways_in_rooms_and_in_ones_own_inbox() -> None:
    async with (
        real_server() as (host, port),
        open_client(host, port, nick="Alice") as alice,
        open_client(host, port, nick="bob") as bob,
    ):
        await bob.join("#dev")
        for target in ("#dev", "@alice"):
            assert [await bob.say(target, text) for text in "abcd"] == [1, 2, 3, 4]

        async def read(target: str, limit: int = 2, **where: int) -> str:
            page = await alice.history(target, limit=limit, **where)
            return "".join(entry.text for entry in page if isinstance(entry, e.Message))

        for target in ("#DEV", "@Alice"):
            assert await read(target) == "cd"
            assert await read(target, before=3) == "ab"
            assert await read(target, after=0) == "ab"
            assert await read(target, after=2) == "cd"
            assert await read(target, after=4) == await read(target, before=1) == ""
            with pytest.raises(LocalProtocolError, match="before or after, not both"):
                await alice.history(target, 3, after=1)
        with pytest.raises(Refused, match="not-allowed"):
            await alice.history("@bob")


async def test_submitted_messages_keep_their_order() -> None:
    async with real_server() as (host, port), open_client(host, port, nick="alice") as chat:
        await chat.join("#dev")
        receipts = [await chat.submit("#dev", str(number)) for number in range(1000)]
        assert [await receipt.kept() for receipt in receipts] == list(range(1, 1001))
        assert await receipts[0].kept() == 1  # as often as one likes
        page = await chat.history("#dev", limit=1000)
        assert [entry.text for entry in page if isinstance(entry, e.Message)] == list(map(str, range(1000)))


async def test_what_the_server_refuses_is_an_exception() -> None:
    async with real_server() as (host, port), open_client(host, port, nick="alice") as chat:
        with pytest.raises(Refused, match="no such room") as caught:
            await chat.say("#dev", "hello")
        assert caught.value.code == "no-such-room"
        with pytest.raises(LocalProtocolError):
            await chat.say("#dev", "\x1b[2J")
        with pytest.raises(LocalProtocolError):
            await chat.say("#dev", "x" * 9000)
        await chat.join("#dev")  # nothing is the worse for it
        with pytest.raises(Refused) as caught:
            async with open_client(host, port, nick="ALICE"):
                pass
        assert caught.value.code == "nick-in-use"


async def test_a_nick_that_there_can_not_be() -> None:
    host, port = await unused_address()
    with pytest.raises(LocalProtocolError):
        async with open_client(host, port, nick="not a nick"):
            pass


async def test_nobody_there() -> None:
    host, port = await unused_address()
    with pytest.raises(OSError, match="connect"):
        async with open_client(host, port, nick="alice"):
            pass


async def test_leaving_says_quit_and_the_nick_is_free_at_once() -> None:
    async with real_server() as (host, port), open_client(host, port, nick="bob") as bob:
        await bob.join("#dev")
        for _ in range(3):
            async with open_client(host, port, nick="alice", session="ab" * 16) as chat:
                await chat.join("#dev")
                await chat.quit("tea")
        left = [event for _ in range(7) if isinstance(event := await anext(aiter(bob)), e.Left)]
    assert left == [e.Left("#dev", "alice", "tea")] * 3


async def test_the_end_of_the_server_ends_the_iteration() -> None:
    shutdown = trio.Event()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(partial(serve, ServerConfig(port=0), shutdown=shutdown))
            host, port = listener.socket.getsockname()
            async with open_client(host, port, nick="alice", reconnect=False) as chat:
                shutdown.set()
                with pytest.raises(ConnectionLost, match="shuts down"):
                    await anext(aiter(chat))


# --- with a scripted one --------------------------------------------------------------------------


async def test_a_stray_prompt_is_dropped(nursery: trio.Nursery) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(b"NICK")
    nursery.start_soon(Script(theirs).welcome)
    async with open_client_on(ours, nick="alice") as chat:
        assert chat.nick == "alice"
        await theirs.aclose()


@pytest.mark.parametrize(
    ("frame", "code"),
    [("ERROR nick-in-use :taken", "nick-in-use"), ("NICK :who are you?", "bad-nick")],
)
async def test_a_refused_hello_comes_out_plain(nursery: trio.Nursery, frame: str, code: str) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(frame.encode() + b"\n")
    with pytest.raises(Refused) as caught:
        async with open_client_on(ours, nick="alice"):
            pass
    assert caught.value.code == code
    assert code in str(caught.value)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"BYE :full\n", "full"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not keep to the protocol"),
    ],
)
async def test_a_hello_without_an_answer(said: bytes, reason: str) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(said)
    await theirs.send_eof()
    with pytest.raises(ConnectionLost, match=reason):
        async with open_client_on(ours, nick="alice"):
            pass
    with pytest.raises(trio.ClosedResourceError):
        await ours.send_all(b"x")


async def test_a_connection_that_breaks_before_hello() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.aclose()
    with pytest.raises(ConnectionLost, match="broke"):
        async with open_client_on(ours, nick="alice"):
            pass


async def test_a_server_that_never_answers(autojump_clock: trio.testing.MockClock) -> None:
    ours, _theirs = trio.testing.memory_stream_pair()
    start = trio.current_time()
    with pytest.raises(ConnectionLost, match="does not answer"):
        async with open_client_on(ours, nick="alice"):
            pass
    assert trio.current_time() - start == HELLO_TIMEOUT


async def test_a_cancelled_request_leaves_no_trace() -> None:
    async with scripted() as (chat, script):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(chat.history, "#dev")
                tag, _ = await script.request()
                await script.say(f"@{tag} MSG #dev 1 0 bob :early")
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        await script.say(f"@{tag} MSG #dev 2 0 bob :late", f"@{tag} OK", f"@{tag} OK", "RENAMED bob bert")
        assert await anext(aiter(chat)) == e.Renamed("bob", "bert")
        assert chat.statistics().unanswered == 0


async def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    async with scripted() as (chat, script):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(chat.history, "#dev")
                tag, _ = await script.request()
                await script.say(f"@{tag} MSG #dev 1 0 bob :early")
                await trio.testing.wait_all_tasks_blocked()
                [exchange] = chat._conversation.pending
                assert len(exchange._answer) == 1
                scope.cancel()
        assert exchange._answer == []
        await script.say(*[f"@{tag} MSG #dev {number} 0 bob :late" for number in range(2, 1000)])
        await trio.testing.wait_all_tasks_blocked()
        assert exchange._answer == []
        assert chat.statistics().unseen == 0


async def test_tags_are_drawn_anew_by_each_client() -> None:
    prefixes = set()
    for _ in range(3):
        async with scripted() as (chat, script):
            await chat.submit("#dev", "x")
            tag, request = await script.request()
            assert request == "MSG #dev :x"
            prefixes.add(tag.partition("-")[0])
    assert len(prefixes) == 3


async def test_a_ping_is_answered_even_if_the_window_is_full() -> None:
    async with scripted() as (chat, script):
        for _ in range(WINDOW):
            await chat.submit("#dev", "x")
        with trio.move_on_after(0) as scope:
            await chat.submit("#dev", "one too many")
        assert scope.cancelled_caught
        requests = [await script.request() for _ in range(WINDOW)]
        await script.say("PING :are you there")
        assert await script.line() == "PONG :are you there"
        await script.say(f"@{requests[0][0]} OK 1")
        await trio.testing.wait_all_tasks_blocked()
        await chat.submit("#dev", "now there is room")
        assert (await script.request())[1] == "MSG #dev :now there is room"


async def test_pings_of_a_server_that_does_not_read_are_not_hoarded() -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    script = Script(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        async with open_client_on(ours, nick="alice") as chat:
            await trio.testing.wait_all_tasks_blocked()
            for number in range(100):
                await script.say(f"PING :{number}")
            await trio.testing.wait_all_tasks_blocked()
            assert chat.statistics().unsent == MAX_PONGS
            answers = [await script.line() for _ in range(MAX_PONGS + 1)]
            assert answers[-1] == "PONG :99"
            await theirs.aclose()


async def test_a_program_that_does_not_look_is_told_so() -> None:
    async with scripted() as (chat, script):
        frames = [f"MSG #dev {number} 0 bob :x" for number in range(1, 10_004)]
        await script.say(*frames)

        async def answer() -> None:
            tag, _ = await script.request()
            await script.say(f"@{tag} PONG")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            await chat.ping()
        assert chat.statistics().unseen == 10_000
        events = aiter(chat)
        assert await anext(events) == Lagged(3)
        first = await anext(events)
        assert isinstance(first, e.Message)
        assert first.id == 4


@pytest.mark.parametrize(
    ("last_words", "reason"),
    [
        ("BYE :maintenance", "maintenance"),
        ("BYE", "good-bye"),
        ("RENAMED bob bert", "the server closed the connection"),
        ("OK what", "does not keep to the protocol"),
    ],
)
async def test_a_lost_connection_ends_everything_that_waits(last_words: str, reason: str) -> None:
    outcomes: list[str] = []

    async def wait_for(receipt: Receipt) -> None:
        with pytest.raises(ConnectionLost, match=reason):
            await receipt.kept()
        outcomes.append("kept")

    async def submit(chat: ChatClient) -> None:
        with pytest.raises(ConnectionLost, match=reason):
            await chat.submit("#dev", "behind the window")
        outcomes.append("submit")

    async with scripted(goodbye=False) as (chat, script), trio.open_nursery() as nursery:
        for _ in range(WINDOW):
            receipt = await chat.submit("#dev", "x")
        nursery.start_soon(wait_for, receipt)
        for _ in range(2 * WINDOW):
            nursery.start_soon(submit, chat)
        await trio.testing.wait_all_tasks_blocked()
        await script.say(last_words)
        await script.stream.send_eof()  # type: ignore[attr-defined]
        events = aiter(chat)
        if last_words.startswith("RENAMED"):
            assert await anext(events) == e.Renamed("bob", "bert")
        with pytest.raises(ConnectionLost, match=reason):
            await anext(events)
        with pytest.raises(ConnectionLost, match=reason):
            await chat.ping()
        # Our end is closed, though the block goes on: the server need not wait for it.
        await script.rest()
    assert sorted(outcomes) == ["kept"] + ["submit"] * 2 * WINDOW


async def test_a_connection_that_takes_nothing_more_is_lost(autojump_clock: trio.testing.MockClock) -> None:
    send, _unused = trio.testing.memory_stream_one_way_pair()
    other, receive = trio.testing.memory_stream_one_way_pair()

    async def broken() -> None:
        raise trio.BrokenResourceError

    stream = trio.StapledStream(send, receive)
    server = Script(trio.StapledStream(other, _unused))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.welcome)
        async with open_client_on(stream, nick="alice") as chat:
            send.send_all_hook = broken
            with pytest.raises(ConnectionLost, match="broke"):
                await chat.ping()


async def test_what_a_newer_server_says_is_passed_over() -> None:
    async with scripted() as (chat, script):
        await script.say("TYPING #dev bob", "OK", "ERROR throttled :slow down", "RENAMED bob bert")
        events = aiter(chat)
        assert await anext(events) == e.Failure("throttled", "slow down")
        assert await anext(events) == e.Renamed("bob", "bert")


async def test_who_comes_while_we_enter_a_room() -> None:
    """The server may know us from before, and tell of the room while it is asked."""
    async with scripted() as (chat, script):
        async with trio.open_nursery() as nursery:
            results: list[EnteredRoom] = []

            async def enter() -> None:
                results.append(await chat.join("#dev"))

            nursery.start_soon(enter)
            tag, _ = await script.request()
            await script.say("JOINED #dev bob", "RENAMED alice2 bob", f"@{tag} ROOM #dev 3 7 :lunch")
            await script.say(f"@{tag} NAMES #dev alice bob", f"@{tag} NAMES #dev carol")
            await script.say("LEFT #dev bob", "JOINED #dev erin", f"@{tag} OK 7", "LEFT #dev carol")
        nicks = ("alice", "bob", "carol")
        assert results[0].nicks == nicks
        events = aiter(chat)
        assert [await anext(events) for _ in range(5)] == [
            e.Renamed("alice2", "bob"),
            RoomState("#dev", nicks, "lunch"),
            e.Left("#dev", "bob"),
            e.Joined("#dev", "erin"),
            e.Left("#dev", "carol"),
        ]


@pytest.mark.parametrize("here", [False, True], ids=["from elsewhere", "while there"])
async def test_who_is_refused_behind_the_names_is_out_of_the_room(here: bool) -> None:
    """The server says who is there, and then that it can't read what we have asked for."""
    async with scripted() as (chat, script):

        async def enter(*frames: str, after: int | None = None) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(chat.join, "#dev", after)
                tag, _ = await script.request()
                await script.say(*(f"@{tag} {frame}" for frame in frames))

        if here:
            await enter("ROOM #dev 1 7", "NAMES #dev alice", "OK 7")
            assert chat.joined == ("#dev",)
        with pytest.RaisesGroup(Refused):
            await enter("ROOM #dev 1 7", "NAMES #dev alice", "ERROR unavailable :ask again", after=0)
        assert chat.joined == ()
        events = aiter(chat)
        state = RoomState("#dev", ("alice",), "")
        expected = [state] * (1 + here) + [e.Left("#dev", "alice", "ask again")]
        assert [await anext(events) for _ in expected] == expected


async def test_who_is_refused_a_room_without_a_word_stays_where_it_is() -> None:
    async with scripted() as (chat, script):

        async def enter(*frames: str) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(chat.join, "#dev")
                tag, _ = await script.request()
                await script.say(*(f"@{tag} {frame}" for frame in frames))

        with pytest.RaisesGroup(Refused):
            await enter("ERROR too-many-rooms :leave one")
        assert (chat.joined, chat.statistics().unseen) == ((), 0)
        await enter("ROOM #dev 1 7", "NAMES #dev alice", "OK 7")
        with pytest.RaisesGroup(Refused):
            await enter("ERROR throttled :slow down")
        assert (chat.joined, chat.statistics().unseen) == (("#dev",), 1)


async def test_an_agreement_without_an_id_is_no_receipt() -> None:
    async with scripted() as (chat, script):
        receipt = await chat.submit("#dev", "x")
        tag, _ = await script.request()
        await script.say(f"@{tag} OK")
        with pytest.raises(Exception, match="which id"):
            await receipt.kept()


async def test_quit_ends_the_iteration_and_refuses_more() -> None:
    async with scripted() as (chat, script):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chat.quit, "tea")
            tag, request = await script.request()
            assert request == "QUIT :tea"
            await script.say("RENAMED bob bert", f"@{tag} BYE :you quit")
        assert [event async for event in chat] == [e.Renamed("bob", "bert")]
        with pytest.raises(ConnectionLost, match="we have left"):
            await chat.ping()
        await chat.quit()


async def test_a_server_that_does_not_say_goodbye_is_left(autojump_clock: trio.testing.MockClock) -> None:
    start = trio.current_time()
    async with scripted(goodbye=False) as (chat, script):
        receipt = await chat.submit("#dev", "never answered")
    assert trio.current_time() - start == 1
    with pytest.raises(ConnectionLost, match="we have left"):
        await receipt.kept()
    assert (await script.rest()).splitlines()[-1].endswith(b" QUIT")


async def test_the_exception_of_the_block_comes_out_plain_and_nothing_is_said() -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    script = Script(theirs)
    error = ValueError("mine")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        with pytest.raises(ValueError, match="mine") as caught:
            async with open_client_on(ours, nick="alice"):
                raise error
        assert caught.value is error
    assert await script.rest() == b""


@pytest.mark.parametrize("end", ["by itself", "exception", "cancellation"])
async def test_the_end_of_the_block_is_told_to_tasks_outside_it(
    end: str, autojump_clock: trio.testing.MockClock
) -> None:
    outcomes: list[str] = []

    async def iterate(chat: ChatClient) -> None:
        assert [event async for event in chat] == []
        outcomes.append("iterated")

    async def ask(chat: ChatClient) -> None:
        with pytest.raises(ConnectionLost, match="we have left"):
            await chat.join("#dev")
        outcomes.append("asked")

    async def wait_for(receipt: Receipt) -> None:
        with pytest.raises(ConnectionLost, match="we have left"):
            await receipt.kept()
        outcomes.append("waited")

    ours, theirs = trio.testing.memory_stream_pair()
    with trio.fail_after(60):
        async with trio.open_nursery() as outside:
            outside.start_soon(Script(theirs).welcome)
            with suppress(ValueError), trio.move_on_after(1 if end == "cancellation" else 30):
                async with open_client_on(ours, nick="alice") as chat:
                    outside.start_soon(iterate, chat)
                    for _ in range(WINDOW):
                        receipt = await chat.submit("#dev", "x")
                    outside.start_soon(wait_for, receipt)
                    for _ in range(3):  # they wait for the window to open
                        outside.start_soon(ask, chat)
                    await trio.testing.wait_all_tasks_blocked()
                    if end == "exception":
                        raise ValueError("mine")
                    if end == "cancellation":
                        await trio.sleep_forever()
    assert sorted(outcomes) == ["asked"] * 3 + ["iterated", "waited"]
    with pytest.raises(ConnectionLost, match="we have left"):
        await chat.ping()


async def test_cancellation_leaves_no_task_behind() -> None:
    before = trio.lowlevel.current_statistics().tasks_living
    ours, theirs = trio.testing.memory_stream_pair()
    script = Script(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        with trio.CancelScope() as scope:
            async with open_client_on(ours, nick="alice") as chat:
                scope.cancel()
                async for _ in chat:
                    pass
        assert scope.cancelled_caught
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert await script.rest() == b""
