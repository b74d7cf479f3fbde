"""Take the pictures: ``python -m screenshots [FOLDER]``, by default into docs/screenshots. It needs tmux.

A server and the client that one sees are processes, started as anybody starts them; the others talk through
`triochat.open_client`. What they say is always the same; the time of day is that of the machine. One message
is under way when the picture is taken: the server sleeps by then.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import trio

import triochat
from screenshots.svg import draw, read
from screenshots.terminal import PATIENCE, Terminal, open_terminal

FOLDER: Final = Path(__file__).parent.parent / "docs" / "screenshots"
TRIOCHAT: Final = (sys.executable, "-m", "triochat")
LABEL: Final = (
    "The full screen of triochat client: rooms and conversations with unread counts, messages with times and"
    " coloured nicks, among them a mention, a message that is not kept yet, and who is here"
)
NARROW_LABEL: Final = "The same on a terminal of 40 columns: messages, a status line, and what is typed"


async def main(folder: Path) -> None:
    """Take all pictures, into this folder."""
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name:
        env = environment(Path(name))
        async with AsyncExitStack() as stack:
            server, port = await stack.enter_async_context(_open_server(env))
            bob, carol, dave = [
                await stack.enter_async_context(triochat.open_client("127.0.0.1", port, nick=nick))
                for nick in ("bob", "carol", "dave")
            ]
            for person in (bob, carol, dave):
                await person.join("#lobby")
            for person in (bob, carol):
                await person.join("#dev")
            await carol.set_topic("#dev", "release 0.2 on Friday")
            await dave.say("#lobby", "good morning")
            client = [*TRIOCHAT, "client", f"127.0.0.1:{port}", "--nick", "alice", "--no-bell"]
            terminal = await stack.enter_async_context(open_terminal(client, Path(name), env, 100, 30))
            await terminal.shows("good morning", "#lobby>")
            await terminal.type("/join #dev")
            await terminal.press("Enter")
            await terminal.shows("release 0.2", "#dev>")
            await _morning(terminal, bob, carol, dave)
            server.send_signal(signal.SIGSTOP)
            try:
                await _say(terminal, "thanks! merging it as soon as the tests are green")
                await terminal.type("and who writes the chang")
                await terminal.shows("writes the chang")
                await _take(terminal, folder / "chat.svg", LABEL)
                await terminal.resize(40, 12)
                await terminal.shows("writes the chang")
                await _take(terminal, folder / "narrow.svg", NARROW_LABEL)
            finally:
                server.send_signal(signal.SIGCONT)


async def _morning(
    terminal: Terminal, bob: triochat.ChatClient, carol: triochat.ChatClient, dave: triochat.ChatClient
) -> None:
    """What is said until the picture is taken."""
    await carol.say("#dev", "good morning! what is left for Friday?")
    await bob.say("#dev", "not much")
    await bob.say("#dev", "the journal commits a batch at a time now; figures before and after:")
    await bob.say("#dev", "one in flight    15.7 µs → 4.5 µs\n64 in flight     0.33 µs → 0.14 µs")
    await carol.say("#dev", "nice 🎉 they are on https://triochat.example.org/performance as well")
    await dave.join("#dev")
    await dave.say("#dev", "/me reads the last branch once more")
    await terminal.shows("reads the last")
    await _say(terminal, "does it survive a full disk?")
    await carol.say("#dev", "with a test that fills one. 日本語 and العربية go through it, too")
    await terminal.shows("a test that fills")
    await terminal.press("M-1")
    await terminal.shows("#lobby>")
    await bob.say("#dev", "alice: I have read all of it, two small notes in the margin, else it can go in")
    await dave.say("#dev", "it can, from my side")
    await terminal.shows("#dev 2")
    await terminal.press("M-2")
    await terminal.shows("two small", "#dev>")
    await dave.say("#lobby", "lunch at noon? there is soup")
    await bob.say("#lobby", "alice, are you coming as well?")
    await carol.say("@alice", "the key of the meeting room is with me")
    await terminal.shows("@carol 1", "#lobby 2")


async def _say(terminal: Terminal, text: str) -> None:
    """Not all at once: what comes with its Enter, and more behind that, is taken for a paste."""
    await terminal.type(text)
    await terminal.shows(f"> {text}")
    await terminal.press("Enter")
    await terminal.shows(f"alice │ {text[:20]}")


async def _take(terminal: Terminal, file: Path, label: str) -> None:
    await trio.sleep(0.5)  # what is drawn last
    rows = read(await terminal.picture())
    svg = draw(rows, terminal.width, label, await terminal.cursor())
    await trio.Path(file).write_text(svg, encoding="utf-8")


def environment(folder: Path) -> dict[str, str]:
    """One in which nobody's settings are found, and there is Unicode."""
    names = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "TZ")
    given = {name: os.environ[name] for name in names if name in os.environ}
    return {**given, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "LC_ALL": "C.UTF-8"}


@asynccontextmanager
async def _open_server(env: dict[str, str]) -> AsyncGenerator[tuple[trio.Process, int], None]:
    command = [*TRIOCHAT, "server", "--port", "0", "--memory", "--log-level", "error"]
    server = await trio.lowlevel.open_process(command, env=env, stdout=subprocess.PIPE)
    assert server.stdout is not None
    try:
        said = b""
        with trio.fail_after(PATIENCE):
            async for piece in server.stdout:
                said += piece
                if b"\n" in said:
                    break
        match = re.fullmatch(rb"listening on 127\.0\.0\.1:(\d+)\n", said)
        if match is None:
            raise RuntimeError(f"the server says {said!r}")
        yield server, int(match[1])
    finally:
        server.terminate()
        with trio.CancelScope(deadline=trio.current_time() + PATIENCE, shield=True):
            await server.wait()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    target.mkdir(parents=True, exist_ok=True)
    trio.run(main, target)
