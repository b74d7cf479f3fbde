"""Entries read back, as frames: compared with the plain truth, at every border."""

from dataclasses import replace

import pytest

from tests.chat.desk import at_once
from triochat.chat.history import behind, found, in_front
from triochat.journal import Draft, MemoryJournal, Page
from triochat.protocol.events import Event, Gap, Message, Notice

LOG = "#dev"


def truth(asked: range, kept: range) -> list[Event]:
    """What must be said of the ids that were asked for: one gap for those gone, then the entries."""
    gone = [number for number in asked if number < kept.start]
    there: list[Event] = [
        Message(target=LOG, id=number, ms=1, nick="al", text=str(number), tag="t")
        for number in asked
        if number in kept
    ]
    return [Gap(LOG, gone[0], gone[-1], tag="t"), *there] if gone else there


def filled(retention: int, last: int) -> MemoryJournal:
    journal = MemoryJournal(retention=retention)
    drafts = [
        Draft(log=LOG, kind="message", target=LOG, nick="al", texts=(str(number),), ms=1)
        for number in range(1, last + 1)
    ]
    at_once(journal.append(drafts))
    return journal


@pytest.mark.parametrize("retention", [1, 3, 100])
@pytest.mark.parametrize("last", range(8))
def test_every_page_tells_every_gap(retention: int, last: int) -> None:
    journal = filled(retention, last)
    kept = range(max(1, last - retention + 1), last + 1)
    for limit in range(1, last + 2):
        for after in range(last + 3):
            page = at_once(journal.read_after(LOG, after, limit))
            there = [number for number in kept if number > after][:limit]
            end = there[-1] if there else last
            assert list(behind(page, LOG, after, "t")) == truth(range(after + 1, end + 1), kept)
        for before in (None, *range(1, last + 4)):
            page = at_once(journal.read_before(LOG, before, limit))
            end = last if before is None else min(last, before - 1)
            asked = range(max(1, end - limit + 1), end + 1)
            assert list(in_front(page, LOG, before, limit, "t")) == truth(asked, kept)


@pytest.mark.parametrize("after", range(4))
def test_a_log_of_which_nothing_is_kept_is_all_gap(after: int) -> None:
    page = Page((), first=4, last=3)
    assert list(behind(page, LOG, after, "t")) == truth(range(after + 1, 4), range(4, 4))
    assert list(in_front(page, LOG, None, 2, "t")) == [Gap(LOG, 2, 3, tag="t")]


def test_without_a_tag() -> None:
    page = at_once(filled(1, 2).read_after(LOG, 0, 9))
    tagged = behind(page, LOG, 0, "t")
    assert list(behind(page, LOG, 0, None)) == [replace(event, tag=None) for event in tagged]


@pytest.mark.parametrize("retention", [1, 3, 100])
@pytest.mark.parametrize("floor", range(7))
def test_of_what_is_not_behind_the_floor_nothing_is_told(retention: int, floor: int) -> None:
    last = 5
    journal = filled(retention, last)
    kept = range(max(1, last - retention + 1), last + 1)
    for limit in range(1, last + 2):
        for before in (None, *range(1, last + 3)):
            page = at_once(journal.read_before(LOG, before, limit))
            end = last if before is None else min(last, before - 1)
            asked = range(max(floor + 1, end - limit + 1), end + 1)
            assert list(in_front(page, LOG, before, limit, "t", floor)) == truth(asked, kept)


def test_what_was_found_comes_newest_first_but_to_a_person_last() -> None:
    entries = at_once(filled(9, 2).read_after(LOG, 0, 9)).entries[::-1]
    for tag in (None, "t"):
        events = [entry.event(tag) for entry in entries]
        assert list(found(entries, tag, for_person=False)) == events
        assert list(found(entries, tag, for_person=True)) == events[::-1]


def test_nothing_found_is_said_to_a_person_only() -> None:
    assert list(found([], "t", for_person=False)) == []
    [notice] = found([], "t", for_person=True)
    assert isinstance(notice, Notice)
