"""What a script sends: real servers, pipes as its input."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryFile

import pytest
import trio

from tests.client.servers import Address, address_of, real_server, unused_address
from triochat.client import ChatClient, open_client
from triochat.client.send import run_send, target_of
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import StateKeeping
from triochat.config import ConfigError, SendConfig, ServerConfig
from triochat.journal import MemoryJournal
from triochat.protocol import events as e
from triochat.server import serve

PATIENCE = 20.0
SENDER = SendConfig(nick="sender", timeout=PATIENCE)


async def sent(
    address: Address, *words: str, config: SendConfig = SENDER, given: bytes = b""
) -> tuple[int, str]:
    """Send, and return the exit code and what was complained of."""
    err = StringIO()
    with TemporaryFile() as file:
        file.write(given)
        file.seek(0)
        with trio.fail_after(PATIENCE):
            code = await run_send(*address, words, config, stdin_fd=file.fileno(), err=err)
    return code, err.getvalue()


async def texts(chat: ChatClient, room: str = "#lobby") -> list[str]:
    return [one.text for one in await chat.history(room) if isinstance(one, e.Message)]


@asynccontextmanager
async def witness() -> AsyncIterator[tuple[Address, ChatClient]]:
    async with real_server() as address, open_client(*address, nick="witness") as chat:
        await chat.join("#lobby")
        yield address, chat


async def test_words_are_one_message() -> None:
    async with witness() as (address, chat):
        assert await sent(address, "it is", "done\nall of it", given=b"not this\n") == (0, "")
        assert await texts(chat) == ["it is done\nall of it"]


async def test_lines_are_one_message_each_and_colours_go() -> None:
    async with witness() as (address, chat):
        given = b"one\n\n  \ntwo\r\n\x1b[31merror\x1b[0m: x\n 1%\r 2%\n\x1b[K\nlast"
        assert await sent(address, given=given) == (0, "")
        assert await texts(chat) == ["one", "two", "error: x", " 2%", "last"]


async def test_what_can_not_be_said_is_named_and_the_rest_is_sent() -> None:
    async with witness() as (address, chat):
        code, err = await sent(
            address, given=b"one\n" + b"x" * 9000 + b"\nbad \xff\n" + b"y" * 70000 + b"\ntwo\n"
        )
        assert code == 1
        assert await texts(chat) == ["one", "two"]
        too_long, bad, far_too_long = err.splitlines()
        assert too_long.startswith(f"triochat: not sent: “{'x' * 40}…”: a text is at most 8000 octets")
        assert "not valid UTF-8" in bad
        assert "longer than 65536 octets" in far_too_long


async def test_the_whole_input_is_one_message() -> None:
    async with witness() as (address, chat):
        whole = SendConfig(nick="sender", whole=True)
        assert await sent(address, config=whole, given=b"one\n\n\x1b[1mtwo\x1b[0m\n") == (0, "")
        assert await texts(chat) == ["one\n\ntwo"]
        assert await sent(address, config=whole, given=b"\n") == (0, "")
        for given in (b"x" * 9000, b"x\n" * 40000, b"bad \xff\n"):
            code, err = await sent(address, config=whole, given=given)
            assert code == 1
            assert len(err.splitlines()) == 1
        assert await texts(chat) == ["one\n\ntwo"]


async def test_to_one_person() -> None:
    async with witness() as (address, chat):
        assert await sent(address, "psst", config=SendConfig(nick="sender", to="Witness")) == (0, "")
        events = aiter(chat)
        while not isinstance(event := await anext(events), e.Message):
            pass
        assert (event.nick, event.text) == ("sender", "psst")
        code, err = await sent(address, "psst", config=SendConfig(nick="sender", to="@nobody"))
        assert code == 1
        assert err.startswith("triochat: not kept: “psst”: ")


async def test_a_nick_that_is_taken_is_no_hindrance() -> None:
    async with witness() as (address, chat):
        assert await sent(address, "hello", config=SendConfig(nick="Witness")) == (0, "")
        [entry] = await chat.history("#lobby")
        assert isinstance(entry, e.Message)
        assert entry.nick == "Witness-2"


async def test_nobody_answers() -> None:
    code, err = await sent(await unused_address(), "hello", config=SendConfig(timeout=0.3))
    assert code == 1
    first, second = err.splitlines()
    assert first.endswith("; trying for 0.3 seconds")
    assert "no triochat server answered" in second.lower()


@pytest.mark.parametrize("file", ["none", "written", "full"])
async def test_a_connection_that_does_not_come_back_in_time(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = None if file == "none" else tmp_path / "state"
    if file == "full":
        monkeypatch.setattr(StateKeeping, "finish", _full)
    reading, writing = os.pipe()
    err = StringIO()
    ended: list[int] = []
    over = trio.Event()
    async with trio.open_nursery() as nursery:
        address: Address
        address, stop = await nursery.start(_serve_once)

        async def send() -> None:
            config = SendConfig(nick="sender", timeout=0.5, state=state)
            ended.append(await run_send(address[0], address[1], (), config, stdin_fd=reading, err=err))
            over.set()

        nursery.start_soon(send)
        async with open_client(*address, nick="witness") as chat:
            await chat.join("#lobby")
            os.write(writing, b"one\n")
            async for event in chat:
                if isinstance(event, e.Message):
                    break
        stop.set()
        with trio.move_on_after(1.0):  # longer than a message may wait for the connection: none waits
            await over.wait()
        assert not ended
        os.write(writing, b"two\nthree\n")
        with trio.fail_after(PATIENCE):
            await over.wait()
        nursery.cancel_scope.cancel()
    os.close(writing)
    os.close(reading)
    assert ended == [1]
    lines = err.getvalue().splitlines()
    assert "connection is lost" in lines[0]
    if file == "full":
        assert "the state file can't be written: No space left on device" in lines.pop(1)
    kept = f" (it is in {state} for the next one)" if file == "written" else ""
    assert lines[1:] == [
        "triochat: it did not come back within 0.5 seconds",
        f"triochat: not acknowledged{kept}: “two”",
        f"triochat: not acknowledged{kept}: “three”",
        "triochat: the rest of the input was not sent",
    ]


def _full(_: object) -> None:
    raise OSError(28, "No space left on device")


async def _serve_once(task_status: trio.TaskStatus[tuple[Address, trio.Event]]) -> None:
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        start = partial(serve, ServerConfig(port=0), journal=MemoryJournal(), shutdown=stop)
        [listener] = await nursery.start(start)
        task_status.started((address_of(listener), stop))


async def test_what_one_before_us_has_left_in_the_state_file_is_sent_first(tmp_path: Path) -> None:
    path = tmp_path / "state"
    left = State(session="5e" * 16, rooms={"#lobby": 0}, unsent=(e.Say("#lobby", "left", tag="t1"),))
    with StateFile(path) as file:
        file.save(left)
    config = SendConfig(nick="sender", state=path)
    async with witness() as (address, chat):
        assert await sent(address, "new", config=config) == (0, "")
        assert await texts(chat) == ["left", "new"]
        with StateFile(path) as file:
            assert file.state is not None
            assert (file.state.rooms, file.state.unsent) == ({}, ())


async def test_a_state_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text("something else")
    async with real_server() as address:
        code, err = await sent(address, "x", config=SendConfig(nick="sender", state=path))
    assert code == 1
    assert "is no state file" in err


@pytest.mark.parametrize(
    ("config", "target"),
    [
        (SendConfig(), "#lobby"),
        (SendConfig(room="#CI"), "#ci"),
        (SendConfig(room="ci"), "#ci"),
        (SendConfig(to="bob"), "@bob"),
        (SendConfig(to="@bob"), "@bob"),
    ],
)
def test_to_whom(config: SendConfig, target: str) -> None:
    assert target_of(config) == target


async def test_what_makes_no_sense() -> None:
    for config in (SendConfig(room="#a b"), SendConfig(to="#x")):
        with pytest.raises(ConfigError, match=r"can't be the name of a (room|person): a (room|nickname) is "):
            target_of(config)
    with pytest.raises(ConfigError, match="exclude each other"):
        SendConfig(room="#x", to="y")
    with pytest.raises(ConfigError, match="timeout is"):
        SendConfig(timeout=-1)
    with pytest.raises(ConfigError, match="the text is empty"):
        await sent(("127.0.0.1", 1), " ")
