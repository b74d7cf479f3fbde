"""Terminal clients with pipes and pseudo-terminals, and servers that do as they are told."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import trio

from tests.client.servers import Address, Script, address_of
from triochat.client import ChatClient
from triochat.client.terminal import Screen, run_terminal
from triochat.config import ClientConfig
from triochat.protocol import events as e

PATIENCE = 20.0
"""Seconds for what takes milliseconds on a machine that has nothing else to do."""
ALICE = ClientConfig(nick="alice")


class Terminal:
    """A running terminal client: what types into it, and what it has printed so far."""

    def __init__(self, keyboard: int, out: int, err: int) -> None:
        self.keyboard = keyboard
        self._streams = {"out": trio.lowlevel.FdStream(out), "err": trio.lowlevel.FdStream(err)}
        self.seen = {"out": "", "err": ""}
        self.exit_code: int | None = None
        self.ended = trio.Event()

    def type(self, *lines: str) -> None:
        os.write(self.keyboard, "".join(f"{line}\n" for line in lines).encode())

    def end_of_input(self) -> None:
        os.close(self.keyboard)
        self.keyboard = -1

    async def expect(self, part: str, stream: str = "out") -> str:
        """Wait until `part` is printed, and take it with all that stands before it, which is returned."""
        with trio.fail_after(PATIENCE):
            while part not in self.seen[stream]:
                data = await self._streams[stream].receive_some()
                assert data, f"it ended; it had said {self.seen}"
                self.seen[stream] += data.decode()
        before, _, self.seen[stream] = self.seen[stream].partition(part)
        return before

    async def exit(self) -> tuple[int | None, str, str]:
        """Wait for the end: exit code, and what else it has printed."""
        with trio.fail_after(PATIENCE):
            for name, stream in self._streams.items():
                while data := await stream.receive_some():
                    self.seen[name] += data.decode()
            await self.ended.wait()
        return self.exit_code, self.seen["out"], self.seen["err"]


@asynccontextmanager
async def terminal(
    address: Address,
    config: ClientConfig = ALICE,
    *,
    person: bool = False,
    screen: Screen | None = None,
) -> AsyncIterator[Terminal]:
    """A terminal client with a pipe as its input, or with a pseudo-terminal for a person."""
    keyboard, stdin = os.openpty() if person else reversed(os.pipe())
    out_reading, out_writing = os.pipe()
    err_reading, err_writing = os.pipe()
    subject = Terminal(keyboard, out_reading, err_reading)

    async def run() -> None:
        with os.fdopen(out_writing, "w") as out, os.fdopen(err_writing, "w") as err:
            subject.exit_code = await run_terminal(
                *address, config, stdin_fd=stdin, out=out, err=err, screen=screen
            )
        subject.ended.set()

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run)
            yield subject
            nursery.cancel_scope.cancel()
    finally:
        os.close(stdin)
        if subject.keyboard != -1:
            subject.end_of_input()
        for stream in subject._streams.values():
            await stream.aclose()


async def everything_said(chat: ChatClient, room: str = "#lobby") -> list[str]:
    return [entry.text for entry in await chat.history(room, limit=1000) if isinstance(entry, e.Message)]


Connections = trio.MemoryReceiveChannel[trio.SocketStream]


@asynccontextmanager
async def scripted_server() -> AsyncIterator[tuple[Address, Connections]]:
    to_test, connections = trio.open_memory_channel[trio.SocketStream](9)

    async def hand_over(stream: trio.SocketStream) -> None:
        to_test.send_nowait(stream)
        await trio.sleep_forever()  # else the listener closes it

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, hand_over, 0, host="127.0.0.1"))
        yield address_of(listener), connections
        nursery.cancel_scope.cancel()


async def refuse_all(connections: Connections) -> None:
    """Whoever asks whether it may come back is told that somebody else is there."""
    async for stream in connections:
        tag, _ = await Script(stream).request()
        await Script(stream).say(f"@{tag} ERROR nick-in-use :alice is here already")


async def accept(connections: Connections, *, again: bool = False) -> Script:
    """Welcome a client and let it into its room."""
    with trio.fail_after(PATIENCE):
        script = Script(await connections.receive())
    await script.welcome()
    if again:
        await script.nothing_missed()
    tag, join = await script.request()
    assert join.startswith("JOIN ")
    await script.say(f"@{tag} ROOM #lobby 1 0", f"@{tag} NAMES #lobby alice", f"@{tag} OK 0")
    return script
