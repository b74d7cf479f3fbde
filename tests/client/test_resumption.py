import re

import pytest

from triochat.client.errors import ConnectionLost
from triochat.client.happenings import RoomState
from triochat.client.inbox import Inbox
from triochat.client.memberships import Memberships
from triochat.client.resumption import Resumption
from triochat.client.tags import Tags
from triochat.protocol import events as e


def message(number: int, room: str = "#dev", tag: str | None = None) -> e.Message:
    return e.Message(target=room, id=number, ms=number, nick="bob", text="x", tag=tag)


class Return:
    """A client in some rooms that is back, and the server's end of it."""

    def __init__(self, *, returning: bool = False, **rooms: int) -> None:
        self.memberships = Memberships(Inbox("alice"))
        for room, last in rooms.items():
            self.memberships.compare(RoomState(f"#{room}", ("alice", "bob"), ""), "alice")
            self.memberships.confirm(f"#{room}", last)
        self.asked: list[tuple[str, str]] = []
        self.told: list[e.Event | RoomState] = []
        self.resumption = Resumption(
            self.memberships, "alice", Tags(), self._send, self.told.append, returning=returning
        )

    def _send(self, data: bytes) -> None:
        match = re.fullmatch(r"@(\S+) (.*)\n", data.decode())
        assert match
        self.asked.append((match[2], match[1]))

    def tag(self, request: str) -> str:
        return dict(self.asked)[request]

    def enter(
        self, request: str, last: int, *numbers: int, nicks: tuple[str, ...] = ("alice", "bob")
    ) -> None:
        tag, room = self.tag(request), request.split()[1]
        self.hear(e.RoomInfo(room, len(nicks), last, "", tag=tag), e.NameList(room, nicks, tag=tag))
        self.hear(*(message(number, room, tag) for number in numbers), e.Ok(last, tag=tag))

    def hear(self, *events: e.Event) -> None:
        """Hear frames of answers that are waited for."""
        for event in events:
            assert self.resumption.hear(event)

    @property
    def ids(self) -> list[int]:
        return [event.id for event in self.told if isinstance(event, e.Message)]


def test_nowhere_to_go() -> None:
    assert Return().resumption.ended


def test_every_room_is_entered_behind_what_was_heard() -> None:
    back = Return(dev=7, ops=0)
    assert [request for request, _ in back.asked] == ["JOIN #dev after=7", "JOIN #ops after=0"]
    back.enter("JOIN #ops after=0", 0)
    assert not back.resumption.ended
    back.enter("JOIN #dev after=7", 9, 8, 9)
    assert (back.resumption.ended, back.ids) == (True, [8, 9])
    assert back.memberships.last("#dev") == 9


def test_the_inbox_is_part_of_it() -> None:
    back = Return(returning=True, dev=7)
    back.enter("JOIN #dev after=7", 7)
    assert not back.resumption.ended
    assert back.resumption.hold(message(2, "@alice"))
    tag = back.tag("HISTORY @alice after=0 limit=1000")
    for event in (message(1, "@alice", tag), e.Ok(tag=tag)):
        assert back.resumption.hear(event)
    assert (back.resumption.ended, back.ids) == (True, [1, 2])
    assert not Return(dev=7).resumption.hold(message(2, "@alice"))


def test_who_came_and_went_is_told_in_front_of_what_was_said() -> None:
    back = Return(dev=7)
    back.enter("JOIN #dev after=7", 8, 8, nicks=("alice", "carol"))
    assert back.told[:-1] == [
        e.Left("#dev", "bob"),
        e.Joined("#dev", "carol"),
        RoomState("#dev", ("alice", "carol"), ""),
    ]
    assert back.ids == [8]


def test_a_cut_in_the_middle_goes_on_behind_what_was_told() -> None:
    back = Return(dev=7)
    tag = back.tag("JOIN #dev after=7")
    for number in (8, 9):
        back.resumption.hear(message(number, tag=tag))
    again = Resumption(back.memberships, "alice", Tags(), back._send, back.told.append, returning=False)
    assert not again.ended
    assert back.asked[-1][0] == "JOIN #dev after=8", "the last one comes again, to show whose log it is"
    for event in (message(9, tag=back.asked[-1][1]), message(10, tag=back.asked[-1][1])):
        assert again.hear(event)
    assert back.ids == [8, 9, 10], "and what comes again is not told"


