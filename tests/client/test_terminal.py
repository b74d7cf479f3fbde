import getpass
import io
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.client.servers import Address, Script, address_of, real_server, unused_address
from tests.client.test_text_client import Server2019
from triochat.client import ChatClient, ConnectionLost, Disconnected, open_client
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import StateKeeping
from triochat.client.terminal import Screen, run_terminal
from triochat.client.typist import RECENT
from triochat.config import ClientConfig, ServerConfig
from triochat.protocol import events as e
from triochat.server import serve

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


# --- a pipe ---------------------------------------------------------------------------------------


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
            "triochat: that line is not valid UTF-8, so it was not sent",
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


async def test_a_room_that_can_not_be() -> None:
    async with (
        real_server() as address,
        terminal(address, ClientConfig(nick="alice", room="#so/what")) as alice,
    ):
        alice.type("hello")
        code, _, err = await alice.exit()
    assert code == 1
    assert "triochat: a room is" in err


@pytest.mark.parametrize("person", [False, True])
async def test_a_connection_that_is_lost(person: bool) -> None:
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
        assert (code, err) == (0 if person else 1, "")
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


# --- a person -------------------------------------------------------------------------------------


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


# --- signals --------------------------------------------------------------------------------------


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


# --- 2019 -----------------------------------------------------------------------------------------


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
        "triochat: that line is not valid UTF-8, so it was not sent",
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


# --- a server that does what the test says ----------------------------------------------------------

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
