"""What the journal in memory does beyond the contract: its bounds."""

import gc
import weakref
from itertools import count

import pytest
import trio
from trio.testing import MockClock

from tests.journal.drafts import KEY, draft, fill, run
from triochat.journal import (
    Each,
    Head,
    Kept,
    MemoryJournal,
    NoRoom,
    Outcome,
    Page,
    Repeated,
    TagTaken,
    Unknown,
)


def ids(outcomes: list[Outcome]) -> list[int]:
    return [outcome.first for outcome in outcomes if isinstance(outcome, Kept)]


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


@pytest.mark.parametrize("retention", [1, 3, 4, 5, 7])
@pytest.mark.parametrize("lengths", [(4, 4, 4), (1, 4, 1, 4), (9, 1), (1, 9), (3, 2, 1), (1, 1, 1, 1, 1, 1)])
async def test_pages_begin_and_end_anywhere_in_runs(retention: int, lengths: tuple[int, ...]) -> None:
    journal = MemoryJournal(retention=retention)
    last = 0
    for length in lengths:
        texts = [str(number) for number in range(last + 1, last + length + 1)]
        assert await journal.append([run(*texts)]) == [Kept(last + 1)]
        last += length
        first = max(1, last - retention + 1)
        for limit in range(1, last + 2):
            for cursor in range(last + 3):
                behind = await journal.read_after("#dev", cursor, limit)
                start = max(first, cursor + 1)
                expected = list(range(start, min(start + limit, last + 1)))
                assert [(one.id, one.text) for one in behind.entries] == [(n, str(n)) for n in expected]
                in_front = await journal.read_before("#dev", cursor, limit)
                stop = min(cursor, last + 1)
                expected = list(range(max(first, stop - limit), stop))
                assert [(one.id, one.text) for one in in_front.entries] == [(n, str(n)) for n in expected]
                assert (behind.first, behind.last) == (in_front.first, in_front.last) == (first, last)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 10, 11, 256])
async def test_what_can_not_be_read_is_in_memory_for_less_than_one_run(length: int) -> None:
    journal = MemoryJournal(retention=10)
    for _ in range(30):
        await journal.append([run(*["hello"] * length)])
        held = sum(len(texts) for _, _, _, _, texts, _ in journal._rooms["#dev"].chunks)
        page = await journal.read_after("#dev", 0, 1000)
        assert len(page.entries) <= held < len(page.entries) + length


@pytest.mark.parametrize("length", [1, 7])
async def test_a_page_from_the_middle_of_many(length: int) -> None:
    journal = MemoryJournal()
    for first in range(1, 15_000, length):
        await journal.append([run(*(str(number) for number in range(first, first + length)))])
    last = (await journal.read_after("#dev", 0, 1)).last
    for cursor in range(last - 10_000, last, 613):
        page = await journal.read_after("#dev", cursor, 50)
        assert [one.text for one in page.entries] == [str(one.id) for one in page.entries]
        assert [one.id for one in page.entries] == list(range(cursor + 1, min(cursor + 50, last) + 1))


@pytest.mark.parametrize("bound", ["retention", "max_tags", "max_rooms", "max_inboxes"])
async def test_a_bound_is_at_least_one(bound: str) -> None:
    MemoryJournal(**{bound: 1})
    with pytest.raises(ValueError, match="1 or more"):
        MemoryJournal(**{bound: 0})


async def test_what_is_too_old_is_let_go() -> None:
    journal = MemoryJournal(max_age=1)
    for ms in (1000, 1500, 2500):
        await journal.append(
            [run(str(ms), str(ms))._replace(ms=ms), draft(str(ms), log="#ops", ms=ms + 10_000)]
        )
    await journal.append([draft("topic", kind="topic", ms=1000)])
    assert not await journal.tidy(1999)
    assert (await journal.read_after("#dev", 0, 9)).first == 1
    assert not await journal.tidy(2501)
    page = await journal.read_after("#dev", 0, 9)
    assert (page.first, [entry.text for entry in page.entries]) == (5, ["2500", "2500", "topic"])
    assert (await journal.read_after("#ops", 0, 9)).first == 1
    assert not await journal.tidy(9000)
    assert await journal.read_after("#dev", 0, 9) == Page((), 8, 7)
    assert await journal.read_before("#dev", None, 9) == Page((), 8, 7)
    topic = (await journal.heads())["#dev"].topic
    assert topic is not None
    assert topic.text == "topic", "it outlives its entry"
    assert await journal.append([draft("8", ms=9000)]) == [Kept(8)]
    assert (await journal.read_after("#dev", 0, 9)).first == 8


async def test_age_is_looked_at_in_steps() -> None:
    journal = MemoryJournal(max_age=1)
    await journal.append([draft(log=f"#r{number}") for number in range(600)])
    assert [await journal.tidy(5000) for _ in range(4)] == [True, True, False, True]
    assert {(await journal.read_after(f"#r{number}", 0, 9)).first for number in range(600)} == {2}
    journal = MemoryJournal()
    assert not await journal.tidy(5000), "nothing is too old without a limit"


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


async def remembered(journal: MemoryJournal, last: int, log: str = "#dev") -> list[int]:
    """Which of the tags 1 to `last` are remembered; each stands for its own number."""
    recalls = [draft(key=("session", str(n)), log=log, recall=True) for n in range(1, last + 1)]
    return [outcome.id for outcome in await journal.append(recalls) if isinstance(outcome, Repeated)]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("max_tags", [1, 2, 3, 10, 11])
