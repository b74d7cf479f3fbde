"""Joining, leaving, being in rooms; what becomes of rooms that nobody is in."""

import pytest

from tests.chat.desk import Desk, Said
from triochat.chat import Departure, Limits
from triochat.protocol import events as e

# --- joining ------------------------------------------------------------------------------------


def test_the_answer_describes_the_room_and_the_others_are_told(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, "TOPIC #dev :the topic", "MSG #dev :hello")
    desk.enter(2, "bob")
    assert desk.ask(2, "@j JOIN #dev") == [
        "@j ROOM #dev 2 2 :the topic",
        "@j NAMES #dev alice bob",
        "@j OK 2",
    ]
    assert desk.news(1) == ["JOINED #dev bob"]


def test_without_a_tag_there_is_no_ok(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "JOIN #dev") == ["ROOM #dev 1 0", "NAMES #dev alice"]
    assert desk.ask(1, "JOIN #dev after=0") == ["ROOM #dev 1 0", "NAMES #dev alice"]


def test_room_names_have_no_case(desk: Desk) -> None:
    desk.enter(1, "alice", "#Dev")
    assert desk.ask(1, "@m MSG #DEV :hello") == ["MSG #dev 1 1000 alice :hello", "@m OK 1"]


def test_joining_twice_gives_the_answer_twice_and_nobody_is_told_twice(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    assert desk.ask(2, "@j JOIN #dev") == ["@j ROOM #dev 2 0", "@j NAMES #dev alice bob", "@j OK 0"]
    assert desk.news(1) == []
    desk.ask(1, "MSG #dev :once")
    assert desk.news(2) == ["MSG #dev 1 1000 alice :once"]


def test_the_answer_comes_before_any_live_frame_and_behind_what_was_before(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    desk.enter(3, "carol")
    desk.batch(
        desk.submit(1, "MSG #dev :before"),
        desk.submit(2, "@j JOIN #dev"),
        desk.submit(3, "JOIN #dev"),
        desk.submit(1, "TOPIC #dev :behind"),
    )
    assert desk.news(2) == [
        "@j ROOM #dev 2 1",
        "@j NAMES #dev alice bob",
        "@j OK 1",
        "JOINED #dev carol",
        "TOPIC #dev 2 1000 alice :behind",
    ]
    assert desk.news(1) == [
        "MSG #dev 1 1000 alice :before",
        "JOINED #dev bob",
        "JOINED #dev carol",
        "TOPIC #dev 2 1000 alice :behind",
    ]


@pytest.mark.parametrize("joined", [False, True])
def test_what_is_said_right_behind_it_comes_behind_it(desk: Desk, *, joined: bool) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", *["#dev"] * joined)
    desk.forget()
    desk.batch(desk.submit(1, "MSG #dev :1"), desk.submit(2, "@j JOIN #dev"), desk.submit(1, "MSG #dev :2"))
    assert desk.news(2) == [
        *["MSG #dev 1 1000 alice :1"] * joined,
        "@j ROOM #dev 2 1",
        "@j NAMES #dev alice bob",
        "@j OK 1",
        "MSG #dev 2 1000 alice :2",
    ]


def test_many_names_come_in_several_frames_that_all_fit(desk: Desk) -> None:
    longest = [f"{number:03}".rjust(32, "n") for number in range(1, 251)]
    for client, nick in enumerate(longest, 1):
        desk.enter(client, nick, "#" + "r" * 32)
    tag = "t" * 32
    frames = desk.ask(1, f"@{tag} NAMES #{'r' * 32}")
    assert frames.pop() == f"@{tag} OK"
    assert [nick for names in frames for nick in names.split()[3:]] == longest
    assert len(frames) == 3
    assert all(len(names) < 8192 for names in frames)
    room, *names, ok = desk.ask(1, f"@{tag} JOIN #{'r' * 32}")
    assert (room, names, ok) == (f"@{tag} ROOM #{'r' * 32} 250 0", frames, f"@{tag} OK 0")


def test_one_may_be_in_so_many_rooms() -> None:
    desk = Desk(Limits(rooms_each=2))
    desk.enter(1, "alice", "#a", "#b")
    assert desk.ask(1, "@j JOIN #c") == ["@j ERROR too-many-rooms"]
    assert desk.hub.statistics()["rooms"] == 2
    assert desk.ask(1, "@j JOIN #b")[-1] == "@j OK 0", "who is in a room may join it again"
    desk.ask(1, "PART #a")
    assert desk.ask(1, "@j JOIN #c")[-1] == "@j OK 0"


def test_there_may_be_so_many_rooms() -> None:
    desk = Desk(Limits(rooms=2))
    desk.enter(1, "alice", "#a")
    desk.enter(2, "bob", "#b")
    assert desk.ask(1, "@j JOIN #c after=0") == ["@j ERROR too-many-rooms"]
    assert desk.ask(1, "@n NAMES #c") == ["@n ERROR no-such-room"], "it was not made"
    assert desk.ask(1, "@j JOIN #b")[-1] == "@j OK 0"
    assert desk.ask(1, "@j JOIN #lobby")[-1] == "@j OK 0", "except the lobby"


# --- leaving ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "told"), [("", "LEFT #dev bob"), (" :so long", "LEFT #dev bob :so long")])
def test_leaving(desk: Desk, reason: str, told: str) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev", "#ops")
    assert desk.ask(2, f"@p PART #dev{reason}") == ["@p OK"]
    assert desk.news(1) == [told]
    desk.ask(1, "MSG #dev :still here?")
    assert desk.news(2) == []
    assert desk.names(2, "#ops") == ["bob"]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("PART #dev", "not-in-room"),
        ("MSG #dev :hello", "not-in-room"),
        ("TOPIC #dev :topic", "not-in-room"),
        ("PART #none", "no-such-room"),
        ("MSG #none :hello", "no-such-room"),
        ("TOPIC #none :topic", "no-such-room"),
        ("TOPIC #none", "no-such-room"),
        ("NAMES #none", "no-such-room"),
        ("HISTORY #none", "no-such-room"),
    ],
)
def test_what_one_may_not_do_from_outside(desk: Desk, asked: str, code: str) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    assert desk.ask(2, f"@t {asked}") == [f"@t ERROR {code}"]
    assert desk.ask(2, asked) == [f"ERROR {code}"], "an untagged request hears of its failure as well"
    assert desk.news(1) == []
    assert desk.hub.statistics()["rooms"] == 1


