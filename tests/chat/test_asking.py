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


def test_history_behind_an_id(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, *(f"MSG #dev :{number}" for number in range(1, 6)))
    desk.enter(2, "bob")
    entries = [f"@h MSG #dev {number} 1000 alice :{number}" for number in range(1, 6)]
    assert desk.ask(2, "@h HISTORY #dev after=0") == [*entries, "@h OK"]
    assert desk.ask(2, "@h HISTORY #dev after=1 limit=2") == [*entries[1:3], "@h OK"]
    assert desk.ask(2, "@h HISTORY #dev after=5") == ["@h OK"]
    assert desk.ask(2, "@h HISTORY #dev after=99") == ["@h OK"]


def test_history_both_ways_tells_what_is_gone() -> None:
    desk = Desk(journal=MemoryJournal(retention=3))
    desk.enter(1, "alice", "#dev")
    desk.ask(1, *(f"MSG #dev :{number}" for number in range(1, 8)))
    desk.forget()
    kept = [f"@h MSG #dev {number} 1000 alice :{number}" for number in range(5, 8)]
    assert desk.ask(1, "@h HISTORY #dev after=2 limit=1") == ["@h GAP #dev 3 4", kept[0], "@h OK"]
    assert desk.ask(1, "@h HISTORY #dev after=5 limit=9") == [*kept[1:], "@h OK"]
    assert desk.ask(1, "@h HISTORY #dev before=4 limit=2") == ["@h GAP #dev 2 3", "@h OK"]


# --- search -------------------------------------------------------------------------------------


@pytest.fixture
def talk(desk: Desk) -> Desk:
    """Alice (1) has talked in #dev, and so has a topic; bob (2) is there too, carol (3) is not."""
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.enter(3, "carol")
    desk.ask(
        1,
        "MSG #dev :Caf\\xe9, at noon?",
        "TOPIC #dev :the caf\\xe9 at 1",
        "MSG #dev :cafeteria",
        "MSG #dev :noon",
    )
    desk.forget()
    return desk


def test_a_search_finds_whole_words_newest_first(talk: Desk) -> None:
    first, second = "MSG #dev 1 1000 alice :Caf\\xe9, at noon?", "TOPIC #dev 2 1000 alice :the caf\\xe9 at 1"
    assert talk.ask(2, "@s SEARCH #dev :CAFE") == [f"@s {second}", f"@s {first}", "@s OK"]
    assert talk.ask(2, "@s SEARCH #dev limit=1 :at cafe") == [f"@s {second}", "@s OK"]
    assert talk.ask(2, "SEARCH #dev :noon... cafe!") == [first]
    assert talk.ask(2, "@s SEARCH #dev :breakfast") == ["@s OK"]
    assert talk.all_news(1, 3) == [[], []]


def test_one_searches_where_one_is(talk: Desk) -> None:
    assert talk.ask(3, "@s SEARCH #dev :cafe") == ["@s ERROR not-in-room"]
    assert talk.ask(3, "@s SEARCH #none :cafe") == ["@s ERROR no-such-room"]
    assert talk.ask(3, "SEARCH #dev :cafe") == ["ERROR not-in-room"]


@pytest.mark.parametrize("text", ["...", "\\u0301", " ".join(f"w{number}" for number in range(33))])
def test_a_search_for_no_word_or_for_very_many(talk: Desk, text: str) -> None:
    assert talk.ask(2, f"@s SEARCH #dev :{text}") == ["@s ERROR bad-text"]


def test_a_word_that_comes_again_is_one(talk: Desk) -> None:
    assert len(talk.ask(2, "@s SEARCH #dev :" + "noon " * 40)) == 3


def test_a_person_searches_its_room_and_sees_the_newest_last(talk: Desk) -> None:
    talk.enter_as_text(4, "dan", "#dev")
    assert talk.ask(4, "/search cafe at") == [
        "@history MSG #dev 1 1000 alice :Caf\\xe9, at noon?",
        "@history TOPIC #dev 2 1000 alice :the caf\\xe9 at 1",
        "@history OK",
    ]
    assert talk.ask(4, "/search breakfast") == ["NOTICE", "@history OK"]
    assert talk.ask(4, "/search ?") == ["ERROR bad-text"]


# --- the small things ---------------------------------------------------------------------------


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
