"""What every journal must do: see `triochat.journal.interface`."""

import pytest

from tests.journal.conftest import RETENTION
from tests.journal.drafts import KEY, draft, fill, run
from triochat.journal import (
    Draft,
    Each,
    Entry,
    Head,
    Journal,
    Kept,
    Outcome,
    Page,
    Repeated,
    TagTaken,
    Unknown,
)
from triochat.journal.words import words


def entry(number: int, text: str | None = None, log: str = "#dev") -> Entry:
    return Entry(
        log=log, id=number, kind="message", target=log, nick="alice", text=text or str(number), ms=1000
    )


async def entries(journal: Journal, log: str = "#dev") -> list[Entry]:
    """All that is kept in a log."""
    return list((await journal.read_after(log, 0, 1000)).entries)


# --- keeping ------------------------------------------------------------------------------------


async def test_nothing_in_nothing_out(journal: Journal) -> None:
    assert await journal.append([]) == []
    assert await journal.heads() == {}


async def test_ids_count_from_one_without_holes(journal: Journal) -> None:
    for number in range(1, 4):
        assert await journal.append([draft(str(number))]) == [Kept(number)]
    assert await entries(journal) == [entry(1), entry(2), entry(3)]


async def test_each_log_counts_for_itself(journal: Journal) -> None:
    drafts = [draft("a", log=log) for log in ("#dev", "#ops", "@bob", "#dev", "@bob", "#dev")]
    assert await journal.append(drafts) == [Kept(number) for number in (1, 1, 1, 2, 2, 3)]


async def test_a_batch_is_kept_in_its_order_and_the_next_goes_on_behind_it(journal: Journal) -> None:
    await journal.append([draft("1"), draft("2")])
    await journal.append([draft("3"), draft("4")])
    page = await journal.read_after("#dev", 0, 10)
    assert page == Page((entry(1), entry(2), entry(3), entry(4)), 1, 4)


async def test_what_is_kept_is_what_was_asked_for(journal: Journal) -> None:
    text = "two\nlines \N{SNOWMAN}"
    asked = draft(text, log="@bob", kind="topic", target="@Bob", nick="Al", ms=2**53, key=KEY)
    kept = Entry(log="@bob", id=1, kind="topic", target="@Bob", nick="Al", text=text, ms=2**53)
    assert await journal.append([asked]) == [Kept(1)]
    assert asked.entry(1) == kept
    assert (await journal.read_after("@bob", 0, 1)).entries == (kept,)


# --- what comes again ---------------------------------------------------------------------------


async def test_the_same_draft_under_the_same_key_has_the_id_that_it_had(journal: Journal) -> None:
    await fill(journal, 1)
    assert await journal.append([draft("again", key=KEY)]) == [Kept(2)]
    await fill(journal, 1)
    repeat = draft("again", key=KEY, nick="renamed", ms=9999)
    assert await journal.append([repeat]) == [Repeated(2)]
    assert await entries(journal) == [entry(1), entry(2, "again"), entry(3, "1")]


@pytest.mark.parametrize(
    "other",
    [
        draft("other", key=KEY),
        draft("text", log="#ops", key=KEY),
        draft("text", log="@bob", key=KEY),
        draft("text", kind="topic", key=KEY),
    ],
    ids=["text", "room", "person", "kind"],
)
@pytest.mark.parametrize("recall", [False, True])
async def test_the_same_key_for_something_else_is_taken(
    journal: Journal, other: Draft, *, recall: bool
) -> None:
    await journal.append([draft("text", key=KEY)])
    asked = draft(other.texts[0], log=other.log, kind=other.kind, key=KEY, recall=recall)
    assert await journal.append([asked]) == [TagTaken()]
    assert await journal.heads() == {"#dev": Head(1, None)}
    assert await journal.append([draft("text", key=KEY)]) == [Repeated(1)]


