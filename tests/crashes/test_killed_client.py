"""A client that is killed: what it was told to say, the next one on its state file says, once.

``pytest tests/crashes --kills 200`` goes on for longer.
"""

import signal
import sys
from pathlib import Path

import pytest
import trio

from tests.crashes.client_siege import ClientOutcome, besiege_clients
from tests.crashes.line import Line
from tests.crashes.siege import Server, log_of
from tests.process.program import PATIENCE, TRIOCHAT, Program

MUTANTS = Path(__file__).with_name("client_mutants.py")


async def until_it_holds(file: Path, part: str) -> None:
    with trio.fail_after(PATIENCE):
        while part not in await trio.Path(file).read_text():  # noqa: ASYNC110 -- another process writes it
            await trio.sleep(0.02)


async def test_what_was_typed_while_nobody_listened_is_said_once(
    nursery: trio.Nursery, tmp_path: Path
) -> None:
    line, state = Line(), tmp_path / "state"
    await nursery.start(line.run)
    server = Server([*TRIOCHAT, "server", "--port", "0", "--data", str(tmp_path / "chat.db")], line, nursery)
    await server.start()
    arguments = [f"127.0.0.1:{line.port}", "--nick", "alice", "--room", "#dev", "--state", str(state)]
    for visit in range(3):
        client = Program(*TRIOCHAT, "client", *arguments)
        await nursery.start(client.run)
        await client.type(f"{visit} heard")
        await client.out.until(f"{visit} heard")
        await server.kill()
        await client.type(f"{visit} one", f"{visit} two", f"{visit} three")
        await until_it_holds(state, f"{visit} three")
        client.signal(signal.SIGKILL)
        await client.exit_code()
        await server.start()
    last = Program(*TRIOCHAT, "client", *arguments)
    await nursery.start(last.run)
    await last.close_stdin()
    assert await last.exit_code() == 0
    said = [text for _, _, text in await log_of(line.port, "#dev")]
    assert said == [f"{visit} {word}" for visit in range(3) for word in ("heard", "one", "two", "three")]
    assert await server.end() == 0
    nursery.cancel_scope.cancel()


def server(folder: Path) -> list[str]:
    return [*TRIOCHAT, "server", "--port", "0", "--data", str(folder / "chat.db"), "--rate-limit", "0"]


async def test_clients_that_are_killed_lose_nothing_and_say_nothing_twice(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    kills = int(pytestconfig.getoption("kills"))
    client = [*TRIOCHAT, "client"]
    outcome = await besiege_clients(server(tmp_path), client, tmp_path, kills=kills, seed=kills)
    assert outcome.faults == []
    assert outcome.left > kills  # else the files were not needed
    assert outcome.said > 2 * kills


@pytest.mark.parametrize(
    ("mutant", "sign"),
    [
        ("hasty", "was sent before it was in the file"),
        ("forgetful", "is said 2 times"),
        ("idle", "was taken and never said"),
    ],
)
async def test_a_client_that_breaks_a_promise_is_caught(tmp_path: Path, mutant: str, sign: str) -> None:
    """Within three runs: when a client is killed is left to chance."""
    client = [sys.executable, str(MUTANTS), mutant, "client"]
    outcomes: list[ClientOutcome] = []
    for seed in (1, 2, 3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        run = besiege_clients(server(folder), client, folder, kills=5, seed=seed, people=1)
        outcomes.append(await run)
        if any(sign in fault for fault in outcomes[-1].faults):
            return
    pytest.fail(f"this is not among what was found: {outcomes}")
