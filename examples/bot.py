"""A bot in ten lines: it keeps count of karma. Whoever says ``alice++`` is told how much alice has."""

import collections
import re
import sys

import cyclopts

import triochat
from triochat.protocol import LocalProtocolError
from triochat.protocol.events import Message

app = cyclopts.App(help=__doc__, backend="trio")
# No longer than a nick: what others have typed must not become an answer that can't be said.
is_praise = re.compile(r"[\w-]{1,32}\+\+").fullmatch


@app.default
async def main(host: str = "127.0.0.1", port: int = 55555, room: str = "#lobby", /) -> None:
    karma = collections.Counter[str]()
    async with triochat.open_client(host, port, nick="karma") as chat:
        await chat.join(room)
        async for event in chat:
            if isinstance(event, Message) and event.target == room and is_praise(event.text):
                name = event.text.removesuffix("++")
                karma[name] += 1
                await chat.say(room, f"{name} has {karma[name]}")


if __name__ == "__main__":
    try:
        app()
    except (OSError, triochat.ClientError, LocalProtocolError) as error:
        sys.exit(f"bot.py: {error}")
