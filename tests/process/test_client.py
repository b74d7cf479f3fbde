"""``triochat client``: people on terminals, pipes in scripts."""

import signal
import socket
from pathlib import Path

import pytest

from tests.process.conftest import Run, Serve


async def test_two_clients_talk(run: Run, serve: Serve) -> None:
    server = await serve()
    address = f"127.0.0.1:{server.port}"
    async with await server.connect() as witness:
        await witness.hello("witness", "#dev")
        alice = await run("client", address, "--nick", "alice", "--room", "#dev")
        assert await witness.line() == "JOINED #dev alice"
        bob = await run("client", address, "--nick", "bob", "--room", "#dev")
        await alice.out.until("bob")
        await alice.type("hello bob")
        await bob.out.until("hello bob")
        await bob.type("hello alice")
        await alice.out.until("hello alice")
        await witness.ask(r"MSG #dev :caf\xe9")
        await bob.out.until("café")
        server.signal(signal.SIGTERM)
    for client in (alice, bob):
        assert "Traceback" not in client.err.text
    assert await server.exit_code() == 0


async def test_a_pipe_is_sent_line_by_line_and_the_exit_code_says_that_it_is_kept(
    run: Run, serve: Serve
) -> None:
    server = await serve()
    async with await server.connect() as witness:
        await witness.hello("witness", "#lobby")
        client = await run("client", f"127.0.0.1:{server.port}", "--nick", "pipe")
        await client.type(*(f"line {number}" for number in range(500)))
        await client.close_stdin()
        assert await client.exit_code() == 0
        assert await witness.line() == "JOINED #lobby pipe"
        for number in range(500):
            assert await witness.line() == f"MSG #lobby {number + 1} MS pipe :line {number}"
        assert await witness.line() == "LEFT #lobby pipe"


async def test_nobody_there_is_a_sentence_and_an_exit_code(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    client = await run("client", f"127.0.0.1:{port}")
    assert await client.exit_code() == 1
    assert await client.out.rest() == ""
    error = await client.err.rest()
    assert f"127.0.0.1:{port}" in error
    assert len(error.splitlines()) == 1


async def test_a_nick_that_is_taken_ends_a_pipe(run: Run, serve: Serve) -> None:
    server = await serve()
    async with await server.connect() as alice:
        await alice.hello("alice")
        client = await run("client", f"127.0.0.1:{server.port}", "--nick", "Alice")
        await client.close_stdin()
        assert await client.exit_code() == 1
        assert "alice" in (await client.err.rest()).lower()


@pytest.mark.parametrize("address", ["127.0.0.1:", "127.0.0.1:0", "127.0.0.1:port", "127.0.0.1:70000"])
async def test_no_port(run: Run, address: str) -> None:
    client = await run("client", address)
    assert await client.exit_code() == 1
    assert "a port is 1 to 65535" in await client.err.rest()


# --- addresses and named servers -----------------------------------------------------------------------

SERVERS = """
[client]
nick = "everywhere"
room = "#everywhere"

[servers.work]
address = "triochat://127.0.0.1:{port}/#work"
nick = "worker"

[servers.localhost]
address = "127.0.0.1:{port}"
"""


@pytest.mark.parametrize(
    ("arguments", "env", "entered"),
    [
        pytest.param(["triochat://127.0.0.1:{port}/#dev"], {}, "#dev everywhere", id="address"),
        pytest.param(
            ["triochat://127.0.0.1:{port}/dev"],
            {"TRIOCHAT_CLIENT_ROOM": "#env"},
            "#dev everywhere",
            id="typed address before environment",
        ),
        pytest.param(
            ["triochat://127.0.0.1:{port}/%23dev", "--room", "#flag"],
            {},
            "#flag everywhere",
            id="flag before address",
        ),
        pytest.param([], {"TRIOCHAT_CLIENT_ADDRESS": "work"}, "#work worker", id="name in the environment"),
        pytest.param(["work"], {}, "#work worker", id="name"),
        pytest.param(["localhost"], {}, "#everywhere everywhere", id="a name wins over a host"),
        pytest.param(["work"], {"TRIOCHAT_CLIENT_NICK": "env"}, "#work env", id="environment before name"),
        pytest.param(["work", "--nick", "flag", "--room", "#flag"], {}, "#flag flag", id="flag before name"),
    ],
)
@pytest.mark.parametrize("default", [True, False], ids=["default file", "--config"])
async def test_where_a_client_goes(
    run: Run,
    serve: Serve,
    home: dict[str, str],
    tmp_path: Path,
    default: bool,
    arguments: list[str],
    env: dict[str, str],
    entered: str,
) -> None:
    server = await serve()
    path = Path(home["XDG_CONFIG_HOME"]) / "triochat" / "client.toml" if default else tmp_path / "my.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SERVERS.format(port=server.port))
    arguments = [argument.format(port=server.port) for argument in arguments]
    more = [] if default else ["--config", str(path)]
    async with await server.connect() as witness:
        room, nick = entered.split()
        await witness.hello("witness", room)
        client = await run("client", *arguments, *more, env=env)
        assert await witness.line() == f"JOINED {room} {nick}"
        await client.close_stdin()
        assert await client.exit_code() == 0


@pytest.mark.parametrize("content", ["[client", "[servers.work]\nnick = 'bob'\n", "[client]\nnik = 'bob'\n"])
@pytest.mark.parametrize("command", ["client", "host"])
async def test_a_default_file_that_is_broken_is_an_error(
    run: Run, home: dict[str, str], content: str, command: str
) -> None:
    path = Path(home["XDG_CONFIG_HOME"]) / "triochat" / "client.toml"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    client = await run(command)
    assert await client.exit_code() == 1
    error = await client.err.rest()
    assert error.startswith(f"triochat: {path}")
    assert len(error.splitlines()) == 1
    assert await client.out.rest() == ""


@pytest.mark.parametrize("flag", ["--keys", "--theme"])
@pytest.mark.parametrize(("command", "more"), [("client", []), ("client", ["--plain"]), ("host", [])])
async def test_a_file_for_the_screen_that_makes_no_sense_is_an_error_also_without_one(
    run: Run, tmp_path: Path, flag: str, command: str, more: list[str]
) -> None:
    path = tmp_path / "file.toml"
    path.write_text("nothing = 1")
    client = await run(command, flag, str(path), *more)
    assert await client.exit_code() == 1
    error = await client.err.rest()
    assert error.startswith(f"triochat: {path}: ")
    assert len(error.splitlines()) == 1
    assert await client.out.rest() == ""


async def test_a_default_file_for_the_screen_is_not_read_without_one(
    run: Run, serve: Serve, home: dict[str, str]
) -> None:
    server = await serve()
    path = Path(home["XDG_CONFIG_HOME"]) / "triochat" / "keys.toml"
    path.parent.mkdir(parents=True)
    path.write_text("nothing = 1")
    client = await run("client", f"127.0.0.1:{server.port}")
    await client.close_stdin()
    assert await client.exit_code() == 0
