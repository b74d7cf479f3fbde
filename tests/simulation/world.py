"""One simulation: a server, a network, and all who use them, from one seed to the last goodbye."""

import math
import os
import random
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

import trio

from tests.simulation.bounds import above_bounds, few_events
from tests.simulation.by_hand import ByHand
from tests.simulation.clockwork import WallClock, run
from tests.simulation.complaints import complaints
from tests.simulation.disk import Disk, narrow
from tests.simulation.doubles import Double
from tests.simulation.lasting import Lasting
from tests.simulation.network import Conditions, Network
from tests.simulation.nuisances import visit
from tests.simulation.people import Person
from tests.simulation.record import Record, Seen, Witness
from tests.simulation.server import Server
from tests.simulation.setting import Setting
from tests.simulation.typists import Tutorial, Typist
from triochat.client import ConnectionLost
from triochat.client.opening import open_client_by
from triochat.protocol.grammar import fold

IN_MEMORY: Final = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where files are made: on Linux nothing waits for a real disk."""
ENDS_A_SERVER: Final = frozenset({11, 12, 13, 14, 17})
"""Faults behind which another server is there, or it can't let in whom it knows; see `_make_trouble`."""
PATIENCE: Final = 3000.0
"""Simulated seconds that everybody has to finish when no more faults are injected."""


class Somebody(Protocol):
    """Whose word counts: what every actor offers but the nuisances."""

    witness: Witness

    async def run(self) -> None:
        """Live, until the world's `over` is set."""

    async def finish(self) -> None:
        """No more faults: return when all that it asked for is answered, and tell its witness where it is."""


MOST_ROUNDS: Final = 200_000
"""Rounds of the scheduler at one moment; a busy moment has some hundred."""


class _Standstill(trio.abc.Instrument):
    """Ends a life in which tasks run for ever and nobody waits: on a virtual clock that would never end."""

    def __init__(self, scope: trio.CancelScope) -> None:
        self._scope = scope
        self._now = -1.0
        self._rounds = 0

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002
        """A round of the scheduler is over."""
        if (now := trio.current_time()) != self._now:
            self._now, self._rounds = now, 0
        self._rounds += 1
        if self._rounds > MOST_ROUNDS:
            self._scope.cancel()


