"""Real sockets, the real clock: what a stranger on the network can do."""

import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import structlog
import trio

from tests.server.guests import REAL, Guest, secret
from triochat.config import ServerConfig
from triochat.server import serve

Connect = Callable[[], Awaitable[Guest]]


@contextmanager
def patience() -> Iterator[None]:
    with trio.fail_after(REAL):
        yield


@pytest.fixture
async def connect(nursery: trio.Nursery) -> Connect:
    """Connect to a server of its own."""
    [listener] = await nursery.start(partial(serve, ServerConfig(port=0, sniff_time=0.05, grace=0)))
    host, port = listener.socket.getsockname()

    async def connect() -> Guest:
        return Guest(await trio.open_tcp_stream(host, port), REAL)

    return connect


async def reset(guest: Guest) -> None:
    """Close by a TCP reset."""
    assert isinstance(guest.stream, trio.SocketStream)
    guest.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await guest.close()


async def enter(connect: Connect, nick: str, *rooms: str) -> Guest:
    return await (await connect()).hello(nick, *rooms)


async def still_works(connect: Connect, *witnesses: Guest) -> None:
    """Somebody new is served as ever, and so are those who have been there."""
    async with await connect() as guest:
        await guest.hello("newcomer", "#elsewhere")
        assert (await guest.ask("MSG #elsewhere :hi"))[-1].startswith("OK")
    for witness in witnesses:
        assert (await witness.ask("PING"))[-1] == "PONG"


# --- the exchanges of docs/protocol.md ------------------------------------------------------------


async def test_the_text_dialect(connect: Connect) -> None:
    async with await connect() as alice, await connect() as bob:
        assert await alice.read() == b"NICK"
        await alice.send_bytes(b"alice")
        assert await alice.lines(2) == ["alice joined!", "Connected to server!"]
        assert await bob.read() == b"NICK"
        await bob.send("bob")
        assert await bob.lines(2) == ["bob joined!", "Connected to server!"]
        assert await alice.line() == "bob joined!"
        await alice.send_bytes(b"alice: hello")  # as the 2019 client does
        for guest in (alice, bob):
            assert await guest.line() == "alice: hello"
        await bob.send("hello")  # as a person does
        for guest in (alice, bob):
            assert await guest.line() == "bob: hello"
        await bob.send("/quit")
        assert (await bob.rest())[-1].startswith("Goodbye!")
        assert await alice.line() == "bob left!"


async def test_the_framed_dialect(connect: Connect) -> None:
    async with await connect() as alice, await connect() as bob:
        await alice.send(
            f"@a NICK alice triochat/1 session={secret(1)}", "@b JOIN #Dev", "@c MSG #dev :hello"
        )
        assert await alice.lines(7) == [
            "@a WELCOME alice triochat",
            "@a OK",
            "@b ROOM #dev 1 0",
            "@b NAMES #dev alice",
            "@b OK 0",
            "MSG #dev 1 MS alice :hello",
            "@c OK 1",
        ]
        await bob.hello("bob")
        assert await bob.ask("JOIN #dev after=0") == [
            "ROOM #dev 2 1",
            "NAMES #dev alice bob",
            "MSG #dev 1 MS alice :hello",
            "OK 1",
        ]
        assert await alice.ask("TOPIC #dev :lunch") == [
            "JOINED #dev bob",
            "TOPIC #dev 2 MS alice :lunch",
            "OK 2",
        ]
        assert await alice.ask("TOPIC #dev") == ["TOPIC #dev 2 MS alice :lunch", "OK"]
        assert await alice.ask("NICK alicia") == ["RENAMED alice alicia", "OK"]
        assert await alice.ask("NAMES #dev") == ["NAMES #dev alicia bob", "OK"]
        assert await alice.ask("ROOMS") == ["ROOM #dev 2 2 :lunch", "OK"]
        assert await alice.ask("MSG @bob :psst") == ["MSG @bob 1 MS alicia :psst", "OK 1"]
        assert await bob.lines(3) == [
            "TOPIC #dev 2 MS alice :lunch",
            "RENAMED alice alicia",
            "MSG @bob 1 MS alicia :psst",
        ]
        assert await bob.ask("HISTORY #dev limit=1") == ["TOPIC #dev 2 MS alice :lunch", "OK"]
        assert await bob.ask("HISTORY #dev before=2") == ["MSG #dev 1 MS alice :hello", "OK"]
        assert await bob.ask("PING :token") == ["PONG :token"]
        assert await bob.ask("HISTORY #dev after=0 limit=1") == ["MSG #dev 1 MS alice :hello", "OK"]
        assert await bob.ask("HISTORY @BOB after=0") == ["MSG @bob 1 MS alicia :psst", "OK"]
        assert (await bob.ask("HISTORY @alicia"))[-1].startswith("ERROR not-allowed :")
        assert await bob.ask("SEARCH #dev :LUNCH") == ["TOPIC #dev 2 MS alice :lunch", "OK"]
        assert (await bob.ask("BOGUS"))[-1].startswith("ERROR unknown-command :")
        await bob.send("MSG #dev :without a tag")
        assert await bob.line() == "MSG #dev 3 MS bob :without a tag"
        assert await bob.ask("PART #dev :tired") == ["OK"]
        assert await alice.lines(2) == ["MSG #dev 3 MS bob :without a tag", "LEFT #dev bob :tired"]
        await bob.send("QUIT :bye")
        assert (await bob.rest())[0].startswith("BYE")


