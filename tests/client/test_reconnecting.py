"""What a client does for its user when the connection is lost: a real server, a network that breaks."""

import copy
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
import trio
import trio.testing

from tests.client.network import Network, network
from tests.client.servers import Script
from triochat.client import ChatClient, ConnectionLost, Disconnected, Reconnected, Refused, RoomState
from triochat.client.exchange import WINDOW
from triochat.client.link import SILENCE
from triochat.client.opening import open_client_by
from triochat.config import ServerConfig
from triochat.protocol import events as e

Clock = trio.testing.MockClock


async def until(chat: ChatClient, wanted: Callable[[object], bool]) -> list[object]:
    """Everything that happens, up to what is wanted."""
    seen: list[object] = []
    with trio.fail_after(600):
        async for event in chat:
            seen.append(event)
            if wanted(event):
                return seen
    raise AssertionError(f"it ended: {seen}")


def said(text: str) -> Callable[[object], bool]:
    return lambda event: isinstance(event, e.Message) and event.text == text


def texts(events: list[object]) -> list[str]:
    return [event.text for event in events if isinstance(event, e.Message)]


async def test_a_lost_connection_is_one_pair_of_events_and_nobody_else_notices(autojump_clock: Clock) -> None:
    async with (
        network() as net,
        open_client_by(net.dial, nick="alice") as alice,
        open_client_by(net.dial, nick="bob") as bob,
    ):
        await alice.join("#dev")
        await bob.join("#dev")
        await bob.say("#dev", "one")
        net.streams[0].reset()
        await bob.say("#dev", "two")
        await bob.say("@alice", "psst")
        assert await alice.say("#dev", "three") == 3
        events = await until(alice, said("three"))
        assert events[:2] == [RoomState("#dev", ("alice",), ""), e.Joined("#dev", "bob")]
        assert events[3:5] == [Disconnected("the connection broke"), Reconnected("alice")]
        assert RoomState("#dev", ("alice", "bob"), "") in events[5:]
        assert sorted(texts(events)) == ["one", "psst", "three", "two"]
        assert [event for event in await until(bob, said("three")) if isinstance(event, e.Left)] == []


async def test_a_restart_of_the_server_is_survived(autojump_clock: Clock) -> None:
    async with (
        network() as net,
        open_client_by(net.dial, nick="alice") as alice,
        open_client_by(net.dial, nick="bob") as bob,
    ):
        for chat in (alice, bob):
            await chat.join("#dev")
            await chat.join("#ops")
        assert await alice.say("#dev", "one") == 1
        await net.stop(gently=True)
        events = await until(alice, lambda event: isinstance(event, Disconnected))
        assert events[-1] == Disconnected("the server shuts down")
        receipts = [await alice.submit("#dev", f"while it is down {number}") for number in range(5)]
        assert not alice.connected
        assert alice.statistics().unsent == 5
        await trio.sleep(60)
        await net.start()
        assert [await receipt.kept() for receipt in receipts] == [2, 3, 4, 5, 6]
        assert await bob.say("#ops", "here") == 1
        assert sorted(await bob.names("#dev")) == ["alice", "bob"]
        assert alice.joined == ("#dev", "#ops")
        assert texts(await until(bob, said("here"))) == [
            "one",
            *(f"while it is down {number}" for number in range(5)),
            "here",
        ]


async def test_delays_grow_and_are_drawn_at_random(autojump_clock: Clock) -> None:
    async with network() as net:
        bounds: list[float] = []

        def jitter(least: float, most: float) -> float:
            assert least == 0
            bounds.append(most)
            return most

        async with open_client_by(net.dial, nick="alice", jitter=jitter) as alice:
            await trio.sleep(5)
            net.refusing = True
            net.cut()
            await trio.sleep(100)
            assert [round(bound, 1) for bound in bounds[:9]] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15]
            assert bounds[-1] == 15
            net.refusing = False
            await alice.ping()
            await trio.sleep(5)
            bounds.clear()
            net.cut()
            await alice.ping()
            assert bounds == [0.1]
            net.cut()  # it did not last
            await trio.testing.wait_all_tasks_blocked()
            await alice.ping()
            assert bounds == [0.1, 0.2]


