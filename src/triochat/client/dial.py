"""Reach a server."""

from typing import Final

import trio

CONNECT_TIMEOUT: Final = 30.0
"""Seconds; a system left alone may try for minutes."""


async def dial(host: str, port: int) -> trio.SocketStream:
    """Connect to whichever address of `host` answers first.

    Raises:
        OSError: nobody answers there, or there is no such host.
    """
    with trio.move_on_after(CONNECT_TIMEOUT):
        try:
            return await trio.open_tcp_stream(host, port)
        except UnicodeError:  # from the encoding of names that are no host names, such as "a..b"
            raise OSError("that is not the name of a host") from None
    raise TimeoutError(f"nobody answered within {CONNECT_TIMEOUT:.0f} seconds")
