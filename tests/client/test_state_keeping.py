"""A client that is killed, and the next one in its place; over sockets, since a thread writes the file."""

import json
import shutil
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.client.servers import real_server
from triochat.client import ChatClient, Refused, RoomState, StateError, open_client
from triochat.client.opening import open_client_by
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import LAZILY
from triochat.protocol import events as e


async def until_said(chat: ChatClient, text: str) -> list[str]:
    seen: list[str] = []
    with trio.fail_after(20):
        async for event in chat:
            if isinstance(event, e.Message):
                seen.append(event.text)
                if event.text == text:
                    break
    return seen


async def test_the_next_one_is_where_the_first_was_and_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "state"
    async with real_server() as (host, port), open_client(host, port, nick="bob") as bob:
        await bob.join("#dev")
        async with open_client(host, port, nick="alice", state=path) as alice:
            assert alice.joined == ()
            await alice.join("#dev")
            await bob.say("#dev", "one")
            assert await until_said(alice, "one") == ["one"]
            await bob.say("#dev", "two")  # which it has never looked at
        await bob.say("#dev", "three")
        async with open_client(host, port, nick="alice", state=path) as alice:
            assert alice.joined == ("#dev",)
            assert await until_said(alice, "three") == ["two", "three"]
            await alice.part("#dev")
        async with open_client(host, port, nick="alice", state=path) as alice:
            assert alice.joined == ()


async def test_what_was_on_its_way_when_it_was_killed_is_kept_once(tmp_path: Path) -> None:
    path, copy = tmp_path / "state", tmp_path / "copy"
    async with real_server() as (host, port), open_client(host, port, nick="bob") as bob:
        async with open_client(host, port, nick="alice", state=path) as alice:
            await alice.join("#dev")
            heard = alice._conversation._answered

            def keep_file(event: e.Event, tag: str) -> None:
                if isinstance(event, e.Ok) and not copy.exists():
                    shutil.copy(path, copy)  # as it would be left if we were killed here
                heard(event, tag)

            alice._conversation._answered = keep_file  # type: ignore[method-assign]
            receipts = [await alice.submit("#dev", f"text {number}") for number in range(5)]
            assert [await receipt.kept() for receipt in receipts] == [1, 2, 3, 4, 5]
        with StateFile(path) as file:
            assert file.state is not None
            assert file.state.unsent == ()
        async with open_client(host, port, nick="alice", state=copy) as alice:
            await alice.ping()  # which is answered behind all that was found
            assert alice.statistics().unanswered == 0
        texts = [entry.text for entry in await bob.history("#dev") if isinstance(entry, e.Message)]
        assert texts == [f"text {number}" for number in range(5)]


async def test_what_was_never_sent_is_sent_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "state"
    async with real_server() as (host, port):
        async with open_client(host, port, nick="alice", state=path) as alice:
            await alice.join("#dev")
            assert alice._conversation.link is not None
            await alice._conversation.link._stream.aclose()
            while alice.connected:
                await trio.lowlevel.checkpoint()
            await alice.submit("#dev", "one")
            await alice.submit("#dev", "two")
            await alice.submit("#ops", "not there")
            alice._conversation.leave()  # as if it had no time for more
        async with open_client(host, port, nick="alice", state=path) as alice:
            assert await until_said(alice, "two") == ["one", "two"]
            failure = await anext(aiter(alice))
            assert isinstance(failure, e.Failure)  # nobody waits for the answer, so it is told like this
            assert failure.code == "no-such-room"


async def test_what_was_refused_is_not_sent_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "state"
    async with real_server() as (host, port), open_client(host, port, nick="alice", state=path) as alice:
        for ask in (alice.say("@nobody", "hello"), alice.set_topic("#nowhere", "lunch")):
            with pytest.raises(Refused):
                await ask
            # As it would be left if we were killed as soon as we know.
            assert json.loads(path.read_text())["unsent"] == []


async def test_what_the_next_one_found_and_was_refused_is_gone_from_the_file_when_it_is_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state"
    with StateFile(path) as file:
        unsent = (e.Say("@nobody", "hello", tag="1"),)
        file.save(State(session="0" * 32, unsent=unsent))
    async with real_server() as (host, port), open_client(host, port, nick="alice", state=path) as alice:
        with trio.fail_after(20):
            async for event in alice:
                if isinstance(event, e.Failure):
                    break
        assert json.loads(path.read_text())["unsent"] == []


