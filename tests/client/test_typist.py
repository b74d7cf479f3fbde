"""What is typed, and what comes through a pipe, to servers on real sockets."""

import io
import os
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.client.servers import Script, address_of, real_server
from tests.client.terminals import ALICE, PATIENCE, accept, everything_said, scripted_server, terminal
from tests.client.test_text_client import Server2019
from triochat.client import open_client
from triochat.client.state_file import State, StateFile
from triochat.client.terminal import run_terminal
from triochat.client.typist import RECENT
from triochat.config import ClientConfig, ServerConfig
from triochat.protocol import events as e
from triochat.server import serve


async def test_a_pipe_is_sent_line_by_line_and_all_of_it_is_kept() -> None:
    lines = [f"line {number}" for number in range(1000)]
    async with (
        real_server(ServerConfig(port=0, rate_limit=0)) as address,
        open_client(*address, nick="bob") as bob,
    ):
        async with terminal(address) as alice:
            await trio.to_thread.run_sync(alice.type, *lines)
            alice.end_of_input()
            code, out, err = await alice.exit()
        assert (code, err) == (0, "")
        assert [line.partition("<alice> ")[2] for line in out.splitlines()] == lines
        assert await everything_said(bob) == lines


async def test_a_file_is_as_good_as_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\n\n/usr/bin/ld: not a command\nlast")
    out, err = io.StringIO(), io.StringIO()
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        with path.open("rb") as file:
            assert await run_terminal(*address, ALICE, stdin_fd=file.fileno(), out=out, err=err) == 0
        assert await everything_said(bob) == ["one", "/usr/bin/ld: not a command", "last"]
    assert out.getvalue().count("<alice>") == 3


async def test_what_can_not_be_said_is_told_and_the_rest_is_sent() -> None:
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        async with terminal(address) as alice:
            os.write(alice.keyboard, b"one\n\x1b[2Jtwo\n\xff\n" + b"x" * 9000 + b"\nthree\n")
            alice.end_of_input()
            code, _, err = await alice.exit()
        assert code == 1
        assert err.splitlines() == [
            "triochat: a text may hold no control characters but newline and tab",
            "triochat: that line is not valid UTF-8, so it was not sent: “\\xff”",
            "triochat: a text is at most 8000 octets long, its escapes counted",
        ]
        assert await everything_said(bob) == ["one", "three"]


async def test_what_the_server_refuses_is_told_and_the_rest_is_sent() -> None:
    async with (
        scripted_server() as (address, connections),
        terminal(address) as alice,
    ):
        alice.type("one", "two")
        alice.end_of_input()
        script = await accept(connections)
        for answer in ("ERROR throttled :not \\u202enow", "OK 1"):
            tag, _ = await script.request()
            await script.say(f"@{tag} {answer}")
        assert (await script.request())[1] == "QUIT"
        await script.say("BYE :you quit")
        assert await alice.exit() == (1, "", "triochat: not \ufffdnow\n")


async def test_what_others_say_is_printed_meanwhile() -> None:
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        await bob.join("#dev")
        async with terminal(address, ClientConfig(nick="alice", room="DEV")) as alice:
            alice.type("hello")
            await alice.expect("#dev <alice> hello\n")
            await bob.say("#dev", "hi alice\nand bye\u202e")
            await alice.expect("#dev <bob> hi alice\n")
            await alice.expect("#dev <bob> and bye\ufffd\n")
            alice.end_of_input()
            assert await alice.exit() == (0, "", "")


async def test_a_room_that_can_not_be() -> None:
    async with (
        real_server() as address,
        terminal(address, ClientConfig(nick="alice", room="#so/what")) as alice,
    ):
        alice.type("hello")
        code, _, err = await alice.exit()
    assert code == 1
    assert "triochat: a room is" in err


@pytest.mark.parametrize("kept", [False, True])
async def test_a_person_who_leaves_without_a_connection_is_told_what_is_not_sent(
    kept: bool, tmp_path: Path
) -> None:
    state = tmp_path / "state" if kept else None
    async with real_server() as address:
        shutdown = trio.Event()
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(partial(serve, ServerConfig(port=0), shutdown=shutdown))
            config = ClientConfig(nick="alice", state=state)
            async with terminal(address_of(listener), config, person=True) as alice:
                await alice.expect("#lobby: alice\n")
                shutdown.set()
                await alice.expect("trying again", "err")
                alice.type("hello", "/quit")
                code, _, err = await alice.exit()
        assert code == 1
        assert "1 of your lines" in err
        assert ("state" in err) == kept
        if kept:  # the next one sends it
            async with open_client(*address, nick="bob") as bob:
                await bob.join("#lobby")
                async with terminal(address, ClientConfig(nick="alice", state=state)) as alice:
                    alice.end_of_input()
                    assert (await alice.exit())[0] == 0
                assert await everything_said(bob) == ["hello"]


