"""``triochat host``: a server, and the person in front of it, in one process and one nursery.

The person's client is a client like every other: it connects to the port on which the server listens. What
is special is how it ends. Whoever leaves while others are here is asked whether the server may go on; then
it serves until a signal, as ``triochat server`` does. A fault in the server ends the client as well, and
the other way round.

The terminal belongs to the chat, so the server's log lines go to a file.
"""

import logging
import logging.handlers
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Final, TextIO

import structlog
import trio

from triochat.client.keyboard import Keyboard
from triochat.config import DEFAULT_PORT, ClientConfig, HostConfig, ScreenConfig, state_folder
from triochat.journal import Journal, JournalUnusable
from triochat.server.logs import configure_logs
from triochat.server.peer import Peer
from triochat.server.run import (
    CannotListen,
    address,
    look_less_for_cycles,
    open_journal,
    open_listeners,
    watch_signals,
)
from triochat.server.serve import serve

FAILED: Final = 1
"""The exit code if there was no server, or it failed."""
LOG_SIZE: Final = 1024 * 1024
"""Octets of the log, after which it is begun anew; the one before is kept."""
SETTLE: Final = 0.2
"""Seconds in which the server notices that the client in front of it is gone; nobody who leaves minds."""
# Networks of documentation: nobody is there, and nothing is sent to find out from which address it would go.
_ELSEWHERE: Final = {
    socket.AF_INET: ("192.0.2.1", DEFAULT_PORT),
    socket.AF_INET6: ("2001:db8::1", DEFAULT_PORT),
}
_ALL: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""What listens on every address of its family, and how to reach it from here."""

FrontEnd = Callable[[str, int, ClientConfig, Sequence[str]], Awaitable[int]]
"""Talks to the server at this host and port until the person leaves; may show these lines first.