def test_a_server_that_lost_its_memory_is_asked_from_the_first() -> None:
    back = Return(dev=7)
    back.enter("JOIN #dev after=7", 2)
    assert not back.resumption.ended
    back.enter("JOIN #dev after=0", 2, 1, 2)
    assert (back.resumption.ended, back.ids) == (True, [1, 2])


def test_what_comes_meanwhile_of_a_room_that_is_asked_anew_is_left_to_the_answer() -> None:
    back = Return(dev=7)
    back.enter("JOIN #dev after=7", 2)
    assert back.resumption.hold(message(3)), "or 1 and 2 would be behind it"
    assert back.resumption.hold(e.TopicSet(room="#dev", id=4, ms=4, nick="bob", text="x"))
    assert not back.resumption.hold(message(3, "#ops"))
    back.enter("JOIN #dev after=0", 4, 1, 2, 3, 4)
    assert (back.resumption.ended, back.ids) == (True, [1, 2, 3, 4])
    assert not back.resumption.hold(message(5))


class Heard(Return):
    """One that has heard the entries 8 to 10 of the room #dev, at the times 8 to 10, and comes back again."""

    def __init__(self) -> None:
        super().__init__(dev=7)
        self.enter("JOIN #dev after=7", 10, 8, 9, 10)
        self.told.clear()
        self.again()

    def again(self) -> None:
        """There is another connection."""
        self.resumption = Resumption(
            self.memberships, "alice", Tags(), self._send, self.told.append, returning=False
        )


def test_the_last_entry_that_was_heard_shows_whose_log_it_is() -> None:
    back = Heard()
    back.enter("JOIN #dev after=9", 12, 10, 11, 12)
    assert (back.resumption.ended, back.ids) == (True, [11, 12])


def test_that_it_is_no_longer_kept_shows_nothing() -> None:
    back = Heard()
    tag = back.tag("JOIN #dev after=9")
    back.hear(e.Gap("#dev", 10, 12, tag=tag), message(13, tag=tag), e.Ok(13, tag=tag))
    assert (back.resumption.ended, back.told[0], back.ids) == (True, e.Gap("#dev", 11, 12, tag=tag), [13])


def later(number: int, ms: int, tag: str) -> e.Message:
    return e.Message(target="#dev", id=number, ms=ms, nick="bob", text="x", tag=tag)


