"""What is measured of the commands for scripts: `triochat tail`, and `triochat send` beside a bare socket."""

import os
import select
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.client.measure import TRIOCHAT
from benchmarks.client.speaker import Speaker, new_nick, numbered
from benchmarks.processes import BenchmarkError, kept_by

PATIENCE = 120.0


@dataclass(slots=True)
class Scripts:
    """Seconds of each round, from the start of the process to its end, and octets.

    Attributes:
        tail: to print all that was said.
        tail_memory: at most.
        send: to say as much, from a pipe.
        send_memory: at most.
        floor: a bare socket, without any process being started.
    """

    tail: list[float] = field(default_factory=list)
    tail_memory: list[float] = field(default_factory=list)
    send: list[float] = field(default_factory=list)
    send_memory: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)


def scripts(port: int, rounds: int, lines: int, log: Path) -> Scripts:
    """Print so many messages, send so many from a pipe, and then without triochat; in turns."""
    texts = [numbered(number) for number in range(lines)]
    with Speaker(port, "#tail") as speaker:
        for begin in range(0, lines, 1000):
            speaker.say(texts[begin : begin + 1000])
    found = Scripts()
    server = ["--server", f"127.0.0.1:{port}", "--nick"]
    for _ in range(rounds):
        tail = [*TRIOCHAT, "tail", *server, new_nick(), "--room", "#tail", "--since", "0", "--json"]
        seconds, peak, output = _run(tail, b"", log)
        if (printed := output.count(b"\n")) != lines:
            raise BenchmarkError(f"tail printed {printed} of {lines} messages")
        found.tail.append(seconds)
        found.tail_memory.append(peak)
        send = [*TRIOCHAT, "send", *server, new_nick(), "--room", "#send"]
        seconds, peak, _ = _run(send, b"".join(text + b"\n" for text in texts), log)
        found.send.append(seconds)
        found.send_memory.append(peak)
        with Speaker(port, "#floor") as speaker:
            found.floor.append(speaker.say_tagged(texts))
    return found


def _run(command: Sequence[str], given: bytes, log: Path) -> tuple[float, int, bytes]:
    """Run it to its end; seconds, resident octets at most, and what it printed.

    Memory is asked for while it runs: what the kernel tells of one that has ended counts what we had when it
    was started.
    """
    name = " ".join(command[-6:])
    deadline = time.monotonic() + PATIENCE
    unsent, output, peak = memoryview(given), bytearray(), 0
    with log.open("ab") as errors, _started(command, errors.fileno()) as child:
        began = time.perf_counter()
        assert child.stdin is not None
        assert child.stdout is not None
        into, out = child.stdin.fileno(), child.stdout.fileno()
        os.set_blocking(into, False)
        if not unsent:
            child.stdin.close()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise BenchmarkError(f"{name} did not end within {PATIENCE:.0f} s")
            readable, writable, _ = select.select([out], [into] if unsent else [], [], min(left, 0.02))
            with suppress(OSError):  # it has ended just now
                peak = max(peak, kept_by(child.pid, "VmHWM"))
            if writable:
                unsent = unsent[os.write(into, unsent[: 1 << 16]) :]
                if not unsent:
                    child.stdin.close()
            if readable:
                data = os.read(out, 1 << 16)
                if not data:
                    break
                output += data
        code = child.wait(max(deadline - time.monotonic(), 1))
        seconds = time.perf_counter() - began
    if code:
        raise BenchmarkError(f"{name} ended with {code}: {log.read_text(errors='replace')[-200:].strip()}")
    return seconds, peak, bytes(output)


@contextmanager
def _started(command: Sequence[str], errors: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, bufsize=0
    ) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()