Returns an exit code; behind a signal, 128 and its number.
"""

log: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.host")


def run_host(config: HostConfig, front_end: FrontEnd) -> int:
    """Serve and chat until the person leaves and, if others stay, until SIGTERM or SIGINT.

    Args:
        config: settings of the server, and nickname and room.
        front_end: the client, such as `triochat.client.terminal.run_terminal`.

    Returns:
        The exit code: 1 if there was no server or it failed; that of the client; 0 if the server went on.
    """
    path = state_folder() / "host.log"
    try:
        configure_logs(config.log, config.log_level, _open_log(path))
    except OSError as error:
        sys.stderr.write(f"triochat: there will be no log, for {path} can't be written: {error.strerror}\n")
        configure_logs(config.log, config.log_level, logging.NullHandler())
    look_less_for_cycles()
    return trio.run(_Host(config, front_end, path).run)


def _open_log(path: Path) -> logging.Handler:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(0o600)
    return logging.handlers.RotatingFileHandler(path, maxBytes=LOG_SIZE, backupCount=1, encoding="utf-8")


class _ServerFailed(Exception):  # noqa: N818 -- what happened, and no more: the log has the rest
    """The server ended by a fault."""


class _Host:
    """One run, from the first attempt to listen to the exit code."""

    def __init__(
        self,
        config: HostConfig,
        front_end: FrontEnd,
        log_path: Path,
        *,
        stdin_fd: int = 0,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self._config = config
        self._front_end = front_end
        self._log_path = log_path
        self._stdin_fd = stdin_fd
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._shutdown = trio.Event()
        self._peers: dict[int, Peer] = {}
        self._exit_code = 0

    async def run(self) -> int:
        try:
            listeners = await open_listeners(self._config)
        except CannotListen as error:
            self._complain(str(error))
            return FAILED
        names = [listener.socket.getsockname() for listener in listeners]
        try:
            async with open_journal(self._config) as journal:
                try:
                    await self._run_both(listeners, names, journal)
                    self._say("The server has ended.")
                except* _ServerFailed:  # by now the front end has left the terminal
                    self._exit_code = FAILED
                    self._complain(f"the server failed, so the chat ends; {self._log_path} says why")
        except JournalUnusable as error:
            for listener in listeners:
                listener.socket.close()
            self._complain(str(error))
            return FAILED
        return self._exit_code

    async def _run_both(
        self,
        listeners: Sequence[trio.SocketListener],
        names: Sequence[tuple[str, int]],
        journal: Journal | None,
    ) -> None:
        async with trio.open_nursery() as program:
            await program.start(watch_signals, self._shutdown, program.cancel_scope)

            async def serve_to_the_end(task_status: trio.TaskStatus[object]) -> None:
                try:
                    await serve(
                        self._config,
                        listeners=listeners,
                        journal=journal,
                        shutdown=self._shutdown,
                        peers=self._peers,
                        task_status=task_status,
                    )
                except Exception:  # of the hub or the journal
                    log.exception("the server failed")
                    raise _ServerFailed from None
                program.cancel_scope.cancel()

            await program.start(serve_to_the_end)
            ways = ways_in(names)
            self._say(*ways, f"The server's log is {self._log_path}.", "")
            host, port = names[0][:2]
            shared = {field.name for field in fields(ScreenConfig)} | {"nick", "room"}
            person = ClientConfig(**{name: getattr(self._config, name) for name in shared})
            code = await self._front_end(_ALL.get(host, host), port, person, ways)
            if code == 128 + signal.SIGINT and os.isatty(self._stdin_fd):
                self._say("")  # the terminal shows a Ctrl-C where it was pressed
            if code != 128 + signal.SIGTERM and await self._may_go_on():
                self._say("The server goes on; Ctrl-C ends it.")
                await self._shutdown.wait()
                self._say("")  # as above
            else:
                self._exit_code = code
                self._shutdown.set()

    async def _may_go_on(self) -> bool:
        """Whether others are here, and the person wants them to stay. A signal is a no, as is no answer."""
        if not os.isatty(self._stdin_fd):
            return False
        await trio.sleep(SETTLE)
        others = sum(peer.is_named for peer in self._peers.values())
        if not others:
            return False
        who = "1 other is" if others == 1 else f"{others} others are"
        self._say(f"{who} here: keep serving? [y/N] ", end="")
        answer: object = None
        async with trio.open_nursery() as asking:

            async def give_up() -> None:
                await self._shutdown.wait()
                asking.cancel_scope.cancel()

            asking.start_soon(give_up)
            try:
                answer = await Keyboard(self._stdin_fd).next_line()
            except OSError:  # the terminal is gone
                answer = None
            asking.cancel_scope.cancel()
        if answer is None:
            self._say("")
        return isinstance(answer, str) and answer.strip().lower() in ("y", "yes")

    def _say(self, *lines: str, end: str = "\n") -> None:
        """A server whose output nobody takes serves all the same."""
        try:
            self._out.write("".join(f"{line}{end}" for line in lines))
            self._out.flush()
        except OSError as error:
            log.warning("the output can't be written", error=error.strerror)

    def _complain(self, sentence: str) -> None:
        self._err.write(f"triochat: {sentence}\n")
        self._err.flush()


def ways_in(names: Sequence[tuple[str, int]]) -> list[str]:
    """Lines that say how others join.

    Args:
        names: where the server listens: host and port of each listener.
    """
    reachable = [(host, port) for name in names for host, port in [name[:2]] if not _is_loopback(host)]
    if not reachable:
        host, port = names[0][:2]
        return [f"Only this machine can join, since the server listens on {host}:", *_commands(host, port)]
    lines = []
    for listening, port in reachable:
        family = socket.AF_INET6 if ":" in listening else socket.AF_INET
        if own := _own_address(family) if listening in _ALL else listening:
            lines += _commands(own, port)
    name = socket.gethostname()
    if any(host in _ALL for host, _ in reachable) and name.isascii() and name.isprintable():
        lines.append(f"or with {name} in place of the address, where that name is known.")
    return ["Whoever reaches this machine can join:", *lines]


def _commands(host: str, port: int) -> list[str]:
    place = address((host, port)) if port != DEFAULT_PORT else host
    return [f"  triochat client {place}", f"  nc {host} {port}"]


def _is_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.")


def _own_address(family: socket.AddressFamily) -> str | None:
    """The address under which others are likely to reach us; None: there is no network of this family."""
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.connect(_ELSEWHERE[family])
            host: str = probe.getsockname()[0]
    except OSError:
        return None
    return None if _is_loopback(host) else host
