"""The floor in trio: the least that a trio program can do to relay messages.

A task for each connection, which waits until its socket is readable and reads it with `os.read`; one
task that takes all that has come in this turn of the loop, joins it, and writes it once to everybody. No
parsing, no names, no rooms, no limits: what is left is the cost of trio and of the system calls.

Not a server to use, for the same reasons as ``floor.c``: one member that never reads loses what does not
fit its buffer.
"""

import os
from contextlib import suppress

import trio
from trio.socket import SocketType

READ_SIZE = 65536
WAITING = 10_000

members: dict[SocketType, None] = {}  # in the order in which they came


async def relay(reads: trio.MemoryReceiveChannel[bytes]) -> None:
    """Write all that has come once to everybody."""
    while True:
        batch = [await reads.receive()]
        await trio.lowlevel.checkpoint()
        with suppress(trio.WouldBlock):
            while True:
                batch.append(reads.receive_nowait())
        data = b"".join(batch)
        for member in members:
            try:
                os.write(member.fileno(), data)
            except OSError:  # its reader will find out
                continue


async def main() -> None:
    """Serve until killed."""
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=4096)
    to_relay, reads = trio.open_memory_channel[bytes](WAITING)

    async def serve(stream: trio.SocketStream) -> None:
        socket = stream.socket
        members[socket] = None
        try:
            os.write(socket.fileno(), b"hello\n")
            while True:
                await trio.lowlevel.wait_readable(socket)
                data = os.read(socket.fileno(), READ_SIZE)
                if not data:
                    return
                to_relay.send_nowait(data)
        except ConnectionError:
            return
        finally:
            del members[socket]

    os.write(1, f"listening on 127.0.0.1:{listener.socket.getsockname()[1]}\n".encode())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(relay, reads)
        await trio.serve_listeners(serve, [listener], handler_nursery=nursery)


if __name__ == "__main__":
    trio.run(main)
