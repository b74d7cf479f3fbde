"""Reads and writes on a plain socket, straight to the kernel.

A trio stream looks for cancellation, for a second task and for a full buffer at every call; that is what
it is for, and costs as much as the system call itself. Where many small reads and writes are all that a
server does, the broadcast and the poller go past it, with nothing but public means: they use the socket of
the standard library on which the stream stands. TLS, a test's memory stream, and Windows have no such way:
the stream is used as ever.

It is the socket that is kept, never its number: a closed socket refuses, while a number that was
kept may by then be somebody else's connection.
"""

import socket
import sys

import trio


def take_over(stream: trio.abc.Stream) -> tuple[trio.abc.Stream, socket.socket | None]:
    """Make it possible to read and write directly on a connection that nobody uses yet.

    Args:
        stream: not to be used any more; its socket is moved to the stream that is returned.

    Returns:
        The stream to use from now on, and the non-blocking socket on which it stands, which closes
        with it; None, and the same stream as before, if there is no such way.
    """
    if sys.platform == "win32" or type(stream) is not trio.SocketStream or stream.socket.fileno() < 0:
        return stream, None
    old = stream.socket
    plain = socket.socket(old.family, old.type, old.proto, fileno=old.detach())
    return trio.SocketStream(trio.socket.from_stdlib_socket(plain)), plain
