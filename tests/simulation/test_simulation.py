"""The simulator keeps its own promises: one seed is one life, and a server that lies is found out."""

import hashlib
import os
import random
import subprocess
import sys
from unittest.mock import patch

import pytest

from tests.simulation.checkers import CHECKERS, broken
from tests.simulation.mutants import MUTANTS
from tests.simulation.setting import Setting
from tests.simulation.timeline import report
from tests.simulation.world import simulate
from triochat.server.throttle import Throttle

SEEDS_FOR_A_MUTANT = 60
"""Lives within which a server that breaks a promise is found out; each draw is the same each time."""

SET_BACK, ON_FILE, LONG, DOUBLED, LAGGING = 802, 45, 350, 12, 62
"""Seeds of cheap lives that differ in what could be left to chance; the first is on a file as well."""


def digest(seed: int) -> str:
    return hashlib.sha256("\n".join(simulate(str(seed)).lines).encode()).hexdigest()


def test_the_same_seed_is_the_same_life_to_the_byte() -> None:
    """In this process and in another, in which sets of strings have another order."""
    seeds = (0, 7, SET_BACK, ON_FILE, LONG, DOUBLED, LAGGING)
    here = [digest(seed) for seed in seeds]
    assert digest(0) == here[0]
    assert len(set(here)) == len(seeds)
    script = f"from tests.simulation.test_simulation import digest; print(*map(digest, {seeds}))"
    for hashes in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": os.pathsep.join(sys.path)}
        there = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        )
        assert there.stdout.split() == here


def test_the_seeds_that_are_compared_are_what_they_are_for() -> None:
    set_back, on_file, long = (
        Setting.draw(random.Random(f"{seed} world")) for seed in (SET_BACK, ON_FILE, LONG)
    )
    assert set_back.set_back
    assert set_back.on_file
    assert simulate(str(SET_BACK)).set_backs
    assert on_file.on_file
    assert long.seconds == 3600.0
    gave_up = [line for line in simulate(str(DOUBLED)).lines if "gives up: " in line]
    assert len(gave_up) > 2
    assert any("Lagged(" in line for line in simulate(str(LAGGING)).lines)


def test_a_life_is_long_and_full_of_faults() -> None:
    """Or nothing would be shown by its end."""
    delays: list[float] = []
    charge = Throttle.charge

    def note(throttle: Throttle, now: float, count: int = 1) -> float:
        delays.append(charge(throttle, now, count))
        return delays[-1]

    with patch.object(Throttle, "charge", note):
        records = [simulate(str(seed)) for seed in range(12)]
    assert sum(delay > 0 for delay in delays) > 100
    assert sum(record.seconds for record in records) > 1000
    kinds = {"reset", "end", "silence", "refusing", "swallowing", "crash", "restart", "reset all"}
    kinds |= {"slow disk", "full disk", "unreadable disk", "wrong clock", "set back"}
    assert {kind for record in records for kind in record.faults} == kinds
    assert sum(len(witness.kept) for record in records for witness in record.witnesses) > 500
    for record in records:
        assert broken(record) == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_server_that_breaks_a_promise_is_found_out(name: str) -> None:
    mutant, checker = MUTANTS[name]
    for seed in range(SEEDS_FOR_A_MUTANT):
        with mutant(random.Random(seed)):
            record = simulate(str(seed))
        if checker in (breaks := broken(record)):
            said = report(seed, record, breaks)
            assert f"--start {seed}" in said
            assert f"  {checker}: " in said
            return
    pytest.fail(f"{name} was not found out in {SEEDS_FOR_A_MUTANT} lives")


def test_there_is_a_mutant_for_every_checker() -> None:
    assert {checker for _, checker in MUTANTS.values()} == {checker.__name__ for checker in CHECKERS}
