"""A server that is killed again and again, and people who chat through it."""

import random
import re
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import trio

from tests.crashes.chatter import Chatter
from tests.crashes.line import Line
from tests.crashes.promises import Log, broken
from tests.process.program import PATIENCE, Program
from tests.server.guests import Guest

ROOMS = ("#one", "#two", "#three")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a siege was, and what it found.

    Attributes:
        faults: breaks of promises, and all that a client found wrong.
        kills: of the server.
        cuts: of connections.
        messages: kept in the end.
        refused: answered ``unavailable`` for the time being.
        seconds: how long it took.
    """

    faults: list[str]
    kills: int
    cuts: int
    messages: int
    refused: int
    seconds: float


class Server:
    """The installed server, as often as it is started, behind one line.

    Args:
        command: all of it, on a port of its choice.
        line: where it is to be reached.
        nursery: where it runs.
    """

    def __init__(self, command: Sequence[str], line: Line, nursery: trio.Nursery) -> None:
        self._command = command
        self._line = line
        self._nursery = nursery
        self._program: Program
        self.errors = ""

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        self._program = Program(*self._command)
        await self._nursery.start(self._program.run)
        said = await self._program.out.line()
        match = re.fullmatch(r"listening on 127\.0\.0\.1:([1-9][0-9]*)", said)
        assert match, said
        self._line.target = int(match[1])

    async def kill(self) -> None:
        """``kill -9``."""
        self._line.target = None
        self._program.process.kill()
        await self._program.exit_code()
        self.errors += await self._program.err.rest()

    def limit_files(self, octets: int | None) -> None:
        """Let it write nothing behind so many octets of a file: to it, the disk is full. None: as it was."""
        limit = resource.RLIM_INFINITY if octets is None else octets
        resource.prlimit(self._program.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    async def end(self) -> int:
        """SIGTERM; the exit code."""
        code = await self._program.stop()
        self.errors += await self._program.err.rest()
        return code


Trouble = Callable[[Server, Line, random.Random], Awaitable[int]]
"""Makes trouble for a while; returns how often the server was killed."""


async def kill_and_cut(server: Server, line: Line, choose: random.Random, *, kills: int, cuts: int) -> int:
    """Kill the server so often, and cut so many connections in between."""
    for number in range(1, kills + 1):
        while line.cuts < cuts * number // kills:
            await trio.sleep(choose.random() * 0.05)
            line.cut(choose)
        await trio.sleep(choose.random() * 0.3)
        await server.kill()
        await server.start()
        await trio.sleep(0.3)  # to come back, and to say something
    return kills


async def besiege(
    command: Sequence[str], trouble: Trouble, *, seed: int, people: int = 12, quiet: float = PATIENCE
) -> Outcome:
    """Have people chat while trouble is made, let them finish, and hold what they saw against the journal.

    Args:
        command: starts the server, on a port of its choice.
        trouble: what happens meanwhile.
        seed: of all chances here; when the system lets what run is not among them.
        people: how many, spread over `ROOMS`.
        quiet: seconds that they have to finish when the trouble is over.
    """
    choose = random.Random(seed)
    begin = time.monotonic()
    line = Line()
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        server = Server(command, line, nursery)
        await server.start()
        chatters = [
            Chatter(f"guest{n}", ROOMS[n % len(ROOMS)], line.port, random.Random(f"{seed} {n}"))
            for n in range(people)
        ]
        done = trio.Event()

        async def chat() -> None:
            async with trio.open_nursery() as all_of_them:
                for chatter in chatters:
                    all_of_them.start_soon(chatter.run)
            done.set()

        nursery.start_soon(chat)
        kills = await trouble(server, line, choose)
        for chatter in chatters:
            chatter.stop()
        with trio.move_on_after(quiet):
            await done.wait()
        logs = {room: await log_of(line.port, room) for room in ROOMS}
        await _let_everybody_see(line.port, chatters, logs)
        code = await server.end()
        nursery.cancel_scope.cancel()
    faults = [f"{c.nick}: {fault}" for c in chatters for fault in c.faults]
    faults += broken(chatters, logs)
    if code:
        faults.append(f"the server ended with {code}")
    if "Traceback" in server.errors:
        faults.append(server.errors[server.errors.index("Traceback") :][:2000])
    return Outcome(
        faults=faults,
        kills=kills,
        cuts=line.cuts,
        messages=sum(map(len, logs.values())),
        refused=sum(chatter.refused for chatter in chatters),
        seconds=time.monotonic() - begin,
    )


async def log_of(port: int, room: str) -> Log:
    """All that a room holds, as somebody new is told of it."""
    async with Guest(await trio.open_tcp_stream("127.0.0.1", port), PATIENCE) as guest:
        await guest.hello(f"reader{room[1:]}")
        answer = await guest.ask(f"JOIN {room} after=0")
    return _log(answer)


def _log(lines: Sequence[str]) -> Log:
    found = (re.fullmatch(r"(?:@\S+ )?MSG #\S+ (\d+) MS (\S+) :(.*)", line) for line in lines)
    return [(int(match[1]), match[2], match[3]) for match in found if match]


async def _let_everybody_see(port: int, chatters: Sequence[Chatter], logs: dict[str, Log]) -> None:
    """Who was done before the others have ended asks for the rest, as it would on its next visit."""
    for chatter in chatters:
        last = chatter.seen[-1][0] if chatter.seen else 0
        if logs[chatter.room] and last < logs[chatter.room][-1][0]:
            async with Guest(await trio.open_tcp_stream("127.0.0.1", port), PATIENCE) as guest:
                await guest.hello(f"{chatter.nick}again")
                chatter.seen += _log(await guest.ask(f"JOIN {chatter.room} after={last}"))


def killing(kills: int, cuts: int) -> Trouble:
    """See `kill_and_cut`."""
    return partial(kill_and_cut, kills=kills, cuts=cuts)
