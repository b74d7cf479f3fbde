"""What the commands for scripts have in common: signals, sentences, the end of a connection, an exit code.

How it ends: a signal cancels the conversation, inside the block of the client, so that this block still says
good-bye; before there is a conversation, and the second time, a signal cancels everything.
"""

import math
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, TextIO

import trio

from triochat.client.chat_client import ChatClient
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.happenings import Disconnected, Happening, Reconnected
from triochat.client.nicks import variants
from triochat.client.printer import Printer
from triochat.client.report import Report
from triochat.protocol import events as e

PRINT_TIMEOUT: Final = 1.0
"""Seconds that a blocked standard error may take behind a signal."""


class Errand(Report):
    """One run of a command, from the first attempt to connect to the exit code. Comes from `run_errand`.

    Attributes:
        timeout: seconds for which to wait for a lost connection; 0: as long as it takes.
    """

    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self.timeout = 0.0
        self._conversation: trio.CancelScope | None = None
        self._lost = False
        self._late = False
        self._nicks: Iterator[str] | None = None

    async def heed(self, signals: AsyncIterator[int], everything: trio.CancelScope) -> None:
        """End when a signal asks for it."""
        async for number in signals:
            if self.signalled:
                everything.cancel()
            self.end(128 + number, everything)

    def end(self, exit_code: int, everything: trio.CancelScope | None = None) -> None:
        """End the conversation, or `everything` if there is none."""
        self.exit_code = exit_code
        scope = self._conversation or everything
        if scope is not None:
            scope.cancel()

    # --- a conversation -------------------------------------------------------------------------

    @contextmanager
    def conversation(self) -> Iterator[None]:
        """What a signal cancels, and a connection that does not come back in time."""
        try:
            with trio.CancelScope() as scope:
                self._conversation = scope
                yield
            self._late = scope.cancelled_caught and scope.deadline <= trio.current_time()
        finally:
            self._conversation = None

    async def hear(self, event: Happening, chat: ChatClient, nursery: trio.Nursery) -> None:
        """Take note of what happens to the connection; all else is passed over.

        Args:
            event: what happened.
            chat: to whom.
            nursery: for another name, if somebody else has ours when we come back.
        """
        match event:
            case Disconnected(reason=reason):
                self._lost = True
                await self.tell(f"the connection is lost: {reason}; trying again")
            case Reconnected():
                self._lost = False
                if self._conversation is not None:
                    self._conversation.deadline = math.inf
                await self.tell("connected again")
            case e.Failure(code="nick-in-use"):
                self._nicks = self._nicks or variants(chat.nick)
                if (nick := next(self._nicks)) == chat.nick:
                    nick = next(self._nicks)
                nursery.start_soon(_rename, chat, nick)
            case e.Failure(sentence=sentence):
                await self.tell(sentence)
            case _:
                pass

    def wait_no_longer(self) -> None:
        """Something waits for the connection: if that is lost, it has to be back in time from now on."""
        scope = self._conversation
        if self._lost and self.timeout and scope is not None and scope.deadline == math.inf:
            scope.deadline = trio.current_time() + self.timeout

    async def fail_if_late(self) -> None:
        """Say so if the conversation ended since a lost connection did not come back in time."""
        if self._late and not self.signalled:
            await self.fail(f"it did not come back within {self.timeout:g} seconds")


async def _rename(chat: ChatClient, nick: str) -> None:
    with suppress(Refused, ConnectionLost):
        await chat.rename(nick)


async def run_errand(carry_out: Callable[[Errand], Awaitable[None]], err: TextIO | None = None) -> int:
    """Carry out an errand until it is done or a signal ends it. Call it in the main thread.

    Args:
        carry_out: does it.
        err: for sentences; by default the standard error.

    Returns:
        The exit code: that of the errand; 128 and the number of the signal that ended it.
    """
    printer = Printer(None, err or sys.stderr)
    errand = Errand(printer)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(errand.heed, signals, nursery.cancel_scope)
            async with trio.open_nursery() as printing:
                printing.start_soon(printer.run)
                await carry_out(errand)
                printer.finish()
                if errand.signalled:
                    printing.cancel_scope.deadline = trio.current_time() + PRINT_TIMEOUT
            nursery.cancel_scope.cancel()
    return errand.exit_code
