"""What the journal in memory does beyond the contract: its bounds."""

import gc
import weakref

import pytest

from tests.journal.drafts import KEY, draft, fill
from triochat.journal import Head, Kept, MemoryJournal, NoRoom, Outcome, Page, Repeated, TagTaken, Unknown


def ids(outcomes: list[Outcome]) -> list[int]:
    return [outcome.entry.id for outcome in outcomes if isinstance(outcome, Kept)]


async def test_ten_thousand_entries_of_a_log_are_kept_by_default() -> None:
    journal = MemoryJournal()
    await journal.append([draft(str(number)) for number in range(10_001)])
    page = await journal.read_after("#dev", 0, 1)
    assert (page.first, page.last, page.entries[0].id) == (2, 10_001, 2)


async def test_retention_is_counted_for_each_log() -> None:
    journal = MemoryJournal(retention=1)
    await fill(journal, 3)
    await fill(journal, 2, log="#ops")
    dev = await journal.read_before("#dev", None, 10)
    ops = await journal.read_before("#ops", None, 10)
    assert [(page.first, page.last, len(page.entries)) for page in (dev, ops)] == [(3, 3, 1), (2, 2, 1)]


@pytest.mark.parametrize("bound", ["retention", "max_tags", "max_rooms", "max_inboxes"])
async def test_a_bound_is_at_least_one(bound: str) -> None:
    MemoryJournal(**{bound: 1})
    with pytest.raises(ValueError, match="1 or more"):
        MemoryJournal(**{bound: 0})


# --- tags ---------------------------------------------------------------------------------------


async def test_the_oldest_tags_are_forgotten() -> None:
    journal = MemoryJournal(max_tags=2)
    keys = [("session", str(number)) for number in range(3)]
    assert ids(await journal.append([draft(key=key) for key in keys])) == [1, 2, 3]
    recalled = await journal.append([draft(key=key, recall=True) for key in keys])
    assert recalled == [Unknown(), Repeated(2), Repeated(3)]
    assert ids(await journal.append([draft(key=keys[0])])) == [4]


async def test_a_recall_takes_no_place_among_the_tags() -> None:
    journal = MemoryJournal(max_tags=1)
    await journal.append([draft(key=KEY), draft(key=("session", "other"), recall=True)])
    assert await journal.append([draft(key=KEY)]) == [Repeated(1)]


class Text(str):
    """One of which it can be seen that it is gone."""

    __slots__ = ("__weakref__",)


async def test_a_tag_does_not_hold_its_text() -> None:
    journal = MemoryJournal(retention=1)
    text = Text("long" * 1000)
    gone = weakref.ref(text)
    await journal.append([draft(text, key=KEY)])
    del text
    gc.collect()
    assert gone() is not None, "the entry holds it"
    await fill(journal, 1)
    gc.collect()
    assert gone() is None
    assert await journal.append([draft("long" * 1000, key=KEY)]) == [Repeated(1)]


# --- rooms and inboxes --------------------------------------------------------------------------


async def test_further_rooms_are_refused_and_the_others_go_on() -> None:
    journal = MemoryJournal(max_rooms=2)
    outcomes = await journal.append([draft(log=log) for log in ("#a", "#b", "#c", "#a", "#c", "#b")])
    assert ids(outcomes) == [1, 1, 2, 2]
    assert outcomes[2] == outcomes[4] == NoRoom()
    assert set(await journal.heads()) == {"#a", "#b"}


async def test_what_was_refused_leaves_its_tag_free() -> None:
    journal = MemoryJournal(max_rooms=1)
    outcomes = await journal.append([draft(log="#a"), draft(log="#b", key=KEY), draft(log="#a", key=KEY)])
    assert outcomes[1] == NoRoom()
    assert ids(outcomes) == [1, 2]
    assert await journal.append([draft(log="#b", key=KEY)]) == [TagTaken()]


async def test_rooms_and_inboxes_take_no_place_from_each_other() -> None:
    journal = MemoryJournal(max_rooms=1, max_inboxes=1)
    assert ids(await journal.append([draft(log="@a"), draft(log="#a"), draft(log="@a")])) == [1, 1, 2]
    assert await journal.append([draft(log="#b")]) == [NoRoom()]
    assert ids(await journal.append([draft(log="@b"), draft(log="#a")])) == [3, 2]
    assert set(await journal.heads()) == {"#a", "@b"}


async def test_the_inbox_that_got_nothing_for_the_longest_time_is_let_go() -> None:
    journal = MemoryJournal(max_inboxes=2)
    await journal.append([draft(log=log) for log in ("@a", "@b", "@a")])
    await journal.read_after("@b", 0, 10)
    await journal.append([draft(log="@b", key=KEY, recall=True), draft(log="@c")])
    assert set(await journal.heads()) == {"@a", "@c"}, "reading and recalling is no use"


async def test_an_inbox_that_was_let_go_never_gives_an_id_again() -> None:
    journal = MemoryJournal(max_inboxes=1)
    await fill(journal, 3, log="@a")
    await fill(journal, 1, log="@b")
    assert await journal.read_after("@a", 1, 10) == Page((), 4, 3)
    assert await journal.read_before("@a", None, 10) == Page((), 4, 3)
    assert (await journal.heads())["@b"] == Head(4, None)
    await fill(journal, 1, log="@a")
    page = await journal.read_after("@a", 1, 10)
    assert ([entry.id for entry in page.entries], page.first, page.last) == ([5], 5, 5)
    assert await journal.read_after("#a", 0, 10) == Page((), 1, 0), "of a room nothing is let go"


async def test_nor_after_another_one_of_fewer_was_let_go() -> None:
    journal = MemoryJournal(max_inboxes=2)
    await fill(journal, 5, log="@a")
    for log in ("@b", "@c", "@d"):
        await fill(journal, 1, log=log)
    assert {name: head.last for name, head in (await journal.heads()).items()} == {"@c": 6, "@d": 6}
    assert (await journal.read_after("@a", 0, 1)).last == 5


async def test_a_tag_is_remembered_longer_than_its_inbox() -> None:
    journal = MemoryJournal(max_inboxes=1)
    await journal.append([draft(log="@a", key=KEY), draft(log="@b")])
    assert await journal.append([draft(log="@a", key=KEY)]) == [Repeated(1)]
    assert set(await journal.heads()) == {"@b"}
