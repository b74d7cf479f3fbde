"""A client for a server of 2019, or for anything that takes lines: no ids, no answers, one room.

Such a server makes one message of whatever one read brings it, so two lines that are sent quickly
arrive as one. There are no acknowledgements; but a chat server sends a message back to its sender too,
and that echo is waited for, not for long, before the next line goes out. The nickname is the first.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio

from triochat.client.beside import beside
from triochat.client.errors import ConnectionLost
from triochat.client.event_buffer import EventBuffer, Lagged
from triochat.client.hearing import hear
from triochat.client.link import HELLO_TIMEOUT
from triochat.protocol import Connection, Dialect, Role
from triochat.protocol import events as e

ECHO_TIMEOUT: Final = 1.0
"""Seconds that a line waits for the echo of the one before."""


class TextClient:
    """A connection to a server that knows lines only. Iterating yields the lines that it sends."""

    def __init__(self, stream: trio.abc.Stream, connection: Connection, nick: str) -> None:
        self._stream = stream
        self._connection = connection
        self._nick = nick
        self._lines: EventBuffer[str] = EventBuffer()
        self._turn = trio.Lock()
        self._expected = nick  # it has been sent: "alice joined!" is its echo
        self._echoed = trio.Event()
        self._leaving = False
        self._lost: str | None = None

    @property
    def nick(self) -> str:
        """The nickname that we offered; the server never says whether it took it."""
        return self._nick

    def __aiter__(self) -> AsyncIterator[str | Lagged]:
        return self._lines

    async def say(self, text: str) -> None:
        """Send a line, and wait for its echo for a second at most.

        Raises:
            ConnectionLost: the server is no longer there.
            triochat.protocol.LocalProtocolError: it can't be said.
        """
        data = self._connection.send(e.Say(None, text))
        async with self._turn:
            await self._until_echoed()  # our nickname must not be glued to what we say first
            self._check()
            self._expected = text.encode("ascii", "backslashreplace").decode("ascii").rpartition("\n")[2]
            self._echoed = trio.Event()
            try:
                await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                raise ConnectionLost("the connection broke") from None
            await self._until_echoed()
            self._check()

    async def _until_echoed(self) -> None:
        with trio.move_on_after(ECHO_TIMEOUT):
            await self._echoed.wait()
        self._echoed.set()

    def _check(self) -> None:
        if self._lost is not None:
            raise ConnectionLost(self._lost)

    def quit(self) -> None:
        """Leave: a server of 2019 knows no word for it, so iterating just ends, and nothing more is said."""
        self._leaving = True
        self._end("we have left")

    def _end(self, reason: str) -> None:
        """The connection is over; everybody who waits for something is told."""
        if self._lost is None:
            self._lost = reason
            self._lines.close(None if self._leaving else reason)
            self._echoed.set()

    async def _receive(self) -> None:
        """The receive task: ends when the connection does, and notes why."""
        try:
            while True:
                event = await hear(self._stream, self._connection)
                if isinstance(event, e.Notice):
                    self._heard(event.sentence)
        except ConnectionLost as lost:
            self._end(lost.reason)

    def _heard(self, line: str) -> None:
        if self._expected in line:
            self._echoed.set()
        if not self._leaving:
            self._lines.put(line)


@asynccontextmanager
async def open_text_client_on(stream: trio.abc.Stream, *, nick: str) -> AsyncIterator[TextClient]:
    """Wait for the prompt ``NICK``, answer it, and talk in lines. Closes the stream in the end.

    An exception of the block comes out as it is, not in a group.

    Raises:
        ConnectionLost: the server went away, or never asked.
        triochat.protocol.LocalProtocolError: there can't be such a nick.
    """
    client: TextClient | None = None
    try:
        hello = e.Hello(nick)
        connection = Connection(Role.CLIENT, Dialect.TEXT)
        client = TextClient(stream, connection, nick)
        await _answer_prompt(stream, connection, hello)
        async with beside(client._receive):
            yield client
    finally:
        if client is not None:
            client.quit()  # tasks outside the block may wait for what will not come
        await trio.aclose_forcefully(stream)


async def _answer_prompt(stream: trio.abc.Stream, connection: Connection, hello: e.Hello) -> None:
    with trio.move_on_after(HELLO_TIMEOUT):
        while not isinstance(await hear(stream, connection), e.Prompt):
            pass
        try:
            await stream.send_all(connection.send(hello))
        except trio.BrokenResourceError:
            raise ConnectionLost("the connection broke") from None
        return
    raise ConnectionLost("the server never asked for a nickname")
