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
from tests.simulation.timeline import report
from tests.simulation.world import simulate
from triochat.server.throttle import Throttle

SEEDS_FOR_A_MUTANT = 20
"""Lives within which a server that breaks a promise is found out; each draw is the same each time."""


def digest(seed: int) -> str:
    return hashlib.sha256("\n".join(simulate(str(seed)).lines).encode()).hexdigest()


def test_the_same_seed_is_the_same_life_to_the_byte() -> None:
    """In this process and in another, in which sets of strings have another order."""
    here = [digest(seed) for seed in (0, 7, 0)]
    assert here[0] == here[2] != here[1]
    script = "from tests.simulation.test_simulation import digest; print(digest(0), digest(7))"
    for hashes in ("1", "2"):
        env = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": os.pathsep.join(sys.path)}
        there = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        )
        assert there.stdout.split() == here[:2]


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
