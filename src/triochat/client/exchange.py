"""A request and its answer, from the moment in which it is made until the answer is complete.

It outlives connections: what has no complete answer is sent again on the next one, under the same tag, by
which the server knows a message that it has kept already.
"""

from typing import Final

import trio

from triochat.client.answers import kept_id
from triochat.client.errors import ConnectionLost, Refused
from triochat.protocol import events as e
from triochat.protocol import framed

WINDOW: Final = 256
"""Requests that may be without an answer at once. It bounds what waits to be written, too."""
Kept = e.Say | e.SetTopic
"""Requests that leave an entry in a log."""


class Exchange:
    """A request on its way, and what has come of its answer.

    Args:
        request: what is asked, with its tag.
        orphan: the program that asked has ended, and this one took it over: nobody waits for the answer.

    Attributes:
        data: the bytes that ask it.
        safe: it may be sent: it need not, or not any more, be written to a file first.
        sent: how often it was sent.
        settled: its answer is here, and nothing of it is to be sent again.

    Raises:
        triochat.protocol.LocalProtocolError: there is no way to ask it.
    """

    def __init__(self, request: e.Request, *, orphan: bool = False) -> None:
        assert request.tag is not None
        self.request = request
        self.tag = request.tag
        self.orphan = orphan
        self.data = framed.build(request)
        self.safe = False
        self.sent = 0
        self.settled = False
        self._answer: list[e.Event] = []
        self._lost: str | None = None
        self._ended = trio.Event()
        self._wanted = True

    @property
    def wanted(self) -> bool:
        """Whether it matters what becomes of it."""
        return self._wanted

    @property
    def failure(self) -> e.Failure | None:
        """Why it was refused, if it was."""
        last = self._answer[-1] if self._answer else None
        return last if isinstance(last, e.Failure) else None

    def again(self) -> None:
        """The answer will be given anew, from its beginning."""
        self._answer.clear()

    def add(self, event: e.Event) -> None:
        """Another frame of the answer."""
        if self._wanted:
            self._answer.append(event)

    def end(self, *, lost: str | None = None) -> None:
        """The answer is complete, or, if `lost` says why, will never be."""
        self._lost = lost
        self._ended.set()

    async def answer(self) -> list[e.Event]:
        """All frames of the answer, ``OK`` or ``PONG`` the last of them.

        Raises:
            Refused: it ended with ``ERROR``.
            ConnectionLost: there will be none.
        """
        await self._ended.wait()
        if self._lost is not None:
            raise ConnectionLost(self._lost)
        if (failure := self.failure) is not None:
            raise Refused(failure.code, failure.sentence)
        return self._answer

    def forget(self) -> None:
        """Nobody waits any more: what comes is dropped."""
        self._wanted = False
        self._answer.clear()


class Receipt:
    """What `ChatClient.submit` returns: the message is on its way."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def kept(self) -> int:
        """Wait until the server has the message in its journal. May be called more than once.

        Returns:
            The id of the message in its room.

        Raises:
            Refused: it was not kept.
            ConnectionLost: that is not known.
        """
        return kept_id(await self._exchange.answer())
