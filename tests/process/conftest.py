"""Start programs, and servers that listen."""

import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
import trio

from tests.process.program import PATIENCE, TRIOCHAT, Program
from tests.server.guests import Guest


class ServerProgram(Program):
    """A server, and where it listens."""

    port: int

    async def connect(self, host: str = "127.0.0.1") -> Guest:
        return Guest(await trio.open_tcp_stream(host, self.port), PATIENCE)


Run = Callable[..., Awaitable[Program]]
Serve = Callable[..., Awaitable[ServerProgram]]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a home of its own: what is kept, and read, by default is there."""
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


@pytest.fixture
def run(nursery: trio.Nursery, home: dict[str, str]) -> Run:
    """Start a command; by default triochat with these arguments."""

    async def run(
        *arguments: str, command: list[str] = TRIOCHAT, env: Mapping[str, str] | None = None
    ) -> Program:
        program = Program(*command, *arguments, env={**home, **(env or {})})
        await nursery.start(program.run)
        return program

    return run


@pytest.fixture
def serve(nursery: trio.Nursery, home: dict[str, str]) -> Serve:
    """Start a server with these arguments, and wait until it listens."""

    async def serve(*arguments: str, port: int = 0, env: Mapping[str, str] | None = None) -> ServerProgram:
        command = [*TRIOCHAT, "server", "--port", str(port), *arguments]
        server = ServerProgram(*command, env={**home, **(env or {})})
        await nursery.start(server.run)
        match = re.fullmatch(r"listening on 127\.0\.0\.1:([1-9][0-9]*)", await server.out.line())
        assert match
        server.port = int(match[1])
        return server

    return serve
