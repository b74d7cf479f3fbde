import re
from collections.abc import Callable

import pytest

from triochat.client.errors import ConnectionLost
from triochat.client.inbox import MAX_HELD, Inbox, InboxReading, Mark
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_PAGE


def message(
    number: int, *, target: str = "@alice", ms: int | None = None, tag: str | None = None
) -> e.Message:
    said_at = 1000 + number if ms is None else ms
    return e.Message(target=target, id=number, ms=said_at, nick="bob", text=str(number), tag=tag)


class Reader:
    """An inbox that is being read, and the server's end of it."""

    def __init__(self, heard: int = 0) -> None:
        self.inbox = Inbox("Alice", Mark(nick="alice", id=heard, ms=1000 + heard) if heard else None)
        self.asked: list[str] = []
        self.told: list[e.Event] = []
        self.reading = InboxReading(self.inbox, Tags(), self._send, self.told.append)

    def _send(self, data: bytes) -> None:
        match = re.fullmatch(r"@(\S+) HISTORY @alice after=(\d+) limit=1000\n", data.decode())
        assert match
        self.tag = match[1]
        self.asked.append(match[2])

    def answer(self, *events: Callable[[str], e.Event]) -> None:
        tag = self.tag
        for event in events:
            assert self.reading.hear(event(tag))

    def page(self, *numbers: int) -> None:
        self.answer(*(lambda tag, n=n: message(n, tag=tag) for n in numbers), OK)

    @property
    def ids(self) -> list[int]:
        return [event.id for event in self.told if isinstance(event, e.Message)]


def OK(tag: str) -> e.Event:  # noqa: N802 -- as it is called in the protocol
    return e.Ok(tag=tag)


def test_nothing_was_missed() -> None:
    reader = Reader()
    assert reader.asked == ["0"]
    assert not reader.reading.ended
    reader.page()
    assert (reader.reading.ended, reader.told, reader.asked) == (True, [], ["0"])


def test_the_last_that_was_heard_is_asked_for_and_not_told_again() -> None:
    reader = Reader(heard=7)
    assert reader.asked == ["6"]
    reader.page(7, 8, 9)
    assert (reader.reading.ended, reader.ids) == (True, [8, 9])
    assert reader.inbox.heard == Mark(nick="alice", id=9, ms=1009)


def test_pages_are_read_until_one_is_not_full() -> None:
    reader = Reader(heard=1)
    reader.page(*range(1, MAX_PAGE + 1))
    reader.page(*range(MAX_PAGE + 1, 2 * MAX_PAGE + 1))
    assert not reader.reading.ended
    reader.page()
    assert reader.asked == ["0", str(MAX_PAGE), str(2 * MAX_PAGE)]
    assert (reader.reading.ended, reader.ids) == (True, list(range(2, 2 * MAX_PAGE + 1)))


def test_a_server_that_repeats_itself_is_not_asked_for_ever() -> None:
    reader = Reader(heard=1)
    reader.page(*range(1, MAX_PAGE + 1))
    assert not reader.reading.ended
    reader.page(*range(1, MAX_PAGE + 1))
    assert (reader.reading.ended, reader.ids) == (True, list(range(2, MAX_PAGE + 1)))


def test_what_comes_meanwhile_waits_and_is_told_once() -> None:
    reader = Reader(heard=1)
    for number in (3, 4, 5):
        assert reader.reading.hold(message(number))
    assert not reader.reading.hold(message(9, target="@bob"))
    assert not reader.reading.hold(e.Joined("#dev", "bob"))
    reader.page(1, 2, 3, 4)
    assert reader.ids == [2, 3, 4, 5]
    assert not reader.reading.hold(message(6))
    assert not reader.reading.hear(message(6, tag="another"))


def test_what_comes_meanwhile_is_bounded() -> None:
    reader = Reader()
    for number in range(2, MAX_HELD + 12):
        assert reader.reading.hold(message(number))
    assert len(reader.reading._held) == MAX_HELD
    reader.page(1)
    assert not reader.reading.ended
    for number in (MAX_HELD + 12, MAX_HELD + 13):
        assert reader.reading.hold(message(number))
    reader.page(*range(2, MAX_HELD + 2))
    reader.page(*range(MAX_HELD + 2, MAX_HELD + 13))
    assert (reader.reading.ended, reader.ids) == (True, list(range(1, MAX_HELD + 14)))


def test_a_server_that_has_forgotten_us_and_has_nothing_for_us_yet() -> None:
    reader = Reader(heard=7)
    reader.page()
    assert reader.asked == ["6", "0"]
    assert reader.inbox.heard == reader.inbox.seen == Mark(nick="alice")
    reader.page()
    assert (reader.reading.ended, reader.told) == (True, [])


