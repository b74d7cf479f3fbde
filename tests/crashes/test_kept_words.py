"""The checker itself: each break of a promise is found, and nothing else is."""

from dataclasses import dataclass, field

import pytest

from tests.crashes.kept_words import not_kept

LOG = [(1, "alice", "a1"), (2, "bob", "b1"), (3, "alice", "a2"), (4, "alice", "a3")]


@dataclass
class Process:
    typed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Alice:
    lives: list[Process]
    nick: str = "alice"
    room: str = "#one"


def test_nothing_is_broken() -> None:
    lives = [
        Process(["a1", "a2", "in the pipe", "in the pipe too"], left=["a2"], shown=[("alice", "a1")]),
        Process(),
        Process(["a3"], shown=[("bob", "b1"), ("alice", "a2"), ("alice", "a3")]),
    ]
    assert not_kept([Alice(lives), Alice([], nick="carol")], {"#one": LOG}) == []


@pytest.mark.parametrize(
    ("lives", "fault"),
    [
        ([Process(["a1", "a2", "a3", "a4"], left=["a4"])], "'a4' was taken and never said"),
        ([Process(["a0", "a1", "a2", "a3"])], "'a0' was taken and never said"),
        ([Process(["a1", "a2"], left=["x"]), Process(["a3"])], "'x' was taken and never said"),
        ([Process(["a2", "a1", "a3"])], "in that order"),
        ([Process(["a1", "a2"])], "in that order"),  # who said a3?
        ([Process(["a1", "a2", "a3"], shown=[("alice", "a1"), ("alice", "a2")])], "behind 1 it was shown 3"),
        ([Process(["a1", "a2", "a3"], shown=[("bob", "b1"), ("bob", "b1")])], "behind 2 it was shown 2"),
        ([Process(["a1", "a2", "a3"], shown=[("bob", "b1"), ("bob", "b2")])], "behind 2 it was shown 0"),
    ],
)
def test_each_break_is_found(lives: list[Process], fault: str) -> None:
    assert any(fault in sentence for sentence in not_kept([Alice(lives)], {"#one": LOG}))


def test_what_is_said_twice() -> None:
    lives = [Process(["a1", "a2", "a3"])]
    assert not_kept([Alice(lives)], {"#one": [*LOG, (5, "alice", "a2")]}) == ["alice: 'a2' is said 2 times"]
