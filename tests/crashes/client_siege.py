"""Clients that are killed again and again, in calm and in the thick of it, while their server is as well."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.crashes.chatter import Chatter
from tests.crashes.kept_words import not_kept
from tests.crashes.line import Line
from tests.crashes.promises import broken
from tests.crashes.siege import Server, log_of
from tests.crashes.typist import Eavesdropper, Typist
from tests.process.program import PATIENCE

ROOM = "#one"
WAYS = ("busy", "alone", "quiet", "heard", "young")
"""When a client is killed: in the thick of it, while there is no server, and so on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOutcome:
    """What a siege was, and what it found.

    Attributes:
        faults: breaks of promises, and all that was found wrong with a client.
        kills: of clients.
        left: lines that killed clients left in their files.
        said: lines of theirs that were said.
        seconds: how long it took.
    """

    faults: list[str]
    kills: int
    left: int
    said: int
    seconds: float


async def besiege_clients(
    server_command: Sequence[str],
    client_command: Sequence[str],
    folder: Path,
    *,
    kills: int,
    seed: int,
    people: int = 3,
) -> ClientOutcome:
    """Have people type while their clients are killed, and hold what was seen against what was typed.

    Args:
        server_command: starts the server, on a port of its choice.
        client_command: starts a client, but for its arguments.
        folder: for the state files.
        kills: how many, of clients.
        seed: of all chances here; when the system lets what run is not among them.
        people: who type.
    """
    choose = random.Random(seed)
    begin = time.monotonic()
    line = Line()
    async with trio.open_nursery() as nursery:
        await nursery.start(line.run)
        server = Server(server_command, line, nursery)
        await server.start()
        witness = Chatter("witness", ROOM, line.port, random.Random(f"{seed} witness"))
        heard_all = trio.Event()

        async def watch() -> None:
            await witness.run()
            heard_all.set()

        nursery.start_soon(watch)
        typists = [
            Typist(f"guest{n}", ROOM, line.port, client_command, folder / f"state{n}", nursery)
            for n in range(people)
        ]
        line.overhear = lambda: Eavesdropper(typists).hear
        for typist in typists:
            await typist.start()
        for number in range(kills):
            await _kill_one(WAYS[number % len(WAYS)], typists[number % people], server, line, choose)
        for typist in typists:
            await typist.finish()
        witness.stop()
        with trio.move_on_after(PATIENCE):
            await heard_all.wait()
        logs = {ROOM: await log_of(line.port, ROOM)}
        last = witness.seen[-1][0] if witness.seen else 0
        witness.seen += [entry for entry in logs[ROOM] if entry[0] > last]
        code = await server.end()
        nursery.cancel_scope.cancel()
    faults = [fault for typist in typists for fault in typist.faults] + witness.faults
    faults += broken([witness], logs) + not_kept(typists, logs)
    if code:
        faults.append(f"the server ended with {code}")
    return ClientOutcome(
        faults=faults,
        kills=kills,
        left=sum(len(life.left) for typist in typists for life in typist.lives),
        said=sum(nick != witness.nick for _, nick, _ in logs[ROOM]),
        seconds=time.monotonic() - begin,
    )


async def _kill_one(how: str, typist: Typist, server: Server, line: Line, choose: random.Random) -> None:
    """Kill one client, and start the next one on its file."""
    if how == "young":
        await typist.kill()
        await typist.start()
        await trio.sleep(choose.random() * 0.6)  # it may come no further than to its hello
    else:
        await typist.come_in()
    if how == "heard":
        await typist.type(choose.randint(1, 5))
        await typist.settle(said=True)  # and the file does not know yet that it was
    elif how == "quiet":
        await trio.sleep(choose.random() * 1.5)  # now the file may know
    elif how == "busy":
        for _ in range(choose.randint(1, 6)):
            await typist.type(choose.randint(1, 60))
            await trio.sleep(choose.random() * 0.1)
            if choose.random() < 0.5:
                line.cut(choose)
    elif how == "alone":
        await server.kill()
        await typist.type(choose.randint(1, 20))
        await typist.settle()
    await typist.kill()
    if how == "alone":
        await server.start()
    await typist.start()