async def test_without_reconnecting_the_end_is_the_end(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice", reconnect=False) as alice:
        net.cut()
        with pytest.raises(ConnectionLost, match="broke"):
            await alice.ping()
        with pytest.raises(ConnectionLost, match="broke"):
            await anext(aiter(alice))
    assert len(net.attempts) == 1


async def test_who_is_replaced_does_not_fight(autojump_clock: Clock) -> None:
    session = "ab" * 16
    async with (
        network() as net,
        open_client_by(net.dial, nick="alice", session=session) as old,
        open_client_by(net.dial, nick="alice", session=session) as new,
    ):
        with pytest.raises(ConnectionLost, match="replaced"):
            await anext(aiter(old))
        await new.ping()
        with pytest.raises(ConnectionLost, match="replaced"):
            await old.say("#dev", "who am I?")
        attempts = len(net.attempts)
        assert attempts > 2, "it has asked whether the other one is there to stay"
        await trio.sleep(100)
        assert len(net.attempts) == attempts
        await new.ping()
        assert new.statistics().unseen == 0, "and the other one has noticed nothing"


async def test_who_was_replaced_throws_nobody_out_though_nobody_answers(autojump_clock: Clock) -> None:
    session = "ab" * 16
    async with network() as net, open_client_by(net.dial, nick="alice", session=session) as old:
        await old.ping()
        async with open_client_by(net.dial, nick="alice", session=session) as new:
            await trio.sleep(1.5)  # it has asked once
            net.refusing = True
            await trio.sleep(30)
            net.refusing = False
            with pytest.raises(ConnectionLost, match="replaced"):
                [event async for event in old]
            await new.ping()
            assert new.connected
            assert new.statistics().unseen == 0, "it has noticed nothing"


async def test_a_connection_that_was_given_up_takes_nobodys_place_for_long(autojump_clock: Clock) -> None:
    """Its hello was held up on the way, and arrives when another one is there."""
    session = "ab" * 16
    async with network() as net, open_client_by(net.dial, nick="alice", session=session) as alice:
        await alice.join("#dev")
        late = await net.dial()
        await late.send_all(f"@n NICK alice triochat/1 session={session}\n".encode())
        await late.aclose()
        events = await until(alice, lambda event: isinstance(event, Reconnected))
        assert events[1:] == [Disconnected("replaced"), Reconnected("alice")]
        assert await alice.say("#dev", "still here") == 1


async def test_the_server_may_end_while_it_is_asked_whether_another_one_stays(autojump_clock: Clock) -> None:
    session = "ab" * 16
    async with network() as net, open_client_by(net.dial, nick="alice", session=session) as alice:
        late = await net.dial()
        await late.send_all(f"@n NICK alice triochat/1 session={session}\n".encode())
        await trio.sleep(0.5)
        await net.stop()
        await trio.sleep(60)
        await net.start()
        assert (await until(alice, lambda event: isinstance(event, Reconnected)))[0] == Disconnected(
            "replaced"
        )


async def test_a_server_that_is_silent_is_given_up(autojump_clock: Clock) -> None:
    async with network() as net:
        silent = True
        ours, theirs = trio.testing.memory_stream_pair()

        async def dial() -> trio.abc.Stream:
            return ours if silent else await net.dial()

        async with trio.open_nursery() as nursery:
            script = Script(theirs)
            nursery.start_soon(script.welcome)
            async with open_client_by(dial, nick="alice") as alice:
                start = trio.current_time()
                silent = False
                await until(alice, lambda event: isinstance(event, Disconnected))
                assert trio.current_time() - start == pytest.approx(2 * SILENCE)
                assert await script.line() == "PING"
                await alice.ping()


async def test_an_acknowledgement_that_was_lost_is_given_again_and_nothing_is_seen_twice(
    autojump_clock: Clock,
) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        await alice.join("#dev")
        lost = 0
        heard = alice._conversation._answered

        def lose(event: e.Event, tag: str) -> None:
            nonlocal lost
            if isinstance(event, e.Ok) and event.id == 1 and not lost:
                lost += 1
                raise ConnectionLost("cut here")
            heard(event, tag)

        alice._conversation._answered = lose  # type: ignore[method-assign]
        assert await alice.say("#dev", "once") == 1
        assert await alice.say("#dev", "twice") == 2
        assert lost == 1
        assert texts(await until(alice, said("twice"))) == ["once", "twice"]


async def test_everything_that_has_no_answer_is_asked_again_under_its_tag_in_order(
    autojump_clock: Clock,
) -> None:
    connections: list[Script] = []

    async def dial() -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        connections.append(Script(theirs))
        nursery.start_soon(connections[-1].welcome)
        return ours

    async with trio.open_nursery() as nursery:
        async with open_client_by(dial, nick="alice") as alice:
            [script] = connections
            nursery.start_soon(alice.join, "#dev")
            tag, _ = await script.request()
            await script.say(f"@{tag} ROOM #dev 1 7", f"@{tag} NAMES #dev alice", f"@{tag} OK 7")
            await trio.testing.wait_all_tasks_blocked()
            with trio.move_on_after(1):
                await alice.say("#dev", "who says this waits no longer")
            await alice.submit("#dev", "one")
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(alice.names, "#dev")
            await trio.testing.wait_all_tasks_blocked()
            await alice.submit("#dev", "two")
            nursery.start_soon(alice.part, "#dev")
            await trio.testing.wait_all_tasks_blocked()
            first = [await script.request() for _ in range(5)]
            await script.stream.aclose()
            await trio.sleep(1)
            script = connections[1]
            await script.nothing_missed()
            tag, request = await script.request()
            assert request == "JOIN #dev after=7"
            await trio.testing.wait_all_tasks_blocked()
            assert script._seen == b""  # first of all, be there
            await script.say(f"@{tag} ROOM #dev 1 7", f"@{tag} NAMES #dev alice", f"@{tag} OK 7")
            again = [await script.request() for _ in range(4)]
            assert again == first[1:]
            for tag, request in again:
                if request.startswith("PART"):  # it had been carried out before
                    await script.say(f"@{tag} ERROR not-in-room :you are not in this room")
                else:
                    await script.say(f"@{tag} OK 8")
            await trio.testing.wait_all_tasks_blocked()
            assert alice.joined == ()
            assert alice.statistics().unanswered == 0
            await script.stream.aclose()
        nursery.cancel_scope.cancel()


async def test_a_block_that_is_left_without_a_connection_ends_at_once(autojump_clock: Clock) -> None:
    async with network() as net:
        async with open_client_by(net.dial, nick="alice") as alice:
            net.refusing = True
            net.cut()
            await until(alice, lambda event: isinstance(event, Disconnected))
            receipt = await alice.submit("#dev", "too late")
            for _ in range(WINDOW - 1):
                await alice.submit("#dev", "too late")
            with trio.move_on_after(5) as scope:
                await alice.submit("#dev", "one too many")
            assert scope.cancelled_caught
            start = trio.current_time()
        assert trio.current_time() == start
        with pytest.raises(ConnectionLost, match="we have left"):
            await receipt.kept()


@pytest.mark.parametrize("end", ["exception", "cancellation"])
async def test_a_nick_that_nobody_can_come_back_for_is_free_at_once(end: str, autojump_clock: Clock) -> None:
    async with network() as net:
        for _ in range(3):
            with suppress(ValueError), trio.CancelScope() as scope:
                async with open_client_by(net.dial, nick="alice") as alice:
                    await alice.join("#dev")
                    if end == "exception":
                        raise ValueError("mine")
                    scope.cancel()
                    await trio.lowlevel.checkpoint()
            await trio.testing.wait_all_tasks_blocked()


async def test_a_nick_that_may_come_back_is_held(autojump_clock: Clock) -> None:
    async with network() as net:
        with suppress(ValueError):
            async with open_client_by(net.dial, nick="alice", session="ab" * 16):
                raise ValueError("mine")
        with pytest.raises(Refused, match="nick-in-use"):
            async with open_client_by(net.dial, nick="alice"):
                pass


async def test_a_nick_that_was_taken_meanwhile_is_told_once_and_waited_for(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        await alice.join("#dev")
        await net.stop()
        await net.start()
        async with open_client_by(net.dial, nick="ALICE", reconnect=False):
            events = await until(alice, lambda event: isinstance(event, e.Failure))
            assert isinstance(events[-1], e.Failure)
            assert events[-1].code == "nick-in-use"
            await trio.sleep(60)
            assert alice.statistics().unseen == 0
        assert await alice.say("#dev", "back") == 1
        assert isinstance((await until(alice, said("back")))[0], Reconnected)


async def test_who_asks_for_another_nick_comes_back_under_that(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        await alice.join("#dev")
        await net.stop()
        await net.start()
        async with open_client_by(net.dial, nick="ALICE", reconnect=False) as other:
            await other.join("#dev")
            await until(alice, lambda event: isinstance(event, e.Failure))
            await alice.rename("alice2")
            assert (alice.nick, await alice.say("#dev", "back")) == ("alice2", 1)
            events = await until(alice, said("back"))
            assert events[:2] == [e.Renamed("alice", "alice2"), Reconnected("alice2")]
            assert sum(isinstance(event, e.Renamed) for event in events) == 1
            assert e.Joined("#dev", "alice2") in await until(other, said("back"))
            assert await other.names("#dev") == ("ALICE", "alice2")


async def test_another_nick_brings_back_who_has_much_to_say(autojump_clock: Clock) -> None:
    """All that may wait for an answer waits, and the rename has no place among it."""
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        await alice.join("#dev")
        await net.stop()
        receipts = [await alice.submit("#dev", f"{number}") for number in range(WINDOW)]
        await net.start()
        async with open_client_by(net.dial, nick="ALICE", reconnect=False):
            await until(alice, lambda event: isinstance(event, e.Failure))
            with trio.fail_after(60):
                await alice.rename("alice2")
            assert [await receipt.kept() for receipt in receipts] == list(range(1, WINDOW + 1))


async def test_who_is_still_known_comes_back_as_it_was_and_then_takes_the_other_nick(
    autojump_clock: Clock,
) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        net.refusing = True
        net.cut()
        await until(alice, lambda event: isinstance(event, Disconnected))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alice.rename, "alice2")
            await trio.sleep(1)
            net.refusing = False
        assert alice.nick == "alice2"


async def test_a_rename_whose_answer_was_lost_is_known_all_the_same(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        await alice.join("#dev")

        def lose(event: e.Event, tag: str) -> None:
            del alice._conversation._answered
            raise ConnectionLost(f"cut here: {event} {tag}")

        renamed = alice._conversation.memberships.hear

        def lose_news(event: e.Event, me: str) -> bool:
            return not isinstance(event, e.Renamed) and renamed(event, me)

        alice._conversation._answered = lose  # type: ignore[method-assign]
        alice._conversation.memberships.hear = lose_news  # type: ignore[method-assign]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alice.rename, "alicia")
            await until(alice, lambda event: isinstance(event, Disconnected))
            alice._conversation.memberships.hear = renamed  # type: ignore[method-assign]
        assert alice.nick == "alicia"
        assert await alice.names("#dev") == ("alicia",)
        assert await anext(aiter(alice)) == e.Renamed("alice", "alicia")


async def test_who_came_and_went_meanwhile_is_told(autojump_clock: Clock) -> None:
    config = ServerConfig(port=0, grace=0)
    async with (
        network(config) as net,
        open_client_by(net.dial, nick="alice") as alice,
        open_client_by(net.dial, nick="bob") as bob,
        open_client_by(net.dial, nick="carol") as carol,
    ):
        for chat in (bob, alice):
            await chat.join("#dev")
        net.refusing = True
        net.streams[0].reset()
        await bob.part("#dev")
        await carol.join("#dev")
        net.refusing = False
        await carol.say("#dev", "hello")
        events = await until(alice, said("hello"))
        assert events[2:-1] == [
            Reconnected("alice"),
            e.Left("#dev", "bob"),
            e.Joined("#dev", "carol"),
            RoomState("#dev", ("carol", "alice"), ""),
        ]


async def test_a_server_that_lost_its_memory_begins_anew(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        await alice.join("#dev")
        assert [await alice.say("#dev", text) for text in "abc"] == [1, 2, 3]
        await net.stop()
        net.journal = type(net.journal)()
        await net.start()
        assert await alice.say("#dev", "d") == 1
        assert texts(await until(alice, said("d"))) == ["a", "b", "c", "d"]


async def test_a_server_that_was_given_a_back_up_tells_what_is_new(autojump_clock: Clock) -> None:
    """Also if the new log is longer than the old one by the time that we are back."""
    async with network() as net, open_client_by(net.dial, nick="alice", jitter=lambda _, most: most) as alice:
        await alice.join("#dev")
        for number in range(1, 9):
            await alice.say("#dev", f"{number}")
        back_up = copy.deepcopy(net.journal)
        for number in (9, 10):
            await alice.say("#dev", f"lost {number}")
        await until(alice, said("lost 10"))
        await net.stop()
        net.journal = back_up
        await net.start()
        net.refusing = True
        await trio.sleep(10)
        net.refusing = False
        async with open_client_by(net.dial, nick="bob", reconnect=False) as bob:
            await bob.join("#dev")
            for number in range(9, 13):
                assert await bob.say("#dev", f"new {number}") == number
            assert not alice.connected
            events = await until(alice, said("new 12"))
        assert texts(events) == ["new 9", "new 10", "new 11", "new 12"]


async def test_a_room_that_does_not_take_us_back_is_left(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="alice") as alice:
        for room in ("#dev", "#ops"):
            await alice.join(room)
            await alice.say(room, "hello")
        await net.stop()
        net.config = ServerConfig(port=0, max_rooms_each=1)
        await net.start()
        events = await until(alice, lambda event: isinstance(event, e.Left))
        assert [event.code for event in events if isinstance(event, e.Failure)] == ["too-many-rooms"]
        assert isinstance(events[-1], e.Left)
        assert (events[-1].room, events[-1].nick) == ("#ops", "alice")
        assert alice.joined == ("#dev",)


async def test_who_leaves_in_the_moment_of_coming_back_is_gone(autojump_clock: Clock) -> None:
    """The connection was made, and nobody else knows of it yet."""
    scripts: list[Script] = []

    async def dial() -> trio.abc.Stream:
        ours, theirs = trio.testing.memory_stream_pair()
        scripts.append(Script(theirs))
        return ours

    async def welcome(script: Script) -> None:
        tag, _ = await script.request()
        await script.say(f"@{tag} WELCOME alice test", f"@{tag} OK")

    async with trio.open_nursery() as nursery:

        async def welcome_first() -> None:
            await trio.testing.wait_all_tasks_blocked()
            await welcome(scripts[0])

        nursery.start_soon(welcome_first)
        async with open_client_by(dial, nick="alice") as alice:
            await scripts[0].say("BYE :restart")
            await until(alice, lambda event: isinstance(event, Disconnected))
            await trio.sleep(1)
            await welcome(scripts[1])
            await alice.quit()
            assert not alice.connected
            assert await scripts[1].line() == "QUIT"
            assert await scripts[1].rest() == b""


# --- anything -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
async def test_cuts_lose_nothing_repeat_nothing_and_leave_no_hole(seed: int, autojump_clock: Clock) -> None:
    rng = random.Random(seed)
    ids: dict[str, int] = {}  # text → acknowledged id
    seen: dict[str, list[e.Message]] = {}
    complete = trio.Event()

    async def chatter(net: Network, nick: str) -> None:
        async with open_client_by(net.dial, nick=nick, jitter=rng.uniform) as chat:
            await chat.join("#dev", after=0)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(listen, chat, nick)
                for number in range(30):
                    await trio.sleep(rng.uniform(0, 0.3))
                    text = f"{nick} {number}"
                    ids[text] = await chat.say("#dev", text)
                await complete.wait()
                nursery.cancel_scope.cancel()

    async def listen(chat: ChatClient, nick: str) -> None:
        seen[nick] = []
        async for event in chat:
            if isinstance(event, e.Message):
                seen[nick].append(event)
                if all(messages and messages[-1].id == 90 for messages in seen.values()):
                    complete.set()

    async def break_things(net: Network) -> None:
        while True:
            await trio.sleep(rng.expovariate(1))
            match rng.randrange(5):
                case 0 | 1 | 2 if net.streams:
                    rng.choice(net.streams).reset()
                case 3:
                    net.cut()
                case _:
                    await net.stop(gently=rng.random() < 0.5)
                    await trio.sleep(rng.uniform(0, 3))
                    await net.start()

    with trio.fail_after(3600):
        async with network(ServerConfig(port=0, rate_limit=0)) as net, trio.open_nursery() as nursery:
            nursery.start_soon(break_things, net)
            async with trio.open_nursery() as chatters:
                for nick in ("alice", "bob", "carol"):
                    chatters.start_soon(chatter, net, nick)
            nursery.cancel_scope.cancel()
    assert sorted(ids.values()) == list(range(1, 91))
    for nick, messages in seen.items():
        assert [message.id for message in messages] == list(range(1, 91)), nick
        assert {message.text: message.id for message in messages} == ids
