"""The full-screen client in a real terminal."""

import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.process.conftest import Serve, ServerProgram
from tests.process.program import PATIENCE, TRIOCHAT
from tests.process.tmux import Tmux, has_colours, terminal
from tests.server.guests import Guest
from triochat.screen.crash import SENTENCE

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux on this machine")


@pytest.fixture
async def tmux(tmp_path: Path, home: dict[str, str]) -> AsyncIterator[Tmux]:
    async with terminal(tmp_path, home) as tmux:
        yield tmux


@pytest.fixture
async def server(serve: Serve) -> ServerProgram:
    return await serve()


def client(server: ServerProgram, *options: str) -> list[str]:
    return [*TRIOCHAT, "client", f"127.0.0.1:{server.port}", "--nick", "alice", "--room", "#dev", *options]


async def test_a_conversation(tmux: Tmux, server: ServerProgram) -> None:
    before = await tmux.settings()
    await tmux.run(*client(server))
    async with await server.connect() as witness:
        await tmux.until("Nothing was said in #dev yet.", "online", "alice")
        assert not await tmux.restored()
        await witness.hello("witness", "#dev")
        await tmux.type("hello there")
        await tmux.press("Enter")
        assert re.fullmatch(r"MSG #dev 1 MS alice :hello there", await witness.line())
        screen = await tmux.until("alice │ hello there")
        assert screen.splitlines()[23].rstrip() == "#dev>"
        await witness.ask(r"MSG #dev :alice, caf\xe9?")
        assert has_colours(await tmux.screen(colours=True))
        await tmux.until("witness │ alice, café?")
        await tmux.resize(40, 12)
        screen = await tmux.until("witness: alice, café?", gone="1 #dev")
        assert screen.splitlines()[11].rstrip() == "#dev>"
        await tmux.type("half")
        await tmux.resize(80, 24)
        screen = await tmux.until("1 #dev", "witness │ alice, café?")
        assert screen.splitlines()[23].rstrip() == "#dev> half"
        await tmux.press("C-c")
        await tmux.until("\n#dev>", gone="half")
        await tmux.type("/quit tea")
        await tmux.press("Enter")
        assert await witness.line() == "LEFT #dev alice :tea"
        await tmux.ended(0)
    assert await tmux.settings() == before


async def test_a_signal_gives_the_terminal_back(tmux: Tmux, server: ServerProgram, tmp_path: Path) -> None:
    before = await tmux.settings()
    await tmux.run("sh", "-c", 'echo $$ >pid; exec "$@"', "sh", *client(server))
    await tmux.until("Nothing was said in #dev yet.")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    await tmux.ended(143)
    assert await tmux.settings() == before


async def test_ctrl_c(tmux: Tmux, server: ServerProgram) -> None:
    before = await tmux.settings()
    await tmux.run(*client(server), env="NO_COLOR=1")
    await tmux.until("Nothing was said in #dev yet.")
    assert not has_colours(await tmux.screen(colours=True))
    await tmux.type("half")
    await tmux.until("#dev> half")
    await tmux.press("C-c")
    await tmux.until("#dev>", gone="half")
    await tmux.press("C-c")
    await tmux.ended(0)
    assert await tmux.settings() == before


async def test_ctrl_z(tmux: Tmux, server: ServerProgram) -> None:
    before = await tmux.settings()
    await tmux.type("set -m")  # or a shell that is no login shell may know no jobs
    await tmux.press("Enter")
    await tmux.run(*client(server))
    await tmux.until("Nothing was said in #dev yet.")
    async with await server.connect() as witness:
        await witness.hello("witness", "#dev")
        await tmux.type("half")
        await tmux.until("#dev> half", "witness came in")
        await tmux.press("C-z")
        await tmux.until("code ")
        assert await tmux.restored()
        assert await tmux.settings() == before
        await witness.ask("MSG #dev :meanwhile")
        await tmux.type("clear; fg; echo code $?")
        await tmux.press("Enter")
        await tmux.until("witness │ meanwhile", "#dev> half")
        assert not await tmux.restored()
        await tmux.press("C-c")  # it is a key as before
        await tmux.until("#dev>", gone="half")
        await tmux.press("C-c")
        await tmux.ended(0)
    assert await tmux.settings() == before


CRASH = """
import sys
from triochat.screen.pane import MessagePane

def page(*_):
    raise RuntimeError("a fault on purpose")

MessagePane.page = page
from triochat.__main__ import main
sys.exit(main())
"""


async def test_a_fault_leaves_a_traceback_that_can_be_read(
    tmux: Tmux, server: ServerProgram, tmp_path: Path
) -> None:
    (tmp_path / "crash.py").write_text(CRASH)
    before = await tmux.settings()
    await tmux.run(sys.executable, "crash.py", *client(server)[len(TRIOCHAT) :])
    await tmux.until("Nothing was said in #dev yet.")
    await tmux.press("PageUp")
    screen = await tmux.ended(1)
    assert re.search(r"RuntimeError: a fault on purpose\s*$", screen, re.MULTILINE)
    assert re.search(r'File ".*app\.py", line \d+, in _pressed', screen)
    assert "Traceback (most recent call last):" in screen, "all of it is to be seen"
    assert SENTENCE in screen.replace("\n", "")
    assert await tmux.settings() == before


@pytest.mark.parametrize("command", ["client", "host"])
async def test_a_default_file_that_makes_no_sense_is_an_error(
    tmux: Tmux, home: dict[str, str], command: str
) -> None:
    path = Path(home["XDG_CONFIG_HOME"]) / "triochat" / "keys.toml"
    path.parent.mkdir(parents=True)
    path.write_text("nothing = 1")
    await tmux.run("sh", "-c", 'clear; exec "$@"', "sh", *TRIOCHAT, command)
    assert (await tmux.ended(1)).startswith("triochat: ")


@pytest.mark.parametrize(("env", "options"), [("TERM=dumb", []), ("", ["--plain"])])
async def test_without_drawing(tmux: Tmux, server: ServerProgram, env: str, options: list[str]) -> None:
    await tmux.run(*client(server, *options), env=env)
    await tmux.until("#dev: 1 person")
    assert await tmux.restored()
    async with await server.connect() as witness:
        await witness.hello("witness", "#dev")
        await witness.ask("MSG #dev :good morning")
        await tmux.until("good morning")
        await tmux.type("/quit")
        await tmux.press("Enter")
    await tmux.ended(0)


async def test_what_host_says_behind_ctrl_c_begins_a_line(tmux: Tmux) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    at = ["--host", "127.0.0.1", "--port", str(port), "--memory", "--nick", "anna", "--plain"]
    await tmux.run(*TRIOCHAT, "host", *at)
    await tmux.until("#lobby: anna")
    async with Guest(await trio.open_tcp_stream("127.0.0.1", port), PATIENCE) as bob:
        await bob.hello("bob", "#lobby")
        await tmux.until("bob came in")
        await tmux.press("C-c")
        await tmux.until("\n^C\n1 other is here: keep serving? [y/N]")
        await tmux.press("C-c")
        assert "[y/N] ^C\nThe server has ended.\n" in await tmux.ended(130)
