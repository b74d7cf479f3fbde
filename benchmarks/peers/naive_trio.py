"""The trio chat that one writes first: a memory channel and a writer task for each client.

Each message is sent to each member's channel, and each writer sends it by itself: a wake-up and a
system call for each delivery. The channels are bounded, so everybody waits for the slowest.
The first line is ``JOIN room``, answered ``joined``; each further line goes to all members of the room.
"""

import sys
from collections.abc import AsyncIterator

import trio

WAITING = 100

Members = set[trio.MemorySendChannel[bytes]]
rooms: dict[bytes, Members] = {}


async def lines(stream: trio.SocketStream) -> AsyncIterator[bytes]:
    """The lines of a stream, with their ends."""
    rest = b""
    async for data in stream:
        *whole, rest = (rest + data).split(b"\n")
        for line in whole:
            yield line + b"\n"


async def write(stream: trio.SocketStream, queue: trio.MemoryReceiveChannel[bytes]) -> None:
    """Send what comes, one by one."""
    async for message in queue:
        await stream.send_all(message)


async def read(stream: trio.SocketStream, own: trio.MemorySendChannel[bytes]) -> None:
    """Hand each line to all members."""
    members: Members = set()
    try:
        async for line in lines(stream):
            if not members:
                members = rooms.setdefault(line[5:].strip(), set())
                members.add(own)
                await own.send(b"joined\n")
                continue
            for member in list(members):
                try:
                    await member.send(line)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    members.discard(member)
    finally:
        members.discard(own)
        own.close()


async def handle(stream: trio.SocketStream) -> None:
    """Serve one client."""
    own, queue = trio.open_memory_channel[bytes](WAITING)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write, stream, queue)
            await read(stream, own)
            nursery.cancel_scope.cancel()
    except* trio.BrokenResourceError:
        pass  # it has gone


async def main() -> None:
    """Serve for ever."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=4096)
    sys.stdout.write(f"listening on 127.0.0.1:{listeners[0].socket.getsockname()[1]}\n")
    sys.stdout.flush()
    await trio.serve_listeners(handle, listeners)


if __name__ == "__main__":
    trio.run(main)
