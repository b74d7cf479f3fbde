"""Background tasks beside the body of an ``async with`` block, in one nursery.

Keeps law 9 of docs/architecture.md: groups are never unwrapped.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio


@asynccontextmanager
async def beside(*tasks: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Run `tasks` until the block ends, then cancel them.

    An exception of the block comes out as it is. A nursery would put it into a group, since there
    might be others; but these tasks raise nothing that is expected, so for whoever writes the block
    the nursery is a detail, and ``except ValueError`` around it should work. No group is unwrapped for
    that: the exception is caught inside the nursery, never enters a group, and is raised again behind
    it. So is Ctrl-C, or whoever presses it is shown a group of one and not what Python makes of it. Not
    so `trio.Cancelled`, which belongs to trio and passes through the nursery untouched; and if a task
    fails after all, which is a bug in this package, its group says so.
    """
    fault: Exception | KeyboardInterrupt | SystemExit | None = None
    async with trio.open_nursery() as nursery:
        for task in tasks:
            nursery.start_soon(task)
        try:
            yield
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            fault = error
        nursery.cancel_scope.cancel()
    if fault is not None:
        raise fault
