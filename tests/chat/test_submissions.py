"""What a request weighs: its reader adds it up, and the hub's task bounds its batches by it."""

import pytest

from triochat.chat import ENTRY, Asked, CaughtUp, Departure, Submission, weight
from triochat.protocol import events as e
from triochat.protocol.runs import SayRun

FACE = "\N{GRINNING FACE}"
"""On the framed wire it takes ten octets."""


@pytest.mark.parametrize(
    ("request_", "octets"),
    [
        (e.Say("#dev", "hello"), 5),
        (e.Say("@bob", "hello", tag="a-tag-is-nobody-elses"), 5),
        (e.Say("#dev", FACE), 10),
        (e.Say("#dev", "\\"), 2),
        (e.Say("#dev", "a\nb"), 1 + 2 + 1 + 1),  # and for a person the second line is indented
        (e.SetTopic("#dev", "topic"), 5),
        (e.SetTopic("#dev", ""), 0),
        (e.Part("#dev", "so long"), 7),
        (e.Part("#dev"), 0),
        (e.Quit(FACE), 10),
        (e.Quit(), 0),
    ],
    ids=repr,
)
def test_words_weigh_what_they_take_on_the_wire(request_: Asked, octets: int) -> None:
    assert weight(request_) == ENTRY + octets


@pytest.mark.parametrize("tags", [None, ["a", "b", "c"]])
def test_a_run_weighs_an_entry_for_each_text(tags: list[str] | None) -> None:
    assert weight(SayRun("#dev", ["x", "y", "z"], tags, 100)) == 3 * ENTRY + 100


@pytest.mark.parametrize("text", ["x", "x" * 5000, FACE * 10, "a\nb"])
def test_a_run_weighs_no_less_than_its_messages(text: str) -> None:
    octets = len("MSG #dev :") + len(text.encode("unicode_escape")) + 1
    run = SayRun("#dev", [text] * 3, None, 3 * octets)
    assert weight(run) >= sum(map(weight, run.frames()))


@pytest.mark.parametrize(
    "request_",
    [
        e.Hello("alice"),
        e.Join("#dev"),
        e.ReadHistory("#dev"),
        e.ListNames("#dev"),
        e.ListRooms(),
        e.GetTopic("#dev"),
        e.Ping("x" * 100),
        Departure(),
        CaughtUp("#dev", 7, None),
    ],
    ids=repr,
)
def test_all_others_weigh_an_entry(request_: Asked) -> None:
    assert weight(request_) == ENTRY


def test_a_submission_weighs_nothing_by_itself() -> None:
    assert Submission(1, [e.Ping()]).octets == 0
