"""The checkers themselves: each break of a promise is found, and nothing else is."""

from dataclasses import dataclass, field

import pytest

from tests.crashes.promises import broken

LOG = [(1, "alice", "a1"), (2, "bob", "b1"), (3, "alice", "a2")]


@dataclass
class Seen:
    nick: str = "alice"
    room: str = "#one"
    said: list[str] = field(default_factory=lambda: ["a1", "a2"])
    kept: dict[str, int] = field(default_factory=lambda: {"a1": 1, "a2": 3})
    seen: list[tuple[int, str, str]] = field(default_factory=lambda: list(LOG))
    refused: int = 0


def test_nothing_is_broken() -> None:
    bob = Seen("bob", said=["b1"], kept={"b1": 2}, seen=LOG[1:])  # it came in later
    assert broken([Seen(), bob], {"#one": LOG, "#two": []}) == []


@pytest.mark.parametrize(
    ("witness", "log", "fault"),
    [
        (Seen(), [(1, "alice", "a1"), (3, "alice", "a2")], "holes"),
        (Seen(), [*LOG, (4, "alice", "a1")], "'a1' is kept 2 times"),
        (Seen(kept={"a1": 1, "a2": 4}), LOG, "'a2' was acknowledged as 4, where None is"),
        (Seen(kept={"a1": 1, "a2": 2}), LOG, "'a2' was acknowledged as 2, where ('bob', 'b1') is"),
        (Seen(kept={"a1": 1}), LOG, "'a2' was never acknowledged"),
        (Seen(said=["a2", "a1"]), LOG, "order"),
        (Seen(seen=[LOG[0], LOG[2]]), LOG, "behind 1 it saw 3"),
        (Seen(seen=[LOG[0], LOG[0], LOG[1], LOG[2]]), LOG, "behind 1 it saw 1"),
        (Seen(seen=[LOG[0], (2, "bob", "another"), LOG[2]]), LOG, "saw 'another' as 2"),
        (Seen(seen=LOG[:2]), LOG, "saw up to 2, not to 3"),
        (Seen(seen=[]), LOG, "saw up to 0, not to 3"),
    ],
)
def test_each_break_is_found(witness: Seen, log: list[tuple[int, str, str]], fault: str) -> None:
    assert any(fault in sentence for sentence in broken([witness], {"#one": log}))