async def test_nothing_is_said_to_be_in_a_file_that_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    config = ClientConfig(nick="alice", state=tmp_path / "state")
    async with (
        scripted_server() as (address, connections),
        terminal(address, config, person=True) as alice,
    ):
        script = await accept(connections)
        await script.stream.aclose()  # and the next connection is not answered
        await alice.expect("trying again", "err")
        monkeypatch.setattr(StateFile, "save", full)
        alice.type("hello")
        await alice.expect("can't be written: No space left on device\n", "err")
        alice.type("/quit")
        code, _, err = await alice.exit()
    assert code == 1
    first, second = err.splitlines()
    assert first.startswith("triochat: the state file can't be written")
    assert second == "triochat: not sent: 1 of your lines"


async def test_a_pipe_waits_for_what_a_client_before_it_left_though_the_connection_is_lost(
    tmp_path: Path,
) -> None:
    state = tmp_path / "state"
    with StateFile(state) as file:
        file.save(State(session="ab" * 16, unsent=(e.Say("#lobby", "left", tag="t-1"),)))
    async with (
        scripted_server() as (address, connections),
        terminal(address, ClientConfig(nick="alice", state=state)) as alice,
    ):
        alice.end_of_input()
        script = Script(await connections.receive())
        await script.welcome()
        await script.nothing_missed()
        assert await script.request() == ("t-1", "MSG #lobby :left")
        tag, _ = await script.request()
        await script.say(f"@{tag} ROOM #lobby 1 0", f"@{tag} NAMES #lobby alice", f"@{tag} OK 0")
        await script.request()  # whatever it asks or says next has no answer
        await script.stream.aclose()
        script = await accept(connections, again=True)
        assert await script.request() == ("t-1", "MSG #lobby :left")
        tag, request = await script.request()
        assert request == "PING"
        await script.say("@t-1 OK 1", f"@{tag} PONG")
        assert (await script.request())[1] == "QUIT"
        await script.say("BYE")
        assert (await alice.exit())[0] == 0
    with StateFile(state) as file:
        assert file.state is not None
        assert file.state.unsent == ()


async def test_a_pipe_waits_for_a_connection_no_longer_than_it_is_told() -> None:
    config = ClientConfig(nick="alice", timeout=0.1)
    async with scripted_server() as (address, connections), terminal(address, config) as alice:
        script = await accept(connections)
        alice.type("hello")
        await script.request()
        await script.stream.aclose()
        await connections.receive()  # and says nothing
        code, _, err = await alice.exit()
    assert code == 1
    assert "triochat: it did not come back within 0.1 seconds" in err


async def test_the_last_messages_are_shown_on_entering() -> None:
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        await bob.join("#lobby")
        for number in range(25):
            await bob.say("#lobby", f"text {number}")
        async with terminal(address, person=True) as alice:
            before = await alice.expect("#lobby: bob, alice\n")
            before += await alice.expect("<bob> text 24\n")
            alice.type("hello", "/quit")
            code, out, _ = await alice.exit()
    shown = [line.rpartition("<bob> text ")[2] for line in before.splitlines() if "<bob>" in line]
    assert shown == [str(number) for number in range(25 - RECENT, 24)]
    assert code == 0
    assert out.count("hello") >= 1
    assert "<bob>" not in out


async def test_a_search_is_shown_oldest_first() -> None:
    async with scripted_server() as (address, connections), terminal(address, person=True) as alice:
        script = await accept(connections)
        alice.type("/search red fox", "/search")
        tag, request = await script.request()
        assert request == "SEARCH #lobby limit=20 :red fox"
        await script.say(f"@{tag} MSG #lobby 9 0 bob :new", f"@{tag} MSG #lobby 3 0 bob :old", f"@{tag} OK")
        await alice.expect("<bob> old\n")
        await alice.expect("<bob> new\n")
        await alice.expect("/search words", "err")
        alice.type("/search nothing")
        tag, _ = await script.request()
        await script.say(f"@{tag} OK")
        await alice.expect("no message holds these words")


async def test_an_input_that_can_not_be_read(tmp_path: Path) -> None:
    err = io.StringIO()
    folder = os.open(tmp_path, os.O_RDONLY)
    async with real_server() as address:
        assert await run_terminal(*address, ALICE, stdin_fd=folder, out=io.StringIO(), err=err) == 1
    os.close(folder)
    assert err.getvalue() == "triochat: the input can't be read: Is a directory\n"


async def test_no_input_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    async with real_server() as address:
        assert await run_terminal(*address, ALICE, out=io.StringIO(), err=io.StringIO()) == 0


async def test_nobody_reads_but_the_lines_are_kept() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stdin, keyboard = os.pipe()
    os.write(keyboard, b"one\ntwo\nthree\n")
    os.close(keyboard)
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        with os.fdopen(writing, "w") as out, trio.fail_after(PATIENCE):
            assert await run_terminal(*address, ALICE, stdin_fd=stdin, out=out, err=io.StringIO()) == 0
        assert await everything_said(bob) == ["one", "two", "three"]
    os.close(stdin)


