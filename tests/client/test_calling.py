from collections.abc import Callable

import pytest
import trio
import trio.testing

from tests.client.servers import Script
from triochat.client.backoff import Backoff
from triochat.client.calling import ATTEMPT_TIMEOUT, PATIENCE, Caller
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.tags import Tags

Clock = trio.testing.MockClock
SESSION = "ab" * 16


class Exchanges:
    """Connects as the test says: to a script, or to nobody."""

    def __init__(self, nursery: trio.Nursery, answers: Callable[[int], str | OSError]) -> None:
        self.attempts: list[float] = []
        self.hellos: list[str] = []
        self.streams: list[trio.abc.Stream] = []
        self._nursery = nursery
        self._answers = answers

    async def dial(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        self.attempts.append(trio.current_time())
        answer = self._answers(len(self.attempts))
        if isinstance(answer, OSError):
            raise answer
        ours, theirs = trio.testing.memory_stream_pair()
        self.streams.append(ours)
        self._nursery.start_soon(self._answer, Script(theirs), answer)
        return ours

    async def _answer(self, script: Script, answer: str) -> None:
        tag, hello = await script.request()
        self.hellos.append(hello)
        await script.say(*(f"@{tag} {frame}" for frame in answer.split("\n")))


WELCOME = "WELCOME alice test\nOK"


def alice() -> list[str]:
    return ["alice"]


def slowest(_: float, most: float) -> float:
    return most


async def test_a_call_says_who_we_are_and_which_session(nursery: trio.Nursery) -> None:
    exchanges = Exchanges(nursery, lambda _: WELCOME)
    link, welcome = await Caller(exchanges.dial, SESSION, Tags()).call("alice")
    assert (welcome.nick, welcome.server, len(link)) == ("alice", "test", 0)
    assert exchanges.hellos == [f"NICK alice triochat/1 session={SESSION}"]


async def test_a_call_that_fails_says_how(nursery: trio.Nursery) -> None:
    answers: list[str | OSError] = [OSError("nobody"), "ERROR nick-in-use :taken", "BYE :full"]
    exchanges = Exchanges(nursery, lambda attempt: answers[attempt - 1])
    caller = Caller(exchanges.dial, None, Tags())
    for error in (OSError, Refused, ConnectionLost):
        with pytest.raises(error):
            await caller.call("alice")
    for stream in exchanges.streams:
        with pytest.raises(trio.ClosedResourceError):
            await stream.receive_some()


async def test_an_attempt_that_takes_too_long(autojump_clock: Clock) -> None:
    async def dial() -> trio.abc.Stream:
        await trio.sleep_forever()
        raise AssertionError

    with pytest.raises(TimeoutError, match="30 seconds"):
        await Caller(dial, None, Tags()).call("alice")
    assert trio.current_time() == ATTEMPT_TIMEOUT


async def test_it_is_tried_until_the_server_takes_us(autojump_clock: Clock, nursery: trio.Nursery) -> None:
    nobody = OSError("nobody")
    answers: list[str | OSError] = [nobody, "BYE :shutting down", "ERROR nick-in-use :taken", WELCOME]
    exchanges = Exchanges(nursery, lambda attempt: answers[attempt - 1])
    refusals: list[Refused] = []
    caller = Caller(exchanges.dial, SESSION, Tags())
    _, welcome = await caller.call_again(alice, Backoff(slowest), refusals.append)
    assert welcome.nick == "alice"
    assert exchanges.attempts == pytest.approx([0.1, 0.3, 0.7, 1.5])
    assert refusals == []


def unexpected() -> None:
    pytest.fail("somebody answers")


async def test_who_was_replaced_comes_back_when_the_other_has_gone(
    nursery: trio.Nursery, autojump_clock: Clock
) -> None:
    taken = "ERROR nick-in-use :you are here already"
    exchanges = Exchanges(nursery, lambda attempt: taken if attempt < 3 else WELCOME)
    back = await Caller(exchanges.dial, SESSION, Tags()).call_back("alice", Backoff(slowest), unexpected)
    assert back is not None
    assert exchanges.hellos == [f"NICK alice triochat/1 session={SESSION} takeover=no"] * 3


async def test_who_was_replaced_for_good_is_told_so(nursery: trio.Nursery, autojump_clock: Clock) -> None:
    exchanges = Exchanges(nursery, lambda _: "ERROR nick-in-use :you are here already")
    caller = Caller(exchanges.dial, SESSION, Tags())
    assert await caller.call_back("alice", Backoff(slowest), unexpected) is None
    assert trio.current_time() - exchanges.attempts[0] == PATIENCE


async def test_whom_nobody_answers_is_not_replaced_for_good(
    nursery: trio.Nursery, autojump_clock: Clock
) -> None:
    """The network swallows what is said, until whoever has our session has gone; and nobody is thrown out."""
    taken, nobody = "ERROR nick-in-use :you are here already", OSError("nobody")
    answers: list[str | OSError] = [
        taken,
        taken,
        nobody,
        "BYE :shutting down",
        taken,
        taken,
        taken,
        taken,
        WELCOME,
    ]
    exchanges = Exchanges(nursery, lambda attempt: answers[attempt - 1])
    slow = iter((0, 0, 2 * PATIENCE))
    silences: list[float] = []

    async def dial() -> trio.abc.Stream:
        await trio.sleep(next(slow, 0))
        return await exchanges.dial()

    caller = Caller(dial, SESSION, Tags())
    back = await caller.call_back("alice", Backoff(slowest), lambda: silences.append(trio.current_time()))
    assert back is not None
    assert silences == exchanges.attempts[2:4]
    assert {hello.rpartition(" ")[2] for hello in exchanges.hellos} == {"takeover=no"}


async def test_a_server_that_goes_on_refusing_is_told_of_once(
    autojump_clock: Clock, nursery: trio.Nursery
) -> None:
    exchanges = Exchanges(nursery, lambda attempt: "ERROR nick-in-use :taken" if attempt < 20 else WELCOME)
    told_at: list[float] = []
    caller = Caller(exchanges.dial, SESSION, Tags())
    await caller.call_again(alice, Backoff(slowest), lambda _: told_at.append(trio.current_time()))
    first = exchanges.attempts[0]
    assert told_at == [next(at for at in exchanges.attempts if at - first >= PATIENCE)]


async def test_another_name_is_tried_when_one_is_refused_and_only_then(
    nursery: trio.Nursery, autojump_clock: Clock
) -> None:
    nobody, taken = OSError("nobody"), "ERROR nick-in-use :taken"
    answers: list[str | OSError] = [nobody, taken, nobody, taken, taken, WELCOME]
    exchanges = Exchanges(nursery, lambda attempt: answers[attempt - 1])
    names = ["alice"]

    def refused(_: Refused) -> None:
        names.append("alice2")

    await Caller(exchanges.dial, SESSION, Tags()).call_again(
        lambda: names, Backoff(lambda *_: PATIENCE), refused
    )
    said = [hello.split()[1] for hello in exchanges.hellos]
    assert said == ["alice", "alice", "alice", "alice2"]


async def test_a_server_that_refuses_now_and_then_is_not_told_of(
    autojump_clock: Clock, nursery: trio.Nursery
) -> None:
    def answer(attempt: int) -> str | OSError:
        if attempt == 12:
            return WELCOME
        return "ERROR nick-in-use :taken" if attempt % 2 else OSError("nobody")

    told: list[Refused] = []
    exchanges = Exchanges(nursery, answer)
    await Caller(exchanges.dial, SESSION, Tags()).call_again(alice, Backoff(slowest), told.append)
    assert exchanges.attempts[-1] > 2 * PATIENCE
    assert told == []