async def test_the_newest_half_of_the_tags_is_remembered_and_no_more_than_all(
    max_tags: int, length: int
) -> None:
    journal = MemoryJournal(max_tags=max_tags)
    for first in range(1, 8 * max_tags, length):
        last = first + length - 1
        tags = [str(number) for number in range(first, last + 1)]
        assert await journal.append([run(*["hello"] * length, tags=tags)]) == [Kept(first)]
        known = await remembered(journal, last)
        assert known == list(range(last - len(known) + 1, last + 1)), "the newest ones"
        assert len(known) >= min(last, max(max_tags // 2, length))
        assert len(known) <= max(max_tags, 2 * length)
        assert len(known) == len(journal._tags)


async def test_tags_one_by_one_and_in_runs_are_counted_alike() -> None:
    journal = MemoryJournal(max_tags=8)
    numbers = count(1)
    for length in (3, 1, 1, 2, 4, 1, 3, 3, 1, 1, 1, 1, 1):
        tags = [str(next(numbers)) for _ in range(length)]
        await journal.append([run(*["hello"] * length, tags=tags)])
        last = int(tags[-1])
        known = await remembered(journal, last)
        assert known == list(range(last - len(known) + 1, last + 1))
        assert min(last, 4) <= len(known) <= 8


async def test_tags_of_many_sessions_have_one_bound() -> None:
    journal = MemoryJournal(max_tags=10)
    for number in range(100):
        await journal.append([run("a", "b", tags=("a", "b"), session=str(number))])
        assert len(journal._tags._young) + len(journal._tags._elder) <= 5, "sessions go with their tags"
    again = [run("a", "b", tags=("a", "b"), session=str(number)) for number in (98, 99)]
    assert await journal.append(again) == [
        Each([Repeated(197), Repeated(198)]),
        Each([Repeated(199), Repeated(200)]),
    ]


async def test_a_run_that_is_known_takes_no_place_among_the_tags() -> None:
    journal = MemoryJournal(max_tags=8)
    known = run("a", "b", "c", "d", tags=("a", "b", "c", "d"))
    await journal.append([known])
    for _ in range(10):
        assert await journal.append([known]) == [Each([Repeated(number) for number in range(1, 5)])]
    assert len(journal._tags) == 4


async def test_a_tag_is_known_in_either_generation() -> None:
    journal = MemoryJournal(max_tags=4)
    await journal.append([run("a", "b", tags=("a", "b")), run("c", "d", tags=("c", "d"))])
    assert [list(journal._tags._young), list(journal._tags._elder)] == [["session"]] * 2
    again = run("d", "x", "a", tags=("d", "b", "a"))
    assert await journal.append([again]) == [Each([Repeated(4), TagTaken(), Repeated(1)])]
    mixed = run("e", "c", tags=("e", "c"))
    assert await journal.append([mixed]) == [Each([Kept(5), Repeated(3)])]


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


async def test_a_run_is_refused_as_a_whole_and_leaves_its_tags_free() -> None:
    journal = MemoryJournal(max_rooms=1)
    refused = run("1", "2", log="#b", tags=("a", "b"))
    assert await journal.append([draft(log="#a"), refused, refused]) == [Kept(1), NoRoom(), NoRoom()]
    untagged = run("1", "2", log="#b", session=None)
    assert await journal.append([untagged]) == [NoRoom()]
    assert await journal.append([run("1", "2", log="#a", tags=("a", "b"))]) == [Kept(2)]
    assert set(await journal.heads()) == {"#a"}


async def test_a_run_of_which_one_was_said_elsewhere_is_refused_one_by_one() -> None:
    journal = MemoryJournal(max_rooms=1)
    await journal.append([draft("1", log="#a", key=("session", "a"))])
    some = run("0", "1", "2", log="#b", tags=("z", "a", "c"))
    assert await journal.append([some]) == [Each([NoRoom(), TagTaken(), NoRoom()])]
    twice = run("1", "1", log="#b", tags=("d", "d"))
    assert await journal.append([twice]) == [Each([NoRoom(), NoRoom()])]
    assert set(await journal.heads()) == {"#a"}


async def test_a_run_to_an_inbox_that_was_let_go_goes_on_behind_it() -> None:
    journal = MemoryJournal(max_inboxes=1)
    runs = [run("1", "2", log=log, session=None) for log in ("@a", "@b", "@a")]
    assert await journal.append(runs) == [Kept(1), Kept(3), Kept(5)]
    page = await journal.read_after("@a", 2, 10)
    assert ([entry.id for entry in page.entries], page.first, page.last) == ([5, 6], 5, 6)


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


# --- search -------------------------------------------------------------------------------------


async def test_a_long_search_lets_others_have_their_turn_and_does_not_mind_what_they_say(
    autojump_clock: MockClock,
) -> None:
    journal = MemoryJournal(retention=3000)
    await journal.append([run(*(f"word {number}" for number in range(3000)))])
    turns = 0

    async def say_more() -> None:
        nonlocal turns
        while True:
            turns += 1
            await journal.append([draft("word of others")])
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(say_more)
        found = await journal.search("#dev", ["word"], 5000)
        nursery.cancel_scope.cancel()
    assert [entry.id for entry in found] == list(range(3000, 0, -1))
    assert turns > 10
