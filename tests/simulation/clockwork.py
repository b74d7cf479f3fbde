"""All that is left to chance elsewhere, made to follow from a seed: time, the scheduler, and what is drawn.

A run in here is the same each time, to the byte: in any process, and on any version of Python.
"""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import ClassVar, Final, TypeVar
from unittest.mock import patch

import hypothesis  # noqa: F401 -- trio's plugin for it sorts what is runnable before it draws an order
import trio
from trio.testing import MockClock

_T = TypeVar("_T")

EPOCH: Final = 1_700_000_000
"""Unix time, in seconds, when a simulation begins."""


class WallClock:
    """What the modules here see in place of the module ``time``.

    Attributes:
        wrong: seconds by which it goes fast; set by who sets the clock.
    """

    wrong: ClassVar[int] = 0

    @classmethod
    def time(cls) -> float:
        """Unix time in seconds."""
        return EPOCH + cls.wrong + trio.current_time()

    @classmethod
    def time_ns(cls) -> int:
        """The same in nanoseconds."""
        return (EPOCH + cls.wrong) * 1_000_000_000 + round(trio.current_time() * 1_000_000_000)


class Secrets:
    """What the modules here see in place of the module ``secrets``."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose

    def token_hex(self, octets: int) -> str:
        """So many octets, two digits each."""
        return self._choose.randbytes(octets).hex()


class Threads:
    """What everybody here sees in place of `trio.to_thread`: work that takes its time, and no thread.

    It is done at one moment between two delays, and as trio's it is waited for though somebody has cancelled
    that, unless the work was not begun yet.
    """

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose

    async def run_sync(
        self, work: Callable[..., _T], *args: object, limiter: trio.CapacityLimiter | None = None
    ) -> _T:
        """Do this."""
        await trio.lowlevel.checkpoint_if_cancelled()
        async with limiter or nullcontext():
            with trio.CancelScope(shield=True):
                await trio.sleep(self._delay())
                result = work(*args)
                await trio.sleep(self._delay())
        return result

    def _delay(self) -> float:
        return self._choose.choice((0.0, 0.0, 0.001, 0.05))


def replacements(seed: str) -> dict[str, object]:
    """What takes the place of what in the server and the client, so that all chances follow from `seed`.

    The jitter of a client is none of these: it is an argument.
    """
    secrets = Secrets(random.Random(f"{seed} secrets"))
    return {
        "trio.to_thread.run_sync": Threads(random.Random(f"{seed} threads")).run_sync,
        "triochat.server.hub_task.time": WallClock,
        "triochat.server.housekeeping.time": WallClock,
        "triochat.client.tags.time": WallClock,
        "triochat.client.tags.secrets": secrets,
        "triochat.client.opening.secrets": secrets,
    }


def scheduler_lots() -> random.Random:
    """What trio draws from: in which order it runs tasks that are ready at the same time.

    The one private switch. With Hypothesis imported trio sorts them first, so the draw is all that differs.
    Hypothesis can seed it by public means, but only to values of its own choice, inside a test of its own.
    """
    lots: random.Random = trio._core._run._r
    return lots


@contextmanager
def _determined(seed: str) -> Iterator[None]:
    scheduler = scheduler_lots()
    before = scheduler.getstate()
    scheduler.seed(f"{seed} scheduler")
    WallClock.wrong = 0
    try:
        with ExitStack() as stack:
            for target, replacement in replacements(seed).items():
                stack.enter_context(patch(target, replacement))
            yield
    finally:
        scheduler.setstate(before)


def run(seed: str, main: Callable[[], Awaitable[_T]]) -> _T:
    """Run `main` on a virtual clock, on which nothing takes time but waiting.

    Args:
        seed: decides everything.
        main: an async function. It must not touch a real socket: that has a time of its own.
    """
    with _determined(seed):
        return trio.run(main, clock=MockClock(autojump_threshold=0))
