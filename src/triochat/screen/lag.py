"""What a desk does when more has come than it could take note of, and the client has let go of some.

Nobody knows what that was. So who is in the rooms, and what their topics are, is asked for again; what was
said in them is as if it had been let go of (`Buffer.break_off`), and read again where somebody looks at it.
What was said to us alone is read at once, since nobody would know where to look.
"""

from typing import Final

import trio

from triochat.client.errors import ClientError, ConnectionLost
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_PAGE, fold
from triochat.screen.desk import Desk
from triochat.screen.outgoing import sentence_of

PAUSE: Final = 1.0
"""Seconds between two times, or asking would make more of what is too much."""


async def run_recovery(desk: Desk) -> None:
    """Ask for what `desk` has not been told, each time, until there is no connection any more."""
    while True:
        await desk.behind.wait()
        desk.behind = trio.Event()
        try:
            for room in desk.chat.joined:
                await _ask_for(desk, room)
            await _read_inbox(desk)
        except ConnectionLost:
            return
        if desk.at_end:
            await desk.read_newest()
        await trio.sleep(PAUSE)
        if not desk.behind.is_set():
            desk.has_caught_up()


async def _ask_for(desk: Desk, room: str) -> None:
    try:
        await desk.chat.join(room)  # its answer is among what happens, where it is newer than all before it
    except ConnectionLost:
        raise
    except (ClientError, ProtocolError):
        pass  # we are not there any more, and are told so


async def _read_inbox(desk: Desk) -> None:
    """Read what was said to us alone behind the last that we had been told."""
    while (heard := desk.heard) is not None:
        nick = desk.chat.nick
        after = heard[1] if heard[0] == fold(nick) else 0  # it is the inbox of another nick, and all new
        try:
            page = await desk.chat.history(f"@{nick}", limit=MAX_PAGE, after=after)
        except ConnectionLost:
            raise
        except (ClientError, ProtocolError) as error:
            if desk.chat.nick != nick:
                continue  # that was the inbox of a nick that we have given up
            desk.tell(f"what was said to you alone can't be read: {sentence_of(error)}", "error")
            desk.heard = None
            return
        for entry in page:
            desk.show_missed(entry)
        if desk.heard != heard:
            continue  # more was not told, perhaps under another nick
        if len(page) < MAX_PAGE:
            if not desk.behind.is_set():  # or else again, for what was not told meanwhile
                desk.heard = None
            return
        desk.heard = fold(nick), page[-1].last if isinstance(page[-1], e.Gap) else page[-1].id
