"""``triochat send``: what a script has to say, each message kept once, or an exit code that says otherwise.

Lines are sent as they come, many at a time, and in their order. One session and one tag for each message
hold over all connections: so whatever becomes of the server, none of them is kept twice.
"""

import sys
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, TextIO

import trio

from triochat.client.calling import Dial
from triochat.client.chat_client import ChatClient
from triochat.client.commands import room_name
from triochat.client.dial import dial
from triochat.client.errand import Errand, run_errand
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.exchange import WINDOW, Receipt
from triochat.client.happenings import Disconnected
from triochat.client.keyboard import LIMIT, BadLine, Keyboard
from triochat.client.nicks import login_nick
from triochat.client.plain_text import plain_line, plain_text
from triochat.client.reach import Unreached, reach
from triochat.client.report import FAILED
from triochat.client.state_file import StateError
from triochat.config import ConfigError, SendConfig
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.grammar import LOBBY, is_target

QUOTED: Final = 40
"""Characters of a text by which it is known again."""


async def run_send(
    host: str,
    port: int,
    words: Sequence[str],
    config: SendConfig,
    *,
    stdin_fd: int = 0,
    err: TextIO | None = None,
) -> int:
    """Send one text, or what is piped in. Call it in the main thread.

    Args:
        host: name or address of the server.
        port: its TCP port.
        words: of one message; without any the lines of the input are sent.
        config: to whom, and how.
        stdin_fd: the input.
        err: for what goes wrong; by default the standard error.

    Returns:
        The exit code: 0 if all is kept; 1 if something is not; 128 and the number of the signal that
        ended it.

    Raises:
        ConfigError: what is asked for makes no sense.
    """
    target = target_of(config)
    text = plain_text(" ".join(words)) if words else None
    if text is not None and not text.strip():
        raise ConfigError("there is nothing to send: the text is empty")
    if stdin_fd == 0 and sys.stdin is None:
        stdin_fd = -1  # it was closed when we were started; by now it may be anything

    async def carry_out(errand: Errand) -> None:
        errand.timeout = config.timeout
        sending = _Sending(errand, target, config, Keyboard(stdin_fd))
        await sending.run(partial(dial, host, port), f"{host}:{port}", text)

    return await run_errand(carry_out, err)


def target_of(config: SendConfig) -> str:
    """To whom: a room, or ``@nick``.

    Raises:
        ConfigError: there is no such name.
    """
    if config.to is not None:
        target = f"@{config.to.removeprefix('@')}"
    else:
        target = room_name(LOBBY if config.room is None else config.room)
    if not is_target(target):
        raise ConfigError(
            f"{target!a} can't be the name of a room: a room is up to 32 letters, digits, - and _ behind a #"
            if config.to is None
            else f"{target[1:]!a} can't be the name of a person: a nickname is a letter,"
            " then up to 31 letters, digits, - and _"
        )
    return target


