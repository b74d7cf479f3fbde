"""What a script reads: real servers, pipes as its output."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
import trio

from tests.client.servers import Address, real_server
from triochat.client import ChatClient, event_buffer, heard, open_client
from triochat.client.tail import run_tail
from triochat.config import ConfigError, ServerConfig, TailConfig

PATIENCE = 20.0


class Tail:
    """A tail that runs, or ran."""

    def __init__(self, out: int) -> None:
        self.code: int | None = None
        self.err = StringIO()
        self.ended = trio.Event()
        self._stream = trio.lowlevel.FdStream(out)
        self._seen = b""

    async def lines(self, count: int) -> list[str]:
        """The next ones."""
        with trio.fail_after(PATIENCE):
            while self._seen.count(b"\n") < count:
                data = await self._stream.receive_some()
                assert data, (self._seen, self.err.getvalue())
                self._seen += data
        *lines, self._seen = self._seen.split(b"\n", count)
        return [line.decode() for line in lines]

    async def rest(self) -> list[str]:
        with trio.fail_after(PATIENCE):
            while data := await self._stream.receive_some():
                self._seen += data
        return self._seen.decode().splitlines()

    async def close(self) -> None:
        """Read no more."""
        await self._stream.aclose()


@asynccontextmanager
async def tail(address: Address, config: TailConfig) -> AsyncIterator[Tail]:
    reading, writing = os.pipe()
    subject = Tail(reading)

    async def run() -> None:
        try:
            subject.code = await run_tail(*address, config, out_fd=writing, err=subject.err)
        finally:
            os.close(writing)
            subject.ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        yield subject
        if not config.follow:
            await subject.ended.wait()
        nursery.cancel_scope.cancel()
    await subject.close()


async def printed(address: Address, config: TailConfig) -> tuple[int | None, list[str], str]:
    async with tail(address, config) as subject:
        lines = await subject.rest()
    return subject.code, lines, subject.err.getvalue()


def ids(lines: list[str]) -> list[int]:
    return [json.loads(line)["id"] for line in lines]


@asynccontextmanager
async def room(*said: str, retention: int = 0) -> AsyncIterator[tuple[Address, ChatClient]]:
    """A server with something said in the lobby."""
    async with (
        real_server(ServerConfig(port=0, rate_limit=0, retention=retention)) as address,
        open_client(*address, nick="alice") as chat,
    ):
        await chat.join("#lobby")
        for text in said:
            await chat.say("#lobby", text)
        yield address, chat


async def test_the_last_ones_and_nobody_sees_who_reads_them() -> None:
    async with room("one", "two", "three\nmore") as (address, chat):
        code, lines, err = await printed(address, TailConfig(lines=2))
        assert (code, err) == (0, "")
        assert [line[6:] for line in lines] == [
            "#lobby <alice> two",
            "#lobby <alice> three",
            "#lobby <alice> more",
        ]
        assert chat.statistics().unseen == 4  # how the room stands, and what was said: nobody came


async def test_json_is_that_of_an_export() -> None:
    async with room("caf\xe9 \u202e") as (address, chat):
        await chat.set_topic("#lobby", "lunch")
        code, lines, err = await printed(address, TailConfig(json=True))
        assert (code, err) == (0, "")
        first, second = map(json.loads, lines)
        assert datetime.fromisoformat(first.pop("time")).tzinfo is not None
        assert first == {
            "room": "#lobby",
            "id": 1,
            "kind": "message",
            "nick": "alice",
            "text": "caf\xe9 \u202e",
        }
        assert (second["kind"], second["text"]) == ("topic", "lunch")
        assert "\\u202e" in lines[0]


@pytest.mark.parametrize(
    ("since", "first"), [("0", 1), ("1", 1), ("3", 3), ("5", 5), ("6", None), (str(2**70), None)]
)
async def test_since_an_id(since: str, first: int | None) -> None:
    async with room(*"abcde") as (address, _):
        code, lines, _ = await printed(address, TailConfig(since=since, json=True))
        assert code == 0
        assert ids(lines) == ([] if first is None else list(range(first, 6)))


async def test_since_a_time() -> None:
    async with room() as (address, chat):
        for text in "abcdefg":
            await chat.say("#lobby", text)
            await trio.sleep(0.003)
        times = [entry.ms for entry in await chat.history("#lobby") if not hasattr(entry, "last")]
        for number, ms in enumerate(times, 1):
            since = datetime.fromtimestamp(ms / 1000, UTC).isoformat()
            _, lines, _ = await printed(address, TailConfig(since=since, json=True))
            assert ids(lines) == list(range(number, 8))
        _, lines, _ = await printed(address, TailConfig(since="2000-01-01", json=True))
        assert ids(lines) == list(range(1, 8))
        assert (await printed(address, TailConfig(since="2100-01-01", json=True)))[1] == []


async def test_many_pages_and_several_rooms() -> None:
    async with room() as (address, chat):
        await chat.join("#dev")
        receipts = [await chat.submit("#lobby", f"{number}") for number in range(2300)]
        await chat.say("#dev", "here")
        for receipt in receipts:
            await receipt.kept()
        config = TailConfig(room=("#lobby", "dev", "#LOBBY"), lines=2200, json=True)
        _, lines, _ = await printed(address, config)
        assert ids(lines[:-1]) == list(range(101, 2301))
        assert json.loads(lines[-1])["room"] == "#dev"


async def test_a_gap() -> None:
    async with room(*"abcde", retention=2) as (address, _):
        _, lines, err = await printed(address, TailConfig(json=True))
        assert json.loads(lines[0]) == {"room": "#lobby", "kind": "gap", "from": 1, "to": 3}
        assert ids(lines[1:]) == [4, 5]
        assert err == ""
        _, lines, err = await printed(address, TailConfig())
        assert len(lines) == 2
        assert err == "triochat: #lobby: the messages 1 to 3 are no longer kept\n"


async def test_a_room_that_there_is_not() -> None:
    async with room("one") as (address, _):
        code, lines, err = await printed(address, TailConfig(room=("#nope", "#lobby")))
        assert code == 1
        assert len(lines) == 1
        assert err == "triochat: there is no room #nope: nobody is in it, and nothing was ever said there\n"


async def test_a_cursor_that_can_not_be_kept_is_named(tmp_path: Path) -> None:
    cursor = tmp_path / "folder" / "cursor"
    cursor.parent.mkdir()
    async with room("one") as (address, chat):
        async with tail(address, TailConfig(follow=True, cursor=cursor)) as subject:
            await subject.lines(1)
            cursor.parent.rename(tmp_path / "elsewhere")  # at once, though it may be writing just now
            await chat.say("#lobby", "two")
            await subject.lines(1)
            await subject.close()
            with trio.fail_after(PATIENCE):
                await subject.ended.wait()
        assert f"the cursor file {cursor} can't be written: No such file" in subject.err.getvalue()


async def test_follow_goes_on() -> None:
    async with room("one") as (address, chat):
        async with tail(address, TailConfig(follow=True, json=True, room=("#lobby", "#new"))) as subject:
            assert ids(await subject.lines(1)) == [1]
            await chat.join("#new")
            receipts = [await chat.submit(f"#{'lobby' if n % 2 else 'new'}", f"{n}") for n in range(1000)]
            for receipt in receipts:
                await receipt.kept()
            lines = [json.loads(line) for line in await subject.lines(1000)]
            assert [one["id"] for one in lines if one["room"] == "#lobby"] == list(range(2, 502))
            assert [one["id"] for one in lines if one["room"] == "#new"] == list(range(1, 501))
        assert subject.err.getvalue() == ""


async def test_what_is_no_entry_holds_nothing_back() -> None:
    config = TailConfig(follow=True, json=True)
    async with room("one") as (address, chat), tail(address, config) as subject:
        assert ids(await subject.lines(1)) == [1]
        for number in range(2, 30):
            receipt = await chat.submit("#lobby", "said")
            await chat.part("#lobby")  # arrives in one piece with what was said
            await chat.join("#lobby")
            await receipt.kept()
            assert ids(await subject.lines(1)) == [number]


async def read_far_too_late(chat: ChatClient, subject: Tail) -> None:
    """Read the entries 1 to 2001 when there is no more room for what happens."""
    await chat.say("#lobby", "first")
    assert ids(await subject.lines(1)) == [1]
    receipts = [await chat.submit("#lobby", "x" * 1000) for _ in range(2000)]
    for receipt in receipts:
        await receipt.kept()
    await trio.sleep(0.2)  # nobody can see from outside how much the pipe and the buffer hold
    assert ids(await subject.lines(2000)) == list(range(2, 2002))


async def test_a_slow_reader_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_buffer, "LIMIT", 50)
    async with room() as (address, chat), tail(address, TailConfig(follow=True, json=True)) as subject:
        await read_far_too_late(chat, subject)


async def test_the_cursor_goes_on_behind_what_was_printed(tmp_path: Path) -> None:
    config = TailConfig(cursor=tmp_path / "cursor", json=True, lines=1)
    async with room("one", "two") as (address, chat):
        assert ids((await printed(address, config))[1]) == [2]
        assert (await printed(address, config))[1] == []
        await chat.say("#lobby", "three")
        await chat.say("#lobby", "four")
        assert ids((await printed(address, config))[1]) == [3, 4]


async def test_a_cursor_without_lines_begins_at_the_end(tmp_path: Path) -> None:
    config = TailConfig(cursor=tmp_path / "cursor", json=True, lines=0)
    async with room("one") as (address, chat):
        assert (await printed(address, config))[1] == []
        await chat.say("#lobby", "two")
        assert ids((await printed(address, config))[1]) == [2]


async def test_a_cursor_of_another_log(tmp_path: Path) -> None:
    config = TailConfig(cursor=tmp_path / "cursor", json=True)
    async with room("one", "two") as (address, _):
        assert ids((await printed(address, config))[1]) == [1, 2]
    for said, follow in ((["new"], False), (["a", "b", "c"], True)):
        async with (
            room(*said) as (address, _),
            tail(address, TailConfig(cursor=config.cursor, json=True, follow=follow)) as subject,
        ):
            assert ids(await subject.lines(len(said))) == list(range(1, len(said) + 1))
        assert "the log is another one than it was" in subject.err.getvalue()


async def test_what_lies_unread_in_the_pipe_is_printed_again(tmp_path: Path) -> None:
    config = TailConfig(cursor=tmp_path / "cursor", json=True, follow=True)
    async with room("one", "two", "three") as (address, _):
        async with tail(address, config) as subject:
            line = b""
            while not line.endswith(b"\n"):
                line += await subject._stream.receive_some(1)
            await trio.sleep(0.3)  # the other two are written, and the cursor is behind them
            await subject.close()
            with trio.fail_after(PATIENCE):
                await subject.ended.wait()
        assert (subject.code, subject.err.getvalue()) == (141, "")
        again = TailConfig(cursor=tmp_path / "cursor", json=True)
        assert ids((await printed(address, again))[1]) == [2, 3]


async def test_a_cursor_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "cursor").write_text("something else")
    async with room("one") as (address, _):
        code, lines, err = await printed(address, TailConfig(cursor=tmp_path / "cursor"))
    assert (code, lines) == (1, [])
    assert "is no cursor file" in err


async def test_what_makes_no_sense() -> None:
    with pytest.raises(ConfigError, match="lines is 0 or more"):
        TailConfig(lines=-1)
    with pytest.raises(ConfigError, match="timeout is"):
        TailConfig(timeout=-1)
    for config, what in (
        (TailConfig(room=("#a b",)), "'#a b' can't be the name of a room: a room is up to 32 letters"),
        (
            TailConfig(since="yesterday"),
            "since is a date or a time.* not 'yesterday'; of one room it may be an id",
        ),
        (TailConfig(since="3", room=("#a", "#b")), "means something in one room only"),
    ):
        with pytest.raises(ConfigError, match=what):
            await run_tail("127.0.0.1", 1, config)


async def test_what_a_slow_reader_has_read_long_ago_is_no_other_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_buffer, "LIMIT", 200)
    monkeypatch.setattr(heard, "MOST", 10)
    async with room() as (address, chat), tail(address, TailConfig(follow=True, json=True)) as subject:
        await read_far_too_late(chat, subject)
        await chat.say("#lobby", "last")
        assert ids(await subject.lines(1)) == [2002]
        assert subject.err.getvalue() == ""