async def test_a_key_is_a_session_and_a_tag(journal: Journal) -> None:
    keys = [("one", "tag"), ("two", "tag"), ("one", "tag2"), ("onet", "ag"), ("ONE", "tag")]
    outcomes = await journal.append([draft(key=key) for key in keys])
    assert outcomes == [Kept(number) for number in range(1, 6)]
    assert await entries(journal) == [entry(number, "hello") for number in range(1, 6)]


async def test_two_with_one_key_in_one_batch(journal: Journal) -> None:
    outcomes = await journal.append([draft("a", key=KEY), draft("a", key=KEY), draft("b", key=KEY)])
    assert outcomes == [Kept(1), Repeated(1), TagTaken()]
    assert await entries(journal) == [entry(1, "a")]


async def test_a_key_is_remembered_longer_than_its_entry(journal: Journal) -> None:
    await journal.append([draft("old", key=KEY)])
    await fill(journal, RETENTION)
    assert (await journal.read_after("#dev", 0, 1)).first == 2
    assert await journal.append([draft("old", key=KEY)]) == [Repeated(1)]


async def test_a_key_stands_for_all_of_its_text(journal: Journal) -> None:
    """Though the text itself may no longer be kept."""
    text = "\N{SNOWMAN}" * 700
    await journal.append([draft(text, key=KEY)])
    await fill(journal, RETENTION)
    asked = [text[:-1], text + " ", text.replace("\N{SNOWMAN}", "x"), "", f"message {text}"]
    assert await journal.append([draft(other, key=KEY) for other in asked]) == [TagTaken()] * len(asked)
    assert await journal.append([draft(text, key=KEY)]) == [Repeated(1)]


async def test_without_a_key_nothing_is_recognised(journal: Journal) -> None:
    assert await journal.append([draft("a"), draft("a")]) == [Kept(1), Kept(2)]
    assert await entries(journal) == [entry(1, "a"), entry(2, "a")]


async def test_a_recall_says_whether_it_was_kept_and_keeps_nothing(journal: Journal) -> None:
    recall = draft("a", key=KEY, recall=True)
    assert await journal.append([recall]) == [Unknown()]
    assert await journal.heads() == {}
    assert await journal.append([draft("a", key=KEY)]) == [Kept(1)]
    assert await journal.append([recall]) == [Repeated(1)]
    assert await entries(journal) == [entry(1, "a")]


async def test_a_recall_sees_what_stands_in_front_of_it_in_its_batch(journal: Journal) -> None:
    recall = draft("a", key=KEY, recall=True)
    outcomes = await journal.append([recall, draft("a", key=KEY), recall])
    assert outcomes == [Unknown(), Kept(1), Repeated(1)]


# --- several texts in one draft -----------------------------------------------------------------


async def test_a_run_has_consecutive_ids_and_the_next_goes_on_behind_it(journal: Journal) -> None:
    drafts = [run("1", "2", tags=("a", "b")), run("1", log="@bob"), draft("3"), run("4", "5")]
    assert await journal.append(drafts) == [Kept(1), Kept(1), Kept(3), Kept(4)]
    assert await entries(journal) == [entry(number) for number in range(1, 6)]
    assert await entries(journal, "@bob") == [entry(1, log="@bob")]
    assert await journal.heads() == {"#dev": Head(5, None), "@bob": Head(1, None)}


async def test_each_of_a_run_is_what_the_draft_says_that_it_is(journal: Journal) -> None:
    asked = run("one", "two\nlines", "three", tags=("a", "b", "c"))
    await fill(journal, 1)
    (outcome,) = await journal.append([asked])
    assert isinstance(outcome, Kept)
    kept = [asked.entry(outcome.first + index, index) for index in range(3)]
    assert kept == [entry(2, "one"), entry(3, "two\nlines"), entry(4, "three")]
    assert (await entries(journal))[1:] == kept


