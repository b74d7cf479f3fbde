"""Whatever is left to chance elsewhere follows from the seed, and is left alone afterwards."""

import ast
import random
import secrets
import threading
import time
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import triochat
from tests.simulation.clockwork import EPOCH, Secrets, WallClock, replacements, run, scheduler_lots
from triochat.client.tags import Tags

DAY = 24 * 3600

CHANCE = {"time", "datetime", "random", "secrets", "uuid"}
"""Modules whose answers are another each time."""

SIMULATED = ("protocol", "chat", "server", "client")


def order(seed: str) -> list[int]:
    """In which order thirty tasks run that are ready at the same time."""
    found: list[int] = []

    async def note(number: int) -> None:
        await trio.lowlevel.checkpoint()
        found.append(number)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(30):
                nursery.start_soon(note, number)

    run(seed, main)
    return found


def test_the_scheduler_follows_from_the_seed() -> None:
    assert order("a") == order("a") != order("b")
    assert sorted(order("a")) == list(range(30)) != order("a")


def test_a_day_passes_at_once() -> None:
    async def main() -> tuple[float, float, int]:
        await trio.sleep(DAY)
        return trio.current_time(), WallClock.time(), WallClock.time_ns()

    began = time.monotonic()
    assert run("a", main) == (DAY, EPOCH + DAY, (EPOCH + DAY) * 10**9)
    assert time.monotonic() - began < DAY / 100


def test_secrets_follow_from_their_seed() -> None:
    def drawn(seed: int) -> list[str]:
        draws = Secrets(random.Random(seed))
        return [draws.token_hex(16), draws.token_hex(16)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert [len(secret) for secret in drawn(1)] == [32, 32]
    assert len(set(drawn(1))) == 2


def test_work_for_a_thread_takes_its_time_and_no_thread() -> None:
    async def main() -> list[float]:
        limiter = trio.CapacityLimiter(1)
        done: list[float] = []

        async def work() -> None:
            there = await trio.to_thread.run_sync(threading.get_ident, limiter=limiter)
            assert there == threading.get_ident()
            assert limiter.borrowed_tokens <= 1
            done.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(work)
        return done

    assert run("a", main) == run("a", main) != run("b", main)


def test_work_for_a_thread_is_not_abandoned() -> None:
    async def main() -> list[str]:
        done: list[str] = []
        with trio.CancelScope() as scope:
            scope.cancel()
            with pytest.raises(trio.Cancelled):
                await trio.to_thread.run_sync(done.append, "too late")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, done.append, "begun")
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        return done

    assert run("a", main) == ["begun"]


def tag(seed: str) -> str:
    async def main() -> str:
        await trio.sleep(DAY)
        return Tags().next()

    return run(seed, main)


def test_a_client_draws_its_tags_from_the_seed() -> None:
    assert tag("a") == tag("a") != tag("b")
    assert tag("a").startswith(f"{EPOCH + DAY:08x}")


def test_nothing_is_left_behind() -> None:
    lots = scheduler_lots().getstate()
    tag("never drawn before")
    assert scheduler_lots().getstate() == lots
    assert int(Tags().next()[:8], 16) > EPOCH + DAY
    assert Tags().next() != Tags().next()


def chances(package: str) -> set[str]:
    """What the modules of a package import by which chance could come in."""
    found = set()
    for path in (Path(triochat.__file__).parent / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported = {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported = {node.module or ""}
            else:
                continue
            found |= {f"triochat.{package}.{path.stem}.{name}" for name in imported & CHANCE}
    return found


def test_no_chance_has_been_forgotten() -> None:
    """Who lets another one into the server or the client has to tell the simulator, and then this list."""
    an_argument = {"triochat.client.backoff.random"}
    of_the_commands = {
        "triochat.server.logs.time",
        "triochat.client.render.datetime",
        "triochat.client.nicks.secrets",
    }
    not_imported = {"trio.to_thread.run_sync"}
    replaced = {*replacements("a")} - not_imported
    assert set().union(*map(chances, SIMULATED)) == replaced | an_argument | of_the_commands


def test_the_real_modules_have_what_takes_their_place() -> None:
    assert {name for name in vars(WallClock) if name[0] != "_"} - {"wrong"} <= set(dir(time))
    assert {name for name in vars(Secrets) if name[0] != "_"} <= set(dir(secrets))
