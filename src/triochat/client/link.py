"""One connection on which we are welcome: from the hello until it is lost.

Keeps laws 5 and 6 of docs/architecture.md: one nursery holds the task that receives and the one that writes,
whichever ends ends both; what waits to be written is bounded by the window of those who ask; and a server
that is silent for long is asked whether it is there, for a connection can be gone without a sign.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import trio

from triochat.client.errors import ConnectionLost, Refused
from triochat.client.hearing import hear
from triochat.protocol import Connection, Role
from triochat.protocol import events as e

HELLO_TIMEOUT: Final = 10.0
"""Seconds in which a server says whether it takes us."""
SILENCE: Final = 30.0
"""Seconds of silence after which the server is asked whether it is there, and again until it is given up."""
QUIT_TIMEOUT: Final = 1.0
"""Seconds that we wait for the reason why a server does not read any more, and for our last words to go."""
MAX_PONGS: Final = 16
"""Pongs that may wait to be written: who asks more often than it reads has older ones forgotten."""
REPLACED: Final = "replaced"
"""The good-bye of a server to which another connection came with our session."""


class Link:
    """A connection and what waits to be written to it. Comes from `introduce`.

    Attributes:
        last_words: what to say if `run` is cancelled; nothing if it is empty.
        replaced: another connection has taken our place.
    """

    def __init__(self, stream: trio.abc.Stream, connection: Connection) -> None:
        self.last_words = b""
        self.replaced = False
        self._stream = stream
        self._connection = connection
        self._outgoing: list[bytes] = []
        self._pongs: deque[bytes] = deque(maxlen=MAX_PONGS)
        self._something_to_write = trio.lowlevel.ParkingLot()
        self._sending = False
        self._over = trio.Event()

    def __len__(self) -> int:
        """Frames that wait to be written."""
        return len(self._pongs) + len(self._outgoing)

    def send(self, data: bytes) -> None:
        """Have `data` written, behind all that was sent before."""
        self._outgoing.append(data)
        self._something_to_write.unpark_all()

    async def run(self, heard: Callable[[e.Event], None]) -> ConnectionLost:
        """Write, and hand on what the server says, until the connection is lost. Closes it.

        Args:
            heard: gets every event but ``PING``; what it raises as `ConnectionLost` ends the connection.

        Returns:
            Why it ended.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                lost = await self._receive(heard)
                self.last_words = b""
                self._over.set()
                nursery.cancel_scope.cancel()
        finally:
            if self.last_words and not self._sending:  # a cancelled send leaves half a frame behind
                with trio.move_on_after(QUIT_TIMEOUT, shield=True), suppress(trio.BrokenResourceError):
                    await self._stream.send_all(self.last_words)
            # At once, though the block may go on for long: a server that shuts down waits for this.
            await trio.aclose_forcefully(self._stream)
        return lost

    async def _receive(self, heard: Callable[[e.Event], None]) -> ConnectionLost:
        """The receive task."""
        asked = False
        while True:
            try:
                event = await hear(self._stream, self._connection, silence=SILENCE)
                asked = False
                if isinstance(event, e.Ping):
                    self._pongs.append(self._connection.send(e.Pong(event.token)))
                    self._something_to_write.unpark_all()
                elif isinstance(event, e.Bye):
                    self.replaced = event.reason == REPLACED
                    return ConnectionLost(event.reason or "the server said good-bye")
                else:
                    heard(event)
            except trio.TooSlowError:
                if asked:
                    return ConnectionLost("the server does not answer")
                asked = True
                self.send(self._connection.send(e.Ping()))
            except ConnectionLost as lost:
                return lost

    async def _write(self) -> None:
        """The write task; a broken connection ends the other one."""
        try:
            while True:
                while self._pongs or self._outgoing:
                    data = b"".join((*self._pongs, *self._outgoing))
                    self._pongs.clear()
                    self._outgoing.clear()
                    self._sending = True
                    await self._stream.send_all(data)
                    self._sending = False
                await self._something_to_write.park()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            # Why, the receive task may still be about to read.
            with trio.move_on_after(QUIT_TIMEOUT):
                await self._over.wait()
            await trio.aclose_forcefully(self._stream)


async def introduce(stream: trio.abc.Stream, hello: e.Hello) -> tuple[Link, e.Welcome]:
    """Say hello and read until the server has agreed. If it does not, the stream is closed.

    Raises:
        Refused: it does not want us.
        ConnectionLost: it went away before it had said so, or does not speak this protocol.
    """
    try:
        connection = Connection(Role.CLIENT)
        return Link(stream, connection), await _welcome(stream, connection, hello)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise


async def _welcome(stream: trio.abc.Stream, connection: Connection, hello: e.Hello) -> e.Welcome:
    welcome: e.Welcome | None = None
    with trio.move_on_after(HELLO_TIMEOUT):
        try:
            await stream.send_all(connection.send(hello))
        except trio.BrokenResourceError:
            raise ConnectionLost("the connection broke") from None
        while True:
            match await hear(stream, connection):
                case e.Welcome() as welcome:
                    pass
                case e.Ok(tag=hello.tag) if welcome is not None:
                    return welcome
                case e.Failure(code=code, sentence=sentence):
                    raise Refused(code, sentence)
                case e.Prompt(reason=reason):
                    raise Refused("bad-nick", reason)
                case e.Bye(reason=reason):
                    raise ConnectionLost(reason or "the server said good-bye")
    raise ConnectionLost("the server does not answer")
