"""Connections that break at any moment, before a late journal: nothing is lost, nothing comes twice."""

from random import Random

import pytest
import trio
from trio.testing import MockClock

from tests.server.conftest import Server, Start
from tests.server.guests import Guest
from tests.server.journals import LateJournal
from tests.server.streams import BoundedStream
from triochat.server import past


class Returning:
    """A client that comes back whenever its connection breaks, as section "What is promised" lets it.

    Attributes:
        seen: in the room, by id.
        told: alone, by id.
    """

    def __init__(self, server: Server, number: int, rng: Random) -> None:
        self.nick = f"guest{number}"
        self.seen: dict[int, str] = {}
        self.told: dict[int, str] = {}
        self.cuts = 0
        self._server = server
        self._number = number
        self._rng = rng
        self._last = 0

    async def run(self, last: int, told: int) -> None:
        """Until it has seen so many."""
        while len(self.seen) < last or len(self.told) < told:
            patience = self._rng.choice([0.01, 0.1, 0.5, 3.0])
            guest = self._server.connect(self._rng.choice([200, 65536]))
            with trio.move_on_after(patience):
                await self._follow(guest, last, told)
            self.cuts += 1
            await self._hang_up(guest)

    async def _follow(self, guest: Guest, last: int, told: int) -> None:
        await guest.send(
            f"@hi NICK {self.nick} triochat/1 session={self._number:032x}",
            f"@in HISTORY @{self.nick} after={self._contiguous()} limit=1000",
            f"@j JOIN #dev after={self._last}",
        )
        while len(self.seen) < last or len(self.told) < told:
            self._hear(await guest.line())

    def _contiguous(self) -> int:
        """The id up to which it has been told all."""
        number = 0
        while number + 1 in self.told:
            number += 1
        return number

    def _hear(self, line: str) -> None:
        _, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        words = rest.split(" ")
        assert words[0] not in ("ERROR", "GAP", "LEFT"), line
        if words[:2] == ["MSG", "#dev"]:
            number = int(words[2])
            assert number == self._last + 1, "in order, without holes, once"
            self._last = number
            self.seen[number] = words[-1][1:]
        elif words[:2] == ["MSG", f"@{self.nick}"]:
            assert self.told.setdefault(int(words[2]), words[-1][1:]) == words[-1][1:]

    async def _hang_up(self, guest: Guest) -> None:
        assert isinstance(guest.stream, BoundedStream)
        match self._rng.choice(["reset", "close", "leave it"]):
            case "reset":
                guest.stream.reset()
            case "close":
                await guest.close()
            case _:
                pass  # the next connection takes its place
        await trio.sleep(self._rng.choice([0, 0, 0.02, 1.0]))


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_breaks_everybody_sees_everything_once(
    start: Start, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = Random(seed)
    monkeypatch.setattr(past, "FIRST_SLICE", rng.choice([2, 256]))
    monkeypatch.setattr(past, "SLICE", rng.choice([20, 2048]))
    journal = LateJournal(there=rng.choice([0, 0.02, 0.05]), back=rng.choice([0, 0.02, 0.05]))
    server = await start(journal=journal, rate_limit=0, send_timeout=1)
    speaker = await server.enter("speaker", "#dev")
    guests = [Returning(server, number, rng) for number in range(1, 5)]
    total, private = 300, 40

    async def speak() -> None:
        for number in range(1, total + 1):
            frames = [f"@r{number} MSG #dev :{number}"]
            if number <= private:
                frames += [f"@p{number}.{guest.nick} MSG @{guest.nick} :{number}" for guest in guests]
            await speaker.send(*frames)
            await speaker.until(f"@r{number} OK")
            await trio.sleep(rng.choice([0, 0, 0, 0.01, 0.2]))

    async with trio.open_nursery() as nursery:
        for guest in guests:
            nursery.start_soon(guest.run, total, private)
        await trio.sleep(0.6)  # until all of them have been here: nobody may speak to who never came
        nursery.start_soon(speak)
    for guest in guests:
        assert list(guest.seen) == list(range(1, total + 1))
        assert sorted(guest.told) == list(range(1, private + 1))
        assert all(text == str(number) for number, text in (guest.seen | guest.told).items())
    assert sum(guest.cuts for guest in guests) > 10
    assert server.inside.broadcast.statistics().evicted == 0
