import pytest
import trio
import trio.testing

from triochat.client.errors import ConnectionLost
from triochat.client.exchange import WINDOW, Exchange
from triochat.client.pending import Pending
from triochat.protocol import events as e


def say(tag: str) -> Exchange:
    return Exchange(e.Say("#dev", "x", tag=tag))


async def test_they_stand_in_their_order_until_they_are_complete() -> None:
    pending = Pending()
    for tag in "abc":
        await pending.reserve()
        pending.add(say(tag))
    for exchange in pending:  # which is a copy
        if exchange.tag == "b":
            pending.complete(exchange)
    assert [exchange.tag for exchange in pending] == ["a", "c"]
    assert (len(pending), exchange in pending, pending.get("b")) == (2, True, None)


async def test_who_asks_more_than_the_window_holds_waits_in_turn() -> None:
    pending = Pending()
    for number in range(WINDOW):
        await pending.reserve()
        pending.add(say(str(number)))
    came: list[str] = []

    async def ask(tag: str) -> None:
        await pending.reserve()
        pending.add(say(tag))
        came.append(tag)

    async with trio.open_nursery() as nursery:
        for tag in ("x", "y"):
            nursery.start_soon(ask, tag)
            await trio.testing.wait_all_tasks_blocked()
        assert (came, len(pending)) == ([], WINDOW)
        first, second, *_ = pending
        pending.complete(first)
        await trio.testing.wait_all_tasks_blocked()
        assert came == ["x"]
        pending.complete(second)
    assert came == ["x", "y"]


async def test_a_place_that_is_not_used_goes_to_the_next() -> None:
    pending = Pending()
    for _ in range(WINDOW):
        await pending.reserve()
    pending.release()
    with trio.fail_after(1):
        await pending.reserve()


async def test_what_a_program_before_us_asked() -> None:
    pending = Pending()
    for number in range(WINDOW):
        pending.take_over(e.Say("#dev", "x", tag=str(number)))
    assert all(exchange.safe and exchange.orphan for exchange in pending)
    with pytest.raises(trio.WouldBlock):
        pending.take_over(e.Say("#dev", "x", tag="one.more"))


async def test_what_a_program_in_our_place_would_have_to_say() -> None:
    pending = Pending()
    topic, names, unwanted = e.SetTopic("#dev", "x", tag="b"), e.ListNames("#dev", tag="c"), say("d")
    for exchange in (say("a"), Exchange(topic), Exchange(names), unwanted):
        await pending.reserve()
        pending.add(exchange)
    unwanted.forget()
    assert pending.unsent() == (e.Say("#dev", "x", tag="a"), topic)


async def test_one_that_will_have_no_answer() -> None:
    pending = Pending()
    await pending.reserve()
    exchange = say("a")
    pending.add(exchange)
    pending.complete(exchange, lost="gone")
    with pytest.raises(ConnectionLost, match="gone"):
        await exchange.answer()