def test_leaving_twice_in_one_batch(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    assert desk.ask(2, "@p PART #dev", "@q PART #dev") == ["@p OK", "@q ERROR not-in-room"]
    assert desk.news(1) == ["LEFT #dev bob"]


def test_who_leaves_still_sees_what_came_before_and_nothing_of_what_comes_behind(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.batch(
        desk.submit(1, "@a MSG #dev :before"),
        desk.submit(2, "@b MSG #dev :bye", "@p PART #dev"),
        desk.submit(1, "@c MSG #dev :behind"),
    )
    assert desk.news(2) == [
        "MSG #dev 1 1000 alice :before",
        "MSG #dev 2 1000 bob :bye",
        "@b OK 2",
        "@p OK",
    ]
    assert desk.news(1) == [
        "MSG #dev 1 1000 alice :before",
        "MSG #dev 2 1000 bob :bye",
        "@a OK 1",
        "LEFT #dev bob",
        "MSG #dev 3 1000 alice :behind",
        "@c OK 3",
    ]


def test_quitting_leaves_every_room_at_once(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#ops")
    desk.enter(2, "bob", "#ops", "#dev")
    assert desk.ask(2, "@q QUIT :so long", "@m MSG #dev :unheard") == ["@q BYE :you quit"]
    assert desk.news(1) == ["LEFT #ops bob :so long", "LEFT #dev bob :so long"]
    assert desk.dismissed == [2]
    assert desk.hub.statistics() == {"people": 1, "held": 0, "connected": 1, "rooms": 2}
    assert desk.ask(2, Departure()) == []
    assert desk.news(1) == []


def test_what_was_said_before_quitting_is_answered_before_the_goodbye(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    assert desk.ask(1, "@m MSG @bob :bye", "@q QUIT") == [
        "MSG @bob 1 1000 alice :bye",
        "@m OK 1",
        "@q BYE :you quit",
    ]
    assert desk.news(2) == ["MSG @bob 1 1000 alice :bye"]


# --- rooms that nobody is in --------------------------------------------------------------------

LEAVING: list[Said] = ["PART #dev", "QUIT", Departure()]


@pytest.mark.parametrize("leaving", LEAVING, ids=str)
def test_a_room_vanishes_with_the_last_one(leaving: Said) -> None:
    desk = Desk(Limits(grace=0))
    desk.enter(1, "alice", "#dev")
    desk.ask(1, leaving)
    assert desk.hub.statistics()["rooms"] == 0


@pytest.mark.parametrize("leaving", LEAVING, ids=str)
@pytest.mark.parametrize("said", ["MSG #dev :hello", "TOPIC #dev :topic"])
@pytest.mark.parametrize("together", [False, True])
def test_a_room_stays_if_something_was_said_in_it(leaving: Said, said: str, *, together: bool) -> None:
    desk = Desk(Limits(grace=0))
    desk.enter(1, "alice", "#dev")
    if together:
        desk.ask(1, said, leaving)
    else:
        desk.ask(1, said)
        desk.ask(1, leaving)
    desk.batch()
    assert desk.hub.statistics()["rooms"] == 1
    desk.enter(2, "bob")
    assert desk.ask(2, "@r ROOMS")[0].startswith("@r ROOM #dev 0 1")
    assert desk.ask(2, "@n NAMES #dev") == ["@n OK"]
    desk.ask(2, "JOIN #dev")
    assert desk.ask(2, "@m MSG #dev :on") == ["MSG #dev 2 1000 bob :on", "@m OK 2"]


def test_a_room_that_was_left_and_entered_anew_in_one_batch(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.batch(desk.submit(1, "@p PART #dev", "@j JOIN #dev"))
    assert desk.news(1) == ["@p OK", "@j ROOM #dev 1 0", "@j NAMES #dev alice", "@j OK 0"]
    assert desk.ask(1, "@m MSG #dev :hello") == ["MSG #dev 1 1000 alice :hello", "@m OK 1"]


def test_a_room_in_which_nothing_could_be_kept_vanishes(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.journal_is_down = True
    assert desk.ask(1, "@m MSG #dev :hello", "@p PART #dev") == ["@m ERROR unavailable", "@p OK"]
    desk.batch()
    assert desk.hub.statistics()["rooms"] == 0


def test_a_room_in_which_nothing_could_be_kept_stays_while_somebody_is_in_it(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.journal_is_down = True
    desk.batch(desk.submit(1, "MSG #dev :hello", "PART #dev", "JOIN #dev"))
    desk.journal_is_down = False
    desk.batch()
    assert desk.names(1, "#dev") == ["alice"]
    desk.ask(1, "PART #dev")
    assert desk.hub.statistics()["rooms"] == 0


def test_rooms_are_remembered_by_the_journal(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#unused")
    desk.ask(1, "TOPIC #dev :the topic", "MSG #dev :hello", "MSG @alice :a note")
    again = Desk(journal=desk.journal)
    again.enter(1, "bob")
    assert again.ask(1, "@r ROOMS") == ["@r ROOM #dev 0 2 :the topic", "@r OK"]
    again.ask(1, "JOIN #dev")
    assert again.ask(1, "@m MSG #dev :hello") == ["MSG #dev 3 1000 bob :hello", "@m OK 3"]
    again.ask(1, "PART #dev")
    assert again.hub.statistics()["rooms"] == 1


# --- text ---------------------------------------------------------------------------------------


def test_a_person_moves_from_room_to_room(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby", "#dev")
    desk.ask(1, "MSG #dev :hello")
    desk.enter_as_text(2, "bob")
    assert desk.ask(2, "/join #dev") == [
        "JOINED #dev bob",
        "@history MSG #dev 1 1000 alice :hello",
        "@history OK 1",
    ]
    assert desk.news(1) == ["LEFT #lobby bob", "JOINED #dev bob"]
    assert desk.ask(2, "hi all") == ["MSG #dev 2 1000 bob :hi all"]
    assert desk.names(1, "#lobby") == ["alice"]


def test_a_person_is_told_that_it_is_there_already(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter_as_text(2, "bob")
    assert desk.ask(2, "/join #lobby") == ["NOTICE"]
    assert desk.news(1) == []


def test_a_person_that_may_not_go_on_stays_where_it_is() -> None:
    desk = Desk(Limits(rooms=1))
    desk.enter_as_text(1, "alice")
    assert desk.ask(1, "/join #dev") == ["ERROR too-many-rooms"]
    assert desk.ask(1, "hello") == ["MSG #lobby 1 1000 alice :hello"]


def test_a_person_may_be_in_one_room_whatever_others_may() -> None:
    desk = Desk(Limits(rooms_each=1))
    desk.enter_as_text(1, "alice")
    assert desk.ask(1, "/join #dev")[0] == "JOINED #dev alice"


def test_the_room_that_a_person_leaves_vanishes(desk: Desk) -> None:
    desk.enter_as_text(1, "alice", "#dev")
    assert desk.hub.statistics()["rooms"] == 1
    desk.ask(1, "/quit")
    assert desk.hub.statistics()["rooms"] == 0


def test_a_person_sees_the_room_it_leaves_no_more(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter_as_text(2, "bob", "#dev")
    desk.ask(1, "MSG #lobby :hello")
    assert desk.news(2) == []


@pytest.mark.parametrize(
    "asked",
    [
        e.Say(None, "hi"),
        e.GetTopic(None),
        e.SetTopic(None, "t"),
        e.ListNames(None),
        e.ReadHistory(None),
        e.Part(None),
    ],
    ids=str,
)
def test_who_is_in_no_room_can_mean_none(desk: Desk, asked: e.Request) -> None:
    desk.enter_as_text(1, "alice")
    assert desk.ask(1, e.Part(None), asked) == ["ERROR not-in-room"]
