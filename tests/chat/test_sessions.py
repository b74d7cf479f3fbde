"""Connections that break, are replaced, return: the person stays the same."""

import pytest

from tests.chat.desk import Desk, secret
from triochat.chat import Departure, Limits
from triochat.protocol import events as e


def hello(session: int, nick: str = "whoever") -> str:
    return f"@hi NICK {nick} triochat/1 session={secret(session)}"


@pytest.fixture
def two(desk: Desk) -> Desk:
    """Alice (1) and bob (2) are in #dev."""
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    return desk


WELCOME = ["@hi WELCOME bob test.server", "@hi OK"]

# --- grace --------------------------------------------------------------------------------------


def test_nobody_is_told_of_a_broken_connection_until_the_grace_is_over(two: Desk) -> None:
    two.now = 100.0
    two.ask(2, Departure("connection reset"))
    assert two.hub.next_deadline == 130.0
    assert two.hub.statistics() == {"people": 2, "held": 1, "connected": 1, "rooms": 1}
    two.later(29.9)
    assert two.news(1) == []
    assert two.names(1, "#dev") == ["alice", "bob"]
    two.later(0.1)
    assert two.news(1) == ["LEFT #dev bob :connection reset"]
    assert two.hub.statistics() == {"people": 1, "held": 0, "connected": 1, "rooms": 1}


def test_while_nobody_is_held_there_is_no_deadline(two: Desk) -> None:
    assert two.hub.next_deadline is None
    two.ask(2, Departure())
    two.later(30)
    assert two.hub.next_deadline is None


def test_the_nick_stays_taken_until_the_grace_is_over(two: Desk) -> None:
    two.ask(2, Departure())
    assert two.ask(3, hello(3, "BOB")) == ["@hi ERROR nick-in-use", "NICK"]
    assert two.ask(1, "@n NICK bob") == ["@n ERROR nick-in-use"]
    two.now += 30
    assert two.ask(3, hello(3, "BOB")) == ["@hi WELCOME BOB test.server", "@hi OK"]
    assert two.news(1) == ["LEFT #dev bob"]


def test_a_session_that_returns_too_late_is_new(two: Desk) -> None:
    two.ask(2, Departure())
    two.now += 30
    assert two.ask(3, hello(2, "rob")) == ["@hi WELCOME rob test.server", "@hi OK"]
    assert two.names(1, "#dev") == ["alice"]


def test_who_returns_in_time_has_its_nick_and_rooms_and_nobody_is_told(two: Desk) -> None:
    two.ask(2, "NICK robert", Departure())
    two.ask(1, "MSG #dev :hello")
    two.forget()
    two.later(29)
    assert two.ask(3, hello(2)) == ["@hi WELCOME robert test.server", "@hi OK"]
    assert two.hub.next_deadline is None
    two.later(60)
    assert two.news(1) == []
    assert two.names(1, "#dev") == ["alice", "robert"]
    assert two.ask(3, "@j JOIN #dev after=0") == [
        "@j ROOM #dev 2 1",
        "@j NAMES #dev alice robert",
        "@j MSG #dev 1 1000 alice :hello",
        "@j OK 1",
    ]
    assert two.news(1) == []


def test_until_it_joins_again_it_gets_no_entries_or_there_would_be_a_hole(two: Desk) -> None:
    two.ask(2, Departure())
    two.ask(1, "MSG #dev :missed")
    two.ask(3, hello(2))
    two.forget()
    two.ask(1, "MSG #dev :not yet", "NICK alicia")
    assert two.news(3) == ["RENAMED alice alicia"], "but it hears of comings and goings"
    assert two.ask(3, "@m MSG #dev :mine") == ["@m OK 3"]
    assert two.ask(3, "@j JOIN #dev after=1")[2:] == [
        "@j MSG #dev 2 1000 alice :not yet",
        "@j MSG #dev 3 1000 bob :mine",
        "@j OK 3",
    ]


def test_who_is_alone_and_has_not_joined_again_is_acknowledged_all_the_same(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, Departure())
    desk.ask(2, hello(1))
    desk.forget()
    assert desk.ask(2, "@m MSG #dev :hello") == ["@m OK 1"]


def test_a_session_has_no_case(two: Desk) -> None:
    two.enter(3, "carol", session=0xABC)
    two.ask(3, Departure())
    assert two.ask(4, e.Hello("x", secret(0xABC).upper())) == ["WELCOME carol test.server"]


def test_the_held_gets_nothing(two: Desk) -> None:
    two.ask(2, Departure())
    two.ask(1, "MSG #dev :hello", "NICK alicia", "TOPIC #dev :topic")
    assert two.news(2) == []


def test_several_are_held_each_for_its_time(two: Desk) -> None:
    two.enter(3, "carol", "#dev")
    two.ask(2, Departure())
    two.later(10)
    two.ask(3, Departure())
    two.later(10)
    two.ask(4, hello(2))
    two.ask(4, Departure())
    assert two.hub.next_deadline == 40.0
    two.later(20)
    assert two.news(1) == ["LEFT #dev carol"]
    assert two.hub.next_deadline == 50.0
    two.later(100)
    assert two.news(1) == ["LEFT #dev bob"]


def test_all_who_are_overdue_leave_at_once(two: Desk) -> None:
    two.enter(3, "carol", "#dev")
    two.batch(two.submit(2, Departure()), two.submit(3, Departure()))
    two.later(30)
    assert two.news(1) == ["LEFT #dev bob", "LEFT #dev carol"]


