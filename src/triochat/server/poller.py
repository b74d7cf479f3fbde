"""Take what has come on very many sockets, without waking a task for each read.

A task that waits with `trio.lowlevel.wait_readable` has the kernel told anew before each read, is put on a
queue, and is resumed through all its frames: together that costs more than the read. Here all sockets stay
registered with one epoll instance of our own, and one task waits for *that*, which can be waited for like
a socket. For each socket that has something it calls a function of whoever waits, synchronously; who waits
is woken only for what that function does not deal with. It is the mirror image of the outbox, whose writer
is bothered only with what one direct write does not take.

Level-triggered: what was not read is reported again, so nothing hangs on reading to the end. A socket that
nobody waits for would be reported again and again; it is taken out at the first time, and put in again by
the next who waits. The design is that of the reactor (Schmidt, 1995), inside of a single trio task.
"""

import select
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import trio

Take = Callable[[], bool]


class Poller:
    """Sockets, and who waits for them. Only on Linux: see `open_poller`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Watch] = {}  # by descriptor, as epoll names them

    async def run(self) -> None:
        """Serve all who wait, until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll)
            for number, _ in self._epoll.poll(0):
                self._watched[number]._ready()

    def close(self) -> None:
        """Let go of the epoll instance; nobody watches any more."""
        self._epoll.close()

    def watch(self, plain: socket.socket, take: Take) -> "Watch":
        """Be told of what comes on a socket, within the block that this opens.

        Args:
            plain: stays open within the block, and nobody else watches it.
            take: called when there is something to read, or an error, while somebody waits in
                `Watch.wait`. Synchronous. Returns True if it has dealt with that; otherwise whoever
                waits is woken, and if it raises an `Exception` that is raised there.
        """
        return Watch(self, plain, take)


class Watch(AbstractContextManager["Watch", None]):
    """See `Poller.watch`."""

    __slots__ = ("_error", "_number", "_plain", "_poller", "_registered", "_take", "_task")

    def __init__(self, poller: Poller, plain: socket.socket, take: Take) -> None:
        self._poller = poller
        self._plain = plain
        self._take = take
        self._number = plain.fileno()
        self._registered = False
        self._task: trio.lowlevel.Task | None = None
        self._error: Exception | None = None

    def __enter__(self) -> "Watch":
        self._poller._watched[self._number] = self
        return self

    def __exit__(self, *_: object) -> None:
        self._unregister()
        del self._poller._watched[self._number]

    async def wait(self) -> None:
        """Wait until `take` leaves something to do; a checkpoint.

        Raises:
            trio.BusyResourceError: somebody waits already.
            Exception: what `take` has raised.
        """
        if self._task is not None:
            raise trio.BusyResourceError("another task waits for this socket")
        if not self._registered:
            self._poller._epoll.register(self._plain, select.EPOLLIN)
            self._registered = True
        self._task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._abort)
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # its traceback knows this frame: a cycle, for the collector to find some day

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _ready(self) -> None:
        if self._task is None:
            self._unregister()
            return
        try:
            if self._take():
                return
        except Exception as error:  # it is raised where somebody waits for it
            self._error = error
        task, self._task = self._task, None
        if task is not None:  # `take` may have cancelled who waits
            trio.lowlevel.reschedule(task)

    def _unregister(self) -> None:
        if self._registered:
            self._poller._epoll.unregister(self._plain)
            self._registered = False


@contextmanager
def open_poller() -> Iterator[Poller | None]:
    """A poller within this block, where the system has what it takes, else None."""
    if sys.platform != "linux":
        yield None
        return
    poller = Poller()
    try:
        yield poller
    finally:
        poller.close()
