"""Reaching a server for a command that nobody watches: for a while, and under a name that is free."""

import math
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

from triochat.client.backoff import Backoff
from triochat.client.calling import Dial
from triochat.client.chat_client import ChatClient
from triochat.client.errors import TRANSIENT, ConnectionLost, Refused
from triochat.client.nicks import variants
from triochat.client.opening import open_client_by
from triochat.client.state_file import StateError
from triochat.protocol import ProtocolError


class Unreached(Exception):  # noqa: N818 -- it names what is the case
    """There is no conversation; the message is a sentence that says why. Clean it before it is shown."""


@asynccontextmanager
async def reach(
    dial: Dial,
    where: str,
    *,
    nick: str,
    timeout: float,  # noqa: ASYNC109 -- what it ends is the first connection, not the block
    tell: Callable[[str], Awaitable[None]],
    state: Path | None = None,
) -> AsyncIterator[ChatClient]:
    """Connect, for as long as it takes; see `triochat.open_client` for what comes then.

    Args:
        dial: connects.
        where: how to call the server.
        nick: who we would be. If somebody has this nick already, a variant of it will do.
        timeout: seconds after which to give up; 0: never.
        tell: is told, once, why the first attempt has failed, if there will be another one.
        state: see `triochat.open_client`.

    Raises:
        Unreached: it did not work.
    """
    deadline = trio.current_time() + timeout if timeout else math.inf
    nicks = variants(nick)
    nick = next(nicks)
    backoff = Backoff()
    told = False
    while True:
        async with AsyncExitStack() as stack:
            scope = stack.enter_context(trio.CancelScope(deadline=deadline))
            try:
                chat = await stack.enter_async_context(open_client_by(dial, nick=nick, state=state))
            except Refused as refused:
                if refused.code == "nick-in-use":
                    nick = next(nicks)
                    continue
                if refused.code not in TRANSIENT:
                    raise Unreached(f"the server refused: {refused.sentence}") from None
                reason = refused.sentence
            except (ProtocolError, StateError) as error:
                raise Unreached(error.sentence if isinstance(error, ProtocolError) else str(error)) from None
            except socket.gaierror as error:
                if error.errno != socket.EAI_AGAIN:
                    raise Unreached(f"there is no host of that name: {where}") from None
                reason = f"the name of the host can't be looked up: {where}"
            except OSError:
                reason = f"nobody answers at {where}"
            except ConnectionLost as lost:
                reason = f"there is no triochat server at {where}: {lost.reason}"
            else:
                scope.deadline = math.inf
                yield chat
                return
            if not told:
                told = True
                patience = f"trying for {timeout:g} seconds" if timeout else "trying again"
                await tell(f"{reason}; {patience}")
            await trio.sleep(backoff.next())
        if scope.cancelled_caught:
            raise Unreached(f"no triochat server answered at {where} within {timeout:g} seconds")
