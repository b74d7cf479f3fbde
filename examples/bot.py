"""A bot in ten lines: it keeps count of karma. Whoever says ``alice++`` is told how much alice has."""

import collections
import re
import sys

import trio

import triochat
from triochat.protocol.events import Message

# No longer than a nick: what others have typed must not become an answer that can't be said.
is_praise = re.compile(r"[\w-]{1,32}\+\+").fullmatch


async def main(host: str, port: int, room: str) -> None:
    karma = collections.Counter[str]()
    async with triochat.open_client(host, port, nick="karma") as chat:
        await chat.join(room)
        async for event in chat:
            if isinstance(event, Message) and event.target == room and is_praise(event.text):
                name = event.text.removesuffix("++")
                karma[name] += 1
                await chat.say(room, f"{name} has {karma[name]}")


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]), sys.argv[3])
