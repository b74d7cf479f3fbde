import pytest
import trio
import trio.testing

from triochat.client.beside import beside


async def test_tasks_run_beside_the_block_and_end_with_it() -> None:
    seen = []

    async def task() -> None:
        try:
            await trio.sleep_forever()
        finally:
            seen.append("ended")

    async with beside(task):
        await trio.testing.wait_all_tasks_blocked()
        seen.append("block")
    assert seen == ["block", "ended"]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), SystemExit(3)])
async def test_an_exception_of_the_block_is_no_group(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        async with beside(trio.sleep_forever):
            raise error
    assert caught.value is error


async def test_cancellation_passes_through() -> None:
    with trio.CancelScope() as scope:
        async with beside(trio.sleep_forever):
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_a_fault_of_a_task_ends_the_block_and_says_so() -> None:
    async def faulty() -> None:
        raise KeyError("bug")

    with pytest.RaisesGroup(KeyError):
        async with beside(faulty):
            await trio.sleep_forever()
