"""One connection, with a script at its other end; what goes on above it is in test_chat_client.py."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tests.client.servers import Script
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.link import HELLO_TIMEOUT, QUIT_TIMEOUT, SILENCE, Link, introduce
from triochat.protocol import events as e

Clock = trio.testing.MockClock
HELLO = e.Hello("alice", tag="h")


class Call:
    """A link that runs, and what came of it."""

    def __init__(self, link: Link, script: Script) -> None:
        self.link = link
        self.script = script
        self.heard: list[e.Event] = []
        self.lost: ConnectionLost | None = None
        self.scope = trio.CancelScope()

    async def run(self) -> None:
        with self.scope:
            self.lost = await self.link.run(self.hear)

    def hear(self, event: e.Event) -> None:
        self.heard.append(event)


@asynccontextmanager
async def call() -> AsyncIterator[Call]:
    ours, theirs = trio.testing.memory_stream_pair()
    script = Script(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        link, _ = await introduce(ours, HELLO)
        subject = Call(link, script)
        nursery.start_soon(subject.run)
        yield subject
        subject.scope.cancel()


async def test_frames_go_out_in_their_order_and_come_in() -> None:
    async with call() as subject:
        subject.link.send(b"@a PING\n")
        subject.link.send(b"@b PING\n")
        assert len(subject.link) == 2
        assert [await subject.script.line() for _ in range(2)] == ["@a PING", "@b PING"]
        await subject.script.say("@a PONG", "JOINED #dev bob")
        await trio.testing.wait_all_tasks_blocked()
        assert (len(subject.link), subject.heard) == (0, [e.Pong(tag="a"), e.Joined("#dev", "bob")])


async def test_a_ping_is_answered_and_told_to_nobody() -> None:
    async with call() as subject:
        await subject.script.say("PING :x")
        assert await subject.script.line() == "PONG :x"
        assert subject.heard == []


@pytest.mark.parametrize(
    ("said", "reason", "replaced"),
    [
        ("BYE :replaced", "replaced", True),
        ("BYE :maintenance", "maintenance", False),
        ("BYE", "the server said good-bye", False),
        ("OK what", "the server does not keep to the protocol", False),
    ],
)
async def test_why_it_ended(said: str, reason: str, replaced: bool) -> None:
    async with call() as subject:
        await subject.script.say(said)
        await subject.script.rest()  # it is closed
        await trio.testing.wait_all_tasks_blocked()
        assert subject.lost is not None
        assert (subject.lost.reason, subject.link.replaced) == (reason, replaced)


async def test_who_hears_may_end_it() -> None:
    def refuse(_: e.Event) -> None:
        raise ConnectionLost("not like this")

    ours, theirs = trio.testing.memory_stream_pair()
    script = Script(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        link, _ = await introduce(ours, HELLO)
        await script.say("JOINED #dev bob")
        assert (await link.run(refuse)).reason == "not like this"


async def test_a_silent_server_is_asked_and_then_given_up(autojump_clock: Clock) -> None:
    async with call() as subject:
        assert await subject.script.line() == "PING"
        assert trio.current_time() == pytest.approx(SILENCE)
        await subject.script.say("PONG")  # so it is there
        assert await subject.script.line() == "PING"
        await trio.sleep(SILENCE + 1)
        assert subject.lost is not None
        assert subject.lost.reason == "the server does not answer"


@pytest.mark.parametrize("words", [b"@q QUIT\n", b""])
async def test_the_last_words_of_one_that_is_cancelled(words: bytes) -> None:
    async with call() as subject:
        subject.link.last_words = words
        await trio.testing.wait_all_tasks_blocked()
        subject.scope.cancel()
        assert await subject.script.rest() == words


async def test_no_last_words_behind_half_a_frame(autojump_clock: Clock) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    script = Script(theirs)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(script.welcome)
        link, _ = await introduce(ours, HELLO)
        link.last_words = b"@q QUIT\n"
        link.send(b"@a PING\n")
        with trio.move_on_after(1):
            await link.run(lambda _: None)
        assert trio.current_time() == 1
        assert b"QUIT" not in await script.rest()


async def test_last_words_that_nobody_takes_are_not_waited_for_long(autojump_clock: Clock) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Script(theirs).welcome)
        link, _ = await introduce(ours, HELLO)
        link.last_words = b"@q QUIT\n"
        with trio.move_on_after(1):
            await link.run(lambda _: None)
    assert trio.current_time() == pytest.approx(1 + QUIT_TIMEOUT)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (["ERROR nick-in-use :taken"], Refused),
        (["NICK :who?"], Refused),
        (["BYE"], ConnectionLost),
        (["OK", "@h OK"], ConnectionLost),  # agreed, but to whom?
        (["junk"], ConnectionLost),
        (["\x00"], ConnectionLost),
    ],
)
async def test_a_hello_that_comes_to_nothing_closes_the_stream(
    answer: list[str], error: type[Exception], autojump_clock: Clock
) -> None:
    ours, theirs = trio.testing.memory_stream_pair()
    await Script(theirs).say(*answer)
    with pytest.raises(error):
        await introduce(ours, HELLO)
    assert trio.current_time() <= HELLO_TIMEOUT
    with pytest.raises(trio.ClosedResourceError):
        await ours.receive_some()
