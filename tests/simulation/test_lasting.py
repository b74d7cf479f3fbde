"""A fault that lasts ends when the last of its kind does."""

import trio

from tests.simulation.lasting import Lasting


async def test_two_of_a_kind_end_together(autojump_clock: trio.testing.MockClock) -> None:
    lasting, mended = Lasting(), list[float]()
    began = trio.current_time()

    def mend() -> None:
        mended.append(trio.current_time() - began)

    async with trio.open_nursery() as nursery:
        lasting.begin(nursery, "full disk", 5, mend)
        lasting.begin(nursery, "slow disk", 1, mend)
        await trio.sleep(2)
        lasting.begin(nursery, "full disk", 1, mend)
        assert lasting.is_on("full disk")
        assert not lasting.is_on("slow disk")
        assert lasting.is_on("slow disk", within=2)
        await trio.sleep(2)
        assert lasting.is_on("full disk")
        assert not lasting.is_on("slow disk", within=2)
    assert mended == [1, 5]
    assert not lasting.is_on("full disk")
    assert not lasting.is_on("refusing", within=100)


async def test_what_is_cut_short_is_mended(autojump_clock: trio.testing.MockClock) -> None:
    lasting, mended = Lasting(), list[str]()
    async with trio.open_nursery() as nursery:
        lasting.begin(nursery, "refusing", 100, lambda: mended.append("refusing"))
        nursery.cancel_scope.cancel()
    assert mended == ["refusing"]
    assert not lasting.is_on("refusing")