class _Sending:
    """The messages on their way."""

    def __init__(self, errand: Errand, target: str, config: SendConfig, keyboard: Keyboard) -> None:
        self._errand = errand
        self._target = target
        self._config = config
        self._keyboard = keyboard
        self._numbers = count()
        self._unanswered: dict[int, str] = {}
        self._asking = False  # something else has no answer
        self._all_read = False

    async def run(self, dial: Dial, where: str, text: str | None) -> None:
        """Say everything, and tell what was not kept."""
        if text is None and self._config.whole and (text := await self._whole()) is None:
            return
        nick = self._config.nick or login_nick()
        state, timeout = self._config.state, self._config.timeout
        try:
            async with reach(
                dial, where, nick=nick, timeout=timeout, tell=self._errand.tell, state=state
            ) as chat:
                with self._errand.conversation():
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._listen, chat, nursery)
                        with suppress(ConnectionLost):  # the other task says why
                            await self._say_all(chat, text)
                            nursery.cancel_scope.cancel()
        except Unreached as unreached:
            await self._errand.fail(str(unreached))
            return
        except StateError as error:  # in the end: nothing is in it for a next one
            await self._errand.fail(str(error))
            state = None
        if not self._errand.signalled:
            await self._errand.fail_if_late()
            await self._tell_what_is_left(state)

    async def _tell_what_is_left(self, state: Path | None) -> None:
        kept = "" if state is None else f" (it is in {state} for the next one)"
        for text in self._unanswered.values():
            await self._errand.fail(f"not acknowledged{kept}: {_quoted(text)}")
        if not self._all_read:
            await self._errand.fail("the rest of the input was not sent")

    async def _listen(self, chat: ChatClient, nursery: trio.Nursery) -> None:
        try:
            async for event in chat:
                await self._errand.hear(event, chat, nursery)
                if isinstance(event, e.Failure) and event.code != "nick-in-use":
                    self._errand.exit_code = FAILED  # it may be of what a program before us has left
                elif isinstance(event, Disconnected) and (self._unanswered or self._asking):
                    self._errand.wait_no_longer()
        except ConnectionLost as lost:
            await self._errand.fail(f"the connection is lost: {lost.reason}")
        nursery.cancel_scope.cancel()

    async def _say_all(self, chat: ChatClient, text: str | None) -> None:
        room = self._target if self._target.startswith("#") else None
        if room is not None and not await self._done(chat.join(room)):
            return
        async with trio.open_nursery() as nursery:
            to_confirm, receipts = trio.open_memory_channel[tuple[int, Receipt]](WINDOW)
            nursery.start_soon(self._confirm, receipts)
            with to_confirm, suppress(ConnectionLost):
                if text is None:
                    await self._say_lines(chat, to_confirm)
                else:
                    await self._submit(chat, text, to_confirm)
                self._all_read = True
        if self._config.state is not None and not self._unanswered:
            await self._done(chat.ping())  # what a program before us has left is answered first
            for room in chat.joined:  # or the next one would be told all that is said there meanwhile
                await self._done(chat.part(room))

    async def _done(self, request: Awaitable[object]) -> bool:
        """Whether a request was carried out; if not, a sentence says why."""
        self._asking = True
        self._errand.wait_no_longer()
        try:
            await request
        except Refused as refused:
            await self._errand.fail(f"the server refused: {refused.sentence}")
            return False
        self._asking = False
        return True

    async def _say_lines(
        self, chat: ChatClient, to_confirm: trio.MemorySendChannel[tuple[int, Receipt]]
    ) -> None:
        while (line := await self._next_line()) is not None:
            if isinstance(line, BadLine):
                await self._errand.fail(line.sentence)
            elif (text := plain_text(line)).strip():
                await self._submit(chat, text, to_confirm)

    async def _submit(
        self, chat: ChatClient, text: str, to_confirm: trio.MemorySendChannel[tuple[int, Receipt]]
    ) -> None:
        number = next(self._numbers)
        self._unanswered[number] = text
        self._errand.wait_no_longer()
        try:
            receipt = await chat.submit(self._target, text)
        except ProtocolError as error:
            del self._unanswered[number]
            await self._errand.fail(f"not sent: {_quoted(text)}: {error.sentence}")
        else:
            await to_confirm.send((number, receipt))

    async def _confirm(self, receipts: trio.MemoryReceiveChannel[tuple[int, Receipt]]) -> None:
        async for number, receipt in receipts:
            text = self._unanswered[number]
            try:
                await receipt.kept()
            except ConnectionLost:
                return
            except ClientError as error:
                sentence = error.sentence if isinstance(error, Refused) else str(error)
                await self._errand.fail(f"not kept: {_quoted(text)}: {sentence}")
            del self._unanswered[number]

    # --- the input ------------------------------------------------------------------------------

    async def _next_line(self) -> str | BadLine | None:
        try:
            return await self._keyboard.next_line()
        except OSError as error:
            await self._errand.fail(f"the input can't be read: {error.strerror}")
            return None

    async def _whole(self) -> str | None:
        """All of the input as one text; None if there is nothing to send, or it can't be."""
        lines: list[str] = []
        size = 0
        while (line := await self._next_line()) is not None:
            if isinstance(line, BadLine):
                await self._errand.fail(f"{line.sentence}; nothing was sent")
                return None
            size += len(line) + 1
            if size > LIMIT:
                await self._errand.fail("the input is longer than one message may be; nothing was sent")
                return None
            lines.append(plain_line(line))
        text = "\n".join(lines)
        return text if text.strip() and not self._errand.exit_code else None


def _quoted(text: str) -> str:
    """The beginning of a text."""
    first = text.strip().partition("\n")[0]
    return f"\u201c{first if text == first and len(first) <= QUOTED else f'{first[:QUOTED]}…'}\u201d"
