"""Every input of the corpus keeps the promises, and of every mutant some input shows that it does not."""

from pathlib import Path

import pytest

from tests.fuzz.mutants import MUTANTS
from tests.fuzz.targets import TARGETS, check, corpus

INPUTS = [(target, path) for target in TARGETS for path in corpus(target)]


@pytest.mark.parametrize(
    ("target", "path"),
    [pytest.param(target, path, id=f"{target}-{path.parent.name}/{path.name}") for target, path in INPUTS],
)
def test_what_comes_is_heard_as_it_must_be(target: str, path: Path) -> None:
    check(target, path.read_bytes())


@pytest.mark.parametrize(
    ("target", "mutant"), [(target, name) for target, mutants in MUTANTS.items() for name in mutants]
)
def test_a_parser_that_breaks_a_promise_is_found(target: str, mutant: str) -> None:
    found = 0
    with MUTANTS[target][mutant]():
        for path in corpus(target):
            try:
                check(target, path.read_bytes())
            except AssertionError:
                found += 1
    assert found


def test_each_target_has_a_corpus_and_mutants() -> None:
    assert set(MUTANTS) == set(TARGETS) == {path.parent.name for _, path in INPUTS}
