"""A terminal client and its connection: how it begins, is lost, and ends."""

import getpass
import io
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.client.servers import Script, real_server, unused_address
from tests.client.terminals import (
    ALICE,
    PATIENCE,
    accept,
    everything_said,
    refuse_all,
    scripted_server,
    terminal,
)
from triochat.client import ChatClient, ConnectionLost, Disconnected, open_client
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import StateKeeping
from triochat.client.terminal import run_terminal
from triochat.config import ClientConfig, ServerConfig
from triochat.protocol import events as e


async def test_nobody_is_there() -> None:
    address = await unused_address()
    async with terminal(address) as alice:
        code, out, err = await alice.exit()
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"triochat: nobody answers at 127.0.0.1:{address[1]}; look at the address,"
        " or start a server there (triochat server)"
    ]


async def test_an_address_without_a_host() -> None:
    async with terminal(("", 5600)) as alice:
        assert await alice.exit() == (
            1,
            "",
            "triochat: the address names no host; write it as HOST or HOST:PORT\n",
        )


async def test_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("triochat.client.terminal.dial", unknown)
    async with terminal(("nowhere.invalid", 1)) as alice:
        code, _, err = await alice.exit()
    assert code == 1
    assert err == "triochat: there is no host named nowhere.invalid; look at how it is spelled\n"


@pytest.mark.parametrize(
    ("nick", "reason"), [("bob", "somebody has this nick"), ("not a nick", "a nick is a letter")]
)
async def test_a_pipe_is_not_asked_for_another_nick(nick: str, reason: str) -> None:
    async with (
        real_server() as address,
        open_client(*address, nick="bob"),
        terminal(address, ClientConfig(nick=nick)) as alice,
    ):
        code, _, err = await alice.exit()
    assert code == 1
    assert f"triochat: the nickname {nick} was refused: {reason}" in err
    assert "--nick" in err


@pytest.mark.parametrize("person", [False, True])
async def test_a_connection_that_is_lost(person: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triochat.client.calling.PATIENCE", 0.5)
    async with (
        scripted_server() as (address, connections),
        terminal(address, person=person) as alice,
    ):
        script = await accept(connections)
        alice.type("hello")
        await script.request()
        await script.say("JOINED #lobby bob", "BYE :replaced")
        await script.stream.aclose()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(refuse_all, connections)
            code, out, err = await alice.exit()
            nursery.cancel_scope.cancel()
    assert code == 1
    assert "#lobby: bob came in\n" in out
    assert err == "triochat: the connection is lost: replaced\n"


@pytest.mark.parametrize("person", [False, True])
async def test_a_connection_that_is_lost_and_regained(person: bool) -> None:
    async with (
        scripted_server() as (address, connections),
        terminal(address, person=person) as alice,
    ):
        script = await accept(connections)
        alice.type("one")
        first = await script.request()
        await script.say("BYE :maintenance \\u202e")
        await script.stream.aclose()
        await alice.expect("triochat: the connection is lost: maintenance \ufffd; trying again\n", "err")
        alice.type("two")
        script = await accept(connections, again=True)
        await alice.expect("triochat: connected again\n", "err")
        assert await script.request() == first
        tag, request = await script.request()
        assert request == "MSG #lobby :two"
        await script.say(f"@{first[0]} OK 1", f"@{tag} OK 2")
        if person:
            alice.type("/quit")
        else:
            alice.end_of_input()
        assert (await script.request())[1] == "QUIT"
        await script.say("BYE")
        assert (await alice.exit())[0] == 0


@pytest.mark.parametrize(
    ("submitted", "unsent", "with_file", "told"),
    [
        (0, 0, False, ""),
        (0, 0, True, ""),
        (3, 3, False, "triochat: not sent: 3 of your lines\n"),
        (3, 3, True, "triochat: not sent yet: 3 of your lines; they are kept in STATE\n"),
        (3, 5, True, "triochat: not sent: 5 of your lines; 3 of them are kept in STATE\n"),
        (0, 2, True, "triochat: not sent: 2 of your lines\n"),
    ],
)
@pytest.mark.parametrize("lost", [False, True])
async def test_a_screen_knows_what_is_not_sent(
    submitted: int,
    unsent: int,
    with_file: bool,
    told: str,
    lost: bool,
    tmp_path: Path,
) -> None:
    state = tmp_path / "state" if with_file else None
    if state is not None:  # what one before us left is none of ours
        with StateFile(state) as file:
            file.save(State(session="ab" * 16, unsent=(e.Say("#lobby", "left", tag="t-1"),)))

    async def screen(
        chat: ChatClient,
        config: ClientConfig,
        *,
        greeting: Sequence[str],
        tell_unsent: Callable[[int], None],
    ) -> str:
        async for event in chat:
            if isinstance(event, Disconnected):
                break
        async with trio.open_nursery() as nursery:
            for number in range(submitted):
                await chat.submit("#lobby", f"{number}")
            nursery.start_soon(chat.ping)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        if lost:
            chat._conversation._end("it is over")
        tell_unsent(unsent - submitted)
        if lost:
            raise ConnectionLost("it is over")
        return ""

    async with scripted_server() as (address, connections):
        config = ClientConfig(nick="alice", state=state)
        async with terminal(address, config, screen=screen) as alice:
            script = Script(await connections.receive())
            await script.welcome()
            if with_file:
                await script.nothing_missed()
                await script.request()
            await script.stream.aclose()
            code, _, err = await alice.exit()
    over = "triochat: the connection is lost: it is over\n" if lost else ""
    assert err.replace(str(state), "STATE") == over + told
    assert code == (1 if err else 0)
    if state is not None:
        with StateFile(state) as file:
            assert file.state is not None
            assert len(file.state.unsent) == 1 + submitted


async def test_nothing_is_said_to_be_in_a_file_that_could_not_be_written_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: StateKeeping) -> None:
        raise OSError(28, "No space left on device")

    async def screen(
        chat: ChatClient,
        config: ClientConfig,
        *,
        greeting: Sequence[str],
        tell_unsent: Callable[[int], None],
    ) -> str:
        for number in range(3):
            await chat.submit("#lobby", f"{number}")
        tell_unsent(2)
        return ""

    monkeypatch.setattr(StateKeeping, "finish", full)
    config = ClientConfig(nick="alice", state=tmp_path / "state")
    async with scripted_server() as (address, connections), terminal(address, config, screen=screen) as alice:
        script = Script(await connections.receive())
        await script.welcome()
        for _ in range(3):
            await script.request()
        await script.stream.aclose()
        code, _, err = await alice.exit()
    first, second = err.splitlines()
    assert first.startswith("triochat: the state file can't be written: No space left on device")
    assert second == "triochat: not sent: 5 of your lines"
    assert code == 1


