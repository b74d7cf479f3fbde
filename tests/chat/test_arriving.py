"""The hello: who may be called what."""

import pytest

from tests.chat.desk import Desk, secret
from triochat.chat import Departure, Limits, Submission
from triochat.protocol import events as e


def hello(nick: str, session: int = 1) -> str:
    return f"@hi NICK {nick} triochat/1 session={secret(session)}"


# --- framed -------------------------------------------------------------------------------------


def test_a_welcome(desk: Desk) -> None:
    assert desk.ask(1, hello("Alice")) == ["@hi WELCOME Alice test.server", "@hi OK"]
    assert desk.hub.statistics() == {"people": 1, "held": 0, "connected": 1, "rooms": 0}


def test_a_hello_without_a_tag_gets_no_ok(desk: Desk) -> None:
    assert desk.ask(1, f"NICK alice triochat/1 session={secret(1)}") == ["WELCOME alice test.server"]


def test_without_a_session(desk: Desk) -> None:
    assert desk.ask(1, e.Hello("alice", tag="hi")) == ["@hi WELCOME alice test.server", "@hi OK"]


def test_one_is_in_no_room_at_first(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "@r ROOMS") == ["@r OK"]


@pytest.mark.parametrize("nick", ["alice", "Alice", "ALICE"])
def test_a_nick_is_taken_without_regard_to_case(desk: Desk, nick: str) -> None:
    desk.enter(1, "Alice")
    assert desk.ask(2, hello(nick, 2)) == ["@hi ERROR nick-in-use", "NICK"]
    assert desk.ask(2, hello("bob", 2)) == ["@hi WELCOME bob test.server", "@hi OK"]
    assert desk.news(1) == []


def test_a_refused_hello_leaves_nothing_behind(desk: Desk) -> None:
    desk.enter(1, "alice")
    before = desk.hub.statistics()
    desk.ask(2, hello("alice", 2))
    assert desk.hub.statistics() == before
    assert desk.ask(2, "@j JOIN #dev", "@m MSG #dev :hello", Departure()) == []
    assert desk.hub.statistics() == before


def test_two_want_one_nick_in_one_batch(desk: Desk) -> None:
    desk.batch(desk.submit(1, hello("alice", 1)), desk.submit(2, hello("ALICE", 2)))
    assert desk.news(1) == ["@hi WELCOME alice test.server", "@hi OK"]
    assert desk.news(2) == ["@hi ERROR nick-in-use", "NICK"]


def test_a_nick_is_free_again_in_the_batch_in_which_it_is_given_up(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.batch(desk.submit(1, "QUIT"), desk.submit(2, hello("alice", 2)))
    assert desk.news(2) == ["@hi WELCOME alice test.server", "@hi OK"]


def test_a_second_hello_is_not_allowed(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, hello("bob", 1)) == ["@hi ERROR not-allowed"]
    assert desk.ask(1, hello("bob", 2)) == ["@hi ERROR not-allowed"]
    assert desk.names(1, "#dev") == ["alice"]
    assert desk.hub.statistics()["people"] == 1


def test_nothing_is_said_to_a_newcomer_before_its_welcome(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.batch(desk.submit(2, hello("bob", 2)), desk.submit(1, "MSG @bob :hello"))
    assert desk.news(2) == [
        "@hi WELCOME bob test.server",
        "@hi OK",
        "MSG @bob 1 1000 alice :hello",
    ]


@pytest.mark.parametrize(
    "request_",
    [
        "NICK alice",
        "JOIN #dev",
        "PART #dev",
        "MSG #dev :hello",
        "MSG @bob :hello",
        "TOPIC #dev",
        "TOPIC #dev :topic",
        "NAMES #dev",
        "ROOMS",
        "HISTORY #dev",
        "SEARCH #dev :word",
        "PING :token",
        "PONG :token",
        "QUIT",
        e.Help(),
        Departure(),
    ],
    ids=str,
)
def test_nobody_hears_a_stranger(desk: Desk, request_: str | e.Request | Departure) -> None:
    desk.enter(2, "bob", "#dev")
    before = desk.hub.statistics()
    assert desk.ask(1, request_) == []
    assert desk.news(2) == []
    assert desk.hub.statistics() == before


# --- text ---------------------------------------------------------------------------------------


def test_a_person_enters_the_lobby_and_everyone_there_is_told(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter(2, "carol", "#dev")
    assert desk.greet(3, "bob") == ["JOINED #lobby bob", "WELCOME bob test.server", "@history OK 0"]
    assert desk.all_news(1, 2) == [["JOINED #lobby bob"], []]


def test_a_person_is_shown_the_last_messages(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.ask(1, *(f"MSG #lobby :{number}" for number in range(1, 24)))
    seen = desk.greet(2, "bob")
    assert seen == [
        "JOINED #lobby bob",
        "WELCOME bob test.server",
        *(f"@history MSG #lobby {number} 1000 alice :{number}" for number in range(4, 24)),
        "@history OK 23",
    ]


def test_nothing_is_said_to_a_person_before_its_welcome(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.people_who_see_lines.add(2)
    desk.batch(desk.submit(2, e.Hello("bob")), desk.submit(1, "MSG @bob :hello", "MSG #lobby :all"))
    desk.run_errands(2)
    assert desk.news(2) == [
        "JOINED #lobby bob",
        "WELCOME bob test.server",
        "MSG @bob 1 1000 alice :hello",
        "@history MSG #lobby 1 1000 alice :all",
        "@history OK 1",
    ]


@pytest.mark.parametrize("nick", ["alice", "ALICE"])
def test_a_person_whose_nick_is_taken_is_asked_again(desk: Desk, nick: str) -> None:
    desk.enter(1, "Alice", "#lobby")
    assert desk.greet(2, nick) == ["ERROR nick-in-use", "NICK"]
    assert desk.news(1) == []
    assert desk.greet(2, "bob")[1] == "WELCOME bob test.server"


def test_who_cannot_be_asked_again_gets_a_free_variant(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "ALICE3")
    variants = [desk.greet(client, "Alice", adapt=True)[1] for client in (3, 4, 5)]
    assert variants == [f"WELCOME Alice{number} test.server" for number in (2, 4, 5)]


def test_who_need_not_be_asked_again_keeps_its_nick(desk: Desk) -> None:
    assert desk.greet(1, "alice", adapt=True)[1] == "WELCOME alice test.server"


def test_a_variant_of_the_longest_nick_is_no_longer_than_that(desk: Desk) -> None:
    nick = "a" * 32
    desk.enter(1, nick)
    welcomes = [desk.greet(client, nick, adapt=True)[1].split()[1] for client in range(2, 12)]
    assert welcomes == [
        *("a" * 31 + str(number) for number in range(2, 10)),
        "a" * 30 + "10",
        "a" * 30 + "11",
    ]


def test_a_variant_avoids_who_is_held(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "alice2")
    desk.ask(2, Departure())
    assert desk.greet(3, "alice", adapt=True)[1] == "WELCOME alice3 test.server"


def test_the_lobby_is_there_though_there_are_no_more_rooms() -> None:
    desk = Desk(Limits(rooms=1))
    desk.enter(1, "alice", "#dev")
    assert desk.greet(2, "bob")[0] == "JOINED #lobby bob"


def test_a_person_has_no_session_to_return_with(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter_as_text(2, "bob")
    desk.ask(2, Departure("gone"))
    assert desk.news(1) == ["LEFT #lobby bob :gone"]
    assert desk.hub.next_deadline is None


def test_an_empty_submission_is_nothing(desk: Desk) -> None:
    desk.batch(Submission(1, []))
    desk.batch()
    assert desk.events == {}
