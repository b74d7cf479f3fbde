"""Somebody in a room who says much: a bare socket that speaks the framed dialect of docs/protocol.md."""

import re
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from types import TracebackType
from typing import Final, Self

from benchmarks.processes import BenchmarkError

PATIENCE: Final = 60.0
TICK: Final = 0.01
"""Seconds between two helpings of a flood."""
_numbers = count(1)
_OK: Final = re.compile(rb"^@\S+ OK\b", re.MULTILINE)
_MSG: Final = re.compile(rb"^MSG ", re.MULTILINE)
_ERROR: Final = re.compile(rb"^(?:@\S+ )?ERROR .*$", re.MULTILINE)


def new_nick() -> str:
    """One that nobody has had: the server may hold one for a while when its client is gone."""
    return f"guest{next(_numbers)}"


class Answers:
    """What has come back: counted, since nothing else is of interest."""

    def __init__(self) -> None:
        self.kept = 0
        """Requests that were answered with `OK`."""
        self.said = 0
        """Messages of the room, ours among them."""
        self._rest = b""
        self._first = True

    def feed(self, data: bytes) -> None:
        """This has come, wherever it begins and ends.

        Raises:
            BenchmarkError: an error is among it.
        """
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        if self._first and end:
            self._first = False
            if whole[4:5] not in (
                b" ",
                b"\r",
                b"\n",
            ):  # the prompt, which was for those who don't speak first
                whole = whole.removeprefix(b"NICK")
        if error := _ERROR.search(whole):
            raise BenchmarkError(f"the server answered {error[0].decode()}")
        self.kept += len(_OK.findall(whole))
        self.said += len(_MSG.findall(whole))


class Speaker:
    """Connects, and enters a room; leaving the block closes the connection.

    Args:
        port: of the server, on this machine.
        room: where it speaks.
    """

    def __init__(self, port: int, room: str) -> None:
        self._room = room.encode()
        self._answers = Answers()
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        try:
            self._socket.setblocking(False)
            self._exchange(
                f"@n NICK {new_nick()} triochat/1\n@j JOIN {room}\n".encode(), lambda: self._answers.kept == 2
            )
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def say(self, texts: Sequence[bytes]) -> None:
        """Say all of it at once; returns when all of it has come back to us."""
        wanted = self._answers.said + len(texts)
        self._exchange(self._frames(texts), lambda: self._answers.said >= wanted)

    def say_tagged(self, texts: Sequence[bytes]) -> float:
        """Say all of it at once, and wait until all is acknowledged; the seconds that it took."""
        wanted = self._answers.kept + len(texts)
        began = time.monotonic()
        frames = b"".join(b"@%d MSG %b :%b\n" % (tag, self._room, text) for tag, text in enumerate(texts, 1))
        self._exchange(frames, lambda: self._answers.kept >= wanted)
        return time.monotonic() - began

    def flood(self, rate: float, stop: threading.Event) -> float:
        """Say so many messages a second until `stop`; how many a second came back to us meanwhile."""
        before = self._answers.said
        unsent = bytearray()
        began = time.monotonic()
        said = 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * rate)
            if due > said:
                unsent += self._frames([numbered(number) for number in range(said, due)])
                said = due
            tick = time.monotonic() + TICK
            while (left := tick - time.monotonic()) > 0:
                self._pass_on(unsent, left)
        took = time.monotonic() - began
        came = self._answers.said - before
        self._exchange(bytes(unsent), lambda: self._answers.said >= before + said)
        return came / took

    def _frames(self, texts: Sequence[bytes]) -> bytes:
        return b"".join(b"MSG %b :%b\n" % (self._room, text) for text in texts)

    def _exchange(self, frames: bytes, done: Callable[[], bool]) -> None:
        """Write this, and read until `done`."""
        unsent = bytearray(frames)
        deadline = time.monotonic() + PATIENCE
        while unsent or not done():
            if time.monotonic() > deadline:
                raise BenchmarkError(f"the server did not answer all that was said within {PATIENCE:.0f} s")
            self._pass_on(unsent, deadline - time.monotonic())

    def _pass_on(self, unsent: bytearray, seconds: float) -> None:
        """Write and read what is possible now, or within so many seconds."""
        readable, writable, _ = select.select(
            [self._socket], [self._socket] if unsent else [], [], max(seconds, 0)
        )
        if writable:
            del unsent[: self._socket.send(unsent)]
        if readable:
            data = self._socket.recv(1 << 18)
            if not data:
                raise BenchmarkError("the server has closed the connection of who says much")
            self._answers.feed(data)


def numbered(number: int) -> bytes:
    """A text of some words, which is the only one with this number."""
    return b"message %07d of all that are said here" % number


NUMBER: Final = re.compile(rb"message ([0-9]{7}) ")
"""How such a number is found again in what is on a screen."""
