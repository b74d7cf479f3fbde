"""Those who connect and do harm: with junk, half a greeting, long frames, or answers that they never read."""

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trio

from tests.simulation.strangers import GONE

if TYPE_CHECKING:
    from tests.simulation.world import World


async def visit(world: "World", name: str, choose: random.Random) -> None:
    """Come again and again, and be a nuisance of another kind each time."""
    while True:
        await trio.sleep(choose.random() * 10 * world.setting.leisure)
        with suppress(*GONE):
            stream = await world.network.dial(name)
            world.record.note(name, "visits")
            try:
                with trio.move_on_after(choose.choice((1.0, 30.0, 300.0))), suppress(*GONE):
                    await choose.choice(NUISANCES)(stream, name, choose)
            finally:
                await trio.aclose_forcefully(stream)


async def _junk(stream: trio.abc.Stream, _: str, choose: random.Random) -> None:
    while True:
        await stream.send_all(choose.randbytes(choose.randint(1, 3000)))
        await trio.sleep(choose.random())


async def _half_a_hello(stream: trio.abc.Stream, name: str, choose: random.Random) -> None:
    hello = f"@n NICK {name} triochat/1 session={'0' * 32}\n@j JOIN #lobby\n".encode()
    await stream.send_all(hello[: choose.randint(1, len(hello))])
    await trio.sleep_forever()


async def _never_read(stream: trio.abc.Stream, name: str, choose: random.Random) -> None:
    await stream.send_all(f"@n NICK {name} triochat/1\n@j JOIN #lobby after=0\n@k JOIN #one\n".encode())
    while True:
        await stream.send_all(choose.choice((b"@h HISTORY #lobby limit=1000\n", b"@w ROOMS\n")) * 5)
        await trio.sleep(choose.random())


async def _talk_and_never_listen(stream: trio.abc.Stream, name: str, choose: random.Random) -> None:
    await stream.send_all(f"@n NICK {name} triochat/1\n@j JOIN #lobby\n".encode())
    while True:
        await stream.send_all(10 * (b"MSG #lobby :" + b"z" * 4000 + b"\n"))
        await trio.sleep(choose.random() * 2)


async def _nothing(stream: trio.abc.Stream, _: str, __: random.Random) -> None:
    while await stream.receive_some():
        pass


async def _long_frames(stream: trio.abc.Stream, name: str, choose: random.Random) -> None:
    await stream.send_all(f"@n NICK {name} triochat/1\n@j JOIN #lobby\n".encode())
    for _ in range(30):
        await stream.send_all(b"MSG #lobby :" + b"y" * choose.choice((10_000, 100_000)) + b"\n")
        await stream.send_all(
            choose.choice((b"MSG\n", b"@@ \n", b"JOIN #\n", b"NICK a triochat/1\n", b"\x00\n"))
        )
    await stream.receive_some()


NUISANCES: Final = (_junk, _half_a_hello, _nothing, _long_frames, *2 * (_never_read, _talk_and_never_listen))
