import pytest
from trio.testing import MockClock

from tests.server.conftest import Start
from triochat.server.throttle import Throttle


def test_a_seconds_worth_may_come_at_once() -> None:
    throttle = Throttle(10)
    assert [throttle.charge(5.0) for _ in range(10)] == pytest.approx([0.0] * 10)
    assert throttle.charge(5.0) == pytest.approx(0.1)
    assert throttle.charge(5.0) == pytest.approx(0.2)


def test_who_waits_as_told_goes_on_at_its_rate() -> None:
    throttle = Throttle(10)
    now = 0.0
    for _ in range(110):
        now += throttle.charge(now)
    assert now == pytest.approx(10.0)


def test_a_pause_is_made_up_for_by_a_second_at_most() -> None:
    throttle = Throttle(10)
    for _ in range(10):
        throttle.charge(0.0)
    assert [throttle.charge(1000.0) for _ in range(10)] == pytest.approx([0.0] * 10)
    assert throttle.charge(1000.0) == pytest.approx(0.1)


def test_less_than_one_a_second() -> None:
    throttle = Throttle(0.5)
    assert throttle.charge(0.0) == 0
    assert throttle.charge(0.0) == 2
    assert throttle.charge(100.0) == 0


def test_many_are_charged_as_one_by_one() -> None:
    together, alone = Throttle(10), Throttle(10)
    assert together.charge(5.0, 10) == 0
    assert [alone.charge(5.0) for _ in range(10)][-1] == pytest.approx(0.0)
    assert together.charge(5.0) == pytest.approx(alone.charge(5.0)) == pytest.approx(0.1)
    assert together.charge(5.0, 20) == pytest.approx([alone.charge(5.0) for _ in range(20)][-1])


@pytest.mark.parametrize("rate", [1, 8, 1024])
def test_what_is_allowed_is_what_costs_no_wait(rate: int) -> None:
    for spent in range(0, rate + 1, max(rate // 8, 1)):
        for count in (1, rate - spent, rate - spent + 1, rate + 1):
            throttle = Throttle(rate)
            throttle.charge(64.0, spent)
            allowed = throttle.allows(64.0, count)
            assert allowed == (throttle.charge(64.0, count) == 0)
            assert allowed == (count <= rate - spent)


def test_to_ask_what_is_allowed_costs_nothing() -> None:
    throttle = Throttle(8)
    assert [throttle.allows(0.0, 8) for _ in range(100)] == [True] * 100
    assert throttle.charge(0.0, 8) == 0
    assert not throttle.allows(0.0, 1)
    assert throttle.allows(0.5, 4)
    assert not throttle.allows(0.5, 5)
    assert throttle.allows(1000.0, 8)
    assert not throttle.allows(1000.0, 9)  # a pause is made up for by a second at most


async def test_no_limit(start: Start, autojump_clock: MockClock) -> None:
    server = await start(rate_limit=0)
    alice = await server.enter("alice", "#dev")
    begin = autojump_clock.current_time()
    for first in range(0, 10_000, 1000):
        await alice.send(*(f"MSG #dev :{number}" for number in range(first, first + 1000)))
        await alice.until(f":{first + 999}")
    assert autojump_clock.current_time() == begin


@pytest.mark.parametrize("rate", [10, 1000, 1_000_000])
async def test_a_run_is_charged_for_each_of_its_messages(
    start: Start, autojump_clock: MockClock, rate: int
) -> None:
    """Whether they are taken together, as far below the limit, or one by one."""
    server = await start(rate_limit=rate, idle_timeout=1000)
    alice = await server.enter("alice", "#dev")
    begin = autojump_clock.current_time()
    count = 2 * rate if rate <= 1000 else 5000
    await alice.send(*(f"MSG #dev :{number}" for number in range(count)))
    await alice.until(f":{count - 1}")
    waited = autojump_clock.current_time() - begin
    assert waited == pytest.approx(max(count + 2 - rate, 0) / rate)  # 2 for the hello and the join


async def test_promise_7_delayed_but_not_lost_and_nobody_else_waits(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(rate_limit=10, idle_timeout=1000)
    alice = await server.enter("alice", "#dev")
    bob = await server.enter("bob", "#dev")
    await alice.line()
    begin = autojump_clock.current_time()
    await alice.send(*(f"MSG #dev :{number}" for number in range(100)))
    assert (await bob.ask("PING"))[-1] == "PONG"
    assert (await bob.ask("MSG #dev :between"))[-1].startswith("OK")
    assert autojump_clock.current_time() == begin  # bob is not read more slowly
    seen = await alice.until(":7")  # what was in time is not held back by what is not
    assert autojump_clock.current_time() == begin
    seen += await alice.until(":8")
    assert autojump_clock.current_time() - begin == pytest.approx(0.1)
    seen += await alice.until(":99")
    texts = [line.split(":")[1] for line in seen]
    assert [text for text in texts if text != "between"] == [str(number) for number in range(100)]
    assert [line.split()[2] for line in seen] == [str(number) for number in range(1, 102)]
    # Ten may come at once; two of these went to saying hello and joining.
    assert autojump_clock.current_time() - begin == pytest.approx(9.2)


async def test_what_makes_no_sense_is_charged_too(start: Start, autojump_clock: MockClock) -> None:
    server = await start(rate_limit=1, idle_timeout=1000)
    alice = await server.enter("alice")
    begin = autojump_clock.current_time()
    await alice.send("BOGUS", "BOGUS", "@a PING")
    await alice.until("@a PONG")
    assert autojump_clock.current_time() - begin == pytest.approx(3.0)


async def test_lines_without_a_word_are_charged_too(start: Start, autojump_clock: MockClock) -> None:
    server = await start(rate_limit=10)
    carl = await server.enter_as_text("carl")
    begin = autojump_clock.current_time()
    await carl.send(*[""] * 15, *[" "] * 15, "/who")
    assert await carl.line() == "In #lobby: carl"
    assert autojump_clock.current_time() - begin == pytest.approx(2.2)  # 32 with the hello, 10 at once
