"""What a desk does when more has come than it could take note of, and the client has let go of some.

Nobody knows what that was. So who is in the rooms, and what their topics are, is asked for again; what was
said in them is as if it had been let go of (`Buffer.break_off`), and read again where somebody looks at it.
"""

from typing import Final

import trio

from triochat.client.errors import ClientError, ConnectionLost
from triochat.protocol import ProtocolError
from triochat.screen.desk import Desk

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
        except ConnectionLost:
            return
        if desk.at_end:
            await desk.read_newest()
        await trio.sleep(PAUSE)


async def _ask_for(desk: Desk, room: str) -> None:
    try:
        await desk.chat.join(room)  # its answer is among what happens, where it is newer than all before it
    except ConnectionLost:
        raise
    except (ClientError, ProtocolError):
        pass  # we are not there any more, and are told so
