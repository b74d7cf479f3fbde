"""Who never says who it is, and who has fallen silent; timeouts come late by a quarter at most."""

import pytest
import trio
from trio.testing import MockClock

from tests.server.conftest import Start
from tests.server.guests import Guest
from triochat.server.peer import LINGER

HANDSHAKE = 20
IDLE = 40
SLACK = HANDSHAKE / 4


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(b"", b"NICK", id="silent, so it got the prompt"),
        pytest.param(b"NICK ali", b"", id="half a hello"),
        pytest.param(b"NICK alice triochat/1", b"", id="a hello without its end"),
    ],
)
async def test_who_does_not_say_who_it_is_is_let_go(
    start: Start, autojump_clock: MockClock, said: bytes, expected: bytes
) -> None:
    server = await start(handshake_timeout=HANDSHAKE)
    guest = server.connect()
    await guest.send_bytes(said)
    begin = trio.current_time()
    # Nobody knows what language to say good-bye in.
    assert await guest.rest_of_bytes() == expected
    assert HANDSHAKE <= trio.current_time() - begin <= HANDSHAKE + SLACK
    await guest.close()


async def test_a_person_who_has_given_no_name_that_does_is_told(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(handshake_timeout=HANDSHAKE)
    guest = server.connect()
    await guest.send("not a name")
    assert (await guest.rest())[-1] == "NICKGoodbye! (you did not say who you are)"


async def test_a_framed_peer_whose_nick_was_taken_is_told(start: Start, autojump_clock: MockClock) -> None:
    server = await start(handshake_timeout=HANDSHAKE)
    await server.enter("alice")
    guest = server.connect()
    assert (await guest.ask("NICK alice triochat/1"))[-1].startswith("ERROR nick-in-use")
    assert (await guest.line()).startswith("NICK :")
    assert await guest.rest() == ["BYE :you did not say who you are"]


async def test_talking_without_saying_who_one_is_does_not_help(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(handshake_timeout=HANDSHAKE, sniff_time=0.3)
    guest = server.connect()
    begin = trio.current_time()
    await guest.send_bytes(b"NICK ")

    async def dribble() -> None:
        for _ in range(1000):
            await guest.send_bytes(b"a")
            await trio.sleep(0.5)

    with pytest.raises(trio.BrokenResourceError):
        await dribble()
    assert trio.current_time() - begin <= HANDSHAKE + SLACK + LINGER + 0.5


async def idle_server_with(start: Start) -> Guest:
    server = await start(idle_timeout=IDLE)
    return await server.enter("alice")


async def test_a_silent_client_is_asked_and_then_dropped(start: Start, autojump_clock: MockClock) -> None:
    alice = await idle_server_with(start)
    begin = trio.current_time()
    assert await alice.line() == "PING"
    asked = trio.current_time()
    assert IDLE <= asked - begin <= IDLE * 1.25
    assert await alice.rest() == ["BYE :idle"]
    assert IDLE <= trio.current_time() - asked <= IDLE * 1.25


@pytest.mark.parametrize("answer", ["PONG", "PONG :", "PING", "NAMES #nowhere", "junk"])
async def test_any_answer_keeps_it(start: Start, autojump_clock: MockClock, answer: str) -> None:
    alice = await idle_server_with(start)
    for _ in range(10):
        await alice.until("PING")
        await alice.send(answer)
    assert (await alice.ask("PING"))[-1] == "PONG"


async def test_it_is_asked_once_at_a_time(start: Start, autojump_clock: MockClock) -> None:
    alice = await idle_server_with(start)
    assert await alice.rest() == ["PING", "BYE :idle"]


async def test_who_talks_is_not_asked(start: Start, autojump_clock: MockClock) -> None:
    alice = await idle_server_with(start)
    for _ in range(10):
        await trio.sleep(IDLE - 1)
        assert await alice.ask("PING") == ["PONG"]


async def test_a_person_at_a_plain_terminal_is_left_alone(start: Start, autojump_clock: MockClock) -> None:
    server = await start(idle_timeout=IDLE)
    carl = await server.enter_as_text("carl")
    with trio.move_on_after(10 * IDLE):
        raise AssertionError(await carl.line())
    await carl.send("hello")
    assert await carl.line() == "carl: hello"


async def test_who_is_being_throttled_is_not_silent(start: Start, autojump_clock: MockClock) -> None:
    """Its reader is busy with what it sent long ago; it has its full time from when it may speak again."""
    server = await start(idle_timeout=IDLE, rate_limit=1)
    alice = await server.enter("alice")
    begin = trio.current_time()
    await alice.send(*(f"@{number} PING" for number in range(1, 4 * IDLE)))
    assert await alice.until(f"@{4 * IDLE - 1} ") == [f"@{number} PONG" for number in range(1, 4 * IDLE)]
    heard = trio.current_time()
    assert heard - begin >= 3 * IDLE
    assert await alice.line() == "PING"
    assert trio.current_time() - heard >= IDLE
    assert await alice.ask("PING") == ["PONG"]