async def test_a_run_that_is_longer_than_what_is_kept(journal: Journal) -> None:
    last = 2 * RETENTION
    texts = [str(number) for number in range(1, last + 1)]
    assert await journal.append([run(*texts, tags=texts)]) == [Kept(1)]
    first = RETENTION + 1
    newest = tuple(entry(number) for number in range(first, last + 1))
    assert await journal.read_after("#dev", 0, last) == Page(newest, first, last)
    assert await journal.append([draft("1", key=("session", "1"))]) == [Repeated(1)]


async def test_the_topic_of_a_run_is_its_last(journal: Journal) -> None:
    await journal.append([run("old", "new", kind="topic")])
    topic = Entry(log="#dev", id=2, kind="topic", target="#dev", nick="alice", text="new", ms=1000)
    assert await journal.heads() == {"#dev": Head(2, topic)}


@pytest.mark.parametrize(
    ("again", "outcomes"),
    [
        (run("1", "2", "3", tags=("a", "b", "c")), [Repeated(1), Repeated(2), Repeated(3)]),
        (run("3", "1", tags=("c", "a")), [Repeated(3), Repeated(1)]),
        (run("3", "4", "5", tags=("c", "d", "e")), [Repeated(3), Kept(4), Kept(5)]),
        (run("4", "1", "5", tags=("d", "a", "e")), [Kept(4), Repeated(1), Kept(5)]),
        (run("4", "5", "x", tags=("d", "e", "c")), [Kept(4), Kept(5), TagTaken()]),
        (run("x", "2", "4", tags=("a", "b", "d")), [TagTaken(), Repeated(2), Kept(4)]),
        (run("x", "y", tags=("a", "b")), [TagTaken(), TagTaken()]),
        (run("1", "1", tags=("a", "a")), [Repeated(1), Repeated(1)]),
        (run("1", "4", log="#ops", tags=("a", "d")), [TagTaken(), Kept(1)]),
        (run("1", "4", kind="topic", tags=("a", "d")), [TagTaken(), Kept(4)]),
    ],
    ids=["all", "backwards", "head", "middle", "tail", "mixed", "other", "twice", "elsewhere", "topic"],
)
async def test_a_run_of_which_some_was_there_before(
    journal: Journal, again: Draft, outcomes: list[Outcome]
) -> None:
    await journal.append([run("1", "2", "3", tags=("a", "b", "c"))])
    assert await journal.append([again]) == [Each(outcomes)]
    kept = [again.texts[index] for index, one in enumerate(outcomes) if isinstance(one, Kept)]
    new = [one for log in ("#dev", "#ops") for one in await entries(journal, log)][3:]
    assert [one.text for one in new] == kept
    assert [one.id for one in new] == [one.first for one in outcomes if isinstance(one, Kept)]
    assert all((one.log, one.kind) == (again.log, again.kind) for one in new)
    # What was new is known from now on; what was refused has not taken the tag from its owner.
    known = [
        Repeated(one.first if isinstance(one, Kept) else one.id) if isinstance(one, Kept | Repeated) else one
        for one in outcomes
    ]
    assert await journal.append([again]) == [Each(known)]
    assert await journal.append([draft("1", key=("session", "a"))]) == [Repeated(1)]


async def test_a_tag_twice_in_one_run(journal: Journal) -> None:
    same = run("1", "1", "2", tags=("a", "a", "b"))
    assert await journal.append([same]) == [Each([Kept(1), Repeated(1), Kept(2)])]
    other = run("3", "x", "4", tags=("c", "c", "d"))
    assert await journal.append([other]) == [Each([Kept(3), TagTaken(), Kept(4)])]
    assert await entries(journal) == [entry(number) for number in range(1, 5)]


async def test_a_run_knows_the_run_in_front_of_it_in_its_batch(journal: Journal) -> None:
    outcomes = await journal.append([run("1", "2", tags=("a", "b")), run("2", "3", tags=("b", "c"))])
    assert outcomes == [Kept(1), Each([Repeated(2), Kept(3)])]


