"""The grammar that the fuzzer holds typed lines against, itself held against what people are told."""

import re

import pytest

from tests.fuzz.text import check_request
from tests.fuzz.typed import FORMS, meaning
from tests.protocol.pair import Refused
from triochat.client import commands
from triochat.protocol import events as e
from triochat.protocol import text


def test_it_has_every_command_that_people_are_told_of() -> None:
    assert _words(text.HELP) == set(FORMS)
    assert _words(commands.HELP) == {*FORMS, "part"}  # who types to a server is always in one room


@pytest.mark.parametrize(
    ("typed", "request_"),
    [
        ("/join Dev", e.Join("#dev")),
        ("/MSG @Bob  two  words ", e.Say("@Bob", "two  words")),
        ("/me waves", e.Say(None, "/me waves")),
        ("/who", e.ListNames(None)),
        ("/topic", e.GetTopic(None)),
        ("/history", e.ReadHistory(None)),
        ("/history 0005", e.ReadHistory(None, limit=5)),
        ("/history 1000", e.ReadHistory(None, limit=1000)),
        ("/quit", e.Quit()),
    ],
)
def test_a_command_means_what_it_says_and_nothing_else(typed: str, request_: e.Request) -> None:
    assert meaning(typed) == request_
    check_request(typed, request_)
    for other in (e.ListRooms(), e.Say(None, "what"), Refused("unknown-command"), Refused("bad-frame")):
        with pytest.raises(AssertionError):
            check_request(typed, other)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("/join a.b", "bad-room"),
        ("/msg bob", "bad-frame"),
        ("/history 0", "bad-frame"),
        ("/history 1001", "bad-frame"),
        ("/history 00005", "bad-frame"),
        ("/me \x07", "bad-text"),
        ("/me " + "x" * 7997, "too-long"),
        ("/dance", "unknown-command"),
    ],
)
def test_what_is_no_command_is_refused_for_what_is_wrong(typed: str, code: str) -> None:
    check_request(typed, Refused(code))
    for other in (e.Blank(), e.Help(), Refused("nick-in-use")):
        with pytest.raises(AssertionError):
            check_request(typed, other)


def _words(table: str) -> set[str]:
    return set(re.findall(r"^/(\w+)", table, re.MULTILINE))
