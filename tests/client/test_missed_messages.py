"""Private messages and a connection that is lost: a real server, a network that breaks.

What was written to a connection and did not arrive is the hard part: to the server it is delivered.
"""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.client.network import Network, network
from tests.client.servers import real_server
from tests.client.test_reconnecting import said, texts, until
from triochat.client import ChatClient, Disconnected, Reconnected, open_client
from triochat.client.opening import open_client_by
from triochat.client.state_file import StateFile
from triochat.config import ServerConfig
from triochat.journal import MemoryJournal
from triochat.protocol import events as e

Clock = trio.testing.MockClock

ALICE, BOB = 0, 1
"""The connections, in the order in which `pair` makes them."""


@asynccontextmanager
async def pair(config: ServerConfig | None = None) -> AsyncIterator[tuple[Network, ChatClient, ChatClient]]:
    async with (
        network(config or ServerConfig(port=0, rate_limit=0)) as net,
        open_client_by(net.dial, nick="alice") as alice,
        open_client_by(net.dial, nick="bob") as bob,
    ):
        yield net, alice, bob


async def tell(bob: ChatClient, *words: str, to: str = "@alice") -> list[int]:
    return [await bob.say(to, word) for word in words]


async def test_what_was_lost_on_its_way_comes_in_front_of_what_came_later(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        await tell(bob, "one")
        await until(alice, said("one"))
        net.streams[ALICE].stick()
        await tell(bob, "lost on its way", "this too")
        net.refusing = True
        net.streams[ALICE].reset()
        await trio.testing.wait_all_tasks_blocked()
        await tell(bob, "nobody there")
        net.refusing = False
        await alice.ping()
        await tell(bob, "there again")
        events = await until(alice, said("there again"))
        assert events[:2] == [Disconnected("the connection broke"), Reconnected("alice")]
        assert texts(events) == ["lost on its way", "this too", "nobody there", "there again"]


async def test_what_was_missed_is_the_same_as_what_was_heard_and_what_is_read_later(
    autojump_clock: Clock,
) -> None:
    """A program may compare them; under which tag the client asked for one is nobody's business."""
    async with pair() as (net, alice, bob):
        await bob.join("#dev")
        await alice.join("#dev")
        await tell(bob, "heard", to="#dev")
        await until(alice, said("heard"))
        net.streams[ALICE].stick()
        await tell(bob, "missed", to="#dev")
        await bob.set_topic("#dev", "missed")
        await tell(bob, "missed too")
        net.streams[ALICE].reset()
        await alice.ping()
        await tell(bob, "there again")
        events = [event for event in await until(alice, said("there again")) if isinstance(event, e.Event)]
        assert len(events) == 4
        assert {event.tag for event in events} == {None}
        assert set((await alice.history("#dev"))[1:] + await alice.history("@alice")) == set(events)


async def test_the_first_of_all_was_lost(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        net.streams[ALICE].stick()
        await tell(bob, "one")
        net.streams[ALICE].reset()
        await alice.ping()
        await tell(bob, "two")
        assert texts(await until(alice, said("two"))) == ["one", "two"]


async def test_more_than_a_page_while_more_comes(autojump_clock: Clock) -> None:
    config = ServerConfig(port=0, rate_limit=0, backlog=2**24)
    async with pair(config) as (net, alice, bob):
        net.streams[ALICE].stick()
        receipts = [await bob.submit("@alice", str(number)) for number in range(2500)]
        await receipts[-1].kept()
        net.streams[ALICE].reset()
        for number in range(2500, 5000):
            await bob.submit("@alice", str(number))
        assert texts(await until(alice, said("4999"))) == [str(number) for number in range(5000)]


async def test_a_second_cut_in_the_middle(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        net.streams[ALICE].stick()
        for number in range(1500):
            await bob.submit("@alice", str(number))
        await bob.ping()
        net.streams[ALICE].reset()
        told: list[object] = []
        cuts = 0
        with trio.fail_after(600):
            while "1499" not in texts(told[-1:]):
                told.append(await anext(aiter(alice)))
                if len(texts(told)) in (1, 700, 1100) and isinstance(told[-1], e.Message):
                    cuts += 1
                    net.streams[-1].reset()
        assert cuts == 3
        assert texts(told) == [str(number) for number in range(1500)]


async def test_a_new_name_has_an_inbox_of_its_own(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        await tell(bob, "one", "two")
        await alice.rename("alicia")
        await tell(bob, "uno", to="@alicia")
        net.streams[ALICE].stick()
        await tell(bob, "due", to="@alicia")
        net.streams[ALICE].reset()
        await alice.ping()
        await tell(bob, "tre", to="@alicia")
        assert texts(await until(alice, said("tre"))) == ["one", "two", "uno", "due", "tre"]


async def test_a_new_name_of_which_we_hear_only_when_we_are_back(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        await tell(bob, "one")
        await until(alice, said("one"))
        net.streams[ALICE].stick()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alice.rename, "alicia")
            await trio.testing.wait_all_tasks_blocked()
            await tell(bob, "uno", "due", to="@alicia")
            net.streams[ALICE].reset()
        assert alice.nick == "alicia"
        assert texts(await until(alice, said("due"))) == ["uno", "due"]


async def come_back_too_late(net: Network, alice: ChatClient) -> None:
    net.refusing = True
    net.streams[ALICE].reset()
    await trio.sleep(net.config.grace + 1)


async def test_what_another_was_told_who_had_our_name_is_not_for_us(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        await tell(bob, "one")
        await come_back_too_late(net, alice)
        net.refusing = False
        async with open_client_by(net.dial, nick="alice", reconnect=False):
            net.refusing = True
            await tell(bob, "not for you")
        net.refusing = False
        await alice.ping()
        net.streams[-1].stick()
        await tell(bob, "lost on its way")
        net.streams[-1].reset()
        await alice.ping()
        await tell(bob, "two")
        assert texts(await until(alice, said("two"))) == ["one", "lost on its way", "two"]


async def test_a_server_that_lost_its_memory_counts_anew(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        await tell(bob, "one", "two", "three")
        await net.stop()
        net.journal = MemoryJournal()
        await net.start()
        await alice.ping()
        await bob.ping()
        for stream in net.streams:
            stream.stick()  # bob does not hear the acknowledgement either
        await bob.submit("@alice", "four")
        await trio.testing.wait_all_tasks_blocked()
        net.cut()
        await alice.ping()
        assert await tell(bob, "five") == [2]
        assert texts(await until(alice, said("five"))) == ["one", "two", "three", "four", "five"]


async def test_a_server_that_was_restarted_begins_an_inbox_anew(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        await tell(bob, "one", "two")
        await net.stop()
        await net.start()
        await alice.ping()
        assert await tell(bob, "three") == [3]
        await until(alice, said("three"))
        net.streams[-1].stick()
        net.streams[-2].stick()
        await bob.submit("@alice", "four")
        await trio.testing.wait_all_tasks_blocked()
        net.cut()
        await alice.ping()
        await tell(bob, "five")
        assert texts(await until(alice, said("five"))) == ["four", "five"]


async def test_what_is_no_longer_kept_is_told(autojump_clock: Clock) -> None:
    async with pair() as (net, alice, bob):
        net.journal._retention = 3
        await tell(bob, "one", "two")
        await until(alice, said("two"))
        net.streams[ALICE].stick()
        await tell(bob, *map(str, range(3, 10)))
        net.streams[ALICE].reset()
        events = await until(alice, said("9"))
        gaps = [(event.first, event.last) for event in events if isinstance(event, e.Gap)]
        assert gaps == [(3, 6)]
        assert texts(events) == ["7", "8", "9"]


async def test_the_next_program_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "state"
    async with real_server() as (host, port), open_client(host, port, nick="bob") as bob:
        async with open_client(host, port, nick="alice", state=path) as alice:
            await tell(bob, "one", "two", "three")
            assert texts(await until(alice, said("one"))) == ["one"]  # and looks no further
            alice._conversation.leave()  # as if it were killed
        with StateFile(path) as file:
            assert file.state is not None
            assert file.state.inbox is not None
            assert (file.state.inbox.nick, file.state.inbox.id) == ("alice", 1)
        async with open_client(host, port, nick="alice", state=path) as alice:
            await tell(bob, "four")
            assert texts(await until(alice, said("four"))) == ["two", "three", "four"]
            await alice.rename("alicia")
            await until(alice, lambda event: isinstance(event, e.Renamed))
            await tell(bob, "uno", "due", to="@alicia")
            await until(alice, said("uno"))
            alice._conversation.leave()
        async with open_client(host, port, nick="alice", state=path) as alice:
            assert alice.nick == "alicia"
            await tell(bob, "tre", to="@alicia")
            assert texts(await until(alice, said("tre"))) == ["due", "tre"]


async def test_a_session_that_is_given_gets_all_that_was_said_to_it(autojump_clock: Clock) -> None:
    async with network() as net, open_client_by(net.dial, nick="bob") as bob:
        async with open_client_by(net.dial, nick="alice", session="ab" * 16) as alice:
            await tell(bob, "one", "two")
            alice._conversation.leave()
        async with open_client_by(net.dial, nick="alice", session="ab" * 16) as alice:
            assert texts(await until(alice, said("two"))) == ["one", "two"]


@pytest.mark.parametrize("seed", range(20))
async def test_cuts_lose_nothing_and_repeat_nothing(seed: int, autojump_clock: Clock) -> None:
    rng = random.Random(seed)
    ended = trio.Event()
    seen: list[str] = []

    async def listen(alice: ChatClient, wanted: Callable[[object], bool]) -> None:
        seen.extend(texts(await until(alice, wanted)))
        ended.set()

    async def break_things(net: Network) -> None:
        while True:
            await trio.sleep(rng.expovariate(1))
            if not net.streams:
                continue
            stream = rng.choice(net.streams)
            if rng.random() < 0.7:
                stream.stick()
                await trio.sleep(rng.expovariate(2))
            stream.reset()

    with trio.fail_after(3600):
        async with network() as net, trio.open_nursery() as nursery:
            async with (
                open_client_by(net.dial, nick="alice", jitter=rng.uniform) as alice,
                open_client_by(net.dial, nick="bob", jitter=rng.uniform) as bob,
            ):
                nursery.start_soon(listen, alice, said("199"))
                nursery.start_soon(break_things, net)
                for number in range(200):
                    await trio.sleep(rng.uniform(0, 0.2))
                    await bob.submit("@alice", str(number))
                await ended.wait()
            nursery.cancel_scope.cancel()
    assert seen == [str(number) for number in range(200)]
