"""Messages to a person."""

import pytest

from tests.chat.desk import Desk, secret
from triochat.chat import CaughtUp, Departure, Replay
from triochat.journal import MemoryJournal


def test_the_two_of_them_see_it_and_nobody_else(desk: Desk) -> None:
    for client, nick in enumerate(["alice", "Bob", "carol"], 1):
        desk.enter(client, nick, "#dev")
    assert desk.ask(1, "@m MSG @BOB :psst") == ["MSG @Bob 1 1000 alice :psst", "@m OK 1"]
    assert desk.all_news(2, 3) == [["MSG @Bob 1 1000 alice :psst"], []]


def test_no_room_need_be_shared(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    assert desk.ask(1, "MSG @bob :psst") == ["MSG @bob 1 1000 alice :psst"]
    assert desk.news(2) == ["MSG @bob 1 1000 alice :psst"]


def test_a_note_to_oneself_is_seen_once(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, "@m MSG @Alice :note") == ["MSG @alice 1 1000 alice :note", "@m OK 1"]


def test_nobody_of_this_nick(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "@m MSG @bob :psst") == ["@m ERROR no-such-nick"]
    assert desk.ask(1, "MSG @bob :psst") == ["ERROR no-such-nick"]


def test_among_people(desk: Desk) -> None:
    desk.enter_as_text(1, "alice")
    desk.enter(2, "bob")
    assert desk.ask(1, "/msg bob psst") == ["MSG @bob 1 1000 alice :psst"]
    assert desk.news(2) == ["MSG @bob 1 1000 alice :psst"]
    assert desk.ask(2, "@m MSG @alice :what?") == ["MSG @alice 1 1000 bob :what?", "@m OK 1"]
    assert desk.news(1) == ["MSG @alice 1 1000 bob :what?"]
    assert desk.ask(1, "/msg carol psst") == ["ERROR no-such-nick"]


def test_what_comes_from_several_in_one_batch_comes_in_the_order_of_its_ids(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.enter(3, "carol", "#dev")
    desk.batch(
        desk.submit(1, "@a MSG @bob :one", "MSG #dev :hello"),
        desk.submit(3, "@c MSG @bob :two"),
        desk.submit(2, "MSG @bob :three"),
        desk.submit(1, "@b MSG @bob :four", "MSG #dev :all"),
    )
    inbox = [line for line in desk.news(2) if "@bob" in line]
    assert inbox == [
        "MSG @bob 1 1000 alice :one",
        "MSG @bob 2 1000 carol :two",
        "MSG @bob 3 1000 bob :three",
        "MSG @bob 4 1000 alice :four",
    ]
    own = [line for line in desk.news(1) if "#dev" not in line]
    assert own == ["MSG @bob 1 1000 alice :one", "MSG @bob 4 1000 alice :four", "@a OK 1", "@b OK 4"]
    assert [line for line in desk.news(3) if "#dev" not in line] == ["MSG @bob 2 1000 carol :two", "@c OK 2"]


def test_equal_audiences_share_a_run(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    said = desk.ask(1, "@a MSG @bob :one", "@b MSG @bob :two")
    assert said == ["MSG @bob 1 1000 alice :one", "MSG @bob 2 1000 alice :two", "@a OK 1", "@b OK 2"]
    assert desk.news(2) == said[:2]


def test_to_one_that_is_renamed_later_in_the_batch(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.batch(
        desk.submit(1, "@a MSG @bob :one"),
        desk.submit(2, "NICK robert"),
        desk.submit(1, "@b MSG @bob :two", "@c MSG @robert :three", "@a MSG @bob :one"),
    )
    assert desk.news(1) == [
        "MSG @bob 1 1000 alice :one",
        "@a OK 1",
        "RENAMED bob robert",
        "MSG @robert 1 1000 alice :three",
        "@b ERROR no-such-nick",
        "@c OK 1",
        "@a OK 1",
    ]
    assert desk.news(2) == [
        "MSG @bob 1 1000 alice :one",
        "RENAMED bob robert",
        "MSG @robert 1 1000 alice :three",
    ]


def test_from_one_that_renames_in_the_batch(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.ask(1, "MSG @bob :one", "NICK carol", "MSG @bob :two", "MSG @carol :note")
    assert desk.news(2) == ["MSG @bob 1 1000 alice :one", "MSG @bob 2 1000 carol :two"]


def test_a_nick_that_changes_hands_in_the_batch(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.batch(
        desk.submit(1, "MSG @bob :to the first"),
        desk.submit(2, "QUIT"),
        desk.submit(3, f"NICK bob triochat/1 session={secret(3)}"),
        desk.submit(1, "MSG @bob :to the second"),
    )
    assert desk.news(2) == ["MSG @bob 1 1000 alice :to the first", "BYE :you quit"]
    assert desk.news(3) == ["WELCOME bob test.server", "MSG @bob 2 1000 alice :to the second"]


def test_what_was_sent_is_acknowledged_though_its_recipient_is_gone(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.ask(1, "@m MSG @Bob :psst")
    desk.ask(2, "QUIT")
    desk.forget()
    assert desk.ask(1, "@m MSG @bob :psst") == ["@m OK 1"]
    assert desk.ask(1, "@m MSG @bob :other") == ["@m ERROR not-allowed"]
    assert desk.ask(1, "@n MSG @bob :psst") == ["@n ERROR no-such-nick"]


# --- to one who is held -------------------------------------------------------------------------


def back(desk: Desk, client: int, session: int = 2) -> list[str]:
    return desk.ask(client, f"@hi NICK bob triochat/1 session={secret(session)}")


@pytest.fixture
def held(desk: Desk) -> Desk:
    """Alice (1) is here, bob (2) is held, and has had one message."""
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.ask(1, "MSG @bob :zero")
    desk.ask(2, Departure())
    desk.forget()
    return desk


def test_what_is_missed_is_given_on_return(held: Desk) -> None:
    assert held.ask(1, "@a MSG @bob :one") == ["MSG @bob 2 1000 alice :one", "@a OK 2"]
    held.ask(1, "MSG @bob :two", "MSG @bob :three", "@a MSG @bob :one")
    assert back(held, 3) == [
        "@hi WELCOME bob test.server",
        "@hi OK",
        "MSG @bob 2 1000 alice :one",
        "MSG @bob 3 1000 alice :two",
        "MSG @bob 4 1000 alice :three",
    ]
    held.ask(1, "MSG @bob :live")
    assert held.news(3) == ["MSG @bob 5 1000 alice :live"]
    held.ask(3, Departure())
    assert back(held, 4) == ["@hi WELCOME bob test.server", "@hi OK"], "it is given once"


def test_nothing_missed_nothing_given(held: Desk) -> None:
    assert back(held, 3) == ["@hi WELCOME bob test.server", "@hi OK"]
    held.ask(1, "MSG @bob :live")
    assert held.news(3) == ["MSG @bob 2 1000 alice :live"]


def test_what_comes_while_it_catches_up_is_given_in_order_and_once(held: Desk) -> None:
    held.ask(1, "MSG @bob :one")
    held.batch(held.submit(3, f"NICK bob triochat/1 session={secret(2)}"))
    caught_up = held.catch_up(3)
    held.ask(1, "MSG @bob :two")
    assert held.news(3) == ["WELCOME bob test.server", "MSG @bob 2 1000 alice :one"]
    held.batch(held.submit(1, "MSG @bob :three"), held.submit(3, caught_up))
    assert held.news(3) == []
    caught_up = held.catch_up(3)
    held.batch(held.submit(1, "MSG @bob :four"), held.submit(3, caught_up))
    assert held.news(3) == [
        "MSG @bob 3 1000 alice :two",
        "MSG @bob 4 1000 alice :three",
        "MSG @bob 5 1000 alice :four",
    ]


def test_what_was_missed_in_the_batch_of_the_return(held: Desk) -> None:
    held.batch(
        held.submit(1, "MSG @bob :before"),
        held.submit(3, f"NICK bob triochat/1 session={secret(2)}"),
        held.submit(1, "MSG @bob :behind"),
    )
    held.run_errands(3)
    assert held.news(3) == [
        "WELCOME bob test.server",
        "MSG @bob 2 1000 alice :before",
        "MSG @bob 3 1000 alice :behind",
    ]
    held.ask(1, "MSG @bob :live")
    assert held.news(3) == ["MSG @bob 4 1000 alice :live"]


def test_what_was_missed_in_the_batch_of_departure_and_return(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.batch(
        desk.submit(1, "MSG @bob :here"),
        desk.submit(2, Departure()),
        desk.submit(1, "MSG @bob :held"),
        desk.submit(3, f"NICK bob triochat/1 session={secret(2)}"),
    )
    desk.run_errands(3)
    assert desk.news(2) == ["MSG @bob 1 1000 alice :here"]
    assert desk.news(3) == ["WELCOME bob test.server", "MSG @bob 2 1000 alice :held"]


def test_who_returns_and_is_gone_in_one_batch_still_misses_it(held: Desk) -> None:
    held.batch(
        held.submit(1, "MSG @bob :one"),
        held.submit(3, f"NICK bob triochat/1 session={secret(2)}"),
        held.submit(3, Departure()),
        held.submit(1, "MSG @bob :two"),
    )
    assert 3 not in held.work
    assert back(held, 4)[2:] == ["MSG @bob 2 1000 alice :one", "MSG @bob 3 1000 alice :two"]


def test_who_is_gone_before_it_has_caught_up_is_given_all_of_it_again(held: Desk) -> None:
    held.ask(1, "MSG @bob :one", "MSG @bob :two")
    held.batch(held.submit(3, f"NICK bob triochat/1 session={secret(2)}"))
    held.catch_up(3)
    held.batch(held.submit(3, Departure()))
    held.ask(1, "MSG @bob :three")
    assert back(held, 4)[2:] == [
        "MSG @bob 2 1000 alice :one",
        "MSG @bob 3 1000 alice :two",
        "MSG @bob 4 1000 alice :three",
    ]


def test_a_replaced_follower_is_not_heard(held: Desk) -> None:
    held.ask(1, "MSG @bob :one")
    held.batch(held.submit(3, f"NICK bob triochat/1 session={secret(2)}"))
    caught_up = held.catch_up(3)
    held.batch(held.submit(4, f"NICK bob triochat/1 session={secret(2)}"), held.submit(3, caught_up))
    held.run_errands(4)
    assert held.news(4) == ["WELCOME bob test.server"], "its predecessor had seen it"
    held.batch(held.submit(3, caught_up))
    assert 3 not in held.work


def test_nobody_inherits_what_another_of_the_same_nick_missed(held: Desk) -> None:
    held.ask(1, "MSG @bob :for the first")
    held.later(60)
    assert back(held, 3, session=9) == ["@hi WELCOME bob test.server", "@hi OK"]


def test_when_nothing_of_it_is_kept_any_more_there_is_a_gap() -> None:
    desk = Desk(journal=MemoryJournal(retention=1))
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.ask(2, Departure())
    desk.ask(1, "MSG @bob :one", "MSG @bob :two", "MSG @bob :three")
    assert back(desk, 3)[2:] == ["GAP @bob 1 2", "MSG @bob 3 1000 alice :three"]


@pytest.fixture
def forgotten() -> Desk:
    """Bob (2) is held and has missed 2 and 3, but his inbox is let go, since alice (1) had 5 notes."""
    desk = Desk(journal=MemoryJournal(max_inboxes=1))
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.ask(1, "MSG @bob :seen")
    desk.ask(2, Departure())
    desk.ask(1, "MSG @bob :two", "MSG @bob :three")
    desk.ask(1, *(f"MSG @alice :{number}" for number in range(5)))
    desk.forget()
    return desk


def test_when_the_inbox_is_let_go_there_is_a_gap_and_an_end(forgotten: Desk) -> None:
    assert back(forgotten, 3)[2:] == ["GAP @bob 2 3"]
    assert forgotten.ask(1, "MSG @bob :live") == ["MSG @bob 9 1000 alice :live"], "alice's had 8"
    assert forgotten.news(3) == ["MSG @bob 9 1000 alice :live"]


def test_what_is_missed_behind_that_is_given(forgotten: Desk) -> None:
    forgotten.ask(1, "MSG @bob :new")
    assert back(forgotten, 3)[2:] == ["GAP @bob 2 8", "MSG @bob 9 1000 alice :new"]


def test_an_inbox_that_is_let_go_while_its_owner_catches_up(forgotten: Desk) -> None:
    forgotten.ask(1, "MSG @bob :new")
    forgotten.batch(forgotten.submit(3, f"NICK bob triochat/1 session={secret(2)}"))
    caught_up = forgotten.catch_up(3)
    forgotten.ask(1, "MSG @bob :newer", "MSG @alice :note")
    forgotten.batch(forgotten.submit(3, caught_up))
    forgotten.run_errands(3)
    assert forgotten.news(3)[1:] == ["GAP @bob 2 8", "MSG @bob 9 1000 alice :new", "GAP @bob 10 10"]
    assert not forgotten.work


def test_who_took_another_nick_misses_what_is_said_to_that(held: Desk) -> None:
    held.ask(1, "MSG @bob :one", "MSG @bob :two")
    back(held, 3)
    held.ask(3, "NICK rob", Departure())
    held.forget()
    held.ask(1, "MSG @rob :new")
    assert held.ask(4, f"NICK x triochat/1 session={secret(2)}") == [
        "WELCOME rob test.server",
        "MSG @rob 1 1000 alice :new",
    ]
    held.ask(1, "MSG @rob :live")
    assert held.news(4) == ["MSG @rob 2 1000 alice :live"]


# --- reading one's own inbox --------------------------------------------------------------------


def kept(first: int, last: int, nick: str = "bob", tag: str = "h") -> list[str]:
    return [f"@{tag} MSG @{nick} {number} 1000 alice :{number}" for number in range(first, last + 1)]


def tell(desk: Desk, first: int, last: int, nick: str = "bob") -> None:
    desk.ask(1, *(f"MSG @{nick} :{number}" for number in range(first, last + 1)))
    desk.forget()


@pytest.fixture
def told(desk: Desk) -> Desk:
    """Alice (1) has told bob (2) 1 to 5."""
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    tell(desk, 1, 5)
    return desk


def test_ones_own_inbox_is_a_log_that_can_be_read(told: Desk) -> None:
    assert told.ask(2, "@h HISTORY @bob") == [*kept(1, 5), "@h OK"]
    assert told.ask(2, "@h HISTORY @BOB after=2 limit=2") == [*kept(3, 4), "@h OK"]
    assert told.ask(2, "@h HISTORY @bob before=4 limit=2") == [*kept(2, 3), "@h OK"]
    assert told.ask(2, "@h HISTORY @bob after=5") == ["@h OK"]
    assert told.ask(2, "HISTORY @bob after=4") == ["MSG @bob 5 1000 alice :5"]


def test_an_inbox_into_which_nothing_came(desk: Desk) -> None:
    desk.enter(1, "alice")
    assert desk.ask(1, "@h HISTORY @alice after=0") == ["@h OK"]
    assert desk.ask(1, "HISTORY @alice") == []


@pytest.mark.parametrize("target", ["@alice", "@nobody", "@bobby"])
def test_nobody_elses(told: Desk, target: str) -> None:
    assert told.ask(2, f"@h HISTORY {target}") == ["@h ERROR not-allowed"]
    assert told.ask(2, f"HISTORY {target}") == ["ERROR not-allowed"]


def test_what_was_written_to_a_connection_that_was_dead(told: Desk) -> None:
    told.ask(2, Departure())
    tell(told, 6, 6)
    assert back(told, 3)[2:] == ["MSG @bob 6 1000 alice :6"], "that it was told 5 is all the server knows"
    assert told.ask(3, "@h HISTORY @bob after=3") == [*kept(4, 6), "@h OK"]


def test_who_takes_a_nick_reads_nothing_that_was_said_to_another_who_had_it(told: Desk) -> None:
    told.ask(2, "QUIT")
    told.enter(3, "bob")
    for asked in ("", " after=0", " before=6", " before=3", " limit=1000"):
        assert told.ask(3, f"@h HISTORY @bob{asked}") == ["@h OK"]
    tell(told, 6, 7)
    assert told.ask(3, "@h HISTORY @bob after=0") == [*kept(6, 7), "@h OK"]
    assert told.ask(3, "@h HISTORY @bob") == [*kept(6, 7), "@h OK"]
    assert told.ask(3, "@h HISTORY @bob before=7 limit=3") == [*kept(6, 6), "@h OK"]
    assert told.ask(3, "@h HISTORY @bob before=4") == ["@h OK"]


def test_nor_does_who_takes_it_by_a_rename_or_after_a_restart(told: Desk) -> None:
    told.ask(2, "NICK rob")
    told.enter(3, "carol")
    told.ask(3, "NICK Bob")
    told.forget()
    assert told.ask(3, "@h HISTORY @bob after=0") == ["@h OK"]
    restarted = Desk(journal=told.journal)
    restarted.enter(1, "alice")
    restarted.enter(2, "bob")
    assert restarted.ask(2, "@h HISTORY @bob after=0") == ["@h OK"]
    tell(restarted, 6, 6)
    assert restarted.ask(2, "@h HISTORY @bob after=0") == [*kept(6, 6), "@h OK"]


def test_who_gives_up_a_nick_gives_up_what_was_said_to_it(told: Desk) -> None:
    told.ask(2, "NICK rob")
    told.forget()
    assert told.ask(2, "@h HISTORY @bob") == ["@h ERROR not-allowed"]
    assert told.ask(2, "@h HISTORY @rob") == ["@h OK"]
    tell(told, 1, 1, "rob")
    assert told.ask(2, "@h HISTORY @rob") == [*kept(1, 1, "rob"), "@h OK"]
    told.ask(2, "NICK bob")
    told.forget()
    assert told.ask(2, "@h HISTORY @bob") == ["@h OK"], "another may have had it in between"


def test_to_write_a_nick_in_another_way_is_not_to_take_another(told: Desk) -> None:
    told.ask(2, "NICK BOB")
    told.forget()
    assert told.ask(2, "@h HISTORY @bob after=3") == [*kept(4, 5), "@h OK"]


def test_a_nick_that_changes_hands_within_a_batch_and_back(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.enter(3, "carol")
    desk.batch(
        desk.submit(1, "MSG @bob :1"),
        desk.submit(2, "NICK rob"),
        desk.submit(3, "NICK bob"),
        desk.submit(1, "MSG @bob :2"),
        desk.submit(3, "NICK carol"),
        desk.submit(2, "NICK bob"),
        desk.submit(1, "MSG @bob :3"),
    )
    desk.forget()
    assert desk.ask(2, "@h HISTORY @bob after=0") == [*kept(3, 3), "@h OK"]


def test_a_session_that_returns_reads_on_one_that_comes_too_late_does_not(told: Desk) -> None:
    told.ask(2, Departure())
    told.later(29)
    back(told, 3)
    assert told.ask(3, "@h HISTORY @bob after=3") == [*kept(4, 5), "@h OK"]
    told.ask(3, Departure())
    told.later(31)
    back(told, 4)
    assert told.ask(4, "@h HISTORY @bob after=3") == ["@h OK"]


def test_the_gap_in_an_inbox_is_only_what_was_said_to_oneself() -> None:
    desk = Desk(journal=MemoryJournal(retention=2))
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    tell(desk, 1, 3)
    desk.ask(2, "QUIT")
    desk.enter(3, "bob")
    tell(desk, 4, 8)
    assert desk.ask(3, "@h HISTORY @bob after=0") == ["@h GAP @bob 4 6", *kept(7, 8), "@h OK"]
    assert desk.ask(3, "@h HISTORY @bob limit=100") == ["@h GAP @bob 4 6", *kept(7, 8), "@h OK"]


def test_a_message_that_could_not_be_kept_opens_no_inbox(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.journal_is_down = True
    desk.ask(1, "MSG @bob :lost")
    desk.journal_is_down = False
    desk.forget()
    assert desk.ask(2, "@h HISTORY @bob after=0") == ["@h OK"]


def test_in_the_batch_of_the_first_message(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob")
    desk.batch(desk.submit(1, "MSG @bob :1"), desk.submit(2, "@h HISTORY @bob"))
    desk.run_errands(2)
    assert desk.news(2) == ["MSG @bob 1 1000 alice :1", *kept(1, 1), "@h OK"]


def test_who_came_to_a_stop_is_sent_on_from_there_and_given_nothing_twice(held: Desk) -> None:
    held.ask(1, "MSG @bob :one", "MSG @bob :two", "MSG @bob :three")
    held.batch(held.submit(3, f"NICK bob triochat/1 session={secret(2)}"))
    assert held.read(3) is None
    held.work.clear()
    held.batch(held.submit(3, CaughtUp("@bob", 3, None)))
    assert held.work.pop(3) == Replay("@bob", 3, None)
    held.batch(held.submit(3, Departure()))
    assert back(held, 4)[2:] == ["MSG @bob 4 1000 alice :three"]
