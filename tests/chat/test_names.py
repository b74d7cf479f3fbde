"""Renaming: in time, in case, in the middle of things."""

import pytest

from tests.chat.desk import Desk
from triochat.chat import Departure


def test_everyone_who_shares_a_room_is_told_once_and_so_is_the_renamed_one(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#ops")
    desk.enter(2, "bob", "#ops", "#dev")
    desk.enter(3, "carol", "#ops")
    desk.enter(4, "dave", "#lobby")
    assert desk.ask(1, "@n NICK alicia") == ["RENAMED alice alicia", "@n OK"]
    assert desk.all_news(2, 3, 4) == [["RENAMED alice alicia"], ["RENAMED alice alicia"], []]
    assert desk.names(2, "#dev") == ["alicia", "bob"]


def test_who_is_in_no_room_is_told_itself(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "@n NICK bob") == ["RENAMED alice bob", "@n OK"]
    assert desk.ask(1, "NICK alice") == ["RENAMED bob alice"]


def test_another_case_is_another_look_of_the_same_nick(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    assert desk.ask(1, "@n NICK Alice") == ["RENAMED alice Alice", "@n OK"]
    assert desk.news(2) == ["RENAMED alice Alice"]
    assert desk.ask(2, "@m MSG @aLICE :hello") == ["MSG @Alice 1 1000 bob :hello", "@m OK 1"]
    assert desk.ask(2, "@n NICK ALICE") == ["@n ERROR nick-in-use"]


def test_the_same_nick_is_no_news(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    assert desk.ask(1, "@n NICK alice") == ["@n OK"]
    assert desk.news(2) == []


@pytest.mark.parametrize("nick", ["bob", "BOB"])
def test_a_nick_that_is_taken(desk: Desk, nick: str) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "Bob", "#dev")
    assert desk.ask(1, f"@n NICK {nick}") == ["@n ERROR nick-in-use"]
    assert desk.news(2) == []
    assert desk.names(1, "#dev") == ["alice", "Bob"]
    desk.ask(2, Departure())
    assert desk.ask(1, f"@n NICK {nick}") == ["@n ERROR nick-in-use"], "it is held"


def test_the_old_nick_is_free_at_once(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.batch(desk.submit(1, "NICK carol"), desk.submit(2, "@n NICK alice"))
    assert desk.news(2) == ["RENAMED alice carol", "RENAMED bob alice", "@n OK"]


def test_renaming_while_sending(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    said = desk.ask(1, "@a MSG #dev :one", "@n NICK carol", "@b MSG #dev :two", "TOPIC #dev :three")
    assert said == [
        "MSG #dev 1 1000 alice :one",
        "@a OK 1",
        "RENAMED alice carol",
        "MSG #dev 2 1000 carol :two",
        "TOPIC #dev 3 1000 carol :three",
        "@n OK",
        "@b OK 2",
    ]
    assert desk.news(2) == [frame for frame in said if not frame.startswith("@")]


def test_names_in_the_middle_of_renaming(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.batch(desk.submit(2, "@a NAMES #dev"), desk.submit(1, "NICK carol"), desk.submit(2, "@b NAMES #dev"))
    assert desk.news(2) == [
        "@a NAMES #dev alice bob",
        "@a OK",
        "RENAMED alice carol",
        "@b NAMES #dev carol bob",
        "@b OK",
    ]


def test_a_person_renames(desk: Desk) -> None:
    desk.enter_as_text(1, "alice")
    desk.enter_as_text(2, "bob")
    assert desk.ask(1, "/nick BOB") == ["ERROR nick-in-use"]
    assert desk.ask(1, "/nick carol") == ["RENAMED alice carol"]
    assert desk.news(2) == ["RENAMED alice carol"]
    assert desk.ask(1, "hi") == ["MSG #lobby 1 1000 carol :hi"]
