"""A run of messages is the same messages one by one, only together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chat.desk import Desk, at_once, says, secret
from triochat.chat import (
    WAITS,
    Asked,
    Broadcast,
    ClientId,
    Departure,
    Limits,
    Replies,
    Submission,
)
from triochat.chat import room as room_module
from triochat.journal import MemoryJournal
from triochat.protocol import events as e
from triochat.protocol.runs import MessageRun, OkRun


def kept(desk: Desk, log: str = "#dev") -> list[str]:
    """The texts in a log."""
    return [entry.text for entry in at_once(desk.journal.read_after(log, 0, 1000)).entries]


# --- what a run gives ---------------------------------------------------------------------------


def test_a_run_is_echoed_and_acknowledged_message_by_message(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.enter(3, "carol", "#ops")
    order = ["MSG #dev 1 1000 alice :one", r"MSG #dev 2 1000 alice :two\nlines", "MSG #dev 3 1000 alice :3"]
    said = desk.ask(1, says("#dev", "one", "two\nlines", "3", tags=("a", "b", "c")))
    assert said == [*order, "@a OK 1", "@b OK 2", "@c OK 3"]
    assert desk.all_news(2, 3) == [order, []]
    assert kept(desk) == ["one", "two\nlines", "3"]


def test_without_tags_the_echo_is_all(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    assert desk.ask(1, says("#dev", "a", "b")) == ["MSG #dev 1 1000 alice :a", "MSG #dev 2 1000 alice :b"]


def test_a_run_stays_together_all_the_way(desk: Desk) -> None:
    """One value to the journal, to be encoded and to be answered: that is what runs are for."""
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    run = says("#dev", "x", "y", tags=("a", "b"))
    plan = desk.hub.decide([Submission(1, [run]), Submission(2, [run])], ms=1000, now=0.0)
    assert len(plan.drafts) == 2
    assert plan.settle(at_once(desk.journal.append(plan.drafts))) == [
        Broadcast(
            (1, 2),
            [
                MessageRun("#dev", 1, 1000, "alice", ("x", "y")),
                MessageRun("#dev", 3, 1000, "bob", ("x", "y")),
            ],
        ),
        Replies([(1, OkRun(1, ("a", "b"))), (2, OkRun(3, ("a", "b")))]),
    ]


def test_a_run_has_its_place_among_the_other_requests(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#ops")
    desk.enter(2, "bob", "#dev", "#ops")
    desk.batch(
        desk.submit(
            1,
            "@p PING",
            says("#dev", "a", "b", tags=("a", "b")),
            "@t TOPIC #dev :new",
            says("#ops", "c", "d"),
            says("#dev", "e", "f", tags=("e", "f")),
            "@n NICK alicia",
            says("#dev", "g", tags=("g",)),
            "@q QUIT",
            says("#dev", "not heard"),
        )
    )
    dev = [
        "MSG #dev 1 1000 alice :a",
        "MSG #dev 2 1000 alice :b",
        "TOPIC #dev 3 1000 alice :new",
        "MSG #dev 4 1000 alice :e",
        "MSG #dev 5 1000 alice :f",
    ]
    ops = ["MSG #ops 1 1000 alice :c", "MSG #ops 2 1000 alice :d"]
    renamed, last = "RENAMED alice alicia", "MSG #dev 6 1000 alicia :g"
    oks = ["@p PONG", "@a OK 1", "@b OK 2", "@t OK 3", "@e OK 4", "@f OK 5"]
    news = desk.news(1)
    assert news[:-1] == [*dev, *ops, *oks, renamed, last, "@n OK", "@g OK 6"]
    assert news[-1].startswith("@q BYE")
    assert desk.news(2) == [*dev, *ops, renamed, last, "LEFT #dev alicia", "LEFT #ops alicia"]


def test_runs_of_two_clients_in_one_batch(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.batch(
        desk.submit(1, says("#dev", "a", "b", tags=("1", "2"))),
        desk.submit(2, says("#dev", "c", "d", tags=("1", "2"))),
        desk.submit(1, says("#dev", "e", tags=("3",)), says("#dev", "f")),
        desk.submit(2, says("#dev", "g", "h")),
    )
    authors = ["alice", "alice", "bob", "bob", "alice", "alice", "bob", "bob"]
    order = [
        f"MSG #dev {number} 1000 {nick} :{text}"
        for number, (nick, text) in enumerate(zip(authors, "abcdefgh", strict=True), 1)
    ]
    assert desk.all_news(1, 2) == [
        [*order, "@1 OK 1", "@2 OK 2", "@3 OK 5"],
        [*order, "@1 OK 3", "@2 OK 4"],
    ]
    assert kept(desk) == list("abcdefgh")


def test_of_one_who_is_not_here_no_run_is_heard(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    run = says("#dev", "a", "b", tags=("a", "b"))
    desk.batch(desk.submit(1, Departure(), run), desk.submit(3, run))
    assert desk.all_news(1, 2, 3) == [[], [], []]
    assert not kept(desk)


def test_a_run_makes_a_room_stay(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, says("#dev", "a", "b"), "PART #dev")
    desk.batch()
    desk.forget()
    assert desk.ask(1, "@r ROOMS") == ["@r ROOM #dev 0 2", "@r OK"]


# --- those who can't be told now ----------------------------------------------------------------


def test_a_run_in_a_room_in_which_nobody_else_is(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    said = desk.ask(1, says("#dev", "a", "b", tags=("a", "b")))
    assert said == ["MSG #dev 1 1000 alice :a", "MSG #dev 2 1000 alice :b", "@a OK 1", "@b OK 2"]
    assert desk.news(2) == []


def test_a_run_in_a_room_in_which_nobody_is_told_is_kept_and_acknowledged(desk: Desk) -> None:
    """Its author is the only member, and still reads the room's past."""
    desk.enter(1, "alice", "#dev")
    desk.ask(1, "MSG #dev :old", "PART #dev")
    desk.batch(desk.submit(1, "@j JOIN #dev after=0"))
    desk.forget()
    desk.batch(desk.submit(1, says("#dev", "a", "b", tags=("a", "b"))))
    assert desk.news(1) == ["@a OK 2", "@b OK 3"]
    desk.run_errands(1)
    assert desk.news(1) == [
        "@j MSG #dev 1 1000 alice :old",
        "@j MSG #dev 2 1000 alice :a",
        "@j MSG #dev 3 1000 alice :b",
        "@j OK 3",
    ]


