"""``triochat client``: people on terminals, pipes in scripts."""

import signal
import socket

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
