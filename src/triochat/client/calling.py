"""Calling a server: a connection, and the hello on it; once, or for as long as it takes."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import trio

from triochat.client.backoff import Backoff
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.link import Link, introduce
from triochat.client.tags import Tags
from triochat.protocol import events as e

Dial = Callable[[], Awaitable[trio.abc.Stream]]
"""Connects; raises `OSError` if nobody answers."""

ATTEMPT_TIMEOUT: Final = 30.0
"""Seconds that one attempt to connect may take, the hello not counted."""
PATIENCE: Final = 5.0
"""Seconds for which a server may refuse us before the program is told: our old connection may go first."""


class Caller:
    """Calls one server, always with the same session.

    Args:
        dial: connects.
        session: 32 hex digits; None if we will not return.
        tags: to mark the hello.
    """

    def __init__(self, dial: Dial, session: str | None, tags: Tags) -> None:
        self._dial = dial
        self._session = session
        self._tags = tags

    async def call(self, nick: str, *, takeover: bool = True) -> tuple[Link, e.Welcome]:
        """Connect, and say that we are `nick`; without `takeover` a connection that has our session stays.

        Raises:
            OSError: nobody answers.
            Refused: the server does not want us.
            ConnectionLost: it went away before it had said so, or does not speak this protocol.
        """
        stream: trio.abc.Stream | None = None
        with trio.move_on_after(ATTEMPT_TIMEOUT):
            stream = await self._dial()
        if stream is None:
            raise TimeoutError(f"nobody answered within {ATTEMPT_TIMEOUT:.0f} seconds")
        return await introduce(stream, e.Hello(nick, self._session, takeover=takeover, tag=self._tags.next()))

    async def call_back(
        self, nick: str, backoff: Backoff, unanswered: Callable[[], None]
    ) -> tuple[Link, e.Welcome] | None:
        """Call after another connection has taken our place; None if it is there to stay.

        It may be one that we had given up ourselves: its hello arrived late, and its end comes behind it.
        That nobody answers for a while says nothing of the other one: only a server that refuses us does. And
        whatever happens here, it is not to be thrown out.

        Args:
            nick: who we are.
            backoff: how long to wait while nobody answers.
            unanswered: is told each time that nobody does.
        """
        since: float | None = None
        delay = PATIENCE / 5
        while True:
            await trio.sleep(delay)
            try:
                return await self.call(nick, takeover=False)
            except (OSError, ConnectionLost):
                unanswered()
                since, delay = None, backoff.next()
            except Refused:
                now = trio.current_time()
                since = now if since is None else since
                if now - since >= PATIENCE:
                    return None
                delay = PATIENCE / 5

    async def call_again(
        self, nicks: Callable[[], Sequence[str]], backoff: Backoff, refused: Callable[[Refused], None]
    ) -> tuple[Link, e.Welcome]:
        """Call until the server takes us; wait before each attempt.

        Args:
            nicks: who we would be now; the next in turn when one is refused.
            backoff: how long to wait.
            refused: is told once if the server goes on refusing us.
        """
        told = False
        since: float | None = None
        refusals = 0
        while True:
            await trio.sleep(backoff.next())
            try:
                names = nicks()
                return await self.call(names[refusals % len(names)])
            except (OSError, ConnectionLost):
                since = None
            except Refused as error:
                refusals += 1
                since = trio.current_time() if since is None else since
                if not told and trio.current_time() - since >= PATIENCE:
                    told = True
                    refused(error)