async def test_what_the_next_one_found_and_is_told_nothing_of_is_left_to_the_one_behind_it(
    tmp_path: Path,
) -> None:
    """It was refused, but the disk was too slow for that to be told before the end."""
    path = tmp_path / "state"
    with StateFile(path) as file:
        file.save(State(session="0" * 32, unsent=(e.Say("@nobody", "hello", tag="1"),)))
    async with real_server() as (host, port), open_client(host, port, nick="alice", state=path) as alice:
        [orphan] = alice._conversation.pending
        assert alice._conversation.keeping is not None
        alice._conversation.keeping.call_when_safe = lambda act: None  # type: ignore[method-assign]  # noqa: ARG005
        with trio.fail_after(20):
            while not orphan.settled:
                await trio.lowlevel.checkpoint()
    assert [unsent["tag"] for unsent in json.loads(path.read_text())["unsent"]] == ["1"]


async def test_a_connection_that_ends_tells_no_refusal_too_early(tmp_path: Path) -> None:
    """The client is over, and its block is not."""
    path = tmp_path / "state"
    async with real_server() as (host, port):
        client = open_client(host, port, nick="alice", state=path, reconnect=False)
        async with client as alice:
            receipt = await alice.submit("@nobody", "hello")
            await alice.quit()
            with trio.fail_after(20), pytest.raises(Refused):
                await receipt.kept()
            assert json.loads(path.read_text())["unsent"] == []


async def test_who_leaves_is_told_what_was_refused_before(tmp_path: Path) -> None:
    async with real_server() as (host, port):
        async with open_client(host, port, nick="alice", state=tmp_path / "state") as alice:
            receipt = await alice.submit("@nobody", "hello")
        with pytest.raises(Refused):
            await receipt.kept()


@pytest.mark.parametrize(("broken", "expected"), [(False, StateError), (True, ZeroDivisionError)])
async def test_a_file_that_can_not_be_written_in_the_end_is_an_error_unless_there_is_another(
    broken: bool, expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "state"
    async with real_server() as (host, port):

        async def read_one() -> None:
            async with open_client(host, port, nick="alice", state=path) as alice:
                await alice.join("#dev")
                await alice.say("#dev", "one")
                monkeypatch.setattr(StateFile, "save", full)
                await until_said(alice, "one")  # which may be written later, so it is not yet
                if broken:
                    raise ZeroDivisionError

        with pytest.raises(expected):
            await read_one()


async def test_a_file_that_can_not_be_written_is_told_once_each_time_and_delays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with (
        real_server() as (host, port),
        open_client(host, port, nick="alice", state=tmp_path / "state") as alice,
    ):
        await alice.join("#dev")
        assert await anext(aiter(alice)) == RoomState("#dev", ("alice",), "")
        for before in (0, 3):
            with monkeypatch.context() as broken:
                broken.setattr(StateFile, "save", full)
                assert await alice.say("#dev", "one") == before + 1
                assert await alice.say("#dev", "two") == before + 2
                with trio.fail_after(20):
                    assert await anext(aiter(alice)) == e.Failure(
                        "unavailable", "the state file can't be written: No space left on device"
                    )
                assert await until_said(alice, "two") == ["one", "two"]
            assert await alice.say("#dev", "three") == before + 3
            assert await until_said(alice, "three") == ["three"]


async def test_the_session_is_on_the_disk_before_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "state"
    sessions: list[str] = []

    async def dial() -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        sessions.append(json.loads(path.read_text())["session"])
        raise ConnectionRefusedError("nobody listens")

    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            async with open_client_by(dial, nick="alice", state=path):
                pass
    assert sessions[0] == sessions[1]


async def test_where_we_are_is_written_at_once_and_how_far_we_read_when_there_is_time(
    tmp_path: Path, mock_clock: trio.testing.MockClock
) -> None:
    """Time stands still here: what waits for it waits for ever."""
    path = tmp_path / "state"

    async def rooms() -> dict[str, int]:
        await trio.testing.wait_all_tasks_blocked()
        while trio.to_thread.current_default_thread_limiter().borrowed_tokens:  # it is being written
            await trio.lowlevel.checkpoint()
        state: dict[str, int] = json.loads(path.read_text())["rooms"]
        return state

    async with real_server() as (host, port), open_client(host, port, nick="alice", state=path) as alice:
        await alice.join("#dev", after=0)
        assert await rooms() == {"#dev": 0}
        await alice.set_topic("#dev", "lunch")
        assert isinstance([await anext(aiter(alice)) for _ in range(2)][1], e.TopicSet)
        assert await rooms() == {"#dev": 0}
        mock_clock.jump(LAZILY)
        assert await rooms() == {"#dev": 1}
        await alice.part("#dev")
        assert await rooms() == {}


async def test_it_is_used_by_one_and_belongs_to_one_session(tmp_path: Path) -> None:
    path = tmp_path / "state"
    async with real_server() as (host, port):
        async with open_client(host, port, nick="alice", state=path, session="ab" * 16):
            with pytest.raises(StateError, match="another client"):
                async with open_client(host, port, nick="bob", state=path):
                    pass
        with pytest.raises(StateError, match="another session"):
            async with open_client(host, port, nick="alice", state=path, session="cd" * 16):
                pass
