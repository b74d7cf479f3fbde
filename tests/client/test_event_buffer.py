import pytest
import trio
import trio.testing

from triochat.client import ConnectionLost, Lagged
from triochat.client.event_buffer import EventBuffer


async def test_events_come_in_order_and_closing_ends_the_iteration() -> None:
    buffer: EventBuffer[int] = EventBuffer()
    buffer.put(1)
    buffer.put(2)
    buffer.close(None)
    assert [event async for event in buffer] == [1, 2]


async def test_the_oldest_go_and_are_counted() -> None:
    buffer: EventBuffer[int] = EventBuffer(limit=3)
    for number in range(10):
        buffer.put(number)
    buffer.close(None)
    assert [event async for event in buffer] == [Lagged(7), 7, 8, 9]


async def test_a_loss_is_told_behind_what_was_heard_and_again() -> None:
    buffer: EventBuffer[int] = EventBuffer()
    buffer.put(1)
    buffer.close("broken")
    buffer.close(None)  # the first reason holds
    assert await anext(buffer) == 1
    for _ in range(2):
        with pytest.raises(ConnectionLost, match="broken"):
            await anext(buffer)


async def test_who_waits_is_woken(nursery: trio.Nursery) -> None:
    buffer: EventBuffer[int] = EventBuffer()
    taken: list[object] = []

    async def take() -> None:
        taken.extend([event async for event in buffer])

    nursery.start_soon(take)
    nursery.start_soon(take)
    await trio.testing.wait_all_tasks_blocked()
    buffer.put(1)
    await trio.testing.wait_all_tasks_blocked()
    buffer.put(2)
    buffer.close(None)
    await trio.testing.wait_all_tasks_blocked()
    assert sorted(map(str, taken)) == ["1", "2"]