async def test_another_session_says_the_same_run_for_itself(journal: Journal) -> None:
    runs = [run("a", "b", tags=("a", "b"), session=session) for session in ("one", "two")]
    assert await journal.append(runs) == [Kept(1), Kept(3)]
    assert await journal.append([runs[1]]) == [Each([Repeated(3), Repeated(4)])]


@pytest.mark.parametrize(
    "again",
    [run("a", "a"), run("a", "a", session=None), run("a", "a", tags=("t", "t"), session=None)],
    ids=["without tags", "without anything", "without a session"],
)
async def test_a_run_without_tags_or_session_is_never_recognised(journal: Journal, again: Draft) -> None:
    await journal.append([draft("a", key=("session", "t"))])
    assert await journal.append([again, again]) == [Kept(2), Kept(4)]
    assert await entries(journal) == [entry(number, "a") for number in range(1, 6)]
    assert await journal.append([draft("a", key=("session", "t"))]) == [Repeated(1)]


async def test_a_recall_knows_each_of_a_run(journal: Journal) -> None:
    recalls = [
        draft(text, key=("session", tag), recall=True) for text, tag in zip("12x3", "abbc", strict=True)
    ]
    assert await journal.append(recalls) == [Unknown()] * 4
    outcomes = await journal.append([run("1", "2", tags=("a", "b")), *recalls])
    assert outcomes == [Kept(1), Repeated(1), Repeated(2), TagTaken(), Unknown()]
    assert await entries(journal) == [entry(1), entry(2)]


# --- reading ------------------------------------------------------------------------------------


async def test_a_log_that_there_is_not_is_empty(journal: Journal) -> None:
    empty = Page((), 1, 0)
    assert await journal.read_after("#dev", 0, 10) == empty
    assert await journal.read_after("#dev", 7, 10) == empty
    assert await journal.read_before("#dev", None, 10) == empty
    assert await journal.read_before("#dev", 7, 10) == empty
    assert await journal.heads() == {}, "and asking does not make it"


async def test_reading_at_every_border(journal: Journal) -> None:
    for last in range(1, 3 * RETENTION):
        await journal.append([draft(str(last)), draft("noise", log="#ops")])
        first = max(1, last - RETENTION + 1)
        kept = [entry(number) for number in range(first, last + 1)]
        for limit in range(1, RETENTION + 3):
            for cursor in range(last + 3):
                behind = [one for one in kept if one.id > cursor][:limit]
                assert await journal.read_after("#dev", cursor, limit) == Page(tuple(behind), first, last)
                before = cursor + 1
                in_front = [one for one in kept if one.id < before][-limit:]
                assert await journal.read_before("#dev", before, limit) == Page(tuple(in_front), first, last)
            newest = Page(tuple(kept[-limit:]), first, last)
            assert await journal.read_before("#dev", None, limit) == newest


async def test_logs_read_apart(journal: Journal) -> None:
    await journal.append([draft("1"), draft("1", log="#ops"), draft("2")])
    assert await journal.read_before("#dev", None, 9) == Page((entry(1), entry(2)), 1, 2)
    assert await journal.read_before("#ops", None, 9) == Page((entry(1, log="#ops"),), 1, 1)


async def test_a_page_stays_what_it_was(journal: Journal) -> None:
    await fill(journal, 2)
    page = await journal.read_after("#dev", 0, 10)
    await fill(journal, 2 * RETENTION)
    assert page == Page((entry(1), entry(2)), 1, 2)


# --- heads --------------------------------------------------------------------------------------


async def test_heads_tell_the_newest_id_and_the_topic(journal: Journal) -> None:
    topics = [draft("old", kind="topic"), draft("new", kind="topic")]
    outcomes = await journal.append([*topics, draft("3"), draft("1", log="@bob")])
    assert outcomes == [Kept(1), Kept(2), Kept(3), Kept(1)]
    assert await journal.heads() == {"#dev": Head(3, topics[1].entry(2)), "@bob": Head(1, None)}


