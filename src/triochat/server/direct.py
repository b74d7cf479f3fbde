"""One read or write on a plain socket, straight to the kernel.

A trio stream looks for cancellation, for a second task and for a full buffer at every call; that is what
it is for, and costs as much as the system call itself. Where many small reads and writes are all that a
server does, the outbox and the reader of a peer go past it, with nothing but public means: the socket of a
`trio.SocketStream`, `trio.lowlevel.wait_readable`, and `os.read` and `os.write`, which never block on it
since trio has made it non-blocking. TLS, a test's memory stream, and Windows, where a socket is no
file, have no such way: then `plain_socket` is None, and the stream is used as ever.

The descriptor is asked for at each use: it says -1 once the socket is closed, while a number that was
kept may by then be somebody else's connection.
"""

import os
import sys

import trio
from trio.socket import SocketType


def plain_socket(stream: object) -> SocketType | None:
    """The socket behind `stream`, if that may be read and written directly."""
    if sys.platform != "win32" and isinstance(stream, trio.SocketStream):
        return stream.socket
    return None


async def read(socket: SocketType, size: int) -> bytes:
    """Wait until there is something to read, then read it; always a checkpoint.

    Raises:
        trio.BrokenResourceError: the connection is broken.
        trio.ClosedResourceError: the socket was closed.
    """
    while True:
        if socket.fileno() < 0:  # trio would take it for a descriptor
            raise trio.ClosedResourceError
        await trio.lowlevel.wait_readable(socket)
        try:
            return os.read(socket.fileno(), size)
        except BlockingIOError:  # it was taken back, as the system may do
            continue
        except OSError as error:
            raise trio.BrokenResourceError from error
