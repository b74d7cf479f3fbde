"""Somebody who chats through all of it, and remembers what it saw: the protocol by hand, nothing of ours.

It keeps the client's side of the bargain of section 4 of docs/protocol.md: one session for all its
connections, a tag of its own for each message, sent again until it is acknowledged, and ``JOIN`` behind
the last id that it saw.
"""

import random
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import trio

MESSAGE = re.compile(r"(?:@\S+ )?MSG (#\S+) (\d+) \d+ (\S+) :(.*)")
OK = re.compile(r"@(m\d+) OK (\d+)")
FAILED = re.compile(r"@(m\d+) ERROR (\S+) :(.*)")
WINDOW = 20
"""Messages that it has on their way at most."""
PAUSE = 0.05
"""Seconds between two attempts to connect, and before what could not be kept is sent again."""


@dataclass(eq=False)
class Chatter:
    """One that says numbered texts in one room.

    Attributes:
        seen: id and text of everything that it was shown, in the order in which it was.
        kept: text → the id under which it was acknowledged.
        faults: what the server may not do, whatever happens.
        refused: how often something could not be kept for the time being.
    """

    nick: str
    room: str
    port: int
    choose: random.Random
    seen: list[tuple[int, str, str]] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    refused: int = 0
    connections: int = 0
    talking: bool = True

    def __post_init__(self) -> None:
        self._session = f"{self.choose.getrandbits(128):032x}"
        self._said: dict[str, str] = {}  # tag → text, of all
        self._open: dict[str, str] = {}  # of those that are not acknowledged
        self._stream: trio.SocketStream | None = None
        self._sending = trio.Lock()
        self._conversation: trio.CancelScope | None = None
        self._changed = trio.Event()

    @property
    def said(self) -> list[str]:
        """All its texts, in their order."""
        return list(self._said.values())

    async def run(self) -> None:
        """Connect, again and again, until everything is said and acknowledged."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._talk)
            while self.talking or self._open:
                with suppress(OSError, trio.BrokenResourceError, trio.ClosedResourceError):
                    async with await trio.open_tcp_stream("127.0.0.1", self.port) as stream:
                        self.connections += 1
                        await self._converse(stream)
                self._stream = None
                await trio.sleep(self.choose.random() * PAUSE)

    async def _talk(self) -> None:
        """Now calm, now as fast as it goes: on a busy server an early acknowledgement is never seen."""
        number = 0
        while True:
            busy = self.choose.random() < 0.5
            for _ in range(self.choose.randint(5, 60) if busy else self.choose.randint(1, 5)):
                await trio.sleep(0 if busy else self.choose.random() * 0.1)
                while len(self._open) >= WINDOW:
                    await self._changed.wait()
                if not self.talking:
                    return
                number += 1
                tag = f"m{number}"
                self._said[tag] = self._open[tag] = f"{self.nick} {number}"
                await self._send([tag])

    async def _send(self, tags: list[str]) -> None:
        """Say this now, if there is a connection; else it is said on the next one."""
        async with self._sending:
            if self._stream is not None:
                with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self._stream.send_all(self._frames(tags))

    def _frames(self, tags: Iterable[str]) -> bytes:
        return "".join(f"@{tag} MSG {self.room} :{self._said[tag]}\n" for tag in tags).encode()

    async def _converse(self, stream: trio.SocketStream) -> None:
        with trio.CancelScope() as self._conversation:
            await self._speak_and_listen(stream)

    async def _speak_and_listen(self, stream: trio.SocketStream) -> None:
        last = self.seen[-1][0] if self.seen else 0
        async with self._sending:  # what is said meanwhile comes behind what is said again
            self._stream = stream
            hello = (
                f"@n NICK {self.nick} triochat/1 session={self._session}\n@j JOIN {self.room} after={last}\n"
            )
            await stream.send_all(hello.encode() + self._frames(self._open))
        data = b""
        async for some in stream:
            *lines, data = (data + some).split(b"\n")
            for line in lines:
                await self._hear(line.decode().removeprefix("NICK@"))

    async def _hear(self, line: str) -> None:
        if match := MESSAGE.fullmatch(line):
            room, number, nick, text = match.groups()
            if room != self.room:
                self.faults.append(f"a message of another room: {line}")
            self.seen.append((int(number), nick, text))
        elif match := OK.fullmatch(line):
            tag, number = match.groups()
            text = self._said[tag]
            if self.kept.setdefault(text, int(number)) != int(number):
                self.faults.append(f"{text} was kept as {self.kept[text]}, and now as {number}")
            self._open.pop(tag, None)
            self._notify()
            self._leave_if_all_is_said()
        elif match := FAILED.fullmatch(line):
            tag, code, sentence = match.groups()
            if code != "unavailable":
                self.faults.append(f"refused: {code}: {sentence}")
            self.refused += 1
            await trio.sleep(PAUSE)
            if tag in self._open:
                await self._send([tag])
        elif " GAP " in f" {line} " or line.startswith(("ERROR", "@n ERROR", "@j ERROR")):
            self.faults.append(line)

    def stop(self) -> None:
        """Say nothing new."""
        self.talking = False
        self._notify()
        self._leave_if_all_is_said()

    def _leave_if_all_is_said(self) -> None:
        if not self.talking and not self._open and self._conversation is not None:
            self._conversation.cancel()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