@pytest.mark.parametrize("how", ["quit", "signal"])
@pytest.mark.parametrize(
    ("answered", "told"), [(3, "2 of your lines"), (1, "4 of your lines"), (0, "5 of your lines")]
)
async def test_what_is_answered_behind_the_good_bye_is_sent(answered: int, told: str, how: str) -> None:
    """Of five lines of a person three were handed to the connection."""
    submitted = trio.Event()

    async def screen(
        chat: ChatClient,
        config: ClientConfig,
        *,
        greeting: Sequence[str],
        tell_unsent: Callable[[int], None],
    ) -> str:
        try:
            for number in range(3):
                await chat.submit("#lobby", f"{number}")
            if how == "signal":
                submitted.set()
                await trio.sleep_forever()
        finally:
            tell_unsent(2)
        return ""

    async with scripted_server() as (address, connections), terminal(address, screen=screen) as alice:
        script = Script(await connections.receive())
        await script.welcome()
        if how == "signal":
            await submitted.wait()
            signal.raise_signal(signal.SIGTERM)
        tags = [(await script.request())[0] for _ in range(3)]
        assert (await script.request())[1].startswith("QUIT")
        await script.say(*(f"@{tag} OK {number}" for number, tag in enumerate(tags[:answered], 1)))
        await script.stream.aclose()
        code, _, err = await alice.exit()
    assert err == f"triochat: not sent: {told}\n"
    assert code == (1 if how == "quit" else 143)


