"""The server as a function: what it runs on comes in as arguments, that it is up goes out.

Three nurseries, one inside the other, are the plan of a shutdown (law 8 of docs/architecture.md,
the idea is hypercorn's): the innermost accepts and is cancelled first; the middle one holds the
clients, who get a good-bye and a deadline; the outermost holds the hub, which must outlive them all.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count

import structlog
import trio

from triochat.chat import Hub, Limits, Submission
from triochat.config import ServerConfig
from triochat.journal import Journal, MemoryJournal
from triochat.protocol import Encoding
from triochat.server.broadcast import Broadcast
from triochat.server.housekeeping import run_housekeeping
from triochat.server.hub_task import run_hub
from triochat.server.keepalive import run_keepalive
from triochat.server.peer import House, Peer
from triochat.server.poller import Poller, open_poller

WAITING = 512
"""Submissions that may wait for the hub before readers have to: a batch, and each client has few of them."""

MEMORY_RETENTION = 10_000
"""Entries of each room that are kept in memory unless the configuration says how many."""

Listeners = Sequence[trio.abc.Listener[trio.abc.Stream]]

log: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.server")


async def serve(
    config: ServerConfig,
    *,
    listeners: Listeners | None = None,
    journal: Journal | None = None,
    shutdown: trio.Event | None = None,
    peers: dict[int, Peer] | None = None,
    task_status: trio.TaskStatus[Listeners] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the chat until `shutdown` is set, then end by the plan.

    Args:
        config: all settings.
        listeners: what to accept from; by default TCP listeners on the configured host and port.
            They are closed when the server ends.
        journal: what keeps the rooms; by default a `MemoryJournal`, whatever `config` says of a file:
            that is for the command line.
        shutdown: set it to stop: nobody new is accepted, all that was submitted is answered, everybody is
            told ``BYE``, and what is not read within the shutdown timeout is cut off.
        peers: an empty dictionary, to be looked at by who runs the server: it holds whoever is connected.
        task_status: gets the listeners as soon as the server accepts.

    Raises:
        OSError: it can't listen there.
        ExceptionGroup: a fault in the hub or the journal; all clients are cut off.
    """
    if listeners is None:
        listeners = await trio.open_tcp_listeners(config.port, host=config.host or None)
    async with AsyncExitStack() as stack:
        for listener in listeners:  # whatever happens, also before anything is accepted from them
            stack.push_async_callback(trio.aclose_forcefully, listener)
        # Outside of the nurseries: while they are cancelled, clients still take leave of it.
        poller = stack.enter_context(open_poller())
        await _serve(
            config, listeners, poller, journal, shutdown, {} if peers is None else peers, task_status
        )


async def _serve(
    config: ServerConfig,
    listeners: Listeners,
    poller: Poller | None,
    journal: Journal | None,
    shutdown: trio.Event | None,
    peers: dict[int, Peer],
    task_status: trio.TaskStatus[Listeners],
) -> None:
    if journal is None:
        journal = MemoryJournal(
            retention=config.retention or MEMORY_RETENTION,
            max_age=config.max_age_seconds,
            max_rooms=config.max_rooms + 1,  # than the hub allows: there is always a lobby
        )
    if shutdown is None:
        shutdown = trio.Event()
    limits = Limits(
        rooms=config.max_rooms, rooms_each=config.max_rooms_each, grace=config.grace, recent=config.recent
    )
    hub = Hub(config.name, await journal.heads(), limits)
    to_hub, submissions = trio.open_memory_channel[Submission](WAITING)
    text_encodings: dict[int, Encoding] = {}
    broadcast: Broadcast[int] = Broadcast()
    numbers = count(1)

    async with trio.open_nursery() as service:
        service.start_soon(run_hub, hub, journal, submissions, broadcast, peers, text_encodings)
        service.start_soon(run_keepalive, config, peers)
        service.start_soon(run_housekeeping, journal)
        if poller is not None:
            service.start_soon(poller.run)
        house = House(config, journal, to_hub, service, shutdown, broadcast, peers, text_encodings, poller)

        async def welcome(stream: trio.abc.Stream) -> None:
            await Peer(next(numbers), stream, house).run()

        async with trio.open_nursery() as clients:
            async with trio.open_nursery() as accepting:
                await accepting.start(
                    partial(trio.serve_listeners, welcome, list(listeners), handler_nursery=clients)
                )
                task_status.started(listeners)
                await shutdown.wait()
                accepting.cancel_scope.cancel()
            log.info("shutting down", clients=len(peers))
            for peer in list(peers.values()):
                peer.stop("the server shuts down")
            clients.cancel_scope.deadline = trio.current_time() + config.shutdown_timeout
        if clients.cancel_scope.cancelled_caught:
            log.warning("some clients did not read to the end")
        service.cancel_scope.cancel()
    log.info("shut down")