def test_a_server_that_has_forgotten_us_and_counts_on() -> None:
    reader = Reader(heard=7)
    reader.page(12, 13)
    assert (reader.reading.ended, reader.ids, reader.asked) == (True, [12, 13], ["6"])


def test_a_server_that_has_forgotten_everything_and_is_behind() -> None:
    reader = Reader(heard=7)
    assert reader.reading.hold(message(2, ms=2002))
    reader.page()
    reader.answer(lambda tag: message(1, ms=2001, tag=tag), OK)
    assert (reader.reading.ended, reader.ids) == (True, [1, 2])


def test_a_server_that_has_forgotten_everything_and_is_ahead() -> None:
    reader = Reader(heard=7)
    old = reader.tag
    reader.answer(lambda tag: message(7, ms=2007, tag=tag))
    assert not reader.reading.hear(message(8, ms=2008, tag=old))
    assert not reader.reading.hear(e.Ok(tag=old))
    assert (reader.asked, reader.told) == (["6", "0"], [])
    reader.answer(*(lambda tag, n=n: message(n, ms=2000 + n, tag=tag) for n in range(1, 9)), OK)
    assert (reader.reading.ended, reader.ids) == (True, list(range(1, 9)))


@pytest.mark.parametrize(
    ("gap", "told"), [((7, 9), [(8, 9)]), ((7, 7), []), ((8, 9), [(8, 9)]), ((9, 9), [(9, 9)])]
)
def test_what_is_no_longer_kept_is_told_as_far_as_it_was_not_heard(
    gap: tuple[int, int], told: list[tuple[int, int]]
) -> None:
    reader = Reader(heard=7)
    reader.answer(lambda tag: e.Gap("@alice", *gap, tag=tag), lambda tag: message(10, tag=tag), OK)
    assert [(event.first, event.last) for event in reader.told if isinstance(event, e.Gap)] == told
    assert (reader.asked, reader.ids) == (["6"], [10])


def test_a_gap_that_comes_meanwhile_waits_too() -> None:
    reader = Reader()
    assert reader.reading.hold(e.Gap("@Alice", 1, 3))
    reader.answer(lambda tag: e.Gap("@Alice", 1, 2, tag=tag), OK)
    assert [(event.first, event.last) for event in reader.told if isinstance(event, e.Gap)] == [
        (1, 2),
        (3, 3),
    ]


def test_behind_a_gap_nobody_knows_the_time() -> None:
    reader = Reader()
    reader.answer(lambda tag: e.Gap("@alice", 1, 3, tag=tag), OK)
    assert reader.inbox.heard == Mark(nick="alice", id=3)


@pytest.mark.parametrize("code", ["unavailable", "throttled"])
def test_another_attempt_may_help(code: str) -> None:
    reader = Reader()
    with pytest.raises(ConnectionLost, match="later"):
        reader.reading.hear(e.Failure(code, "later", tag=reader.tag))


def test_a_server_that_has_no_inboxes_is_lived_with() -> None:
    reader = Reader(heard=7)
    reader.reading.hold(message(8))
    reader.answer(lambda tag: e.Failure("bad-room", "this can't be a room", tag=tag))
    assert reader.reading.ended
    assert reader.told == [e.Failure("bad-room", "this can't be a room"), message(8)]


def test_junk_in_an_answer_is_passed_over() -> None:
    reader = Reader()
    reader.answer(
        lambda tag: message(1, target="@bob", tag=tag),
        lambda tag: message(1, target="#dev", tag=tag),
        lambda tag: e.NameList("#dev", ("bob",), tag=tag),
        lambda tag: message(2, tag=tag),
        lambda tag: message(2, tag=tag),
        lambda tag: message(1, tag=tag),
        OK,
    )
    assert (reader.reading.ended, reader.ids) == (True, [2])


def test_the_program_may_be_behind() -> None:
    inbox = Inbox("alice")
    assert [inbox.hear(message(number)) for number in (1, 2, 2)] == [True, True, False]
    assert [inbox.take(message(number)) for number in (1, 1)] == [True, False]
    assert (inbox.heard.id, inbox.seen) == (2, Mark(nick="alice", id=1, ms=1001))


def test_another_nick_has_another_inbox() -> None:
    assert Inbox("Alice", Mark(nick="alice", id=7)).heard.id == 7
    inbox = Inbox("bob", Mark(nick="alice", id=7))
    assert inbox.heard == inbox.seen == Mark(nick="bob")
    assert inbox.concerns(message(1, target="@BOB"))
    inbox.hear(message(1, target="@bob"))
    inbox.begin("Robert")
    assert (inbox.log, inbox.heard.id) == ("@robert", 0)
    assert not inbox.concerns(message(2, target="@bob"))
