"""The command says what came of each seed, and fails if one did."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.simulation import __main__ as command
from tests.simulation.__main__ import MOST_FAILURES, Verdict, judge, main
from tests.simulation.server_mutants import loses_one
from tests.simulation.timeline import LAST
from triochat.chat.hub import _HANDLERS
from triochat.protocol import events as e


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "ProcessPoolExecutor", ThreadPoolExecutor)


def say(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr("sys.argv", ["simulation", "--jobs", "1", *words])


def test_seeds_that_keep_all_promises(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(monkeypatch, "--seeds", "2", "--start", "7")
    assert main() == 0
    written = capsys.readouterr().out
    assert written.startswith("2 of 2 seeds, ")
    assert "faults injected: " in written
    assert written.endswith("0 of 2 seeds broke a promise\n")


def test_a_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    say(monkeypatch, "--seeds", "1", "--start", "7", "--trace")
    assert main() == 0
    assert "0.000000 SETTING    Setting(" in capsys.readouterr().out.splitlines()[0]


def test_it_gives_up_after_some_failures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "judge", lambda seed: Verdict(failure=f"seed {seed} broke all"))
    say(monkeypatch, "--seeds", "1000", "--start", "3")
    assert main() == 1
    assert capsys.readouterr().out.splitlines() == [
        *(f"seed {seed} broke all" for seed in range(3, 3 + MOST_FAILURES)),
        "faults injected: 0 ()",
        f"{MOST_FAILURES} of {MOST_FAILURES} seeds broke a promise",
    ]


def test_a_seed_that_breaks_a_promise_can_be_repeated() -> None:
    with loses_one(random.Random(0)):
        verdict = judge(0)
    assert verdict.failure.startswith("seed 0 broke ")
    assert "  no_holes: " in verdict.failure
    assert verdict.failure.endswith("again: nox -s simulate -- --seeds 1 --start 0 --trace")


@pytest.fixture
def fails_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub has a fault that shows when somebody quits."""

    def fail(*_: object) -> None:
        raise ValueError("a fault")

    monkeypatch.setitem(_HANDLERS, e.Quit, fail)


@pytest.mark.usefixtures("fails_in_the_end")
def test_a_seed_that_raises_says_what_led_to_it() -> None:
    failure = judge(7).failure
    assert failure.startswith("seed 7 raised:\n")
    assert "ValueError: a fault" in failure
    led, _, again = failure.partition("what led to it:\n")[2].rpartition("\n")
    assert "0.000000 SETTING    Setting(" in led.splitlines()[0]
    assert 10 < len(led.splitlines()) <= 2 + LAST
    assert again == "again: nox -s simulate -- --seeds 1 --start 7 --trace"


@pytest.mark.usefixtures("fails_in_the_end")
def test_the_trace_of_a_seed_that_raises(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(monkeypatch, "--seeds", "1", "--start", "7", "--trace")
    assert main() == 1
    written = capsys.readouterr().out
    assert "0.000000 SETTING    Setting(" in written.splitlines()[0]
    assert "SERVER     is up" in written.partition("seed 7 raised:")[0]
    assert written.endswith("1 of 1 seeds broke a promise\n")


@pytest.mark.parametrize("words", [("--seeds", "0"), ("--jobs", "0")])
def test_nothing_is_no_number(words: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, *words)
    with pytest.raises(SystemExit):
        main()
