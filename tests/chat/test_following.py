"""Joining with a past: no hole and no repeat, whatever comes meanwhile."""

import pytest

from tests.chat.desk import Desk, secret
from triochat.chat import CaughtUp, Departure, Limits, Replay
from triochat.chat import room as room_module
from triochat.journal import MemoryJournal
from triochat.protocol.grammar import MAX_ID


def entries(first: int, last: int, tag: str | None = "j") -> list[str]:
    mark = "" if tag is None else f"@{tag} "
    return [f"{mark}MSG #dev {number} 1000 alice :{number}" for number in range(first, last + 1)]


def say(desk: Desk, first: int, last: int) -> None:
    for number in range(first, last + 1):
        desk.ask(1, f"MSG #dev :{number}")


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Alice (1) has said 1 to 5 in #dev; bob (2) is here, in no room."""
    desk.enter(1, "alice", "#dev")
    say(desk, 1, 5)
    desk.enter(2, "bob")
    return desk


ANSWER = ["@j ROOM #dev 2 5", "@j NAMES #dev alice bob"]


@pytest.mark.parametrize("after", range(6))
def test_the_missed_entries_come_in_the_answer(busy: Desk, after: int) -> None:
    assert busy.ask(2, f"@j JOIN #dev after={after}") == [*ANSWER, *entries(after + 1, 5), "@j OK 5"]
    assert busy.news(1) == ["JOINED #dev bob"]
    say(busy, 6, 6)
    assert busy.news(2) == entries(6, 6, tag=None)


def test_an_id_that_there_is_not_yet(busy: Desk) -> None:
    assert busy.ask(2, "@j JOIN #dev after=99") == [*ANSWER, "@j OK 5"]
    say(busy, 6, 6)
    assert busy.news(2) == entries(6, 6, tag=None)


def test_a_room_that_there_is_not_yet(busy: Desk) -> None:
    assert busy.ask(2, "@j JOIN #new after=0") == ["@j ROOM #new 1 0", "@j NAMES #new bob", "@j OK 0"]


def test_without_a_tag(busy: Desk) -> None:
    assert busy.ask(2, "JOIN #dev after=4") == [*(line[3:] for line in ANSWER), *entries(5, 5, tag=None)]


def test_what_is_no_longer_kept_is_a_gap() -> None:
    desk = Desk(journal=MemoryJournal(retention=3))
    desk.enter(1, "alice", "#dev")
    say(desk, 1, 5)
    desk.enter(2, "bob")
    assert desk.ask(2, "@j JOIN #dev after=0") == [*ANSWER, "@j GAP #dev 1 2", *entries(3, 5), "@j OK 5"]


@pytest.mark.parametrize("meanwhile", [0, 1, 2, 7])
def test_what_little_a_follower_lacks_it_is_handed_by_the_hub(busy: Desk, meanwhile: int) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    assert busy.work[2] == Replay("#dev", 0, "j")
    caught_up = busy.catch_up(2)
    assert caught_up == CaughtUp("#dev", 5, "j")
    last = 5 + meanwhile
    say(busy, 6, last)
    busy.batch(busy.submit(2, caught_up))
    assert 2 not in busy.work, "it is attached"
    say(busy, last + 1, last + 1)
    assert busy.news(2) == [
        *ANSWER,
        *entries(1, last),
        f"@j OK {last}",
        *entries(last + 1, last + 1, tag=None),
    ]


def test_a_follower_that_lacks_more_reads_on(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "RECENT", 2)
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    caught_up = busy.catch_up(2)
    say(busy, 6, 8)
    busy.batch(busy.submit(2, caught_up))
    assert busy.news(2) == [*ANSWER, *entries(1, 5)], "nothing is handed over before the hole"
    assert busy.work[2] == Replay("#dev", 5, "j")
    caught_up = busy.catch_up(2)
    say(busy, 9, 10)
    busy.batch(busy.submit(2, caught_up), busy.submit(1, "MSG #dev :11"))
    assert 2 not in busy.work
    assert busy.news(2) == [*entries(6, 10), "@j OK 10", *entries(11, 11, tag=None)]


def test_followers_at_different_places(busy: Desk) -> None:
    busy.enter(3, "carol")
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    first = busy.catch_up(2)
    say(busy, 6, 7)
    busy.batch(busy.submit(3, "@j JOIN #dev after=6"))
    second = busy.catch_up(3)
    say(busy, 8, 8)
    busy.batch(busy.submit(3, second), busy.submit(2, first), busy.submit(1, "MSG #dev :9"))
    behind = ["@j OK 8", *entries(9, 9, tag=None)]
    assert busy.news(2) == [*ANSWER, *entries(1, 5), "JOINED #dev carol", *entries(6, 8), *behind]
    assert busy.news(3)[2:] == [*entries(7, 8), *behind]