def test_a_log_that_has_outgrown_the_one_we_know_is_new_from_its_first_entry() -> None:
    back = Heard()
    tag = back.tag("JOIN #dev after=9")
    back.hear(later(10, 30, tag))
    assert not back.resumption.hear(later(11, 31, tag)), "what is left of that answer is dropped"
    tag = back.tag("JOIN #dev after=7")  # from the first one on that was heard
    back.hear(later(8, 28, tag))
    assert not back.resumption.hear(later(9, 29, tag))
    tag = back.tag("JOIN #dev after=0")
    back.hear(*(later(number, 20 + number, tag) for number in range(1, 13)), e.Ok(12, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, list(range(1, 13)))


@pytest.mark.parametrize("last", [9, 12])
def test_of_a_log_that_was_restored_only_what_is_new_is_told(last: int) -> None:
    """It goes to 9, as at the time of the back-up, and perhaps on from there."""
    back = Heard()
    if last == 12:
        back.hear(later(10, 30, back.tag("JOIN #dev after=9")))
    else:
        back.hear(e.Ok(last, tag=back.tag("JOIN #dev after=9")))
    tag = back.tag("JOIN #dev after=7")
    back.hear(*(message(number, tag=tag) for number in (8, 9)))
    back.hear(*(later(number, 20 + number, tag) for number in range(10, last + 1)), e.Ok(last, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, list(range(10, last + 1)))


@pytest.mark.parametrize("last", [3, 7])
def test_a_log_that_has_nothing_of_what_was_heard_is_a_new_one(last: int) -> None:
    """Or the back-up is older than our coming; but nobody who was not there can tell."""
    back = Heard()
    back.hear(e.Ok(last, tag=back.tag("JOIN #dev after=9")))
    back.hear(e.Ok(last, tag=back.tag("JOIN #dev after=7")))
    tag = back.tag("JOIN #dev after=0")
    back.hear(*(message(number, tag=tag) for number in range(1, last + 1)), e.Ok(last, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, list(range(1, last + 1)))


def test_a_new_log_is_new_though_its_clock_was_set_back() -> None:
    """A small computer that has no clock of its own, and a server that keeps nothing."""
    back = Heard()
    back.hear(e.Ok(9, tag=back.tag("JOIN #dev after=9")))
    tag = back.tag("JOIN #dev after=7")
    back.hear(later(8, 4, tag))
    tag = back.tag("JOIN #dev after=0")
    back.hear(*(later(number, number // 2, tag) for number in range(1, 10)), e.Ok(9, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, list(range(1, 10)))
    assert back.memberships.hear(later(10, 1, tag), "alice"), "what comes now is new whatever the clock says"


def test_what_is_no_longer_kept_of_a_restored_log_does_not_hide_what_it_is() -> None:
    back = Heard()
    back.hear(e.Ok(9, tag=back.tag("JOIN #dev after=9")))
    tag = back.tag("JOIN #dev after=7")
    back.hear(e.Gap("#dev", 8, 8, tag=tag), message(9, tag=tag), e.Ok(9, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, [])


def test_a_cut_while_it_is_not_known_yet_whose_log_it_is_repeats_nothing() -> None:
    back = Heard()
    back.hear(e.Ok(9, tag=back.tag("JOIN #dev after=9")))
    back.hear(message(8, tag=back.tag("JOIN #dev after=7")))
    back.again()
    tag = back.tag("JOIN #dev after=7")
    back.hear(message(8, tag=tag), message(9, tag=tag), later(10, 30, tag), e.Ok(10, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, [10])


def test_nor_does_it_hide_anything() -> None:
    back = Heard()
    back.hear(e.Ok(9, tag=back.tag("JOIN #dev after=9")))
    back.tag("JOIN #dev after=7")
    back.asked.clear()
    back.again()
    back.hear(later(8, 30, back.tag("JOIN #dev after=7")))
    tag = back.tag("JOIN #dev after=0")
    back.hear(*(later(number, 20 + number, tag) for number in range(1, 10)), e.Ok(9, tag=tag))
    assert (back.resumption.ended, back.ids) == (True, list(range(1, 10)))


@pytest.mark.parametrize("taken", [8, 10])
def test_the_next_program_goes_on_behind_what_was_taken_of_a_restored_log(taken: int) -> None:
    back = Heard()
    for number in range(8, taken + 1):
        back.memberships.take(message(number))
    back.hear(e.Ok(9, tag=back.tag("JOIN #dev after=9")))
    tag = back.tag("JOIN #dev after=7")
    back.hear(message(8, tag=tag), message(9, tag=tag), e.Ok(9, tag=tag))
    assert back.memberships.seen() == {"#dev": min(taken, 9)}


@pytest.mark.parametrize("code", ["unavailable", "throttled"])
def test_a_refusal_that_may_pass_asks_for_another_connection(code: str) -> None:
    back = Return(dev=7)
    tag = back.tag("JOIN #dev after=7")
    with pytest.raises(ConnectionLost, match="later"):
        back.resumption.hear(e.Failure(code, "later", tag=tag))
    assert list(back.memberships) == ["#dev"]


def test_a_room_that_does_not_take_us_is_left_and_the_others_are_not() -> None:
    back = Return(dev=7, ops=3)
    tag = back.tag("JOIN #dev after=7")
    assert back.resumption.hear(e.Failure("not-allowed", "you are banned", tag=tag))
    assert back.told == [
        e.Failure("not-allowed", "you are banned"),
        e.Left("#dev", "alice", "you are banned"),
    ]
    assert not back.resumption.ended
    back.enter("JOIN #ops after=3", 3)
    assert (back.resumption.ended, list(back.memberships)) == (True, ["#ops"])


def test_junk_in_an_answer_ends_nothing() -> None:
    back = Return(dev=7)
    tag = back.tag("JOIN #dev after=7")
    older = message(3, tag=tag)
    back.hear(older, message(1, "#other", tag=tag), e.Pong(tag=tag), e.Welcome("alice", "test", tag=tag))
    assert older not in back.told
    back.hear(e.Ok(tag=tag))  # without an id
    assert (back.resumption.ended, list(back.memberships)) == (True, ["#dev"])
    for event in (e.Ok(7, tag=tag), e.Ok(tag="another"), e.Failure("unavailable", "late", tag=tag)):
        assert not back.resumption.hear(event)