async def test_a_person_types_commands() -> None:
    async with (
        real_server() as address,
        open_client(*address, nick="bob") as bob,
        terminal(address, person=True) as alice,
    ):
        await alice.expect("#lobby: 1 person\n#lobby: alice\n")
        await bob.join("#lobby")
        await alice.expect("#lobby: bob came in\n")
        alice.type("/history")
        await alice.expect("#lobby: nothing was said here yet\n")

        async def typing(line: str, answer: str, stream: str = "out") -> None:
            alice.type(line)
            await alice.expect(answer, stream)

        await typing("hello", "#lobby <alice> hello\n")
        await typing("//help is a command", "#lobby <alice> /help is a command\n")
        await typing("/me waves", "#lobby * alice waves\n")
        await typing("/msg bob psst", "alice -> bob: psst\n")
        await typing("/msg nobody psst", "triochat: nobody here has the nick nobody\n", "err")
        await typing("/topic", "#lobby: there is no topic\n")
        await typing("/topic lunch", "#lobby: alice set the topic: lunch\n")
        await typing("/topic", "#lobby: lunch\n")
        await typing("/who", "#lobby: alice, bob\n")
        await typing("/who #nowhere", "triochat: there is no such room", "err")
        await typing("/nick alicia", "alice is now alicia\n")
        await typing("/history 2", "#lobby * alice waves\n")
        await typing("/dance", "triochat: there is no such command", "err")
        await typing("/help", "/quit         leave\n")
        await typing("/join dev", "#dev: 1 person\n#dev: alicia\n")
        await typing("here", "#dev <alicia> here\n")
        await typing("/join #lobby", "#lobby: you talk here now\n")
        await typing("there", "#lobby <alicia> there\n")
        await typing("/rooms", "#lobby: 2 people, topic: lunch\n")
        await typing("/part", "#lobby: you have left; you talk in #dev now\n")
        await typing("/part", "#dev: you have left; you are in no room now\n")
        await typing("anybody?", "triochat: you are in no room; /join #lobby enters one\n", "err")
        os.write(alice.keyboard, b"\xff\n")
        await alice.expect("not valid UTF-8", "err")
        alice.type("", "/quit so long")
        code, _, _ = await alice.exit()
    assert code == 0


async def test_the_end_of_the_input_is_no_failure() -> None:
    async with real_server() as address, terminal(address, person=True) as alice:
        await alice.expect("#lobby: alice\n")
        os.write(alice.keyboard, b"\x04")
        assert await alice.exit() == (0, "", "")


async def test_a_person_may_go_on_without_the_first_room() -> None:
    config = ClientConfig(nick="alice", room="#so/what")
    async with real_server() as address, terminal(address, config, person=True) as alice:
        await alice.expect("triochat: a room is", "err")
        alice.type("/join #dev", "hello", "/quit")
        await alice.expect("#dev <alice> hello\n")
        assert (await alice.exit())[0] == 0


async def test_text_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triochat.client.text_client.ECHO_TIMEOUT", PATIENCE)
    async with (
        scripted_server() as (address, connections),
        trio.open_nursery() as nursery,
        terminal(address, ClientConfig(nick="alice", text=True)) as alice,
    ):
        server = Server2019(await connections.receive())
        nursery.start_soon(server.run)
        os.write(alice.keyboard, b"one\n\ntwo\n/quit\n\xff\n\x07\n")
        alice.end_of_input()
        code, out, err = await alice.exit()
    assert code == 1
    assert server.read == ["alice: one", "alice: two", "alice: /quit"]
    assert "alice: /quit" in out
    assert err.splitlines() == [
        "triochat: that line is not valid UTF-8, so it was not sent: “\\xff”",
        "triochat: a text may hold no control characters but newline and tab",
    ]


async def test_text_for_a_person() -> None:
    async with (
        scripted_server() as (address, connections),
        trio.open_nursery() as nursery,
        terminal(address, ClientConfig(nick="alice", text=True), person=True) as alice,
    ):
        stream = await connections.receive()
        nursery.start_soon(Server2019(stream).run)
        await alice.expect("joined!")
        await stream.send_all("bob: \x1b[2J\u202e".encode())
        await alice.expect("bob: \ufffd[2J\ufffd")
        os.write(alice.keyboard, b"\xff\n")
        await alice.expect("not valid UTF-8", "err")
        alice.type("hello")
        await alice.expect("alice: hello")
        alice.type("/quit")
        assert (await alice.exit())[0] == 0


async def test_text_with_our_own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triochat.client.text_client.ECHO_TIMEOUT", PATIENCE)
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        async with terminal(address, ClientConfig(nick="alice", text=True)) as alice:
            alice.type("one", "two ☺")
            alice.end_of_input()
            code, out, _ = await alice.exit()
        assert code == 0
        assert await everything_said(bob) == ["one", r"two \u263a"]
        assert r"alice: two \u263a" in out


async def test_text_and_a_server_that_goes_away() -> None:
    async with (
        scripted_server() as (address, connections),
        terminal(address, ClientConfig(nick="alice", text=True)) as alice,
    ):
        stream = await connections.receive()
        await stream.send_all(b"NICK")
        await stream.receive_some()
        await stream.aclose()
        code, _, err = await alice.exit()
    assert code == 1
    assert err == "triochat: the connection is lost: the server closed the connection\n"