def test_a_topic_that_a_follower_lacks(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=5"))
    caught_up = busy.catch_up(2)
    busy.ask(1, "TOPIC #dev :new", "NICK alicia")
    busy.batch(busy.submit(2, caught_up))
    assert busy.news(2) == [
        *ANSWER,
        "RENAMED alice alicia",
        "@j TOPIC #dev 6 1000 alice :new",
        "@j OK 6",
    ]


def test_what_could_not_be_kept_is_not_handed_over(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=4"))
    caught_up = busy.catch_up(2)
    busy.journal_is_down = True
    busy.ask(1, "MSG #dev :lost")
    busy.journal_is_down = False
    say(busy, 6, 6)
    busy.batch(busy.submit(2, caught_up))
    assert busy.news(2) == [*ANSWER, *entries(5, 6), "@j OK 6"]


def test_a_room_that_was_left_empty_and_is_used_again(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    desk.batch(desk.submit(2, "@j JOIN #dev after=0"))
    desk.batch(desk.submit(1, "MSG #dev :1"), desk.submit(1, "PART #dev"), desk.submit(2, Departure()))
    desk.later(60)
    desk.ask(1, "JOIN #dev", "MSG #dev :2")
    desk.enter(3, "carol")
    desk.batch(desk.submit(3, "@j JOIN #dev after=0"))
    caught_up = desk.catch_up(3)
    desk.ask(1, "MSG #dev :3")
    desk.batch(desk.submit(3, caught_up))
    assert desk.news(3)[2:] == [*entries(1, 3), "@j OK 3"]


def test_a_room_that_was_let_go_and_made_anew(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    desk.batch(desk.submit(2, "@j JOIN #dev after=0"))
    caught_up = desk.catch_up(2)
    desk.journal_is_down = True
    desk.batch(desk.submit(1, "MSG #dev :lost", "PART #dev"), desk.submit(2, Departure()))
    desk.journal_is_down = False
    desk.later(60)
    assert desk.hub.statistics()["rooms"] == 0
    desk.ask(1, "JOIN #dev", "MSG #dev :1")
    desk.batch(desk.submit(2, caught_up))
    desk.enter(3, "bob")
    assert desk.ask(3, "@j JOIN #dev after=0") == ["@j ROOM #dev 2 1", ANSWER[1], *entries(1, 1), "@j OK 1"]


def test_one_that_has_caught_up_comes_first_in_its_batch(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    caught_up = busy.catch_up(2)
    busy.batch(busy.submit(1, "MSG #dev :6"), busy.submit(2, caught_up), busy.submit(1, "MSG #dev :7"))
    assert busy.news(2) == [*ANSWER, *entries(1, 5), "@j OK 5", *entries(6, 7, tag=None)]


@pytest.mark.parametrize("meanwhile", [1, 2, 3, 7])
@pytest.mark.parametrize("after", [0, 4, 5])
def test_neither_hole_nor_repeat_in_a_busy_room(busy: Desk, meanwhile: int, after: int) -> None:
    busy.batch(busy.submit(2, f"@j JOIN #dev after={after}"))
    said = 5
    while 2 in busy.work:
        for _ in range(meanwhile):
            if said < 40:  # a room that is for ever faster than a reader is never caught up with
                said += 1
                busy.batch(busy.submit(1, f"MSG #dev :{said}"))
        if (caught_up := busy.read(2)) is not None:
            said += 1
            busy.batch(busy.submit(1, f"MSG #dev :{said}"), busy.submit(2, caught_up))
    say(busy, said + 1, said + 3)
    seen = [line for line in busy.news(2) if "MSG" in line]
    assert [int(line.removeprefix("@j ").split()[2]) for line in seen] == list(range(after + 1, said + 4))


def test_a_follower_hears_of_comings_and_goings(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=4"))
    busy.read(2)
    busy.enter(3, "carol", "#dev")
    assert busy.catch_up(2) == CaughtUp("#dev", 5, "j")
    busy.batch(busy.submit(2, CaughtUp("#dev", 5, "j")))
    assert busy.names(2, "#dev") == ["alice", "bob", "carol"]


def test_a_member_may_look_back_and_goes_on_from_there(busy: Desk) -> None:
    busy.ask(2, "JOIN #dev")
    busy.forget()
    busy.batch(
        busy.submit(1, "MSG #dev :6"), busy.submit(2, "@j JOIN #dev after=4"), busy.submit(1, "MSG #dev :7")
    )
    busy.run_errands(2)
    assert busy.news(2) == [
        *entries(6, 6, tag=None),
        "@j ROOM #dev 2 6",
        "@j NAMES #dev alice bob",
        *entries(5, 7),
        "@j OK 7",
    ]
    assert "JOINED #dev bob" not in busy.news(1)
    say(busy, 8, 8)
    assert busy.news(2) == entries(8, 8, tag=None)


def test_one_that_departs_while_it_follows(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    caught_up = busy.catch_up(2)
    busy.batch(busy.submit(2, Departure()))
    say(busy, 6, 6)
    busy.batch(busy.submit(2, caught_up))
    assert 2 not in busy.work
    assert busy.ask(3, f"NICK x triochat/1 session={secret(2)}", "@j JOIN #dev after=5") == [
        "WELCOME bob test.server",
        "@j ROOM #dev 2 6",
        "@j NAMES #dev alice bob",
        *entries(6, 6),
        "@j OK 6",
    ]


def test_one_that_departs_in_the_batch_in_which_it_has_caught_up(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    caught_up = busy.catch_up(2)
    busy.forget()
    busy.batch(busy.submit(2, Departure()), busy.submit(2, caught_up), busy.submit(1, "MSG #dev :6"))
    assert busy.news(2) == ["@j OK 5"]


def test_one_that_cannot_be_given_the_past_may_go_on_without_it(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    del busy.work[2]
    busy.batch(busy.submit(2, CaughtUp("#dev", MAX_ID, "j")))
    say(busy, 6, 6)
    assert busy.news(2) == [*ANSWER, "@j OK 5", *entries(6, 6, tag=None)]


def test_one_that_cannot_be_given_the_past_may_leave(busy: Desk) -> None:
    busy.batch(busy.submit(2, "@j JOIN #dev after=0"))
    del busy.work[2]
    busy.batch(busy.submit(2, "PART #dev"))
    say(busy, 6, 6)
    assert busy.news(2) == ANSWER
    assert busy.names(1, "#dev") == ["alice"]


def test_one_that_is_no_member_any_more(busy: Desk) -> None:
    """Whatever takes a follower out of a room must not take the hub down."""
    busy.batch(busy.submit(2, CaughtUp("#dev", 0, "j")))
    assert 2 not in busy.work
    assert busy.news(2) == []
    assert busy.names(1, "#dev") == ["alice"]


def test_a_person_follows_until_it_has_seen_the_last_messages(busy: Desk) -> None:
    busy.enter_as_text(3, "carol")
    busy.batch(busy.submit(3, "/join #dev"))
    caught_up = busy.catch_up(3)
    say(busy, 6, 6)
    busy.batch(busy.submit(3, caught_up), busy.submit(1, "MSG #dev :7"))
    assert 3 not in busy.work
    assert busy.news(3) == [
        "JOINED #dev carol",
        *entries(1, 5, tag="history"),
        *entries(6, 6, tag=None),
        "@history OK 6",
        *entries(7, 7, tag=None),
    ], "what was said while it was here is no history"


def test_a_person_that_lacks_more_reads_on(busy: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_module, "RECENT", 1)
    busy.enter_as_text(3, "carol")
    busy.batch(busy.submit(3, "/join #dev"))
    caught_up = busy.catch_up(3)
    say(busy, 6, 7)
    busy.batch(busy.submit(3, caught_up))
    assert busy.work[3] == Replay("#dev", 5, "history")
    busy.run_errands(3)
    assert busy.news(3) == ["JOINED #dev carol", *entries(1, 7, tag="history"), "@history OK 7"]


@pytest.mark.parametrize("recent", [1, 2, 5, 9])
def test_a_newcomer_reads_no_further_than_the_last_messages(recent: int) -> None:
    desk = Desk(Limits(recent=recent))
    desk.enter(1, "alice", "#dev")
    say(desk, 1, 5)
    desk.enter_as_text(3, "carol")
    desk.batch(desk.submit(3, "/join #dev"))
    assert desk.work[3] == Replay("#dev", max(5 - recent, 0), "history", min(recent, 5))
    say(desk, 6, 6)
    assert desk.read(3) == CaughtUp("#dev", 5, "history"), "what was said since is no history"
    assert desk.news(3) == ["JOINED #dev carol", *entries(max(6 - recent, 1), 5, tag="history")]


def test_a_newcomer_that_is_shown_nothing() -> None:
    desk = Desk(Limits(recent=0))
    desk.enter(1, "alice", "#dev")
    say(desk, 1, 5)
    desk.enter_as_text(3, "carol")
    desk.batch(desk.submit(3, "/join #dev"))
    assert desk.work[3] == Replay("#dev", 5, "history"), "it is no page of none, which would never end"
    caught_up = desk.catch_up(3)
    say(desk, 6, 6)
    desk.batch(desk.submit(3, caught_up))
    assert desk.news(3) == ["JOINED #dev carol", *entries(6, 6, tag=None), "@history OK 6"]
