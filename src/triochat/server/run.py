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
    look_less_for_cycles()
    return trio.run(_run, config)


def look_less_for_cycles() -> None:
    """Spare Python's collector work that finds nothing.

    A server makes very many values that live long and stand in no cycle. To look through them every time
    after some hundred new ones takes up to a quarter of a busy server's time.
    """
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, *gc.get_threshold()[1:])


async def _run(config: ServerConfig) -> int:
    try:
        listeners = await open_listeners(config)
    except CannotListen as error:
        sys.stderr.write(f"triochat: {error}\n")
        return 1
    try:
        async with open_journal(config) as journal:
            await _serve(config, listeners, journal)
    except JournalUnusable as error:
        for listener in listeners:
            listener.socket.close()
        sys.stderr.write(f"triochat: {error}\n")
        return 1
    return 0


class CannotListen(Exception):  # noqa: N818 -- a sentence, as JournalUnusable is
    """We can't listen there; the text is a sentence that says why, and what to do."""


async def open_listeners(config: ServerConfig) -> Sequence[trio.SocketListener]:
    """Listen where it is configured.

    Raises:
        CannotListen: the address is none of this machine's, the port is taken, or the like.
    """
    try:
        return await trio.open_tcp_listeners(config.port, host=config.host or None)
    except (OSError, UnicodeError) as error:  # the latter: a name that can't be one
        raise CannotListen(_why_not(error, config)) from error


@asynccontextmanager
async def open_journal(config: ServerConfig) -> AsyncIterator[Journal | None]:
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
        await program.start(watch_signals, shutdown, program.cancel_scope)

        async def serve_to_the_end(task_status: trio.TaskStatus[object]) -> None:
            await serve(
                config, listeners=listeners, journal=journal, shutdown=shutdown, task_status=task_status
            )
            program.cancel_scope.cancel()

        await program.start(serve_to_the_end)
        _announce([f"listening on {address(listener.socket.getsockname())}" for listener in listeners])


async def watch_signals(
    shutdown: trio.Event,
    everything: trio.CancelScope,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Begin the shutdown at the first SIGINT or SIGTERM, and cancel everything at the second."""
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


def address(name: tuple[str, int]) -> str:
    """A socket's name as people write it: host and port, whatever follows."""
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _why_not(error: OSError | UnicodeError, config: ServerConfig) -> str:
    """Why we can't listen there, and what to do."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"there is no address {config.host!r} to listen on; give one of this machine's with --host"
    place = address((config.host, config.port))
    match error.errno:
        case errno.EADDRINUSE:
            return f"{place} is in use by another program; stop that one, or choose another --port"
        case errno.EACCES:
            return f"you may not listen on {place}; choose a --port above 1023"
        case errno.EADDRNOTAVAIL:
            return f"{config.host} is not an address of this machine; choose another --host"
        case _:
            return f"can't listen on {place}: {error}"
