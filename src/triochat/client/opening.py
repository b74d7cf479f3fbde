"""Opening a client: the connection, the hello on it, and the tasks that serve it beside the block.

Keeps law 5 of docs/architecture.md: all tasks live in the nursery of the client's block.
"""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial

import trio

from triochat.client.backoff import Backoff, Jitter
from triochat.client.beside import beside
from triochat.client.calling import Caller, Dial
from triochat.client.chat_client import ChatClient
from triochat.client.conversation import Conversation
from triochat.client.dial import dial
from triochat.client.state_file import State, StateError, StateFile
from triochat.client.tags import Tags
from triochat.protocol import events as e


@asynccontextmanager
async def open_client(
    host: str,
    port: int,
    *,
    nick: str,
    session: str | None = None,
    reconnect: bool = True,
    state: str | os.PathLike[str] | None = None,
) -> AsyncIterator[ChatClient]:
    """Connect to a server and say who we are; connect again whenever the connection is lost.

    Leaving the block says good-bye and closes the connection, or ends the attempts to get it back; leaving
    it by an exception ends it at once. The exception comes out as it is, not in a group.

    The first connection is attempted once; if that fails, so does this. Later ones are attempted for as
    long as the block lives, with delays that are drawn at random and grow, up to 15 seconds; each attempt
    has half a minute.

    Args:
        host: name or address.
        port: TCP port.
        nick: the nickname that we want.
        session: 32 hex digits, a secret of ours. With it the server holds nick and rooms for a while if
            the connection breaks, until the same session returns. By default one is drawn at random. A client
            that returns without a state file gets all that was said to it alone since it took its nick.
        reconnect: whether to connect again. Without, there is a session only if it is given, and the
            end of the connection is the end of the client.
        state: a file to keep in what a client needs to go on in the place of this one, should it be killed:
            the session, the rooms it is in and how far these and its inbox were read, and messages that have
            no answer. It is made if need be. If there is one, the client goes back into those rooms, yields
            what was said there, and to it alone, behind the last entry that the program took (perhaps a few
            that it had taken, if that was less than a second before it was killed), and sends those
            messages. A message is in the file before it is sent.

    Raises:
        OSError: nobody answers there.
        Refused: the server does not want us, e.g. because somebody has that nick.
        ConnectionLost: the server went away before it had said so, or does not speak this protocol.
        StateError: the state file is none, or another client uses it; or, where the block ends, it can't be
            written.
        triochat.protocol.LocalProtocolError: there can't be such a nick.
    """
    async with open_client_by(
        partial(dial, host, port), nick=nick, session=session, reconnect=reconnect, state=state
    ) as chat:
        yield chat


@asynccontextmanager
async def open_client_by(
    dial: Dial,
    *,
    nick: str,
    session: str | None = None,
    reconnect: bool = True,
    state: str | os.PathLike[str] | None = None,
    jitter: Jitter | None = None,
) -> AsyncIterator[ChatClient]:
    """The same by another way to connect, and with delays that are not left to chance."""
    e.Hello(nick, session)  # or there is nothing to connect for
    with ExitStack() as stack:
        file = None if state is None else stack.enter_context(StateFile(state))
        homeless = session is None and file is None and reconnect
        if file is not None and file.state is not None:
            if session not in (None, file.state.session):
                raise StateError(f"the state file {os.fspath(state or '')} is that of another session")
            session = file.state.session
        returning = session is not None
        if session is None and (reconnect or file is not None):
            session = secrets.token_hex(16)
        if file is not None and file.state is None:
            assert session is not None
            await _keep_session(file, session)
        tags = Tags()
        caller = Caller(dial, session, tags)
        # In front of the nursery, so that a refusal does not come out of it in a group.
        link, welcome = await caller.call(nick)
        conversation = Conversation(
            link,
            welcome,
            tags=tags,
            caller=caller if reconnect else None,
            backoff=None if jitter is None else Backoff(jitter),
            file=file,
            session=session,
            homeless=homeless,
            returning=returning,
        )
        async with _running(conversation):
            yield ChatClient(conversation, tags)


async def _keep_session(file: StateFile, session: str) -> None:
    """Have the session on the disk before it is used, or nobody could come back in it if we were killed."""
    with suppress(OSError):  # told when it fails again: the client tries as soon as anything changes
        await trio.to_thread.run_sync(file.save, State(session=session))


@asynccontextmanager
async def open_client_on(
    stream: trio.abc.Stream, *, nick: str, session: str | None = None
) -> AsyncIterator[ChatClient]:
    """The same over a stream that is there already, and that is closed in the end; there is no other one."""

    async def dial() -> trio.abc.Stream:
        return stream

    try:
        async with open_client_by(dial, nick=nick, session=session, reconnect=False) as chat:
            yield chat
    finally:
        await trio.aclose_forcefully(stream)


@asynccontextmanager
async def _running(conversation: Conversation) -> AsyncIterator[None]:
    """Run the tasks of a client beside the block."""
    keeping = conversation.keeping
    unsaved: OSError | None = None
    try:
        async with beside(conversation.run, *([] if keeping is None else [keeping.run])):
            yield
            await conversation.quit("")
    finally:
        conversation.leave()  # tasks outside the block may wait for what will not come
        if keeping is not None:
            try:
                keeping.finish()
            except OSError as error:  # told below, unless something else ends the block
                unsaved = error
            conversation.finish()
    if unsaved is not None:
        raise StateError(
            f"the state file can't be written: {unsaved.strerror}; what is in it is older than what was done"
        )
