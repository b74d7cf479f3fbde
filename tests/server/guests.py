"""A peer of the server, as a test plays it: over any stream, with a deadline on every wait."""

import re
from itertools import count

import trio

VIRTUAL = 1000.0
"""Seconds on a virtual clock: longer than any timeout that a test is about, and over at once."""
REAL = 60.0
"""Seconds on the real clock, on a busy machine."""

_MS = re.compile(r"(?<= )[0-9]{13}(?= )")


def secret(number: int) -> str:
    """A session."""
    return f"{number:032x}"


class Guest:
    """Sends frames or lines, and reads what comes.

    Args:
        stream: connected to the server.
        patience: seconds that a read may take.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, patience: float = VIRTUAL) -> None:
        self.stream = stream
        self.patience = patience
        self._held = b""
        self._first = True
        self._tags = count(1)

    async def send(self, *said: str) -> None:
        """Send lines, in one write."""
        await self.send_bytes("".join(f"{one}\n" for one in said).encode())

    async def send_bytes(self, data: bytes) -> None:
        with trio.fail_after(self.patience):
            await self.stream.send_all(data)

    async def read(self) -> bytes:
        """What one read brings; empty at the end."""
        if self._held:
            data, self._held = self._held, b""
            return data
        with trio.fail_after(self.patience):
            return bytes(await self.stream.receive_some(65536))

    async def line(self) -> str:
        """The next line, the time in it as ``MS``."""
        while b"\n" not in self._held:
            with trio.fail_after(self.patience):
                data = await self.stream.receive_some(65536)
            assert data, f"the connection ended behind {self._held!r}"
            self._held += data
        if self._first:  # we were slow, so we have been asked: section 1 of docs/protocol.md
            self._first = False
            if self._held.startswith(b"NICK") and self._held[4:5] not in (b"\n", b"\r", b" "):
                self._held = self._held[4:]
        line, _, self._held = self._held.partition(b"\n")
        return _MS.sub("MS", line.decode())

    async def lines(self, number: int) -> list[str]:
        return [await self.line() for _ in range(number)]

    async def until(self, part: str) -> list[str]:
        """The lines up to the first that holds `part`, that one included."""
        lines = [await self.line()]
        while part not in lines[-1]:
            lines.append(await self.line())
        return lines

    async def rest(self) -> list[str]:
        """All lines up to the end of the stream."""
        data = await self.rest_of_bytes()
        return [_MS.sub("MS", line) for line in data.decode().splitlines()]

    async def rest_of_bytes(self) -> bytes:
        data, self._held = self._held, b""
        with trio.fail_after(self.patience):
            while some := await self.stream.receive_some(65536):
                data += some
        return data

    async def ask(self, request: str) -> list[str]:
        """Send a frame under a new tag; the answer, without that tag, and all that came before it."""
        tag = f"@t{next(self._tags)} "
        await self.send(tag + request)
        lines: list[str] = []
        while True:
            line = await self.line()
            lines.append(line.removeprefix(tag))
            if line.startswith(tag) and lines[-1].split(" ")[0] in ("OK", "ERROR", "BYE", "PONG"):
                return lines

    async def hello(self, nick: str, *rooms: str, session: int | None = None) -> "Guest":
        """Say who I am in the framed dialect, join rooms, and read all answers."""
        suffix = "" if session is None else f" session={secret(session)}"
        assert (await self.ask(f"NICK {nick} triochat/1{suffix}"))[-1] == "OK"
        for room in rooms:
            assert (await self.ask(f"JOIN {room}"))[-1].startswith("OK")
        return self

    async def text_hello(self, nick: str) -> "Guest":
        """Say who I am as a person with netcat, and read to the end of the answer."""
        await self.send(nick)
        await self.until("Connected to server!")
        return self

    async def __aenter__(self) -> "Guest":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self.stream.aclose()
