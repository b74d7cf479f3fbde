import pytest

from triochat.client.happenings import RoomState
from triochat.client.inbox import Inbox, Mark
from triochat.client.memberships import Memberships, Roll
from triochat.protocol import events as e


def message(number: int, target: str = "#dev") -> e.Message:
    return e.Message(target=target, id=number, ms=number, nick="bob", text="x")


def there(*nicks: str, room: str = "#dev") -> RoomState:
    return RoomState(room, nicks, "")


@pytest.fixture
def places() -> Memberships:
    """Alice is in #dev, with bob, and has heard up to 7."""
    places = Memberships(Inbox("alice"))
    assert places.compare(there("alice", "bob"), "alice") == [there("alice", "bob")]
    places.confirm("#dev", 7)
    return places


def test_a_room_counts_when_the_server_has_said_so() -> None:
    places = Memberships(Inbox("alice"))
    places.compare(there("alice"), "alice")
    places.compare(there("alice", room="#ops"), "alice")
    assert (list(places), places.seen()) == ([], {})
    places.confirm("#dev", 7)
    assert (list(places), places.seen(), places.last("#dev")) == (["#dev"], {"#dev": 7}, 7)
    assert places.forget_unconfirmed() == ["#ops"], "of which somebody was told"
    places.confirm("#ops", 0)
    assert places.seen() == {"#dev": 7, "#ops": 0}
    assert not places.refuse("#ops", named=False)  # entered before, so a refused second JOIN changes nothing
    assert list(places) == ["#dev", "#ops"]
    assert places.refuse("#dev", named=True)
    assert not places.refuse("#ops", named=True), "nobody was told that we were there"
    assert not places.refuse("#elsewhere", named=True)
    assert list(places) == []


def test_a_room_that_is_asked_for_again_is_told_of_again() -> None:
    places = Memberships(Inbox("alice"))
    places.compare(there("alice", "bob"), "alice")
    assert places.forget_unconfirmed({"#dev"}) == []
    assert not places.hear(e.Joined("#dev", "carol"), "alice"), "all will be named"
    state = there("alice", "carol")
    assert places.compare(state, "alice") == [state]
    places.forget_unconfirmed({"#dev"})
    assert places.refuse("#dev", named=False), "the program believes that we are there"


def test_each_entry_is_new_once(places: Memberships) -> None:
    assert [places.hear(message(number), "alice") for number in (7, 8, 8, 3, 10)] == [
        False,
        True,
        False,
        False,
        True,
    ]
    topic = e.TopicSet(room="#dev", id=11, ms=0, nick="bob", text="x")
    assert [places.hear(topic, "alice") for _ in range(2)] == [True, False]
    assert [places.hear(e.Gap("#dev", 12, 20), "alice") for _ in range(2)] == [True, False]
    assert places.last("#dev") == 20


def test_what_the_program_has_taken_may_be_behind(places: Memberships) -> None:
    for number in (8, 9, 10):
        places.hear(message(number), "alice")
    assert [places.take(event) for event in (message(8), message(8), message(7))] == [True, False, False]
    assert places.take(e.Gap("#dev", 9, 9))
    assert not places.take(e.Joined("#dev", "carol"))
    assert not places.take(message(1, "#left"))
    assert (places.seen(), places.last("#dev")) == ({"#dev": 9}, 10)


def test_a_program_in_anothers_place_goes_on_there() -> None:
    places = Memberships(Inbox("alice"), {"#dev": 7, "#ops": 0})
    assert (list(places), places.last("#dev")) == (["#dev", "#ops"], 7)
    assert not places.hear(e.Joined("#dev", "carol"), "alice"), "carol will be named with all others"
    state = there("alice", "carol")
    assert places.compare(state, "alice") == [state], "nobody was told who was there"
    assert places.hear(e.Left("#dev", "carol"), "alice")
    places.leave("#dev")
    places.leave("#dev")
    assert list(places) == ["#ops"]


def test_a_log_that_is_another_one(places: Memberships) -> None:
    places.restart("#dev")
    assert (places.last("#dev"), places.seen()) == (0, {"#dev": 0})
    assert places.hear(message(1), "alice")


def test_who_came_and_went_meanwhile(places: Memberships) -> None:
    places.hear(e.Joined("#dev", "carol"), "alice")
    places.hear(e.Renamed("bob", "Robert"), "alice")
    assert not places.hear(e.Joined("#elsewhere", "dave"), "alice")
    state = there("ALICE", "robert", "erin")
    assert places.compare(state, "alice") == [e.Left("#dev", "carol"), e.Joined("#dev", "erin"), state]
    places.hear(e.Left("#dev", "ERIN"), "alice")
    assert places.compare(there("alice", "robert"), "alice") == [there("alice", "robert")]


def test_what_is_said_to_us_alone_goes_by_our_nick(places: Memberships) -> None:
    assert [places.hear(message(3, "@Alice"), "alice") for _ in range(2)] == [True, False]
    assert [places.hear(message(1, "@bob"), "alice") for _ in range(2)] == [True, True], "our own words"
    assert places.take(message(3, "@alice"))
    assert places.inbox.seen == Mark(nick="alice", id=3, ms=3)
    places.hear(e.Renamed("alice", "ALICE"), "alice")
    assert places.inbox.heard.id == 3
    places.hear(e.Renamed("bob", "robert"), "ALICE")
    assert places.inbox.heard.id == 3
    places.hear(e.Renamed("ALICE", "alicia"), "ALICE")
    assert places.inbox.heard == Mark(nick="alicia")


def test_what_the_program_takes_late_is_none_of_the_new_log(places: Memberships) -> None:
    old = [e.Message(target="#dev", id=number, ms=number, nick="bob", text="x") for number in (8, 9, 10)]
    new = [
        e.Message(target="#dev", id=number, ms=number + 50, nick="bob", text="x") for number in range(1, 12)
    ]
    for event in old:
        places.hear(event, "alice")
    assert places.restart("#dev") == 7
    places.begin_anew("#dev")
    assert all(places.hear(event, "alice") for event in new)
    assert [places.take(event) for event in old] == [False, False, False]
    assert (places.take(new[0]), places.seen()) == (True, {"#dev": 1})


def test_what_was_taken_in_front_of_a_gap_counts(places: Memberships) -> None:
    places.hear(message(8), "alice")
    places.hear(e.Gap("#dev", 9, 10), "alice")
    assert places.take(message(8))
    assert places.seen() == {"#dev": 8}


def test_what_is_none_of_our_rooms_is_no_reason_to_fail(places: Memberships) -> None:
    for event in (message(1, "#other"), e.Gap("#other", 1, 2), e.Failure("x", "y")):
        assert places.hear(event, "alice")
    assert list(places) == ["#dev"]


def test_a_roll_is_complete_when_all_are_named() -> None:
    roll = Roll("#dev")
    assert roll.add(e.NameList("#dev", ("alice",))) is None, "a room is described first"
    assert roll.add(e.RoomInfo("#dev", 3, 0, "lunch")) is None
    assert roll.add(e.NameList("#dev", ("alice", "bob"))) is None
    assert roll.add(message(1)) is None
    assert roll.add(e.NameList("#dev", ("carol",))) == RoomState("#dev", ("alice", "bob", "carol"), "lunch")
    assert roll.add(e.RoomInfo("#dev", 1, 0, "")) is None
    assert roll.add(e.NameList("#dev", ("alice",))) == there("alice"), "the answer was given anew"
