"""A plain asyncio chat with streams, as the documentation teaches them; with --uvloop on uvloop.

The first line is ``JOIN room``, answered ``joined``; each further line goes to all members of the room.
"""

import asyncio
import contextlib
import importlib
import sys

rooms: dict[bytes, set[asyncio.StreamWriter]] = {}


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client."""
    _, _, name = (await reader.readline()).strip().partition(b" ")
    members = rooms.setdefault(name, set())
    members.add(writer)
    try:
        writer.write(b"joined\n")
        await writer.drain()
        while line := await reader.readline():
            for member in list(members):
                with contextlib.suppress(ConnectionError):  # its own task will find out
                    member.write(line)
                    await member.drain()
    except ConnectionError:
        pass
    finally:
        members.discard(writer)
        writer.close()


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    if "--uvloop" in sys.argv:
        importlib.import_module("uvloop").run(main())
    else:
        asyncio.run(main())
