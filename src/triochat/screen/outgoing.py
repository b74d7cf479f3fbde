"""What we say, on its way: lines that are shown already, and turn solid when the server has them.

One task hands them on (`Outgoing.run`), so they are kept in the order in which they were typed, however long
that takes; another one for each line waits for what became of it. Here is known at any time what would be
lost if somebody left now.
"""

from collections.abc import Callable
from typing import Final

import trio

from triochat.client.chat_client import ChatClient
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.exchange import Receipt
from triochat.protocol import ProtocolError
from triochat.protocol.text import ACTION
from triochat.screen.buffer import Buffer, Line

MOST_OUTGOING: Final = 1000
"""Messages that may wait to be sent."""


class Outgoing:
    """See the module.

    Args:
        chat: what to send through.
        changed: is called when something came of a line.
        failed: is given a line that failed, and where it stands.
    """

    def __init__(
        self, chat: ChatClient, changed: Callable[[], None], failed: Callable[[Buffer, Line], None]
    ) -> None:
        self._chat = chat
        self._changed = changed
        self._tell_failed = failed
        self._awaited: set[Line] = set()  # handed on, and nobody has said yet what became of it
        self._unsubmitted: set[Line] = set()  # the connection does not have them yet, or never will
        self._answered = trio.Event()  # something came of all of `_awaited`, or nothing will
        self._lost = False
        self._to_send, self._lines = trio.open_memory_channel[tuple[Buffer, Line]](MOST_OUTGOING)

    def hand_on(self, buffer: Buffer, line: Line) -> None:
        """Send a pending line, behind those that wait. It fails at once if too many do."""
        self._unsubmitted.add(line)
        try:
            self._to_send.send_nowait((buffer, line))
        except trio.WouldBlock:
            buffer.fail(line, "too many messages wait to be sent")
        else:
            self._awaited.add(line)

    @property
    def unsubmitted(self) -> int:
        """Lines that were typed and that the connection never had; of the others it knows what became."""
        return len(self._unsubmitted)

    @property
    def unanswered(self) -> int:
        """Lines that were typed, and of which nobody has said yet what became of them."""
        return len(self._awaited)

    @property
    def waiting(self) -> bool:
        """Whether something that was typed has no answer yet, and one may come."""
        return bool(self._awaited) and not self._lost

    async def answered(self) -> None:
        """Wait until all that was typed has an answer, or the connection is lost."""
        while self.waiting:
            self._answered = trio.Event()
            await self._answered.wait()

    def lose(self) -> None:
        """There is no connection: no answer can come."""
        self._lost = True
        self._answered.set()

    def resume(self) -> None:
        """There is a connection again."""
        self._lost = False

    async def run(self) -> None:
        """Send what is said, in its order; each line hears what became of it."""
        async with trio.open_nursery() as nursery:
            async for buffer, line in self._lines:
                text = (ACTION if line.kind == "action" else "") + line.text
                try:
                    receipt = await self._chat.submit(buffer.name, text)
                except (ClientError, ProtocolError) as error:
                    if not isinstance(error, ConnectionLost):
                        self._unsubmitted.discard(line)
                    self._failed(buffer, line, error)
                else:
                    self._unsubmitted.discard(line)
                    nursery.start_soon(self._confirm, buffer, line, receipt)

    async def _confirm(self, buffer: Buffer, line: Line, receipt: Receipt) -> None:
        try:
            number = await receipt.kept()
        except ClientError as error:
            self._failed(buffer, line, error)
        else:
            self._has_answer(line)
            buffer.keep(line, number)
            self._changed()

    def _failed(self, buffer: Buffer, line: Line, error: ClientError | ProtocolError) -> None:
        self._has_answer(line)
        if line.state == "pending":
            buffer.fail(line, sentence_of(error))
            self._tell_failed(buffer, line)
            self._changed()

    def _has_answer(self, line: Line) -> None:
        self._awaited.discard(line)
        if not self._awaited:
            self._answered.set()


def sentence_of(error: ClientError | ProtocolError) -> str:
    """What went wrong, for people."""
    return error.sentence if isinstance(error, Refused | ProtocolError) else str(error)
