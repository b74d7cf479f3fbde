import unicodedata
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.client import EnteredRoom, Lagged
from triochat.client.render import clean_sentence, render
from triochat.protocol import events as e
from triochat.protocol.escape import FORBIDDEN, clean
from triochat.protocol.grammar import MAX_ID

HALF_PAST_NINE = 34_200_000


def message(text: str, target: str = "#lobby", ms: int = HALF_PAST_NINE) -> e.Message:
    return e.Message(target=target, id=1, ms=ms, nick="alice", text=text)


def topic(text: str) -> e.TopicSet:
    return e.TopicSet(room="#dev", id=1, ms=HALF_PAST_NINE, nick="bob", text=text)


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (message("hello"), ["09:30 #lobby <alice> hello"]),
        (message("/me waves"), ["09:30 #lobby * alice waves"]),
        (message("hi", "@bob"), ["09:30 alice -> bob: hi"]),
        (message("/me waves", "@bob"), ["09:30 alice -> bob: * alice waves"]),
        (
            message("one\n09:31 #lobby <bob> two\n"),
            [
                "09:30 #lobby <alice> one",
                "09:30 #lobby <alice> 09:31 #lobby <bob> two",
                "09:30 #lobby <alice> ",
            ],
        ),
        (
            message("/me falls\nand\tsleeps"),
            ["09:30 #lobby * alice falls", "09:30 #lobby * alice and    sleeps"],
        ),
        (message("x", ms=MAX_ID), ["--:-- #lobby <alice> x"]),
        (topic("lunch\nat noon"), ["09:30 #dev: bob set the topic: lunch at noon"]),
        (topic(""), ["09:30 #dev: bob cleared the topic"]),
        (e.Gap("#dev", 3, 7), ["#dev: the messages 3 to 7 are no longer kept"]),
        (e.Joined("#lobby", "alice"), ["#lobby: alice came in"]),
        (e.Left("#lobby", "alice"), ["#lobby: alice left"]),
        (e.Left("#lobby", "alice", "tea\n#lobby: bob left"), ["#lobby: alice left (tea #lobby: bob left)"]),
        (e.Renamed("alice", "bob"), ["alice is now bob"]),
        (e.RoomInfo("#dev", 1, 0), ["#dev: 1 person"]),
        (e.RoomInfo("#dev", 2, 9, "lunch\nnow"), ["#dev: 2 people, topic: lunch now"]),
        (e.NameList("#dev", ("alice", "bob")), ["#dev: alice, bob"]),
        (e.NameList("#dev", ()), ["#dev: nobody"]),
        (
            EnteredRoom(room="#dev", nicks=("alice",), last=0, topic="", missed=()),
            ["#dev: 1 person", "#dev: alice"],
        ),
        (e.Failure("throttled", "slow\ndown"), ["Slow down."]),
        (Lagged(7), ["(7 messages came too fast to be shown; /history has them)"]),
        (e.Pong(), []),
    ],
)
def test_lines(event: e.Event | Lagged | EnteredRoom, lines: list[str]) -> None:
    assert render(event, UTC) == lines


def test_the_time_is_that_of_this_machine() -> None:
    [line] = render(message("x"))
    assert line[2] == ":"


@pytest.mark.parametrize(
    "character",
    ["\x1b", "\x07", "\x9b", "\x85", "\x7f", "\r", "\u202e", "\u2066", "\u200f", "\u2028", "\ud800"],
)
def test_what_acts_on_a_terminal_is_replaced(character: str) -> None:
    assert clean(f"a{character}b") == "a\ufffdb"
    assert clean_sentence(f"a{character}b") == "A\ufffdb."


HARMFUL_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
HARMFUL_FORMATS = {
    chr(point) for point in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


def is_harmless(line: str) -> bool:
    return not any(
        unicodedata.category(character) in HARMFUL_CATEGORIES or character in HARMFUL_FORMATS
        for character in line
    )


TEXTS = (
    st.text(
        st.characters() | st.sampled_from(sorted(HARMFUL_FORMATS)) | st.sampled_from("\n\t\x1b\x9b"),
        min_size=1,
    )
    .map(lambda text: FORBIDDEN.sub("x", text))
    .filter(bool)
)
EVENTS = st.one_of(
    st.builds(message, TEXTS, st.sampled_from(["#lobby", "@bob"]), st.integers(0, MAX_ID)),
    st.builds(topic, TEXTS),
    st.builds(e.Left, st.just("#dev"), st.just("bob"), TEXTS),
    st.builds(e.RoomInfo, st.just("#dev"), st.just(2), st.just(0), TEXTS),
    st.builds(e.Failure, st.just("throttled"), TEXTS),
)


@given(EVENTS)
def test_no_event_reaches_a_terminal_as_more_than_text(event: e.Event) -> None:
    assert all(is_harmless(line) for line in render(event))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_nothing_at_all_does(text: str) -> None:
    assert is_harmless(clean(text))
    assert is_harmless(clean_sentence(text))


@given(TEXTS)
def test_every_line_names_its_sender(text: str) -> None:
    lines = render(message(text), UTC)
    assert all(line.startswith(("09:30 #lobby <alice> ", "09:30 #lobby * alice ")) for line in lines)
    assert len(lines) == text.count("\n") + 1
