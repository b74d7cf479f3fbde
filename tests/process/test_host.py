"""``triochat host``: a server and a person in one process, and what becomes of one when the other goes."""

import os
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import trio

from tests.process.conftest import Run, Serve, ServerProgram
from tests.process.program import PATIENCE, TRIOCHAT

QUESTION = "1 other is here: keep serving? [y/N] "


class HostProgram(ServerProgram):
    """It has a terminal to type on."""

    keys: int

    async def press(self, text: str) -> None:
        os.write(self.keys, text.encode())


Host = Callable[..., Awaitable[HostProgram]]


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends: what a person types goes into the first, and comes out of the second."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture
def host(nursery: trio.Nursery, home: dict[str, str], terminal: tuple[int, int]) -> Host:
    """Start one on the loopback address with somebody at a terminal, and wait until they are in the room."""

    async def host(*arguments: str, env: dict[str, str] | None = None) -> HostProgram:
        command = [*TRIOCHAT, "host", "--host", "127.0.0.1", "--port", "0", "--nick", "anna", *arguments]
        program = HostProgram(*command, env={**home, **(env or {})}, stdin=terminal[1])
        program.keys = terminal[0]
        await nursery.start(program.run)
        match = re.search(r"triochat client 127\.0\.0\.1:([1-9][0-9]*)\n", await program.out.until("\n  nc "))
        assert match
        program.port = int(match[1])
        assert await program.out.line() == f"127.0.0.1 {program.port}"
        await program.out.until("#lobby: anna\n")
        return program

    return host


async def test_one_command_and_others_can_talk(host: Host, home: dict[str, str]) -> None:
    program = await host()
    async with await program.connect() as bob:
        await bob.hello("bob", "#lobby")
        await program.press("hello bob\n")
        assert await bob.line() == "MSG #lobby 1 MS anna :hello bob"
        await bob.ask("MSG #lobby :hello anna")
        await program.out.until("<bob> hello anna")
    await program.out.until("bob left")
    await program.press("/quit\n")
    assert await program.exit_code() == 0
    assert "keep serving" not in await program.out.rest()
    assert await program.err.rest() == "", "the terminal is the chat's"
    log = Path(home["XDG_STATE_HOME"]) / "triochat" / "host.log"
    assert "nick=bob" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("leave", ["/quit\n", "\4"])
async def test_the_server_goes_on_if_it_may(host: Host, leave: str) -> None:
    program = await host()
    async with await program.connect() as bob:
        await bob.hello("bob", "#lobby")
        await program.press(leave)
        await program.out.until(QUESTION)
        assert await bob.line() == "LEFT #lobby anna"
        await program.press("y\n")
        await program.out.until("goes on")
        async with await program.connect() as carol:
            await carol.hello("carol", "#lobby")
            assert await bob.line() == "JOINED #lobby carol"
            program.signal(signal.SIGINT)
            assert await carol.rest() == ["BYE :the server shuts down"]
        assert (await bob.rest())[-1] == "BYE :the server shuts down"
    assert await program.exit_code() == 0
    assert (await program.out.rest()).endswith("\n\nThe server has ended.\n"), "not behind what a ^C shows"
    assert "Traceback" not in await program.err.rest()


@pytest.mark.parametrize("answer", ["n\n", "\n", "\4", "what?\n"])
async def test_the_server_ends_by_its_plan_if_it_may_not(host: Host, answer: str) -> None:
    program = await host()
    async with await program.connect() as bob:
        await bob.hello("bob", "#lobby")
        await program.press("/quit\n")
        await program.out.until(QUESTION)
        await program.press(answer)
        assert (await bob.rest())[-1] == "BYE :the server shuts down"
    assert await program.exit_code() == 0


