"""Lines to the standard output and error, while everything else goes on.

A terminal that was stopped with Ctrl-S, or a pipe that nobody reads, blocks whoever writes to it. So a
thread does, one batch at a time, and a bounded queue stands in front of it: when that is full, whoever
prints waits, and nobody else (law 6 of docs/architecture.md).
"""

import errno
import os
import select
from collections.abc import Iterable
from itertools import groupby
from typing import Final, TextIO

import trio

from triochat.protocol.escape import clean

MAX_QUEUED: Final = 256
"""Prints that may wait."""


class Printer:
    """Prints to two streams, in one order.

    Args:
        out: for what is said in the chat; None, as Python has it for a closed descriptor, for nowhere.
        err: for what went wrong.
    """

    def __init__(self, out: TextIO | None, err: TextIO | None) -> None:
        self._out = out
        self._err = err
        self._queue, self._queued = trio.open_memory_channel[tuple[TextIO | None, str]](MAX_QUEUED)
        self.broken = trio.Event()
        """Nothing that is printed to the standard output is seen any more."""
        self.failed = False
        """That was a fault, such as a full disk, and nobody's wish."""
        self._is_terminal = out is not None and out.isatty()  # one that is closed can't be asked any more
        if out is None:
            self.broken.set()

    async def show(self, lines: Iterable[str]) -> None:
        """Print lines to the standard output; they must be clean."""
        await self._print(self._out, "".join(f"{line}\n" for line in lines))

    async def ask(self, question: str) -> None:
        """Print a question to the standard output, without a line end."""
        await self._print(self._out, question)

    async def complain(self, sentence: str) -> None:
        """Print a sentence to the standard error, as one clean line with our name in front."""
        await self._print(self._err, _complaint(sentence))

    def finish(self) -> None:
        """Nothing more will be printed; `run` ends when all is out."""
        self._queue.close()

    async def _print(self, stream: TextIO | None, text: str) -> None:
        if text:
            await self._queue.send((stream, text))

    async def run(self) -> None:
        """Print until `finish`."""
        async for first in self._queued:
            batch = [first]
            while len(batch) < MAX_QUEUED:
                try:
                    batch.append(self._queued.receive_nowait())
                except (trio.WouldBlock, trio.EndOfChannel):
                    break
            for stream, prints in groupby(batch, lambda item: item[0]):
                await self._write(stream, "".join(text for _, text in prints))

    async def _write(self, stream: TextIO | None, text: str) -> None:
        if stream is None or (stream is self._out and self.broken.is_set()):
            return
        try:
            await trio.to_thread.run_sync(write, stream, text, abandon_on_cancel=True)
        except OSError as error:
            if stream is not self._out:
                return  # there is nowhere left to say so
            self.broken.set()
            # As if somebody closes `less`, or the window.
            closed = isinstance(error, BrokenPipeError) or (self._is_terminal and error.errno == errno.EIO)
            if not closed:
                self.failed = True
                await self._write(self._err, _complaint(f"the output can't be written: {error.strerror}"))


def _complaint(sentence: str) -> str:
    return clean(f"triochat: {sentence}".replace("\n", " ")) + "\n"


def write(stream: TextIO, text: str) -> None:
    """Write `text` to `stream`; a character that its encoding lacks becomes an escape.

    Past Python's own buffer where there is a descriptor behind it: a thread that is stuck in there holds
    a lock that the interpreter wants when it exits.

    Raises:
        OSError: it can't be written; `BrokenPipeError` if nobody reads it.
    """
    encoding = stream.encoding or "utf-8"
    data = text.encode(encoding, "backslashreplace")
    try:
        fd = stream.fileno()
    except OSError:  # a stream in memory
        stream.write(data.decode(encoding))
        stream.flush()
        return
    stream.flush()
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:  # whoever shares it has made it so
            select.select([], [fd], [])