@pytest.mark.parametrize("lines", [b"", b"hello\n"])
@pytest.mark.parametrize("person", [False, True])
async def test_a_state_file_that_can_not_be_written(
    lines: bytes, person: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to outlive the client would not; all the same it is sent."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(StateFile, "save", full)
    config = ClientConfig(nick="alice", state=tmp_path / "state")
    async with real_server() as address, open_client(*address, nick="bob") as bob:
        await bob.join("#lobby")
        async with terminal(address, config, person=person) as alice:
            os.write(alice.keyboard, lines)
            await alice.expect("triochat: the state file can't be written: No space left on device\n", "err")
            if person:
                alice.type("/quit")
            else:
                alice.end_of_input()
            code, out, err = await alice.exit()
        assert (code, err.partition(";")[0]) == (
            1,
            "triochat: the state file can't be written: No space left on device",
        )
        assert "state file" not in out
        assert await everything_said(bob) == lines.decode().splitlines()


async def test_a_state_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("dear diary")
    async with (
        real_server() as address,
        terminal(address, ClientConfig(nick="alice", state=path)) as alice,
    ):
        code, _, err = await alice.exit()
    assert code == 1
    assert "is no state file" in err
    assert path.read_text() == "dear diary"


async def test_something_that_is_no_server_of_ours() -> None:
    async with scripted_server() as (address, connections), terminal(address) as alice:
        stream = await connections.receive()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        code, _, err = await alice.exit()
    assert code == 1
    assert "no triochat server" in err
    assert "--text" in err


async def test_a_server_that_wants_nobody() -> None:
    async with scripted_server() as (address, connections), terminal(address) as alice:
        await (await connections.receive()).send_all(b"ERROR unavailable :come back later\n")
        code, _, err = await alice.exit()
    assert (code, err) == (1, "triochat: the server refused: come back later\n")


async def test_a_person_is_asked_for_another_nick() -> None:
    config = ClientConfig(nick="bob")
    async with (
        real_server() as address,
        open_client(*address, nick="bob"),
        terminal(address, config, person=True) as alice,
    ):
        await alice.expect("Somebody has this nick; take another.\nnickname: ")
        os.write(alice.keyboard, b"\xff\n\n9lives\n")
        await alice.expect("not valid UTF-8", "err")
        await alice.expect("A nick is a letter")
        alice.type(" carol ")
        await alice.expect("#lobby: carol\n")
        alice.type("/quit")
        assert (await alice.exit())[0] == 0


@pytest.mark.parametrize("farewell", [b"\x04", b"/quit\n"])
async def test_a_person_who_gives_no_other_nick_leaves(farewell: bytes) -> None:
    config = ClientConfig(nick="not a nick")
    async with real_server() as address, terminal(address, config, person=True) as alice:
        await alice.expect("nickname: ")
        os.write(alice.keyboard, farewell)
        assert (await alice.exit())[0] == 0


async def test_a_window_that_is_gone_ends_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    keyboard, stdin = os.openpty()
    async with real_server() as address:
        with os.fdopen(writing, "w") as out, trio.fail_after(PATIENCE):
            assert await run_terminal(*address, ALICE, stdin_fd=stdin, out=out, err=io.StringIO()) == 0
    os.close(stdin)
    os.close(keyboard)


@pytest.mark.parametrize(
    ("login", "nick"), [("Älice Müller", "liceMller"), ("1st", "st"), ("", "guest"), (None, "guest")]
)
async def test_the_login_name_is_the_nick(
    monkeypatch: pytest.MonkeyPatch, login: str | None, nick: str
) -> None:
    def getuser() -> str:
        if login is None:
            raise KeyError("getpwuid(): uid not found")
        return login

    monkeypatch.setattr(getpass, "getuser", getuser)
    async with real_server() as address, terminal(address, ClientConfig(), person=True) as alice:
        await alice.expect(f"#lobby: {nick}\n")


async def test_a_stopped_output_does_not_keep_it_from_leaving() -> None:
    reading, writing = os.pipe()
    stdin, keyboard = os.pipe()
    async with (
        real_server(ServerConfig(port=0, rate_limit=0)) as address,
        open_client(*address, nick="bob") as bob,
    ):
        await bob.join("#lobby")
        with os.fdopen(writing, "w") as out, trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:

                async def run() -> None:
                    code = await run_terminal(*address, ALICE, stdin_fd=stdin, out=out, err=io.StringIO())
                    assert code == 143

                nursery.start_soon(run)
                while await anext(aiter(bob)) != e.Joined("#lobby", "alice"):
                    pass
                for _ in range(40):
                    await bob.say("#lobby", "x" * 7000)
                signal.raise_signal(signal.SIGTERM)
                while await anext(aiter(bob)) != e.Left("#lobby", "alice"):
                    pass
    for fd in (reading, stdin, keyboard):
        os.close(fd)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("person", [False, True])
async def test_a_signal_says_quit(number: signal.Signals, code: int, person: bool) -> None:
    async with scripted_server() as (address, connections), terminal(address, person=person) as alice:
        script = await accept(connections)
        await trio.testing.wait_all_tasks_blocked()
        signal.raise_signal(number)
        assert (await script.request())[1] == "QUIT"
        await script.say("BYE")
        assert (await alice.exit())[0] == code


async def test_a_second_signal_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triochat.client.conversation.QUIT_TIMEOUT", 2 * PATIENCE)
    async with scripted_server() as (address, connections), terminal(address) as alice:
        script = await accept(connections)
        await trio.testing.wait_all_tasks_blocked()
        signal.raise_signal(signal.SIGINT)
        assert (await script.request())[1] == "QUIT"
        signal.raise_signal(signal.SIGINT)
        assert (await alice.exit())[0] == 130


async def test_a_signal_while_a_nick_is_asked_for() -> None:
    async with real_server() as address, terminal(address, ClientConfig(nick="?"), person=True) as alice:
        await alice.expect("nickname: ")
        signal.raise_signal(signal.SIGINT)
        assert (await alice.exit())[0] == 130


async def test_a_signal_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    dialling = trio.Event()

    async def dial(*_: object) -> object:
        dialling.set()
        return await trio.sleep_forever()

    monkeypatch.setattr("triochat.client.terminal.dial", dial)
    async with terminal(("127.0.0.1", 1)) as alice:
        await dialling.wait()
        signal.raise_signal(signal.SIGINT)
        assert (await alice.exit())[0] == 130


async def test_a_signal_before_the_server_has_answered() -> None:
    async with scripted_server() as (address, connections), terminal(address) as alice:
        await Script(await connections.receive()).line()
        signal.raise_signal(signal.SIGINT)
        assert (await alice.exit())[0] == 130