async def test_ctrl_c_asks_and_a_second_one_is_a_no(host: Host) -> None:
    program = await host()
    async with await program.connect() as bob:
        await bob.hello("bob", "#lobby")
        await program.out.until("bob came in\n")
        program.signal(signal.SIGINT)
        assert await program.out.until(QUESTION) == f"\n{QUESTION}", "not behind what a ^C shows"
        program.signal(signal.SIGINT)
        assert (await bob.rest())[-1] == "BYE :the server shuts down"
    assert await program.exit_code() == 130
    assert (await program.out.rest()).endswith("\nThe server has ended.\n")
    assert await program.err.rest() == ""


async def test_ctrl_c_with_nobody_else_there_ends_it_and_says_so(host: Host) -> None:
    program = await host()
    program.signal(signal.SIGINT)
    assert await program.exit_code() == 130
    assert (await program.out.rest()) == "\nThe server has ended.\n", "not behind what a ^C shows"
    assert await program.err.rest() == ""


async def test_sigterm_asks_nothing(host: Host) -> None:
    program = await host()
    async with await program.connect() as bob:
        await bob.hello("bob", "#lobby")
        program.signal(signal.SIGTERM)
        assert (await bob.rest())[-1] == "BYE :the server shuts down"
    assert await program.exit_code() == 143
    assert "keep serving" not in await program.out.rest()


async def test_a_connection_that_has_not_said_who_it_is_is_nobody(host: Host) -> None:
    program = await host()
    async with await program.connect():
        await program.press("/quit\n")
        assert await program.exit_code() == 0
    assert "keep serving" not in await program.out.rest()


async def test_a_pipe_is_sent_and_that_is_the_end(run: Run) -> None:
    program = await run("host", "--host", "127.0.0.1", "--port", "0", "--nick", "pipe")
    await program.type("one", "two")
    await program.close_stdin()
    assert await program.exit_code() == 0
    assert await program.err.rest() == ""
    export = await run("export", "--format", "text")
    assert re.findall(r"<pipe> (\w+)", await export.out.rest()) == ["one", "two"]
    assert await export.exit_code() == 0


async def test_by_default_it_listens_on_every_address(run: Run) -> None:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as probe:
        port = probe.getsockname()[1]
    program = await run("host", "--port", str(port))
    assert await program.out.line() == "Whoever reaches this machine can join:"
    for place in ("127.0.0.1", "::1"):
        stream = await trio.open_tcp_stream(place, port)
        await stream.aclose()
    await program.close_stdin()
    assert await program.exit_code() == 0


async def test_a_busy_port_and_a_busy_file_are_one_sentence(serve: Serve, run: Run, tmp_path: Path) -> None:
    server = await serve("--data", str(tmp_path / "chat.db"))
    place = ["host", "--host", "127.0.0.1"]
    for more in (["--port", str(server.port)], ["--port", "0", "--data", str(tmp_path / "chat.db")]):
        program = await run(*place, *more)
        assert await program.exit_code() == 1
        assert await program.out.rest() == ""
        error = await program.err.rest()
        assert "in use by another" in error
        assert len(error.splitlines()) == 1


async def test_its_settings_are_those_of_the_server_and_of_the_client(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "host.toml"
    path.write_text('[server]\nname = "file"\nmax_rooms = 2\n[client]\nroom = "#dev"\ntext = true\n')
    env = {
        "TRIOCHAT_SERVER_NAME": "environment",
        "TRIOCHAT_CLIENT_ROOM": "#lobby",
        "TRIOCHAT_CLIENT_TIMEOUT": "5",
        "TRIOCHAT_SERVER_CONFIG": str(path),
    }
    program = await host(env=env)
    async with await program.connect() as bob:
        assert (await bob.ask("NICK bob triochat/1"))[0] == "WELCOME bob environment"
        assert (await bob.ask("JOIN #one"))[-1] == "OK 0"
        assert (await bob.ask("JOIN #two"))[-1].startswith("ERROR too-many-rooms")
    with trio.fail_after(PATIENCE):
        await program.press("/quit\n")
    assert await program.exit_code() == 0