@pytest.mark.parametrize("recent", [1, 2, 3, 1024])
def test_who_follows_sees_each_of_a_run_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    """However many of them the room remembers: what it does not is read again."""
    monkeypatch.setattr(room_module, "RECENT", recent)
    desk.enter(1, "alice", "#dev")
    desk.ask(1, says("#dev", "1", "2", "3"))
    desk.enter(2, "bob")
    desk.batch(desk.submit(2, "@j JOIN #dev after=1"))
    desk.batch(desk.submit(1, says("#dev", "4", "5")))
    caught_up = desk.catch_up(2)
    desk.forget()
    desk.batch(desk.submit(1, says("#dev", "6", "7", "8")))
    desk.batch(desk.submit(1, says("#dev", "9", "10")), desk.submit(2, caught_up))
    desk.run_errands(2)
    desk.batch(desk.submit(1, says("#dev", "11", "12")))
    news = [line.removeprefix("@j ") for line in desk.news(2)]
    assert [line for line in news if not line.startswith("OK")] == [
        f"MSG #dev {number} 1000 alice :{number}" for number in range(6, 13)
    ]


def test_a_run_while_somebody_is_held_is_there_when_it_returns(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.ask(2, Departure())
    desk.ask(1, says("#dev", "a", "b"))
    desk.ask(3, f"NICK bob triochat/1 session={secret(2)}")
    assert desk.ask(3, "@j JOIN #dev after=0")[-3:] == [
        "@j MSG #dev 1 1000 alice :a",
        "@j MSG #dev 2 1000 alice :b",
        "@j OK 2",
    ]


# --- refusals -----------------------------------------------------------------------------------


def test_a_run_to_a_room_that_there_is_not_is_refused_one_by_one(desk: Desk) -> None:
    desk.enter(1, "alice", "#ops")
    said = desk.ask(1, "@p PING", says("#dev", "a", "b", tags=("a", "b")), says("#dev", "c", "d"), "@q PING")
    refused = ["@a ERROR no-such-room", "@b ERROR no-such-room"]
    # Those with a tag are looked up first, so they are answered when the journal has said that it has none.
    assert said == ["@p PONG", *refused, "ERROR no-such-room", "ERROR no-such-room", "@q PONG"]
    assert at_once(desk.journal.heads()) == {}


def test_a_run_of_one_who_is_not_in_the_room_is_refused_one_by_one(desk: Desk) -> None:
    desk.enter(1, "alice")
    desk.enter(2, "bob", "#dev")
    assert desk.ask(1, says("#dev", "a", "b")) == ["ERROR not-in-room"] * 2
    assert desk.ask(1, says("#dev", "a", "b", tags=("a", "b"))) == [
        "@a ERROR not-in-room",
        "@b ERROR not-in-room",
    ]
    assert desk.news(2) == []
    desk.ask(1, "JOIN #dev")
    assert desk.ask(1, says("#dev", "a", tags=("a",)))[-1] == "@a OK 1", "a refusal takes no tag"


@pytest.mark.parametrize("room", ["#dev", "#none"])
def test_without_a_session_nothing_is_recalled(desk: Desk, room: str) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(2, e.Hello("bob"))
    desk.forget()
    code = "not-in-room" if room == "#dev" else "no-such-room"
    run = says(room, "a", "b", tags=("a", "b"))
    plan = desk.hub.decide([Submission(2, [run])], ms=1000, now=0.0)
    assert plan.drafts == []
    assert desk.ask(2, run) == [f"@a ERROR {code}", f"@b ERROR {code}"]
    assert desk.ask(2, says(room, "a", "b")) == [f"ERROR {code}", f"ERROR {code}"]


def test_what_was_kept_of_a_run_is_acknowledged_though_it_may_no_longer_be_said(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.ask(1, says("#dev", "a", "b", tags=("a", "b")), "PART #dev")
    desk.forget()
    said = desk.ask(1, says("#dev", "b", "x", "c", tags=("b", "a", "c")))
    assert said == ["@b OK 2", "@a ERROR not-allowed", "@c ERROR not-in-room"]


@pytest.mark.parametrize("where", ["#dev", "#none"])
def test_while_the_journal_is_down_each_of_a_run_is_refused(desk: Desk, where: str) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob", "#dev")
    desk.journal_is_down = True
    refused = [f"@{tag} ERROR unavailable" for tag in "abc"]
    assert desk.ask(1, says(where, "1", "2", "3", tags=("a", "b", "c"))) == refused
    code = "unavailable" if where == "#dev" else "no-such-room"
    assert desk.ask(1, says(where, "1", "2", "3")) == [f"ERROR {code}"] * 3
    assert desk.news(2) == []
    desk.journal_is_down = False
    assert desk.ask(1, says("#dev", "1", "2", tags=("a", "b")))[2:] == ["@a OK 1", "@b OK 2"]


def test_a_room_in_which_no_run_could_be_kept_does_not_stay(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.journal_is_down = True
    desk.ask(1, says("#dev", "a", "b"), says("#dev", "c", "d"), "PART #dev")
    desk.batch()
    assert desk.hub.statistics()["rooms"] == 0


@pytest.mark.parametrize("tags", [None, ("a", "b")])
def test_a_run_in_a_room_that_the_journal_has_no_place_for(tags: Sequence[str] | None) -> None:
    desk = Desk(journal=MemoryJournal(max_rooms=1))
    desk.enter(1, "alice", "#dev", "#ops")
    desk.ask(1, "MSG #dev :hello")
    desk.forget()
    prefixes = ["", ""] if tags is None else ["@a ", "@b "]
    said = desk.ask(1, says("#ops", "x", "y", tags=tags))
    assert said == [f"{prefix}ERROR unavailable" for prefix in prefixes]
    assert len(desk.ask(1, says("#dev", "x", "y", tags=tags))) == (2 if tags is None else 4)


# --- what comes again ---------------------------------------------------------------------------


def test_of_a_run_that_comes_again_only_the_new_is_said(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev", "#ops")
    desk.enter(2, "bob", "#dev")
    desk.ask(1, says("#dev", "a", "b", tags=("a", "b")))
    desk.forget()
    said = desk.ask(1, says("#dev", "c", "a", "x", "d", "e", "c", tags=("c", "a", "b", "d", "e", "c")))
    new = ["MSG #dev 3 1000 alice :c", "MSG #dev 4 1000 alice :d", "MSG #dev 5 1000 alice :e"]
    answers = ["@c OK 3", "@a OK 1", "@b ERROR not-allowed", "@d OK 4", "@e OK 5", "@c OK 3"]
    assert said == [*new, *answers]
    assert desk.news(2) == new
    assert desk.ask(1, says("#dev", "a", "b", tags=("a", "b"))) == ["@a OK 1", "@b OK 2"]
    assert desk.ask(1, says("#ops", "a", "f", tags=("a", "f"))) == [
        "MSG #ops 1 1000 alice :f",
        "@a ERROR not-allowed",
        "@f OK 1",
    ]
    assert desk.ask(1, "MSG #dev :next") == ["MSG #dev 6 1000 alice :next"]
    assert kept(desk) == ["a", "b", "c", "d", "e", "next"]


def test_of_what_comes_again_a_follower_sees_the_new_once(desk: Desk) -> None:
    desk.enter(1, "alice", "#dev")
    desk.enter(2, "bob")
    desk.ask(1, says("#dev", "a", "b", tags=("a", "b")))
    desk.batch(desk.submit(2, "@j JOIN #dev after=0"))
    desk.forget()
    caught_up = desk.catch_up(2)
    desk.batch(desk.submit(1, says("#dev", "c", "b", "d", tags=("c", "b", "d"))))
    desk.batch(desk.submit(2, caught_up))
    desk.run_errands(2)
    seen = [line.removeprefix("@j ") for line in desk.news(2)]
    assert seen == [f"MSG #dev {number} 1000 alice :{text}" for number, text in enumerate("abcd", 1)] + [
        "OK 4"
    ]


def test_without_a_session_a_run_says_the_same_again(desk: Desk) -> None:
    desk.ask(1, e.Hello("alice"), "JOIN #dev")
    desk.forget()
    run = says("#dev", "a", "a", tags=("t", "t"))
    assert desk.ask(1, run)[2:] == ["@t OK 1", "@t OK 2"]
    assert desk.ask(1, run)[2:] == ["@t OK 3", "@t OK 4"]
    assert kept(desk) == ["a"] * 4


# --- whatever is said ---------------------------------------------------------------------------


@dataclass
class Turn:
    """A batch: what each client asks, if it is not busy with its errand; then it does one step of that."""

    asked: list[tuple[ClientId, list[e.Request]]]
    journal_is_down: bool = False


@dataclass
class Chat:
    """Three who are framed, the third without a session; a fourth sees lines."""

    together: bool
    desk: Desk = field(
        default_factory=lambda: Desk(Limits(rooms=3), MemoryJournal(retention=6, max_rooms=2, max_tags=10**6))
    )

    def __post_init__(self) -> None:
        self.desk.enter(1, "alice", "#a", "#lobby")
        self.desk.enter(2, "bob", "#a")
        self.desk.ask(3, e.Hello("carol"), "JOIN #a")
        self.desk.enter_as_text(4, "dave")

    def turn(self, turn: Turn) -> None:
        self.desk.journal_is_down = turn.journal_is_down
        submissions: list[Submission] = []
        waiting = set(self.desk.work)
        for client, asked in turn.asked:
            if client in self.desk.work:
                caught_up = self.desk.read(client)
                waiting.add(client)
                if caught_up is not None:
                    submissions.append(Submission(client, [caught_up]))
            elif client not in waiting:
                sayable = list(until_it_waits(asked))
                if isinstance(sayable[-1], WAITS):
                    waiting.add(client)
                submissions.append(Submission(client, self._gathered(sayable)))
        self.desk.batch(*submissions)

    def end(self) -> None:
        self.desk.journal_is_down = False
        for client in list(self.desk.work):
            self.desk.run_errands(client)

    def _gathered(self, asked: list[e.Request]) -> list[Asked]:
        """As a connection would: what goes to one room, all with a tag or all without one."""
        if not self.together:
            return [*asked]
        gathered: list[Asked] = []
        for alike, group in groupby(asked, key=what_runs_have_alike):
            if alike is None:
                gathered += group
                continue
            messages = [one for one in group if isinstance(one, e.Say)]
            tags = [one.tag for one in messages if one.tag is not None]
            gathered.append(says(alike[0], *(one.text for one in messages), tags=tags or None))
        return gathered

    def state(self) -> dict[str, object]:
        """All that may be seen of it, and what the rooms remember."""
        desk = self.desk
        heads = at_once(desk.journal.heads())
        return {
            "events": desk.events,
            "work": desk.work,
            "heads": heads,
            "journal": {log: at_once(desk.journal.read_after(log, 0, 1000)) for log in heads},
            "rooms": {
                name: (room.last, room.topic, room.pending, room.nicks, room.audience, list(room._recent))
                for name, room in desk.hub._rooms.items()
            },
        }


def until_it_waits(asked: Sequence[e.Request]) -> Iterator[e.Request]:
    for request in asked:
        yield request
        if isinstance(request, WAITS):
            return


def what_runs_have_alike(request: e.Request) -> tuple[str, bool] | None:
    if not isinstance(request, e.Say) or request.target is None or request.target.startswith("@"):
        return None
    return request.target, request.tag is None


ROOMS = st.sampled_from(["#a", "#a", "#a", "#b", "#lobby", "#none"])
TEXTS = st.sampled_from(["one", "two", "\N{SNOWMAN}\n"])
TAGS = st.sampled_from([None, "t1", "t2", "t3", "t4", "t5", "t6", "t7"])
SAYS = st.builds(e.Say, ROOMS, TEXTS, tag=TAGS)
MANY_SAYS = st.builds(
    lambda room, said, tagged: [e.Say(room, text, tag=tag if tagged else None) for text, tag in said],
    ROOMS,
    st.lists(st.tuples(TEXTS, TAGS.filter(bool)), min_size=2, max_size=6),
    st.booleans(),
)
OTHERS = st.one_of(
    st.builds(e.Say, st.sampled_from(["@bob", "@carol", "@none"]), TEXTS, tag=TAGS),
    st.builds(e.SetTopic, ROOMS, TEXTS, tag=TAGS),
    st.builds(e.Part, ROOMS),
    st.builds(e.Join, ROOMS, st.sampled_from([None, 0, 3]), tag=st.just("join")),
    st.builds(e.ListRooms, tag=st.just("rooms")),
    st.builds(e.Ping, tag=st.just("ping")),
    st.builds(e.Rename, st.sampled_from(["al", "Bo"])),
)
ASKED = st.lists(st.one_of(MANY_SAYS, MANY_SAYS, SAYS.map(lambda say: [say]), OTHERS.map(lambda one: [one])))
TURNS = st.builds(
    Turn,
    st.lists(
        st.tuples(
            st.integers(1, 3), ASKED.map(lambda parts: [one for part in parts for one in part]).filter(bool)
        ),
        max_size=4,
    ),
    st.sampled_from([False, False, False, False, True]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(TURNS, max_size=8))
def test_runs_are_the_same_as_one_by_one(turns: list[Turn]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room_module, "RECENT", 5)
        single, together = Chat(together=False), Chat(together=True)
        for turn in turns:
            single.turn(turn)
            together.turn(turn)
            assert together.state() == single.state()
        single.end()
        together.end()
        assert together.state() == single.state()
