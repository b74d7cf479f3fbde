"""The programs of the 2019 tutorial, and ours: each in a process of its own."""

import socket
from pathlib import Path

from tests.process.conftest import Run, Serve, ServerProgram
from tests.process.program import PYTHON, Program

HERE = Path(__file__).parent / "tutorial_2019"


async def start_client(run: Run, server: ServerProgram, nick: str) -> Program:
    client = await run(str(HERE / "client.py"), str(server.port), command=PYTHON)
    await client.type(nick)
    await client.out.until("Connected to server!\n")
    return client


async def test_the_client_of_2019_with_our_server(run: Run, serve: Serve) -> None:
    server = await serve()
    async with await server.connect() as witness:
        await witness.hello("witness", "#lobby")
        alice = await start_client(run, server, "alice")
        assert await witness.line() == "JOINED #lobby alice"
        bob = await start_client(run, server, "bob")
        await alice.out.until("bob joined!\n")
        assert await witness.line() == "JOINED #lobby bob"

        await alice.type("hello")
        assert await witness.line() == "MSG #lobby 1 MS alice :hello"
        for client in (alice, bob):
            assert (await client.out.until("hello\n")).strip() == "alice: hello"

        # What everybody could do to it in 2019: have it say its nick, kill it by one octet.
        for text in ("NICK", r"\nNICK", r"caf\xe9 \u20ac \U0001f600"):
            await witness.ask(f"MSG #lobby :{text}")
        await witness.ask("TOPIC #lobby :NICK")
        await bob.out.until(r"witness: caf\xe9 \u20ac \U0001f600")
        await bob.type("still here")
        assert await witness.line() == "MSG #lobby 6 MS bob :still here"  # and nothing of theirs before it
        await alice.out.until("bob: still here")

        alice.process.kill()
        assert await witness.line() == "LEFT #lobby alice"
        await bob.out.until("alice left!")
        for client in (alice, bob):
            assert "error" not in client.out.text
            assert "alice: alice" not in client.out.text


async def test_two_of_2019_with_the_same_nick(run: Run, serve: Serve) -> None:
    server = await serve()
    first = await start_client(run, server, "alice")
    second = await start_client(run, server, "alice")
    await first.out.until("alice2 joined!")
    await second.type("hello")
    for client in (first, second):
        await client.out.until("alice2: hello")


async def test_our_client_with_the_server_of_2019(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = await run(str(HERE / "server.py"), str(port), command=PYTHON)
    await server.out.until("Server is listening")
    address = f"127.0.0.1:{port}"
    alice = await run("client", address, "--text", "--nick", "alice")
    await alice.out.until("Connected to server!")
    bob = await run("client", address, "--text", "--nick", "bob")
    await bob.out.until("Connected to server!")
    await alice.out.until("bob joined!")
    await bob.type("hello")
    for client in (alice, bob):
        await client.out.until("bob: hello")
    await alice.type("NICK", "café")
    await bob.out.until("alice: NICK")
    await bob.out.until(r"alice: caf\xe9")
    for client in (alice, bob):
        await client.close_stdin()
        assert await client.exit_code() == 0
