import pytest
from trio.testing import MockClock

from tests.server.conftest import Start
from triochat.server.throttle import Throttle


def test_no_limit() -> None:
    throttle = Throttle(0)
    assert [throttle.charge(0.0) for _ in range(10_000)] == [0.0] * 10_000


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
