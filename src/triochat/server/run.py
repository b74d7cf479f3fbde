"""The server as a program: standard output, signals, exit code."""

import errno
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
import trio

from triochat.config import ServerConfig, data_path
from triochat.journal import Journal, JournalUnusable, open_sqlite_journal
from triochat.server.logs import configure_logs
from triochat.server.serve import serve

STDOUT = 1
GC_THRESHOLD = 50_000
"""New values between two looks for cycles; Python's own is 700, or 2,000."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.server")


def run_server(config: ServerConfig) -> int:
    """Serve until SIGTERM or SIGINT; a second one skips the rest of the shutdown plan.

    Prints ``listening on HOST:PORT`` for each listener once it accepts.

    Returns:
        The exit code: 0, or 1 after a sentence on stderr if it can't listen there, or not
        keep the rooms where it is told to.

    Raises:
        ExceptionGroup: a fault in the hub or the journal.
    """
    configure_logs(config.log, config.log_level)
    # A server makes very many values that live long and stand in no cycle. To look through them every time
    # after some hundred new ones finds nothing, and takes up to a quarter of a busy server's time.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])
    return trio.run(_run, config)


async def _run(config: ServerConfig) -> int:
    try:
        listeners = await trio.open_tcp_listeners(config.port, host=config.host or None)
    except (OSError, UnicodeError) as error:  # the latter: a name that can't be one
        sys.stderr.write(f"triochat: {_why_not(error, config)}\n")
        return 1
    try:
        async with _open_journal(config) as journal:
            await _serve(config, listeners, journal)
    except JournalUnusable as error:
        for listener in listeners:
            listener.socket.close()
        sys.stderr.write(f"triochat: {error}\n")
        return 1
    return 0


@asynccontextmanager
async def _open_journal(config: ServerConfig) -> AsyncIterator[Journal | None]:
    """What keeps the rooms; None stands for the journal in memory that `serve` makes itself."""
    if config.memory:
        yield None
        return
    async with open_sqlite_journal(
        data_path(config.data),
        durability=config.durability,
        retention=config.retention or None,
        max_age=config.max_age_seconds,
        max_rooms=config.max_rooms + 1,  # than the hub allows: there is always a lobby
    ) as journal:
        yield journal


async def _serve(
    config: ServerConfig, listeners: Sequence[trio.SocketListener], journal: Journal | None
) -> None:
    shutdown = trio.Event()
    async with trio.open_nursery() as program:
        await program.start(_watch_signals, shutdown, program.cancel_scope)

        async def serve_to_the_end(task_status: trio.TaskStatus[object]) -> None:
            await serve(
                config, listeners=listeners, journal=journal, shutdown=shutdown, task_status=task_status
            )
            program.cancel_scope.cancel()

        await program.start(serve_to_the_end)
        _announce([f"listening on {_address(listener.socket.getsockname())}" for listener in listeners])


async def _watch_signals(
    shutdown: trio.Event,
    everything: trio.CancelScope,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            if shutdown.is_set():
                log.warning("a second signal: skipping the rest")
                everything.cancel()
            shutdown.set()


def _announce(lines: Sequence[str]) -> None:
    """Print lines at once. A server whose output nobody takes serves all the same."""
    data = "".join(f"{line}\n" for line in lines).encode("ascii")
    try:
        # Past Python's buffer: what can't be written must not come up again when the program ends.
        os.write(STDOUT, data)
    except OSError as error:
        log.warning("the standard output can't be written", error=error.strerror)


def _address(name: tuple[str, int]) -> str:
    """A socket's name as people write it."""
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why_not(error: OSError | UnicodeError, config: ServerConfig) -> str:
    """Why we can't listen there, and what to do."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"there is no address {config.host!r} to listen on; give one of this machine's with --host"
    place = _address((config.host, config.port))
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place} is in use by another program; stop that one, or choose another --port"
        case errno.EACCES:
            return f"you may not listen on {place}; choose a --port above 1023"
        case errno.EADDRNOTAVAIL:
            return f"{config.host} is not an address of this machine; choose another --host"
        case _:
            return f"can't listen on {place}: {error}"
