"""What a room remembers for those who follow it."""

import pytest

from triochat.chat import room as room_module
from triochat.chat.person import Person
from triochat.chat.room import RECENT, RECENT_OCTETS, Room
from triochat.journal import Draft, Entry


def speak(room: Room, count: int, text: str = "x") -> None:
    for _ in range(count):
        speak_at_once(room, text)


def speak_at_once(room: Room, *texts: str) -> None:
    draft = Draft(log=room.name, kind="message", target=room.name, nick="al", texts=texts, ms=0)
    room.advance(draft, room.last + 1)


def since(room: Room, cursor: int) -> list[int] | None:
    entries = room.since(cursor)
    return None if entries is None else [entry.id for entry in entries]


@pytest.fixture
def bob() -> Person:
    return Person("bob", 1)


@pytest.fixture
def room(bob: Person) -> Room:
    """A room at id 5, which bob follows."""
    room = Room("#dev", last=5)
    room.admit(bob)
    return room


def test_nothing_is_missing(room: Room) -> None:
    assert since(room, 5) == since(room, 6) == since(room, 2**63) == []
    speak(room, 1)
    assert since(room, 6) == []


def test_what_was_there_before_anybody_followed_is_not_remembered(room: Room) -> None:
    assert since(room, 4) is None
    speak(room, 2)
    assert since(room, 5) == [6, 7]
    assert since(room, 6) == [7]
    assert since(room, 4) is None


def test_as_many_as_are_remembered_and_one_more(room: Room) -> None:
    speak(room, RECENT)
    assert since(room, 5) == list(range(6, 6 + RECENT))
    speak(room, 1)
    assert since(room, 5) is None
    assert since(room, 6) == list(range(7, 7 + RECENT))


@pytest.mark.parametrize(("character", "octets"), [("x", 1), ("\n", 2), ("\xe9", 4), ("\U0001f642", 10)])
def test_as_many_octets_as_are_remembered_and_one_more(room: Room, character: str, octets: int) -> None:
    half = RECENT_OCTETS // 64 // octets
    speak(room, 63, character * half)
    rest = RECENT_OCTETS - 63 * half * octets
    speak(room, 1, "x" * rest)
    assert since(room, 5) == list(range(6, 70))
    speak(room, 1, "x")
    assert since(room, 5) is None
    assert since(room, 6) == list(range(7, 71))
    speak(room, 1, "x" * (half * octets))
    assert since(room, 7) == list(range(8, 72))


def test_one_that_is_longer_than_all_that_is_remembered(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "RECENT_OCTETS", 9)
    speak(room, 1, "x" * 10)
    assert since(room, 5) is None
    speak(room, 1, "x" * 9)
    assert since(room, 6) == [7]


def test_a_run_is_remembered_one_by_one(room: Room) -> None:
    speak_at_once(room, "one", "two", "three")
    assert room.last == 8
    assert room.since(6) == [
        Entry(log="#dev", id=7, kind="message", target="#dev", nick="al", text="two", ms=0),
        Entry(log="#dev", id=8, kind="message", target="#dev", nick="al", text="three", ms=0),
    ]
    assert since(room, 5) == [6, 7, 8]
    assert since(room, 4) is None


def test_of_a_run_no_more_is_remembered_than_of_single_ones(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "RECENT", 3)
    monkeypatch.setattr(room_module, "RECENT_OCTETS", 10)
    speak_at_once(room, *"abcde")
    assert (since(room, 6), since(room, 7)) == (None, [8, 9, 10])
    speak_at_once(room, "x", "x" * 5, "\n\n")
    assert (since(room, 10), since(room, 11)) == ([11, 12, 13], [12, 13])
    assert room._recent_octets == 10
    speak_at_once(room, "", "y" * 10)
    assert (since(room, 13), since(room, 14)) == ([14, 15], [15])
    speak_at_once(room, "z", "y" * 11)
    assert since(room, 16) is None
    assert room._recent_octets == 0


def test_a_run_is_not_remembered_for_nobody(room: Room, bob: Person) -> None:
    room.attach(bob)
    speak_at_once(room, "one", "two")
    assert room.last == 7
    assert not room._recent


def test_nothing_is_remembered_for_nobody(room: Room, bob: Person) -> None:
    speak(room, 2)
    room.attach(bob)
    assert not room._recent
    assert room._recent_octets == 0
    speak(room, 2)
    assert not room._recent
    assert since(room, 8) is None
    room.detach(bob)
    speak(room, 1)
    assert since(room, 9) == [10]
    assert since(room, 8) is None


def test_it_is_remembered_until_the_last_has_caught_up(room: Room, bob: Person) -> None:
    carol = Person("carol", 2)
    room.admit(carol)
    speak(room, 1)
    room.attach(carol)
    speak(room, 1)
    assert since(room, 5) == [6, 7]
    room.dismiss(bob)
    assert not room._recent


def test_one_that_is_held_follows_nothing(room: Room, bob: Person) -> None:
    room.attach(bob)
    bob.client = None
    room.detach(bob)
    speak(room, 1)
    assert not room._recent
    bob.client = 3
    room.detach(bob)
    speak(room, 1)
    assert since(room, 6) == [7]