async def test_both_dialects_in_one_room(connect: Connect) -> None:
    async with await enter(connect, "framed", "#lobby") as framed, await connect() as text:
        await text.text_hello("text")
        assert await framed.line() == "JOINED #lobby text"
        await framed.send(r"MSG #lobby :two\nlines, caf\xe9")
        assert await framed.line() == r"MSG #lobby 1 MS framed :two\nlines, caf\xe9"
        assert await text.lines(2) == ["framed: two", r"  lines, caf\xe9"]
        await text.send("naïve")  # from now on it gets UTF-8
        assert await text.line() == "text: naïve"
        assert await framed.line() == r"MSG #lobby 2 MS text :na\xefve"
        await framed.send(r"MSG #lobby :\u20ac")
        assert await text.line() == "framed: €"


async def test_a_slow_framed_client_drops_four_stray_octets(connect: Connect) -> None:
    async with await connect() as guest:
        assert await guest.read() == b"NICK"
        await guest.send_bytes(b"@a NICK alice trio")
        await guest.send_bytes(b"chat/1\r\n")
        assert await guest.lines(2) == ["@a WELCOME alice triochat", "@a OK"]


# --- who is silent, gone, or mad --------------------------------------------------------------------


STAGES = {
    "before a word": [],
    "in a hello": [b"NICK al"],
    "behind a hello": [b"NICK al triochat/1\n"],
    "in a frame": [b"NICK al triochat/1\n", b"JOIN #dev\nMSG #dev :hal"],
    "with much to read": [b"NICK al triochat/1\nJOIN #dev\n", b"MSG #dev :hi\n" * 500],
    "in a name": [b"al"],
    "in a line": [b"al\n", b"hal"],
    "behind a line": [b"al\n", b"hello\n"],
    "behind a goodbye": [b"NICK al triochat/1\n", b"QUIT\n"],
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("end", ["reset", "close", "half-close"])
async def test_gone_at_any_stage(connect: Connect, stage: str, end: str) -> None:
    async with await enter(connect, "witness", "#dev", "#lobby") as witness:
        guest = await connect()
        for said in STAGES[stage]:
            await guest.send_bytes(said)
        if end == "reset":
            await reset(guest)
        elif end == "close":
            await guest.close()
        else:
            await guest.stream.send_eof()
            await guest.rest_of_bytes()
            await guest.close()
        # Nothing of it stays: another takes its name as soon as it is free.
        with patience():
            while True:
                other = await connect()
                if (await other.ask("NICK al triochat/1"))[-1] == "OK":
                    break
                await other.close()
        await other.close()
        await still_works(connect, witness)


@pytest.mark.parametrize("person", [False, True])
async def test_a_name_is_free_at_once_for_who_connects_behind_its_end(connect: Connect, person: bool) -> None:
    async with await enter(connect, "witness", "#lobby") as witness:
        for _ in range(30):
            async with await connect() as guest:
                if person:
                    await guest.text_hello("al")
                else:
                    await guest.hello("al", "#lobby")
            assert await witness.lines(1) == ["JOINED #lobby al"]
            async with await connect() as other:
                assert (await other.ask("NICK al triochat/1"))[-1] == "OK"
            assert await witness.lines(1) == ["LEFT #lobby al"]


@pytest.mark.parametrize(
    "junk",
    [
        bytes(range(256)) * 20,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\xff\xfe\n" * 30,
        b"\0" * 10_000,
        b"\n" * 10_000,
        b"NICK x triochat/1\n" + b"\x80\n" * 30,
        b"@" * 10_000,
    ],
    ids=["octets", "tls", "http", "no utf-8", "nul", "empty lines", "in frames", "at"],
)
async def test_junk(connect: Connect, junk: bytes) -> None:
    async with await enter(connect, "witness", "#lobby") as witness, await connect() as guest:
        await guest.send_bytes(junk)
        await guest.stream.send_eof()
        answer = await guest.rest_of_bytes()
        assert not set(answer) - set(range(32, 127)) - {10}
        await still_works(connect, witness)


async def test_invalid_utf_8_is_explained_and_said_to_nobody(connect: Connect) -> None:
    async with await enter(connect, "witness", "#lobby") as witness, await connect() as guest:
        await guest.text_hello("guest")
        await witness.line()
        await guest.send_bytes(b"caf\xe9\nnow well\n")
        assert await guest.line() == "That was not valid UTF-8, so it was not sent."
        assert await guest.line() == "guest: now well"
        assert await witness.line() == "MSG #lobby 1 MS guest :now well"


@pytest.mark.parametrize("hello", [b"", b"long\n", b"NICK long triochat/1\n"])
async def test_a_line_of_ten_megabytes(connect: Connect, hello: bytes) -> None:
    """How much memory it does not take is measured in tests/process."""
    async with await enter(connect, "witness", "#lobby") as witness, await connect() as guest:
        await guest.send_bytes(hello)
        for _ in range(160):
            await guest.send_bytes(b"x" * 65536)
        await guest.send_bytes(b"\n")
        await guest.stream.send_eof()
        answer = (await guest.rest_of_bytes()).decode()
        assert "8192 octets" in answer
        await still_works(connect, witness)


async def test_who_never_reads_is_cut_off(nursery: trio.Nursery) -> None:
    config = ServerConfig(port=0, backlog=65536, rate_limit=0, grace=0)
    [listener] = await nursery.start(partial(serve, config))

    async def connect() -> Guest:
        return Guest(await trio.open_tcp_stream(*listener.socket.getsockname()), REAL)

    with structlog.testing.capture_logs() as logs:
        deaf = await enter(connect, "deaf", "#dev")
        speaker = await enter(connect, "speaker", "#dev")
        lines: list[str] = []
        with patience():
            while "LEFT #dev deaf" not in lines:
                lines = await speaker.ask(f"MSG #dev :{'x' * 8000}")
        await still_works(connect, speaker)
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == [
        "cut off: its backlog is full"
    ]
    await speaker.close()
    await deaf.close()


# --- names, rooms, and what may be said -------------------------------------------------------------


@pytest.mark.parametrize("nick", ["alice", "Alice", "ALICE"])
async def test_a_nick_is_one_persons(connect: Connect, nick: str) -> None:
    async with await enter(connect, "Alice", "#lobby"), await connect() as thief:
        answer = await thief.ask(f"NICK {nick} triochat/1")
        assert answer[-1].startswith("ERROR nick-in-use :")
        assert (await thief.line()).startswith("NICK :")
        await thief.hello("bob")
        assert (await thief.ask(f"NICK {nick}"))[-1].startswith("ERROR nick-in-use :")
        assert await thief.ask("NICK BOB") == ["RENAMED bob BOB", "OK"]  # its own, in another case


async def test_a_nick_that_is_taken_in_the_text_dialect(connect: Connect) -> None:
    async with await enter(connect, "alice"), await connect() as person, await connect() as old:
        assert await person.read() == b"NICK"
        await person.send("ALICE")
        assert await person.read() == b"Somebody has this nick; take another.\nNICK"
        await person.send("bob")
        await person.until("Connected")
        assert await old.read() == b"NICK"
        await old.send_bytes(b"alice")
        assert await old.until("Your name") == [
            "alice2 joined!",
            "Connected to server!",
            "Your name here is alice2.",
        ]
        await old.send_bytes(b"alice: hello")
        assert await old.line() == "alice2: hello"


async def test_nobody_speaks_as_another(connect: Connect) -> None:
    async with await enter(connect, "witness", "#lobby") as witness, await connect() as mallory:
        await mallory.text_hello("mallory")
        await witness.line()
        for said, heard in [
            ("witness: I am mad", "witness: I am mad"),
            ("mallory: mallory: hi", "mallory: hi"),
            ("Mallory: hi", "Mallory: hi"),
            ("\twitness left!", r"\twitness left!"),
        ]:
            await mallory.send(said)
            assert (await witness.line()).split(" ", 5)[4:] == ["mallory", f":{heard}"]
            assert (await mallory.line()).startswith("mallory: ")


async def test_no_text_makes_a_bare_prompt(connect: Connect) -> None:
    """A 2019 client would answer it in the room."""
    async with await connect() as old, await connect() as text, await enter(connect, "NICK", "#lobby") as bad:
        assert await old.read() == b"NICK"
        await old.send_bytes(b"old")
        await old.until("Connected")
        await text.text_hello("mallory")
        for said in ("NICK", "mallory: NICK", "\tNICK", "/me NICK", "/topic NICK", "/msg old NICK"):
            await text.send(said)
        for said in (
            r"MSG #lobby :NICK",
            r"MSG #lobby :\nNICK\nNICK",
            r"MSG @old :x\nNICK",
            r"MSG #lobby :/me \nNICK",
            r"TOPIC #lobby :\nNICK\n",
            r"PART #lobby :\nNICK\n",
        ):
            await bad.ask(said)
        await bad.ask("JOIN #lobby")
        await bad.ask("MSG #lobby :the end")
        lines = await old.until("the end")
        await old.send_bytes(b"/topic")
        lines += await old.until("set the topic:")
        await old.send_bytes(b"/history 20")
        lines += await old.until("the end")
        assert len(lines) > 20
        assert "NICK" not in lines
        assert "NICK" not in await text.until("the end")


CONTROLS = ["\x1b[2J", "\x07", "\x00", "\x7f", "\x9b31m", "\r", "\x85", "a\x08b"]


@pytest.mark.parametrize("control", CONTROLS, ids=repr)
async def test_no_control_sequence_gets_through(connect: Connect, control: str) -> None:
    async with (
        await enter(connect, "witness", "#lobby") as witness,
        await connect() as terminal,
        await enter(connect, "mallory", "#lobby") as mallory,
    ):
        await terminal.send("terminal")
        await terminal.until("Connected")
        await terminal.send("naïve")  # it may get UTF-8
        escaped = "".join(f"\\x{ord(one):02x}" for one in control)
        for request in ("MSG #lobby", "MSG @terminal", "TOPIC #lobby", "PING"):
            assert (await mallory.ask(f"{request} :{escaped}"))[-1].startswith("ERROR bad-text")
        async with await connect() as other:
            await other.text_hello("other")
            await other.send(
                f"say {control} it",
                f"/me {control} it",
                f"/topic {control} it",
                f"/msg terminal {control} it",
            )
            await other.send("the end")
            await other.until("the end")
        async with await connect() as other:
            await other.send(f"x{control}x")
            await other.read()
        for request in (f"PART #lobby :{escaped}", f"QUIT :{escaped}"):
            assert (await mallory.ask(request))[-1].startswith("ERROR bad-text")
        await mallory.ask("MSG #lobby :really the end")
        for guest in (witness, terminal):
            for line in await guest.until("really the end"):
                assert line.isprintable(), line


async def test_joining_twice_and_leaving_what_one_is_not_in(connect: Connect) -> None:
    async with await enter(connect, "alice", "#dev") as alice, await enter(connect, "bob", "#dev") as bob:
        assert await alice.line() == "JOINED #dev bob"
        assert await bob.ask("JOIN #DEV") == ["ROOM #dev 2 0", "NAMES #dev alice bob", "OK 0"]
        assert (await bob.ask("PART #nowhere"))[-1].startswith("ERROR no-such-room")
        await alice.ask("JOIN #other")
        assert (await bob.ask("PART #other"))[-1].startswith("ERROR not-in-room")
        assert (await bob.ask("MSG #other :hi"))[-1].startswith("ERROR not-in-room")
        assert (await bob.ask("MSG @Nobody :hi"))[-1] == "ERROR no-such-nick :nobody here has the nick Nobody"
        assert await bob.ask("PART #dev") == ["OK"]
        assert (await bob.ask("PART #dev"))[-1].startswith("ERROR not-in-room")
        assert await alice.line() == "LEFT #dev bob"


async def test_renaming_while_sending(connect: Connect) -> None:
    async with await enter(connect, "alice", "#dev") as alice, await enter(connect, "bob", "#dev") as bob:
        await alice.line()
        said: list[str] = []
        for number in range(50):
            said += [f"MSG #dev :{number}", f"NICK name{number}"]
        await alice.send(*said, "@end PING")
        for guest in (alice, bob):
            name = "alice"
            for number in range(50):
                assert await guest.line() == f"MSG #dev {number + 1} MS {name} :{number}"
                assert await guest.line() == f"RENAMED {name} name{number}"
                name = f"name{number}"
        assert await alice.line() == "@end PONG"
