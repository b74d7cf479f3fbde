"""A server whose disk is full to the last octet: what it refuses, what goes on, and what is there later."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.process.conftest import ServerProgram
from tests.process.disk import Disk, open_disk
from tests.process.program import TRIOCHAT
from tests.server.guests import Guest

OCTETS = 4 * 1024 * 1024
UNAVAILABLE = "ERROR unavailable"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if sys.platform != "linux":
        pytest.skip("only Linux lets a program have a disk of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    with open_disk(folder, OCTETS) as disk:
        if isinstance(disk, str):
            pytest.skip(f"this machine lets nobody mount a disk, so a full one is not tried: {disk}")
        yield disk


class House:
    """A server on that disk, as often as it is started, and what it has acknowledged."""

    def __init__(self, nursery: trio.Nursery, disk: Disk) -> None:
        self._nursery = nursery
        self.disk = disk
        self.kept: list[str] = []
        self.program: ServerProgram

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        await self._launch()
        match = re.fullmatch(r"listening on 127\.0\.0\.1:([1-9][0-9]*)", await self.program.out.line())
        assert match
        self.program.port = int(match[1])

    async def is_refused(self) -> str:
        """Start it in vain; what it says."""
        await self._launch()
        assert await self.program.exit_code() == 1
        assert await self.program.out.rest() == ""
        return await self.program.err.rest()

    async def _launch(self) -> None:
        command = [*TRIOCHAT, "server", "--port", "0", "--data", str(self.disk.folder / "chat.db")]
        self.program = ServerProgram(*self.disk.command(*command))
        await self._nursery.start(self.program.run)

    async def say(self, guest: Guest, text: str, tag: str) -> bool:
        """Whether it was acknowledged; then it is noted. If it was not, why is checked."""
        await guest.send(f"@{tag} MSG #dev :{text}")
        answer = (await guest.until(f"@{tag} "))[-1]
        if f"@{tag} OK " not in answer:
            assert answer.startswith(f"@{tag} {UNAVAILABLE} :")
            return False
        self.kept.append(text)
        return True

    async def everything(self) -> list[tuple[int, str]]:
        """Ids and texts of all that the room holds, as somebody is told who is new."""
        async with await self.program.connect() as guest:
            await guest.hello("reader")
            lines = await guest.ask("JOIN #dev after=0")
        found = (re.search(r"^MSG #dev (\d+) MS \S+ :(.*)", line) for line in lines)
        return [(int(match[1]), match[2]) for match in found if match]

    async def check(self) -> None:
        """All that was acknowledged is there, once, and nothing else."""
        assert await self.everything() == list(enumerate(self.kept, 1))


@pytest.fixture
def house(nursery: trio.Nursery, disk: Disk) -> House:
    return House(nursery, disk)


async def fill(house: House, guest: Guest) -> int:
    """Fill the disk, and talk until something is refused; the number of that message."""
    number = 1
    for number in range(1, 41):
        assert await house.say(guest, f"{number} {'x' * 1000}", f"t{number}")
    house.disk.fill()
    number += 1
    while await house.say(guest, f"{number} {'x' * 1000}", f"t{number}"):
        number += 1
        assert number < 1000, "the disk is not full"
    return number


async def test_it_serves_on_and_keeps_again_when_there_is_room(house: House) -> None:
    await house.start()
    async with await house.program.connect() as alice, await house.program.connect() as bob:
        await alice.hello("alice", "#dev", session=1)
        await bob.hello("bob", "#dev", "#other", session=2)
        number = await fill(house, alice)
        for refused in (
            "MSG #dev :hi",
            "MSG #other :hi",
            "TOPIC #dev :hi",
            "MSG @alice :hi",
            "MSG #other :" + "y" * 8000,
        ):
            assert (await bob.ask(refused))[-1].startswith(UNAVAILABLE)
        # What needs no room goes on: for those who are there, and for who is new.
        assert await alice.ask("PING :still there") == ["PONG :still there"]
        page = await bob.ask("HISTORY #dev limit=5")
        assert [line.partition(" :")[2] for line in page[-6:-1]] == house.kept[-5:]
        assert page[-1] == "OK"
        assert (await bob.ask("NAMES #dev"))[-1] == "OK"
        await house.check()
        house.disk.make_room()
        # Under the tag of what was refused: it is kept now, and only once.
        text = f"{number} {'x' * 1000}"
        assert await house.say(alice, text, f"t{number}")
        await alice.send(f"@t{number} MSG #dev :{text}")
        assert (await alice.until(f"@t{number} "))[-1] == f"@t{number} OK {len(house.kept)}"
        assert (await bob.ask("TOPIC #other :hi"))[-1] == "OK 1"
        assert (await bob.ask("MSG @alice :hi"))[-1] == "OK 1"
        await house.check()
    assert await house.program.stop() == 0
    logs = await house.program.err.rest()
    assert "Traceback" not in logs
    assert logs.count("the journal could not keep a batch") == 1
    assert logs.count("the journal keeps again") == 1
    await house.start()
    await house.check()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_started_again_on_the_full_disk(house: House, end: signal.Signals) -> None:
    await house.start()
    async with await house.program.connect() as alice:
        await alice.hello("alice", "#dev", session=1)
        number = await fill(house, alice)
        house.program.signal(end)
        await alice.rest()
    assert await house.program.exit_code() == (0 if end == signal.SIGTERM else -end)
    house.disk.fill()
    await house.start()
    await house.check()
    async with await house.program.connect() as alice:
        await alice.hello("alice", "#dev", session=1)
        assert not await house.say(alice, f"{number} {'x' * 1000}", f"t{number}")
    assert await house.program.stop() == 0
    house.disk.make_room()
    await house.start()
    async with await house.program.connect() as alice:
        await alice.hello("alice", "#dev", session=1)
        await alice.send(f"@t{number - 1} MSG #dev :{house.kept[-1]}")
        assert (await alice.until(f"@t{number - 1} "))[-1] == f"@t{number - 1} OK {len(house.kept)}"
        assert await house.say(alice, f"{number} {'x' * 1000}", f"t{number}")
    await house.check()


@pytest.mark.parametrize("new", [True, False], ids=["a new file", "one that was closed"])
async def test_started_where_there_is_no_room_to_open(house: House, new: bool) -> None:
    """Whoever opens a file that was closed needs room for what lies beside it while it is open."""
    if not new:
        await house.start()
        async with await house.program.connect() as alice:
            await alice.hello("alice", "#dev")
            assert await house.say(alice, "hi", "t1")
        assert await house.program.stop() == 0
    house.disk.fill()
    said = await house.is_refused()
    assert len(said.splitlines()) == 1
    assert "the disk is full; make room" in said
    house.disk.make_room()
    await house.start()
    await house.check()
