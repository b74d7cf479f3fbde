import pytest
import trio
import trio.testing

from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.exchange import Exchange, Receipt
from triochat.protocol import LocalProtocolError
from triochat.protocol import events as e

SAY = e.Say("#dev", "hello", tag="t")


def message(number: int) -> e.Message:
    return e.Message(target="#dev", id=number, ms=0, nick="bob", text="x", tag="t")


def ended(*events: e.Event, lost: str | None = None) -> Exchange:
    exchange = Exchange(SAY)
    for event in events:
        exchange.add(event)
    exchange.end(lost=lost)
    return exchange


def test_how_it_is_asked() -> None:
    exchange = Exchange(SAY)
    assert (exchange.tag, exchange.data) == ("t", b"@t MSG #dev :hello\n")
    assert (exchange.safe, exchange.sent, exchange.wanted, exchange.orphan) == (False, 0, True, False)


def test_what_can_not_be_asked() -> None:
    with pytest.raises(LocalProtocolError):
        Exchange(e.Say("#dev", "\u263a" * 8000, tag="t"))


async def test_the_answer_is_waited_for_and_whole() -> None:
    exchange = Exchange(SAY)
    answers: list[list[e.Event]] = []

    async def wait() -> None:
        answers.append(await exchange.answer())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        exchange.add(message(1))
        await trio.testing.wait_all_tasks_blocked()
        assert answers == []
        exchange.add(e.Ok(1, tag="t"))
        exchange.end()
    assert answers == [[message(1), e.Ok(1, tag="t")]] * 2


async def test_an_answer_that_was_cut_in_the_middle_begins_anew() -> None:
    exchange = Exchange(SAY)
    exchange.add(message(1))
    exchange.again()
    for event in (message(1), message(2), e.Ok(2, tag="t")):
        exchange.add(event)
    exchange.end()
    assert await exchange.answer() == [message(1), message(2), e.Ok(2, tag="t")]


async def test_a_refusal_behind_half_an_answer() -> None:
    with pytest.raises(Refused, match="not now") as caught:
        await ended(message(1), e.Failure("unavailable", "not now", tag="t")).answer()
    assert caught.value.code == "unavailable"


async def test_a_connection_that_is_not_made_again() -> None:
    with pytest.raises(ConnectionLost, match="gone"):
        await ended(message(1), lost="gone").answer()


def test_what_nobody_waits_for_is_not_hoarded() -> None:
    exchange = Exchange(SAY)
    exchange.add(message(1))
    exchange.forget()
    exchange.add(message(2))
    assert (exchange.wanted, exchange._answer) == (False, [])


async def test_a_receipt() -> None:
    receipt = Receipt(ended(e.Ok(7, tag="t")))
    assert [await receipt.kept(), await receipt.kept()] == [7, 7]
    with pytest.raises(ClientError, match="under which id"):
        await Receipt(ended(e.Ok(tag="t"))).kept()
    with pytest.raises(Refused):
        await Receipt(ended(e.Failure("not-in-room", "enter it", tag="t"))).kept()
