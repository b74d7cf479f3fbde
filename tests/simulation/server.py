"""The real server, as a process that can be stopped, killed, and looked into."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

import trio

from tests.simulation.disk import Disk, JournalOnDisk
from tests.simulation.network import Network
from triochat.chat import Hub, Limits, Submission
from triochat.chat.person import Person
from triochat.config import ServerConfig
from triochat.journal import Head, Journal
from triochat.server import serve
from triochat.server.broadcast import Broadcast
from triochat.server.hub_task import MAX_BATCH_OCTETS, run_hub
from triochat.server.serve import WAITING

Submissions = trio.MemoryReceiveChannel[Submission]


class Server:
    """One life of the real server.

    Args:
        config: its own.
        network: to listen at.
        disk: to keep the journal on.
        gone: is told each nick that is given up.
    """

    def __init__(
        self, config: ServerConfig, network: Network, disk: Disk, gone: Callable[[str], None]
    ) -> None:
        self._gone = gone
        self._config = config
        self._network = network
        self._disk = disk
        self._scope = trio.CancelScope()
        self._shutdown = trio.Event()
        self._ended = trio.Event()
        self._journal: JournalOnDisk
        self._hub: Hub
        self._broadcast: Broadcast[int] = Broadcast()
        self._submissions: Submissions | None = None
        self._task: trio.lowlevel.Task | None = None
        self._own_tasks: Counter[str] = Counter()

    async def run(self, task_status: trio.TaskStatus[object]) -> None:
        """Serve until it is stopped or killed."""

        def hub(name: str, heads: Mapping[str, Head], limits: Limits) -> Hub:
            self._hub = Hub(name, heads, limits)
            return self._hub

        def broadcast() -> Broadcast[int]:
            self._broadcast = Broadcast()
            return self._broadcast

        @wraps(run_hub)
        async def hub_task(hub: Hub, journal: Journal, submissions: Submissions, *others: Any) -> None:  # noqa: ANN401
            self._submissions = submissions
            await run_hub(hub, journal, submissions, *others)

        self._task = trio.lowlevel.current_task()
        with self._scope:
            async with self._disk.open() as self._journal:
                with (
                    patch("triochat.server.serve.Hub", hub),
                    patch("triochat.server.serve.Broadcast", broadcast),
                    patch("triochat.server.serve.run_hub", hub_task),
                    patch("triochat.server.serve.open_poller", _no_poller),
                    _noting(self._gone),
                ):
                    await serve(
                        self._config,
                        listeners=[self._network.listen()],
                        journal=self._journal,
                        shutdown=self._shutdown,
                        task_status=_Started(task_status, self._nobody_is_here),
                    )
        self._network.server_is_gone()
        self._ended.set()

    def _nobody_is_here(self) -> None:
        self._own_tasks = self._tasks()

    def _tasks(self) -> Counter[str]:
        """The names of all tasks that it is made of."""
        names: Counter[str] = Counter()
        waiting = [self._task]
        while waiting:
            if (task := waiting.pop()) is not None:
                names[task.name] += 1
                waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
        return names

    async def kill(self) -> None:
        """As ``kill -9`` does: nothing is said any more, and what is not kept is lost."""
        self._network.server_is_gone()
        self._journal.kill()
        self._scope.cancel()
        await self._ended.wait()

    async def stop(self) -> None:
        """As SIGTERM does."""
        self._shutdown.set()
        await self._ended.wait()

    def above_bounds(self) -> list[str]:
        """Outboxes, and the channel to the hub, that hold more than they may."""
        limit = self._config.backlog + 2 * MAX_BATCH_OCTETS
        found = [
            f"{outbox.statistics().backlog} octets wait for {key}, of {limit}"
            for key, outbox in self._broadcast._outboxes.items()
            if outbox.statistics().backlog > limit
        ]
        if self._submissions is not None:
            waiting = self._submissions.statistics()
            if waiting.current_buffer_used > WAITING:
                found.append(f"{waiting.current_buffer_used} submissions wait for the hub, of {WAITING}")
        return found

    def left_over(self) -> list[str]:
        """What is there though nobody is."""
        found = [
            f"{name}: {count}" for name, count in self._hub.statistics().items() if name != "rooms" and count
        ]
        if self._broadcast.statistics().subscribers:
            found.append(f"subscribers: {self._broadcast.statistics().subscribers}")
        found += [f"task: {name}" for name in (self._tasks() - self._own_tasks).elements()]
        if self._hub.next_deadline is not None:
            found.append(f"timer: {self._hub.next_deadline}")
        if self._journal.awaited:
            found.append("the journal is at work")
        return found


class _Started(trio.TaskStatus[Any]):
    """Does something else first, at the moment when the server accepts."""

    def __init__(self, task_status: trio.TaskStatus[Any], first: Callable[[], None]) -> None:
        self._task_status = task_status
        self._first = first

    def started(self, value: Any = None) -> None:  # noqa: ANN401 -- as trio has it
        self._first()
        self._task_status.started(value)


@contextmanager
def _noting(gone: Callable[[str], None]) -> Iterator[None]:
    """Tell each nick that is given up."""
    remove, rename = Hub._remove, Person.rename

    def note_removed(hub: Hub, person: Person, reason: str) -> None:
        gone(person.nick)
        remove(hub, person, reason)

    def note_renamed(person: Person, nick: str) -> None:
        gone(person.nick)
        rename(person, nick)

    with patch.object(Hub, "_remove", note_removed), patch.object(Person, "rename", note_renamed):
        yield


@contextmanager
def _no_poller() -> Iterator[None]:
    """There are no sockets here that it could know."""
    yield None
