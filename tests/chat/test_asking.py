"""What can be asked: rooms, names, history, and the small things."""

import pytest

from tests.chat.desk import Desk
from triochat.chat import Limits
from triochat.journal import MemoryJournal


def test_rooms(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#ops")
    desk.enter(2, "bob", "#dev")
    desk.ask(2, "TOPIC #dev :topic")
    desk.forget()
    assert desk.ask(1, "@r ROOMS") == ["@r ROOM #dev 2 1 :topic", "@r ROOM #ops 1 0", "@r OK"]
    assert desk.ask(1, "ROOMS") == ["ROOM #dev 2 1 :topic", "ROOM #ops 1 0"]


def test_names_are_open_to_everyone(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    assert desk.ask(2, "@n NAMES #dev") == ["@n NAMES #dev alice", "@n OK"]
    assert desk.ask(2, "NAMES #dev") == ["NAMES #dev alice"]


def test_a_person_asks_who_is_there(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, "MSG #dev :hello", "PART #dev")
    desk.enter_as_text(2, "bob")
    assert desk.ask(2, "/who") == ["NAMES #lobby bob"]
    assert desk.ask(2, "/who #dev") == ["NOTICE"], "silence would leave it wondering"
    assert desk.ask(2, "/who #none") == ["ERROR no-such-room"]


def test_history_is_open_to_everyone_and_marked(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, *(f"MSG #dev :{number}" for number in range(1, 6)))
    desk.enter(2, "bob")
    entries = [f"@h MSG #dev {number} 1000 alice :{number}" for number in range(1, 6)]
    assert desk.ask(2, "@h HISTORY #dev") == [*entries, "@h OK"]
    assert desk.ask(2, "@h HISTORY #dev limit=2") == [*entries[3:], "@h OK"]
    assert desk.ask(2, "@h HISTORY #dev before=3 limit=9") == [*entries[:2], "@h OK"]
    assert desk.ask(2, "HISTORY #dev before=2") == ["MSG #dev 1 1000 alice :1"]
    assert desk.ask(2, "@h HISTORY #dev before=1") == ["@h OK"]


def test_history_tells_what_is_gone() -> None:
    desk = Desk(journal=MemoryJournal(retention=2))
    desk.enter(1, "alice", "#dev")
    desk.ask(1, *(f"MSG #dev :{number}" for number in range(1, 6)))
    desk.forget()
    assert desk.ask(1, "@h HISTORY #dev limit=3") == [
        "@h GAP #dev 3 3",
        "@h MSG #dev 4 1000 alice :4",
        "@h MSG #dev 5 1000 alice :5",
        "@h OK",
    ]


def test_history_for_a_person(desk: Desk) -> None:
    desk.enter_as_text(1, "alice")
    desk.ask(1, "one", "two")
    desk.forget()
    assert desk.ask(1, "/history 1") == ["@history MSG #lobby 2 1000 alice :two", "@history OK"]


def test_how_many_messages_a_person_is_shown_is_configured() -> None:
    desk = Desk(Limits(recent=0))
    desk.enter_as_text(1, "alice")
    desk.ask(1, "hello")
    assert desk.greet(2, "bob") == ["JOINED #lobby bob", "WELCOME bob test.server", "@history OK 1"]


@pytest.mark.parametrize("said", ["SEARCH #dev :word", "SEARCH #none :word"])
def test_search_is_not_offered_yet(desk: Desk, said: str) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, f"@s {said}") == ["@s ERROR unavailable"]
    assert desk.ask(1, said) == ["ERROR unavailable"]


def test_ping_and_pong(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "@p PING :token", "PING", "PONG :x", "@p PONG") == ["@p PONG :token", "PONG"]


def test_help(desk: Desk) -> None:
    desk.enter_as_text(1, "alice")
    assert desk.ask(1, "/help") == ["NOTICE"]


def test_quitting_as_a_person(desk: Desk) -> None:
    desk.enter(1, "alice", "#lobby")
    desk.enter_as_text(2, "bob")
    assert desk.ask(2, "/quit so long") == ["BYE :you quit"]
    assert desk.news(1) == ["LEFT #lobby bob :so long"]