def test_the_room_of_the_held_stays_and_goes_with_it(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, Departure())
    assert desk.hub.statistics()["rooms"] == 1
    desk.later(30)
    assert desk.hub.statistics() == {"people": 0, "held": 0, "connected": 0, "rooms": 0}


def test_quitting_leaves_at_once(two: Desk) -> None:
    two.ask(2, "QUIT")
    assert two.news(1) == ["LEFT #dev bob"]
    assert two.hub.next_deadline is None
    two.ask(2, Departure())
    assert two.hub.next_deadline is None
    assert two.ask(3, hello(2, "new")) == ["@hi WELCOME new test.server", "@hi OK"]


def test_without_a_session_a_broken_connection_is_the_end(two: Desk) -> None:
    two.ask(3, e.Hello("carol"), "JOIN #dev")
    two.forget()
    two.ask(3, Departure("gone"))
    assert two.news(1) == ["LEFT #dev carol :gone"]


def test_without_grace_as_well() -> None:
    desk = Desk(Limits(grace=0))
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.ask(2, Departure())
    assert desk.news(1) == ["LEFT #dev bob"]


def test_departing_twice(two: Desk) -> None:
    two.ask(2, Departure(), Departure())
    two.later(10)
    two.ask(2, Departure())
    assert two.hub.next_deadline == 30.0


def test_departing_and_returning_in_one_batch(two: Desk) -> None:
    two.batch(
        two.submit(1, "MSG #dev :seen"),
        two.submit(2, Departure()),
        two.submit(1, "MSG #dev :missed"),
        two.submit(3, hello(2)),
        two.submit(1, "MSG #dev :not yet"),
    )
    assert two.news(2) == ["MSG #dev 1 1000 alice :seen"]
    assert two.news(3) == WELCOME
    assert two.ask(3, "@j JOIN #dev after=1")[2:] == [
        "@j MSG #dev 2 1000 alice :missed",
        "@j MSG #dev 3 1000 alice :not yet",
        "@j OK 3",
    ]
    assert not any("bob" in line for line in two.news(1))
    assert two.hub.next_deadline is None


# --- taking the place ---------------------------------------------------------------------------


def test_a_second_connection_takes_the_place_of_the_first(two: Desk) -> None:
    assert two.ask(3, hello(2)) == WELCOME
    assert two.news(2) == ["BYE :replaced"]
    assert two.dismissed == [2]
    assert two.news(1) == []
    assert two.hub.statistics() == {"people": 2, "held": 0, "connected": 2, "rooms": 1}


def test_the_old_connection_is_not_heard_any_more(two: Desk) -> None:
    two.batch(
        two.submit(2, "@a MSG #dev :before"),
        two.submit(3, hello(2)),
        two.submit(2, "@b MSG #dev :behind", "NICK other", "PART #dev", "QUIT", Departure()),
    )
    two.batch(two.submit(2, "JOIN #ops"), two.submit(2, Departure()))
    assert two.news(2) == ["MSG #dev 1 1000 bob :before", "@a OK 1", "BYE :replaced"]
    assert two.news(3) == WELCOME
    assert two.news(1) == ["MSG #dev 1 1000 bob :before"]
    assert two.hub.next_deadline is None
    assert two.names(3, "#dev") == ["alice", "bob"]


def test_two_of_one_session_in_one_batch(desk: Desk) -> None:
    desk.batch(desk.submit(1, hello(7, "alice")), desk.submit(2, hello(7, "other")))
    assert desk.news(1) == ["@hi WELCOME alice test.server", "@hi OK", "BYE :replaced"]
    assert desk.news(2) == ["@hi WELCOME alice test.server", "@hi OK"]
    assert desk.hub.statistics()["people"] == 1


def test_who_asks_not_to_replace_is_refused_while_the_other_is_there(two: Desk) -> None:
    polite = f"{hello(2)} takeover=no"
    assert two.ask(3, polite) == ["@hi ERROR nick-in-use", "NICK"]
    assert two.news(2) == []
    assert two.names(1, "#dev") == ["alice", "bob"]
    two.ask(2, Departure())
    assert two.ask(3, polite) == WELCOME
    assert two.ask(4, f"{hello(4, 'carol')} takeover=no")[0] == "@hi WELCOME carol test.server"


def test_who_was_replaced_twice_is_the_same_still(two: Desk) -> None:
    two.batch(two.submit(3, hello(2)), two.submit(4, hello(2)))
    assert two.dismissed == [2, 3]
    assert two.news(3) == [*WELCOME, "BYE :replaced"]
    two.ask(4, "JOIN #dev")
    two.forget()
    two.ask(1, "MSG #dev :hello")
    assert two.all_news(2, 3, 4) == [[], [], ["MSG #dev 1 1000 alice :hello"]]


def test_a_message_is_acknowledged_to_whom_sent_it_again(two: Desk) -> None:
    two.batch(two.submit(2, "@m MSG #dev :hello"), two.submit(3, hello(2)))
    two.forget()
    assert two.ask(3, "@m MSG #dev :hello") == ["@m OK 1"]
    assert two.news(1) == []


def test_a_nick_alone_takes_no_place(two: Desk) -> None:
    assert two.ask(3, hello(9, "bob")) == ["@hi ERROR nick-in-use", "NICK"]
    assert two.news(2) == []
    assert two.dismissed == []
