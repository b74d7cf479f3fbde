"""Promises 1 to 4 of docs/protocol.md under ``kill -9``, cut connections and a full disk.

``pytest tests/crashes --kills 200`` goes on for longer.
"""

import random
import sys
from pathlib import Path

import pytest
import trio

from tests.crashes.line import Line
from tests.crashes.siege import Outcome, Server, besiege, killing
from tests.process.program import TRIOCHAT

MUTANTS = Path(__file__).with_name("mutants.py")


def server(folder: Path) -> list[str]:
    """What is started, again and again, on the same file."""
    return ["server", "--port", "0", "--data", str(folder / "chat.db"), "--rate-limit", "0"]


async def test_nothing_is_lost_or_repeated(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    kills = int(pytestconfig.getoption("kills"))
    outcome = await besiege([*TRIOCHAT, *server(tmp_path)], killing(kills, cuts=5 * kills), seed=kills)
    assert outcome.faults == []
    assert (outcome.kills, outcome.cuts) == (kills, 5 * kills)
    assert outcome.messages > 20 * kills  # else it has shown nothing


@pytest.mark.parametrize("mutant", ["early", "forgetful"])
async def test_a_server_that_breaks_a_promise_is_caught(tmp_path: Path, mutant: str) -> None:
    """Within three runs; each of them a quarter of the one above."""
    sign = "was acknowledged as" if mutant == "early" else "is kept 2 times"
    outcomes: list[Outcome] = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        command = [sys.executable, str(MUTANTS), mutant, *server(folder)]
        outcomes.append(await besiege(command, killing(4, cuts=20), seed=seed))
        if any(sign in fault for fault in outcomes[-1].faults):
            return
    pytest.fail(f"this is not among what was found: {outcomes}")


async def test_a_full_disk_refuses_for_a_while_and_loses_nothing(tmp_path: Path) -> None:
    """The system lets the server write nothing behind a size, and later does."""

    async def fill(server: Server, line: Line, choose: random.Random) -> int:
        for _ in range(3):
            await trio.sleep(0.5)
            server.limit_files(20_000)  # less than there is: whatever is written next finds no room
            await trio.sleep(0.5 + choose.random())
            server.limit_files(None)
            line.cut(choose)
        return 0

    outcome = await besiege([*TRIOCHAT, *server(tmp_path)], fill, seed=1)
    assert [fault for fault in outcome.faults if "Traceback" not in fault] == []
    assert outcome.refused > 0
    assert outcome.messages > 100