async def test_a_topic_outlives_its_entry(journal: Journal) -> None:
    topic = draft("topic", kind="topic")
    assert await journal.append([topic]) == [Kept(1)]
    await fill(journal, 2 * RETENTION)
    assert await journal.heads() == {"#dev": Head(2 * RETENTION + 1, topic.entry(1))}


async def test_a_cleared_topic_is_the_topic(journal: Journal) -> None:
    cleared = draft("", kind="topic")
    assert await journal.append([draft("topic", kind="topic"), cleared]) == [Kept(1), Kept(2)]
    topic = (await journal.heads())["#dev"].topic
    assert topic == cleared.entry(2)
    assert topic.text == ""


# --- search -------------------------------------------------------------------------------------


async def search(journal: Journal, text: str, limit: int = 100, log: str = "#dev") -> list[int]:
    """The ids of what is found; what else they say is compared with what is kept."""
    found = await journal.search(log, words(text), limit)
    kept = await entries(journal, log)
    assert all(one in kept for one in found)
    return [one.id for one in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("lunch", [4, 1]),
        ("LUNCH", [4, 1]),
        ("lunch?", [4, 1]),
        ("cafe", [4, 2]),
        ("caf\N{LATIN CAPITAL LETTER E WITH ACUTE}", [4, 2]),
        ("lunch cafe", [4]),
        ("cafe lunch lunch", [4]),
        ("second", [3]),
        ("lines first", [3]),
        ("lun", []),
        ("caf", []),
        ("unch", []),
        ("lunch breakfast", []),
        ("or", []),
        ("two", [5]),
        ("\N{SNOWMAN}", []),
    ],
)
async def test_whole_words_are_found_all_of_them_newest_first(
    journal: Journal, text: str, found: list[int]
) -> None:
    texts = ["Lunch?", "at the caf\N{LATIN SMALL LETTER E WITH ACUTE}.", "first\nsecond, lines", "lunch-CAFE"]
    await journal.append([draft(one) for one in texts])
    await journal.append([draft("one, two", kind="topic", nick="bob")])
    assert await search(journal, text) == found


async def test_what_a_search_is_asked_for_is_no_pattern(journal: Journal) -> None:
    await journal.append([draft("or"), draft("near and not"), draft("x"), draft("a b")])
    for text, found in [
        ("OR", [1]),
        ("not AND near", [2]),
        ("x*", [3]),
        ('"a b"', [4]),
        ("b a", [4]),
        ("NEAR", [2]),
    ]:
        assert await search(journal, text) == found


async def test_no_words_find_nothing(journal: Journal) -> None:
    await fill(journal, 2)
    assert await journal.search("#dev", (), 10) == []


async def test_a_search_finds_no_more_than_it_shall_the_newest(journal: Journal) -> None:
    await journal.append([run("word 1", "other", "word 3", "word 4")])
    for limit, found in [(1, [4]), (2, [4, 3]), (3, [4, 3, 1]), (9, [4, 3, 1])]:
        assert await search(journal, "word", limit) == found


async def test_a_search_looks_into_one_log_alone(journal: Journal) -> None:
    await journal.append([draft("word"), draft("word", log="#ops"), draft("word", log="@dev"), draft("word")])
    assert await search(journal, "word") == [2, 1]
    assert await search(journal, "word", log="@dev") == [1]
    assert await search(journal, "word", log="#none") == []
    assert set(await journal.heads()) == {"#dev", "#ops", "@dev"}, "and asking makes none"


async def test_what_is_no_longer_kept_is_not_found(journal: Journal) -> None:
    await journal.append([run("old", "old new")])
    await fill(journal, RETENTION - 1)
    assert await search(journal, "old") == [2]
    await fill(journal, 1)
    assert await search(journal, "old") == []


async def test_what_was_not_kept_again_is_found_once(journal: Journal) -> None:
    await journal.append([draft("word", key=KEY), draft("word", key=KEY)])
    await journal.append([draft("word", key=KEY)])
    assert await search(journal, "word") == [1]
