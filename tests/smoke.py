"""A conversation through an installed triochat, as a user has it: python tests/smoke.py PATH.

PATH is the `triochat` executable. Not a test for pytest: it needs nothing but the standard library,
so it can run beside an environment in which only the wheel is installed. Every wait has a deadline;
the first one that passes ends the run with exit code 1 and all that the processes had said.
"""

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import IO

START = 20.0
"""Seconds for an interpreter to start and import everything on a busy machine."""
REPLY = 10.0
"""Seconds for anything that is only a matter of the network."""


class SmokeError(Exception):
    """What was expected did not happen in time."""


class Program:
    """A running command whose output is read line by line, with deadlines."""

    def __init__(self, name: str, *command: str) -> None:
        self.name = name
        # An environment that configures triochat would make this a test of that configuration.
        env = {key: value for key, value in os.environ.items() if not key.startswith("TRIOCHAT_")}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**env, "PYTHONUTF8": "1"},
        )
        self.said: list[str] = []
        self._lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        for label, stream in (("out", self.process.stdout), ("err", self.process.stderr)):
            threading.Thread(target=self._read, args=(label, stream), daemon=True).start()

    def _read(self, label: str, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put((label, line.rstrip("\n")))

    def write(self, *lines: str) -> None:
        assert self.process.stdin is not None
        try:
            for line in lines:
                self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise SmokeError(f"{self.name} no longer reads its input") from None

    def close_stdin(self) -> None:
        assert self.process.stdin is not None
        # If it has ended with a line unread, its exit code tells, which the caller looks at.
        with suppress(BrokenPipeError):
            self.process.stdin.close()

    def expect(self, *parts: str, within: float, stream: str | None = "out") -> str:
        """Return the next line that contains all parts; lines before it are passed over."""
        deadline = time.monotonic() + within
        while True:
            try:
                label, line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                wanted = " and ".join(map(repr, parts)) or "anything more"
                raise SmokeError(f"{self.name} did not say {wanted} within {within:g} s") from None
            self.said.append(f"{label}: {line}")
            if stream in (label, None) and all(part in line for part in parts):
                return line

    def expect_exit(self, *, within: float) -> int:
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise SmokeError(f"{self.name} did not end within {within:g} s") from None

    def stop(self) -> None:
        """End the process if it has not ended, and take note of what it still had to say."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        while True:
            try:
                label, line = self._lines.get(timeout=0.2)
            except queue.Empty:
                return
            self.said.append(f"{label}: {line}")


class Netcat:
    """What a person with netcat sees and types."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.seen = b""
        self._socket = socket.create_connection(address, timeout=REPLY)

    def type(self, text: str) -> None:
        self._socket.sendall(text.encode("ascii"))

    def expect(self, part: bytes) -> None:
        """Read until the part has been seen."""
        deadline = time.monotonic() + REPLY
        while part not in self.seen:
            if not self._more(deadline):
                raise SmokeError(f"the connection of netcat ended before {part!r}; it had seen {self.seen!r}")

    def rest(self) -> bytes:
        """Return everything from here to the end of the stream."""
        before = len(self.seen)
        deadline = time.monotonic() + REPLY
        while self._more(deadline):
            pass
        return self.seen[before:]

    def _more(self, deadline: float) -> bool:
        self._socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self._socket.recv(4096)
        except TimeoutError:
            raise SmokeError(f"netcat waits in vain for more than {self.seen!r}") from None
        self.seen += data
        return bool(data)

    def close(self) -> None:
        self._socket.close()


def step(sentence: str) -> None:
    print(f"  {sentence}", flush=True)


def converse(triochat: str, stack: ExitStack, programs: list[Program]) -> None:
    def start(name: str, *arguments: str) -> Program:
        program = Program(name, triochat, *arguments)
        programs.append(program)
        stack.callback(program.stop)
        return program

    server = start("the server", "server", "--port", "0", "--memory")
    line = server.expect("listening on", within=START)
    match = re.fullmatch(r"listening on 127\.0\.0\.1:([1-9][0-9]*)", line)
    if match is None:
        raise SmokeError(f"the server said {line!r}, not 'listening on 127.0.0.1:PORT'")
    address = ("127.0.0.1", int(match[1]))
    where = f"{address[0]}:{address[1]}"
    step(line)

    # Carol first: she hears of everyone who comes, so nobody speaks before all are there.
    carol = Netcat(address)
    stack.callback(carol.close)
    carol.expect(b"NICK")
    if carol.seen != b"NICK":
        raise SmokeError(f"the prompt is {carol.seen!r}, not the four octets NICK")
    carol.type("carol\n")
    carol.expect(b"carol")
    step("carol was asked NICK, by these four octets, and is in the room by netcat")

    bob = start("bob", "client", where, "--nick", "bob")
    carol.expect(b"bob")
    step("bob is in the room, his keyboard open")

    alice = start("alice", "client", where, "--nick", "alice")
    alice.write("hello from a pipe", "and a second line")
    alice.close_stdin()
    if (code := alice.expect_exit(within=START)) != 0:
        raise SmokeError(f"alice's client ended with exit code {code}")
    step("alice sent two lines from a pipe; her client ended with exit code 0")

    bob.expect("alice", "hello from a pipe", within=REPLY)
    bob.expect("alice", "and a second line", within=REPLY)
    carol.expect(b"alice: hello from a pipe\n")
    carol.expect(b"alice: and a second line\n")
    step("bob and carol read both lines, in their order")

    carol.type("hello from netcat\n")
    bob.expect("carol", "hello from netcat", within=REPLY)
    carol.expect(b"carol: hello from netcat\n")
    step("bob read what carol said, and she got her echo")

    bob.write("hello from a keyboard")
    carol.expect(b"bob: hello from a keyboard\n")
    bob.expect("bob", "hello from a keyboard", within=REPLY)
    step("carol read what bob said, and he saw it too")

    server.process.send_signal(signal.SIGTERM)
    farewell = carol.rest()
    if not farewell.strip():
        raise SmokeError("the server closed carol's connection without a word")
    bob.expect(within=REPLY, stream=None)
    step(f"the server was sent SIGTERM; carol was told {farewell.decode('ascii').strip()!r}, bob too")

    if (code := server.expect_exit(within=REPLY)) != 0:
        raise SmokeError(f"the server ended with exit code {code}")
    step("the server ended with exit code 0")
    bob.close_stdin()
    bob.expect_exit(within=REPLY)
    step("bob's client ended too")


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python tests/smoke.py PATH_OF_TRIOCHAT", file=sys.stderr)
        return 2
    programs: list[Program] = []
    print(f"smoke test of {sys.argv[1]}", flush=True)
    try:
        with ExitStack() as stack:
            converse(sys.argv[1], stack, programs)
    except SmokeError as error:
        for program in programs:
            print(f"--- {program.name} said:", *program.said, sep="\n    ", file=sys.stderr)
        print(f"smoke test FAILED: {error}", file=sys.stderr)
        return 1
    print("smoke test passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
