"""The plain terminal client: a keyboard and a network side by side, and a clean end for either.

What is typed is the business of `triochat.client.typist`. Nothing that came from the network is printed
unless `triochat.client.render` has cleaned it. A lost connection is told in one line, and in another one when
it is back.

How it ends: ``/quit`` and the end of the input leave the chat, by which iterating over it ends too, as
soon as all that was heard is printed. A signal cancels the conversation, inside the block of the
client, so that this block still says good-bye; before there is a conversation, and the second time, a
signal cancels everything.
"""

import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from socket import gaierror
from typing import Final, Protocol, TextIO

import trio

from triochat.client.chat_client import ChatClient
from triochat.client.dial import dial
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.happenings import Disconnected, Reconnected
from triochat.client.keyboard import BadLine, Keyboard
from triochat.client.nicks import login_nick
from triochat.client.opening import open_client_by
from triochat.client.printer import Printer
from triochat.client.render import clean_sentence, render
from triochat.client.report import FAILED, Report
from triochat.client.state_file import StateError
from triochat.client.text_client import TextClient, open_text_client_on
from triochat.client.typist import Typist, next_line, tell_of_unsent, type_text
from triochat.config import ClientConfig, ScreenConfig
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.escape import clean

PRINT_TIMEOUT: Final = 1.0
"""Seconds that a blocked output may take behind a signal."""
ASK_AGAIN: Final = frozenset({"bad-nick", "nick-in-use"})
"""Refusals that another nickname may help against."""


class Screen(Protocol):
    """The whole terminal."""

    async def __call__(
        self,
        chat: ChatClient,
        config: ClientConfig,
        *,
        greeting: Sequence[str],
        tell_unsent: Callable[[int], None],
    ) -> str:
        """Let a person chat until it leaves; return its last words.

        Args:
            chat: a connection.
            config: what the person wants.
            greeting: lines to show first.
            tell_unsent: is given the number of lines that `chat` never had, however it ends.

        Raises:
            ConnectionLost: there will be no connection any more.
        """
        ...


Prepare = Callable[[ScreenConfig], Screen]
"""Makes a screen with the keys and colours that somebody wants."""


def screen_for(
    config: ScreenConfig,
    prepare: Prepare,
    *,
    stdin_fd: int = 0,
    out: TextIO | None = None,
) -> Screen | None:
    """The screen on which a person chats; None where none can be drawn, or is wanted.

    Files with keys and colours that somebody has named are read in any case: what is wrong in them is an
    error wherever they are named.

    Args:
        config: what the person wants.
        prepare: is called only if it has to be, since it imports much.
        stdin_fd: what is typed, or piped in.
        out: where to draw; by default the standard output.

    Raises:
        triochat.config.ConfigError: by `prepare`.
    """
    plain = config.plain or (isinstance(config, ClientConfig) and config.text)
    drawn = not plain and _can_be_drawn(stdin_fd, out or sys.stdout)
    if not drawn and config.keys is None and config.theme is None:
        return None
    screen = prepare(config)
    return screen if drawn else None


async def run_terminal(
    host: str,
    port: int,
    config: ClientConfig,
    greeting: Sequence[str] = (),
    *,
    stdin_fd: int = 0,
    out: TextIO | None = None,
    err: TextIO | None = None,
    screen: Screen | None = None,
) -> int:
    """Talk to a server until the person, the input or the server ends it. Call it in the main thread.

    Args:
        host: name or address of the server.
        port: its TCP port.
        config: nickname, room and dialect.
        greeting: lines that a screen shows first, since it hides what was printed before.
        stdin_fd: what is typed, or piped in.
        out: for what is said in the chat; by default the standard output.
        err: for what goes wrong; by default the standard error.
        screen: where a person chats, by `screen_for`; without it this is the plain client.

    Returns:
        The exit code: 0; 1 if there was no connection, or not everything was kept; 128 and the number of
        the signal that ended it.
    """
    if stdin_fd == 0 and sys.stdin is None:
        stdin_fd = -1  # it was closed when we were started; by now it may be anything
    printer = Printer(out or sys.stdout, err or sys.stderr)
    keyboard = Keyboard(stdin_fd)
    report = Report(printer)
    visit = _Visit(host, port, config, keyboard, printer, report, screen, greeting)
    with trio.open_signal_receiver(*_signals()) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(visit.heed, signals, nursery.cancel_scope)
            async with trio.open_nursery() as printing:
                printing.start_soon(printer.run)
                await visit.run()
                printer.finish()
                if report.signalled:
                    printing.cancel_scope.deadline = trio.current_time() + PRINT_TIMEOUT
            nursery.cancel_scope.cancel()
    return report.exit_code or (FAILED if printer.failed else 0)


