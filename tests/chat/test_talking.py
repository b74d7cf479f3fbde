"""Messages in rooms: kept, in one order, then acknowledged, once."""

from tests.chat.desk import Desk, secret
from triochat.chat import Departure
from triochat.journal import MemoryJournal
from triochat.protocol import events as e

# --- messages -----------------------------------------------------------------------------------


def test_everyone_in_the_room_gets_a_message_and_its_sender_then_the_ok(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.enter(3, "carol", "#ops")
    assert desk.ask(1, "@m MSG #dev :hello") == ["MSG #dev 1 1000 alice :hello", "@m OK 1"]
    assert desk.all_news(2, 3) == [["MSG #dev 1 1000 alice :hello"], []]


def test_without_a_tag_the_echo_is_all(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, "MSG #dev :hello") == ["MSG #dev 1 1000 alice :hello"]


def test_each_room_counts_for_itself(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#ops")
    seen = desk.ask(1, *(f"@m{number} MSG {room} :x" for number, room in enumerate(["#dev", "#ops", "#dev"])))
    assert [line for line in seen if " OK " in line] == ["@m0 OK 1", "@m1 OK 1", "@m2 OK 2"]


def test_a_batch_has_one_order_for_all(desk: Desk) -> None:
    for client, nick in enumerate(["alice", "bob", "carol"], 1):
        desk.enter(client, nick, "#dev")
    desk.batch(
        desk.submit(1, "@a MSG #dev :one", "@b MSG #dev :two"),
        desk.submit(2, "@c MSG #dev :three"),
        desk.submit(1, "@d MSG #dev :four"),
    )
    order = [
        "MSG #dev 1 1000 alice :one",
        "MSG #dev 2 1000 alice :two",
        "MSG #dev 3 1000 bob :three",
        "MSG #dev 4 1000 alice :four",
    ]
    assert desk.all_news(1, 2, 3) == [
        [*order, "@a OK 1", "@b OK 2", "@d OK 4"],
        [*order, "@c OK 3"],
        order,
    ]


def test_the_clock_is_told_and_never_goes_back(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ms = 5000
    assert desk.ask(1, "MSG #dev :a") == ["MSG #dev 1 5000 alice :a"]
    desk.ms = 4000
    assert desk.ask(1, "MSG #dev :b") == ["MSG #dev 2 5000 alice :b"]
    desk.ms = 5001
    assert desk.ask(1, "MSG #dev :c") == ["MSG #dev 3 5001 alice :c"]


def test_a_person_speaks_in_the_room_it_is_in(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter_as_text(2, "bob")
    assert desk.ask(2, "hello") == ["MSG #lobby 1 1000 bob :hello"]
    assert desk.news(1) == ["MSG #lobby 1 1000 bob :hello"]
    desk.ask(1, "MSG #lobby :hi")
    assert desk.news(2) == ["MSG #lobby 2 1000 alice :hi"]


def test_a_text_is_kept_as_it_was_said(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, r"MSG #dev :two\nlines \u2603") == [r"MSG #dev 1 1000 alice :two\nlines \u2603"]


def test_a_room_that_the_journal_has_no_place_for() -> None:
    desk = Desk(journal=MemoryJournal(max_rooms=1))
    desk.enter(1, "alice", "#dev", "#ops")
    said = desk.ask(1, "@a MSG #dev :hello", "@b MSG #ops :hello", "@c MSG #dev :again")
    assert [line for line in said if line.startswith("@")] == ["@a OK 1", "@b ERROR unavailable", "@c OK 2"]
    desk.ask(1, "PART #ops")
    assert desk.hub.statistics()["rooms"] == 1


def test_what_needs_no_room_is_kept_though_there_is_no_place_for_more_rooms() -> None:
    desk = Desk(journal=MemoryJournal(max_rooms=1))
    desk.enter(1, "alice", "#dev", "#ops")
    desk.ask(1, "MSG #dev :hello", "MSG #ops :hello")
    desk.forget()
    assert desk.ask(1, "@a MSG @alice :note") == ["MSG @alice 1 1000 alice :note", "@a OK 1"]


def test_an_empty_line_says_nothing(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter_as_text(2, "bob")
    assert desk.ask(2, "", " ") == []
    desk.batch(desk.submit(2, e.Blank(), Departure()), desk.submit(2, e.Blank()), desk.submit(3, e.Blank()))
    assert desk.news(1) == ["LEFT #lobby bob"]
    assert desk.all_news(2, 3) == [[], []]


# --- tags ---------------------------------------------------------------------------------------


def test_what_is_sent_again_is_not_said_again(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.ask(1, "@m MSG #dev :hello", "MSG #dev :between")
    desk.forget()
    assert desk.ask(1, "@m MSG #dev :hello") == ["@m OK 1"]
    assert desk.ask(1, "@m MSG #dev :other") == ["@m ERROR not-allowed"]
    assert desk.ask(1, "@m TOPIC #dev :hello") == ["@m ERROR not-allowed"]
    assert desk.ask(1, "@m MSG @bob :hello") == ["@m ERROR not-allowed"]
    assert desk.news(2) == []
    assert desk.ask(1, "@n MSG #dev :next") == ["MSG #dev 3 1000 alice :next", "@n OK 3"]


def test_twice_in_one_batch(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    said = desk.ask(1, "@m MSG #dev :hello", "@m MSG #dev :hello", "@m MSG #dev :other")
    assert said == ["MSG #dev 1 1000 alice :hello", "@m OK 1", "@m OK 1", "@m ERROR not-allowed"]


def test_another_session_has_other_tags(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.ask(1, "@m MSG #dev :hello")
    assert desk.ask(2, "@m MSG #dev :hello")[-1] == "@m OK 2"


def test_a_session_has_the_tags_of_its_former_connections(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", session=7)
    desk.ask(1, "@m MSG #dev :hello")
    desk.ask(1, "QUIT")
    desk.enter(2, "carol", "#dev", session=7)
    assert desk.ask(2, "@m MSG #dev :hello") == ["@m OK 1"]


def test_without_a_session_a_tag_is_no_identity(desk: Desk) -> None:
    desk.ask(1, e.Hello("alice"), "JOIN #dev", "@m MSG #dev :hello")
    desk.forget()
    assert desk.ask(1, "@m MSG #dev :hello") == ["MSG #dev 2 1000 alice :hello", "@m OK 2"]
    assert desk.ask(1, "@x MSG #ops :hello") == ["@x ERROR no-such-room"]


def test_what_was_kept_is_acknowledged_though_it_may_no_longer_be_said(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, "@m MSG #dev :hello", "@t TOPIC #dev :topic", "PART #dev")
    desk.forget()
    assert desk.ask(1, "@m MSG #dev :hello", "@t TOPIC #dev :topic") == ["@m OK 1", "@t OK 2"]
    assert desk.ask(1, "@m MSG #dev :other") == ["@m ERROR not-allowed"]
    assert desk.ask(1, "@new MSG #dev :hello") == ["@new ERROR not-in-room"]


def test_it_may_have_been_said_in_the_batch_in_which_its_sender_left(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    said = desk.ask(1, "@m MSG #dev :hello", "PART #dev", "@m MSG #dev :hello")
    assert said == ["MSG #dev 1 1000 alice :hello", "@m OK 1", "@m OK 1"]


def test_a_refusal_takes_no_tag(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "@m MSG #dev :hello") == ["@m ERROR no-such-room"]
    desk.ask(1, "JOIN #dev")
    assert desk.ask(1, "@m MSG #dev :hello")[-1] == "@m OK 1"


# --- when the journal is not there --------------------------------------------------------------


def test_what_could_not_be_kept_was_not_said(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.enter(3, "carol")
    desk.ask(1, "TOPIC #dev :old")
    desk.forget()
    desk.journal_is_down = True
    desk.batch(
        desk.submit(1, "@m MSG #dev :hello", "TOPIC #dev :new", "@p MSG @bob :psst", "@r MSG #none :recall"),
        desk.submit(3, "@j JOIN #dev"),
        desk.submit(1, "@n NICK alicia", "@q PING"),
    )
    assert desk.news(1) == [
        "@m ERROR unavailable",
        "ERROR unavailable",
        "@p ERROR unavailable",
        "@r ERROR unavailable",
        "JOINED #dev carol",
        "RENAMED alice alicia",
        "@n OK",
        "@q PONG",
    ]
    assert desk.news(2) == ["JOINED #dev carol", "RENAMED alice alicia"]
    assert desk.news(3) == [
        "@j ROOM #dev 3 1 :old",
        "@j NAMES #dev alice bob carol",
        "@j OK 1",
        "RENAMED alice alicia",
    ]
    desk.journal_is_down = False
    assert desk.ask(1, "@m MSG #dev :hello") == ["MSG #dev 2 1000 alicia :hello", "@m OK 2"]


def test_a_private_message_that_could_not_be_kept_was_not_missed(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob", session=2)
    desk.ask(2, Departure())
    desk.journal_is_down = True
    assert desk.ask(1, "@m MSG @bob :hello") == ["@m ERROR unavailable"]
    desk.journal_is_down = False
    assert desk.ask(3, f"NICK bob triochat/1 session={secret(2)}") == ["WELCOME bob test.server"]
