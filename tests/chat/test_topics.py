"""The topic of a room: an entry of its log."""

from tests.chat.desk import Desk


def test_a_topic_is_an_entry_of_the_room(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    assert desk.ask(1, "@t TOPIC #dev :the topic") == ["TOPIC #dev 1 1000 alice :the topic", "@t OK 1"]
    assert desk.news(2) == ["TOPIC #dev 1 1000 alice :the topic"]
    assert desk.ask(2, "@t TOPIC #dev") == ["@t TOPIC #dev 1 1000 alice :the topic", "@t OK"]
    assert desk.ask(2, "TOPIC #dev") == ["TOPIC #dev 1 1000 alice :the topic"]


def test_a_topic_is_open_to_everyone(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, "TOPIC #dev :the topic")
    desk.enter(2, "bob")
    assert desk.ask(2, "@t TOPIC #dev") == ["@t TOPIC #dev 1 1000 alice :the topic", "@t OK"]


def test_no_topic_and_a_cleared_topic(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, "@t TOPIC #dev") == ["@t OK"]
    desk.ask(1, "TOPIC #dev :topic")
    desk.forget()
    assert desk.ask(1, "@c TOPIC #dev :") == ["TOPIC #dev 2 1000 alice :", "@c OK 2"]
    assert desk.ask(1, "@t TOPIC #dev") == ["@t OK"]
    assert desk.ask(1, "@r ROOMS") == ["@r ROOM #dev 1 2", "@r OK"]


def test_a_topic_is_told_as_it_is_at_that_moment(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.batch(
        desk.submit(
            1,
            "@a TOPIC #dev",
            "@b TOPIC #dev :one",
            "@c TOPIC #dev",
            "@d TOPIC #dev :",
            "@e TOPIC #dev",
        )
    )
    assert desk.news(1) == [
        "@a OK",
        "TOPIC #dev 1 1000 alice :one",
        "@b OK 1",
        "@c TOPIC #dev 1 1000 alice :one",
        "@c OK",
        "TOPIC #dev 2 1000 alice :",
        "@d OK 2",
        "@e OK",
    ]


def test_rooms_are_told_as_they_are_at_that_moment(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.batch(
        desk.submit(1, "TOPIC #dev :one", "@r ROOMS"),
        desk.submit(2, "TOPIC #dev :two"),
    )
    desk.run_errands(1)
    assert desk.news(1) == [
        "TOPIC #dev 1 1000 alice :one",
        "TOPIC #dev 2 1000 bob :two",
        "@r ROOM #dev 2 1 :one",
        "@r OK",
    ]


def test_a_person_reads_and_sets_the_topic(desk: Desk) -> None:
    desk.enter_as_text(1, "alice")
    assert desk.ask(1, "/topic") == ["NOTICE"]
    assert desk.ask(1, "/topic the topic") == ["TOPIC #lobby 1 1000 alice :the topic"]
    assert desk.ask(1, "/topic") == ["TOPIC #lobby 1 1000 alice :the topic"]