class _Visit:
    """One run of the client, from the first attempt to connect to the exit code."""

    def __init__(
        self,
        host: str,
        port: int,
        config: ClientConfig,
        keyboard: Keyboard,
        printer: Printer,
        report: Report,
        screen: Screen | None,
        greeting: Sequence[str],
    ) -> None:
        self._host = host
        self._port = port
        self._config = config
        self._keyboard = keyboard
        self._printer = printer
        self._report = report
        self._screen = screen
        self._greeting = greeting
        self._conversation: trio.CancelScope | None = None
        self._paper = trio.Lock()  # what belongs together is not to be printed apart
        self._late = False  # the connection is lost, and there is a time until which it has to be back
        self._unsubmitted = 0  # lines of a person that the connection never had

    async def heed(self, signals: AsyncIterator[int], everything: trio.CancelScope) -> None:
        """Leave when a signal asks for it."""
        async for number in signals:
            if self._conversation is None or self._report.signalled:
                everything.cancel()
            else:
                self._conversation.cancel()
            self._report.exit_code = 128 + number

    async def run(self) -> None:
        """Connect, asking for another nickname as often as it takes, and talk."""
        if not self._host:
            await self._report.fail("the address names no host; write it as HOST or HOST:PORT")
            return
        nick: str | None = self._config.nick or login_nick()
        while nick is not None:
            nick = await self._attempt(nick)

    async def _attempt(self, nick: str) -> str | None:
        """Connect under this name, and talk if we may. Returns another one to try."""
        try:
            if self._config.text:
                stream = await self._dial()
                async with open_text_client_on(stream, nick=nick) as text_client:
                    await self._converse(
                        text_client, partial(type_text, text_client, self._keyboard, self._report)
                    )
            else:
                await self._chat(nick)
        except gaierror:  # on entering, as all that follows: the conversation raises nothing
            await self._report.fail(f"there is no host named {self._host}; look at how it is spelled")
        except OSError:
            await self._report.fail(
                f"nobody answers at {self._host}:{self._port}; look at the address,"
                " or start a server there (triochat server)"
            )
        except (Refused, ProtocolError) as refused:
            if refused.code in ASK_AGAIN:
                return await self._another_nick(nick, refused.sentence)
            await self._report.fail(f"the server refused: {refused.sentence}")
        except ConnectionLost as lost:
            hint = "" if self._config.text else " (for a server of the 2019 tutorial there is --text)"
            await self._report.fail(
                f"there is no triochat server at {self._host}:{self._port}: {lost.reason}{hint}"
            )
        return None

    async def _chat(self, nick: str) -> None:
        chat: ChatClient | None = None
        typist: Typist | None = None
        written = True
        try:
            async with open_client_by(self._dial, nick=nick, state=self._config.state) as chat:
                if self._screen is not None:
                    await self._converse_on(self._screen, chat)
                else:
                    typist = self._typist(chat)
                    await self._converse(chat, typist.run)
        except StateError as error:  # of a file that is none, or could not be written in the end
            written = False
            await self._report.fail(str(error))
        if chat is not None:  # by now what was sent before our good-bye is answered
            unkept = chat.statistics().unkept
            unsent = self._unsubmitted + unkept if typist is None else typist.unsent
            if unsent:
                await tell_of_unsent(self._report, self._config.state, unsent, unkept if written else 0)

    def _typist(self, chat: ChatClient) -> Typist:
        return Typist(chat, self._config, self._keyboard, self._printer, self._report, self._paper)

    async def _dial(self) -> trio.abc.Stream:
        return await dial(self._host, self._port)

    async def _another_nick(self, nick: str, reason: str) -> str | None:
        """Ask for a nickname, if there is somebody to ask."""
        if not self._keyboard.is_terminal:
            await self._report.fail(
                f"the nickname {nick} was refused: {reason}; give another one with --nick"
            )
            return None
        await self._printer.show([clean_sentence(reason)])
        while True:
            await self._printer.ask("nickname: ")
            line = await next_line(self._keyboard, self._report)
            if line is None:
                return None
            if isinstance(line, BadLine):
                await self._report.tell(line.sentence)
            elif line.strip().lower() == "/quit":
                return None
            elif line.strip():
                return line.strip()

    # --- the conversation -----------------------------------------------------------------------

    async def _converse(self, client: ChatClient | TextClient, typing: Callable[[], Awaitable[None]]) -> None:
        """The keyboard beside the network, until we have left or the connection is lost."""
        try:
            with trio.CancelScope() as self._conversation:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(typing)
                    nursery.start_soon(self._leave_if_nobody_reads, nursery.cancel_scope)
                    await self._print_news(client, nursery.cancel_scope)
                    nursery.cancel_scope.cancel()
                if self._late and nursery.cancel_scope.deadline <= trio.current_time():
                    await self._report.fail(f"it did not come back within {self._config.timeout:g} seconds")
        finally:
            self._conversation = None

    async def _converse_on(self, screen: Screen, chat: ChatClient) -> None:
        """The whole terminal beside the network, until we have left or the connection is lost."""

        def note(count: int) -> None:
            self._unsubmitted = count

        try:
            with trio.CancelScope() as self._conversation:
                await chat.quit(await screen(chat, self._config, greeting=self._greeting, tell_unsent=note))
        except ConnectionLost as lost:
            await self._report.fail(f"the connection is lost: {lost.reason}")
        finally:
            self._conversation = None

    async def _print_news(self, client: ChatClient | TextClient, conversation: trio.CancelScope) -> None:
        try:
            async for event in client:
                if isinstance(event, Disconnected):
                    await self._report.tell(f"the connection is lost: {event.reason}; trying again")
                    if self._config.timeout:
                        self._late = True
                        conversation.deadline = trio.current_time() + self._config.timeout
                elif isinstance(event, Reconnected):
                    self._late = False
                    conversation.deadline = math.inf
                    await self._report.tell("connected again")
                elif isinstance(event, e.Failure):  # that nobody asked for
                    # A pipe's exit code says that its state file could not be written. That our nick is
                    # somebody else's is no failure yet: the client goes on trying.
                    if self._keyboard.is_terminal or event.code == "nick-in-use":
                        await self._report.tell(event.sentence)
                    else:
                        await self._report.fail(event.sentence)
                else:
                    async with self._paper:
                        await self._printer.show([clean(event)] if isinstance(event, str) else render(event))
        except ConnectionLost as lost:
            await self._report.fail(f"the connection is lost: {lost.reason}")

    async def _leave_if_nobody_reads(self, conversation: trio.CancelScope) -> None:
        """A person's window is gone; the lines of a pipe count all the same."""
        await self._printer.broken.wait()
        if self._keyboard.is_terminal:
            conversation.cancel()


def _signals() -> list[signal.Signals]:
    """Those that ask us to leave; the end of the terminal does, unless nohup has said that it does not."""
    ours = [signal.SIGINT, signal.SIGTERM]
    hangup = getattr(signal, "SIGHUP", None)  # which Windows lacks
    return ours if hangup is None or signal.getsignal(hangup) == signal.SIG_IGN else [*ours, hangup]


def _can_be_drawn(stdin_fd: int, out: TextIO | None) -> bool:
    """Whether there is a person, at a terminal that can be drawn on."""
    seen = out is not None and out.isatty()
    return os.isatty(stdin_fd) and seen and os.environ.get("TERM", "dumb") not in ("dumb", "")