class World:
    """Everything that there is in one simulation."""

    def __init__(self, seed: str, folder: Path) -> None:
        self.seed = seed
        self.folder = folder
        self.choose = random.Random(f"{seed} world")
        self.setting = Setting.draw(self.choose)
        self.record = Record()
        self.calm = trio.Event()
        self.over = trio.Event()
        self.network = Network(self._conditions, random.Random(f"{seed} network"))
        self.disk = Disk(
            random.Random(f"{seed} disk"),
            self.setting.retention,
            max_age=self.setting.max_age,
            folder=folder / "disk" if self.setting.on_file else None,
        )
        self.disk.slow = self.setting.slow
        self.lasting = Lasting()
        self.server: Server | None = None
        self.everybody: list[Somebody] = []

    def some_room(self, choose: random.Random) -> str:
        """One to go to."""
        return choose.choice(("#lobby", "#one", "#two", "#three")[: self.setting.rooms])

    def some_nick(self, choose: random.Random) -> str:
        """Of somebody who may be there."""
        return f"{choose.choice('pc')}{choose.randint(1, 5)}"

    def _conditions(self) -> Conditions:
        setting, choose = self.setting, self.choose
        return Conditions(
            latency=choose.random() * setting.latency,
            jitter=choose.random() * setting.jitter,
            buffer=choose.choice((200, 3000)) if choose.random() < setting.small else 65536,
            torn=setting.torn,
        )

    async def run(self) -> Record:
        """From the first connection to the last goodbye, or until time stands still."""
        with trio.CancelScope() as everything:
            guard = _Standstill(everything)
            trio.lowlevel.add_instrument(guard)
            try:
                return await self._live()
            finally:
                trio.lowlevel.remove_instrument(guard)
        self.record.unfinished.append("time stands still: somebody goes round in a circle")
        self.record.seconds = trio.current_time()
        return self.record

    async def _live(self) -> Record:
        record, setting = self.record, self.setting
        record.note("SETTING", str(setting))
        record.grace = setting.config.grace
        async with trio.open_nursery() as nursery:
            await self._start(nursery)
            self.everybody = everybody = self._everybody()
            record.witnesses = [one.witness for one in everybody]
            async with trio.open_nursery() as people:
                for one in everybody:
                    people.start_soon(one.run)
                async with trio.open_nursery() as nuisances:
                    for number in range(setting.strangers):
                        nuisances.start_soon(visit, self, f"x{number}", self._random(f"x{number}"))
                    nuisances.start_soon(self._watch_bounds)
                    await self._trouble(nursery)
                    nuisances.cancel_scope.cancel()
                self._be_calm()
                if setting.strangers:  # those who are held for them go when they want; let that be over
                    await trio.sleep(setting.config.grace + 5)
                with trio.move_on_after(PATIENCE) as in_time:
                    await self._until_quiet(everybody)
                if in_time.cancelled_caught:
                    record.unfinished.append(f"not quiet after {PATIENCE} s")
                    people.cancel_scope.cancel()
                else:
                    await self._look_around()
                self.over.set()
                people.cancel_scope.deadline = trio.current_time() + PATIENCE
            if people.cancel_scope.cancelled_caught and not record.unfinished:
                record.unfinished.append("somebody could not leave")
            assert self.server is not None
            await trio.sleep(setting.config.grace + 2 * setting.config.idle_timeout + 10)
            record.left_over = self.server.left_over()
            await self.server.stop()
            for log, page in (await self.disk.everything()).items():
                record.logs[log] = [
                    Seen(entry.id, entry.kind, entry.nick, entry.text) for entry in page.entries
                ]
                record.oldest[log] = page.first
            nursery.cancel_scope.cancel()
        record.seconds = trio.current_time()
        return record

    def _random(self, name: str) -> random.Random:
        return random.Random(f"{self.seed} {name}")

    def _everybody(self) -> list[Somebody]:
        setting = self.setting
        kinds = (
            ("p", setting.people, Person),
            ("c", setting.chatters, ByHand),
            ("t", setting.typists, Typist),
            ("u", setting.tutorials, Tutorial),
            # What they have seen is checked as they go, so nobody may take it back.
            ("d", 0 if setting.set_back else setting.doubles, Double),
        )
        return [
            kind(self, f"{letter}{number}", self._random(f"{letter}{number}"))
            for letter, count, kind in kinds
            for number in range(1, count + 1)
        ]

    # --- faults ---------------------------------------------------------------------------------

    async def _start(self, nursery: trio.Nursery) -> None:
        self.server = Server(self.setting.config, self.network, self.disk, self._gone)
        await nursery.start(self.server.run)
        self.record.started = trio.current_time()
        self.record.note("SERVER", "is up")

    def _gone(self, nick: str) -> None:
        if not self.over.is_set():  # then everybody leaves
            self.record.gone[fold(nick)] = trio.current_time()

    async def _trouble(self, nursery: trio.Nursery) -> None:
        end = trio.current_time() + self.setting.seconds
        async with trio.open_nursery() as lasting:
            while trio.current_time() < end:
                await trio.sleep(self.choose.expovariate(1 / self.setting.pause))
                await self._make_trouble(nursery, lasting)

    def _last(self, lasting: trio.Nursery, kind: str, mend: Callable[[], None]) -> None:
        """What was broken just now stays so for a while, in which all else may happen."""
        self.lasting.begin(lasting, kind, self.choose.random() * 5, mend)

    async def _make_trouble(self, nursery: trio.Nursery, lasting: trio.Nursery) -> None:
        choose, record, network, disk = self.choose, self.record, self.network, self.disk
        now = trio.current_time()
        connection = choose.choice(network.connections) if network.connections else None
        about = "" if connection is None else f"of {connection.who}"
        kind = choose.randint(1, 18)
        if self.setting.steady and kind in ENDS_A_SERVER:
            kind = 1
        match kind:
            case 1 | 2 | 3 | 4 if connection is not None:
                record.fault("reset", about)
                connection.reset()
            case 5 if connection is not None:
                record.fault("end", about)
                connection.end()
            case 6 | 7 if connection is not None:
                until = now + choose.choice((0.1, 1.0, 10.0, 100.0, math.inf))
                up, down = choose.choice(((True, True), (True, False), (False, True)))
                record.fault("silence", f"{about} until {until:.1f}{' up' * up}{' down' * down}")
                connection.be_silent(until, up=up, down=down)
            case 8:
                record.fault("refusing")
                network.refusing = True
                self._last(lasting, "refusing", lambda: setattr(network, "refusing", False))
            case 9:
                record.fault("slow disk")
                disk.slow = choose.choice((0.1, 1.0, 5.0))
                self._last(lasting, "slow disk", lambda: setattr(disk, "slow", self.setting.slow))
            case 10:
                record.fault("full disk")
                disk.full = True
                self._last(lasting, "full disk", lambda: setattr(disk, "full", False))
            case 11 | 12:
                await self._crash(nursery)
            case 13:
                await self._restart(nursery)
            case 14 if self.setting.set_back:
                await self._set_back(nursery)
            case 14:
                record.note("DISK", "is backed up")
                disk.back_up()
            case 15:
                seconds = choose.choice((-3600, -5, -1, 1, 5, 100_000))
                record.fault("wrong clock", f"{seconds:+} s")
                WallClock.wrong += seconds
            case 16:
                record.fault("swallowing")
                network.swallowing = True
                self._last(lasting, "swallowing", lambda: setattr(network, "swallowing", False))
            case 17:
                record.fault("unreadable disk")
                disk.failing = True
                self._last(lasting, "unreadable disk", lambda: setattr(disk, "failing", False))
            case _:
                for each in network.connections:
                    each.reset()
                record.fault("reset all")

    async def _crash(self, nursery: trio.Nursery) -> None:
        assert self.server is not None
        self.record.fault("crash")
        await self.server.kill()
        await trio.sleep(self.choose.random() * 2)
        await self._start(nursery)

    async def _set_back(self, nursery: trio.Nursery) -> None:
        """The server dies, and somebody gives it a back-up, or nothing at all."""
        assert self.server is not None
        self.record.fault("set back")
        await self.server.kill()
        await trio.sleep(0.1 + self.choose.random())
        self.disk.set_back()
        after = await self.disk.everything()
        lasts = {log: page.last for log, page in after.items()}
        oldest = {log: page.first for log, page in after.items()}
        self.record.set_backs += 1
        for witness in self.record.witnesses:
            witness.set_back(lasts, oldest)
        await self._start(nursery)

    async def _restart(self, nursery: trio.Nursery) -> None:
        assert self.server is not None
        self.record.fault("restart")
        await self.server.stop()
        await trio.sleep(self.choose.random())
        await self._start(nursery)

    # --- the end --------------------------------------------------------------------------------

    def _be_calm(self) -> None:
        """No more faults; and what would stay broken for ever is noticed now."""
        self.record.note("WORLD", "calm")
        self.disk.slow = 0.0
        for connection in self.network.connections:
            connection.heal()
        self.calm.set()

    async def _until_quiet(self, everybody: list[Somebody]) -> None:
        quiet = 0
        while quiet < 3:  # somebody may be about to come: that takes less than 5 s
            for one in everybody:
                await one.finish()
            await trio.sleep(5)
            quiet = 0 if self.network.under_way or self.network.dialing else quiet + 1

    async def _look_around(self) -> None:
        self._look_at_bounds()

        async def dial() -> trio.abc.Stream:
            return await self.network.dial("auditor")

        try:
            async with open_client_by(dial, nick="auditor", jitter=self._random("auditor").uniform) as chat:
                for info in await chat.rooms():
                    self.record.members[info.room] = await chat.names(info.room)
                    self.record.note("AUDITOR", f"{info.room}: {' '.join(self.record.members[info.room])}")
        except ConnectionLost as lost:
            self.record.unfinished.append(f"the auditor was not answered: {lost}")

    async def _watch_bounds(self) -> None:
        while True:
            await trio.sleep(0.5 * self.setting.leisure)
            self._look_at_bounds()

    def _look_at_bounds(self) -> None:
        if self.server is not None:
            self.record.bounds += self.server.above_bounds()
        for one in self.everybody:
            if isinstance(one, Person | Double):
                for chat in one.chats:
                    self.record.bounds += above_bounds(one.witness.name, chat.statistics())


class Failed(Exception):  # noqa: N818 -- what failed is its cause
    """A life that did not come to its end, because of the exception that is the cause of this one.

    Attributes:
        record: what had happened until then.
    """

    def __init__(self, record: Record) -> None:
        super().__init__(f"it failed after {len(record.lines)} lines of its trace")
        self.record = record


def simulate(seed: str) -> Record:
    """Everything that happens under this seed.

    Raises:
        Failed: the server has failed, or the simulator.
    """

    async def main() -> Record:
        with TemporaryDirectory(dir=IN_MEMORY) as folder:
            world = World(seed, Path(folder))
            setting = world.setting
            with (
                complaints(world.record, world.lasting),
                narrow() if setting.narrow else nullcontext(),
                few_events() if setting.lagging else nullcontext(),
            ):
                try:
                    return await world.run()
                except Exception as error:
                    raise Failed(world.record) from error

    return run(seed, main)
