"""What every journal must do: see `triochat.journal.interface`."""

import pytest

from tests.journal.conftest import RETENTION
from tests.journal.drafts import KEY, draft, fill
from triochat.journal import Draft, Entry, Head, Journal, Kept, Page, Repeated, TagTaken, Unknown


def entry(number: int, text: str | None = None, log: str = "#dev") -> Entry:
    return Entry(
        log=log, id=number, kind="message", target=log, nick="alice", text=text or str(number), ms=1000
    )


# --- keeping ------------------------------------------------------------------------------------


async def test_nothing_in_nothing_out(journal: Journal) -> None:
    assert await journal.append([]) == []
    assert await journal.heads() == {}


async def test_ids_count_from_one_without_holes(journal: Journal) -> None:
    for number in range(1, 4):
        assert await journal.append([draft(str(number))]) == [Kept(entry(number))]


async def test_each_log_counts_for_itself(journal: Journal) -> None:
    drafts = [draft("a", log=log) for log in ("#dev", "#ops", "@bob", "#dev", "@bob", "#dev")]
    outcomes = await journal.append(drafts)
    assert [outcome.entry.id for outcome in outcomes if isinstance(outcome, Kept)] == [1, 1, 1, 2, 2, 3]


async def test_a_batch_is_kept_in_its_order_and_the_next_goes_on_behind_it(journal: Journal) -> None:
    await journal.append([draft("1"), draft("2")])
    await journal.append([draft("3"), draft("4")])
    page = await journal.read_after("#dev", 0, 10)
    assert page == Page((entry(1), entry(2), entry(3), entry(4)), 1, 4)


async def test_what_is_kept_is_what_was_asked_for(journal: Journal) -> None:
    asked = Draft(
        log="@bob", kind="topic", target="@Bob", nick="Al", text="two\nlines \N{SNOWMAN}", ms=2**53, key=KEY
    )
    kept = Entry(log="@bob", id=1, kind="topic", target="@Bob", nick="Al", text=asked.text, ms=asked.ms)
    assert await journal.append([asked]) == [Kept(kept)]
    assert (await journal.read_after("@bob", 0, 1)).entries == (kept,)


# --- what comes again ---------------------------------------------------------------------------


async def test_the_same_draft_under_the_same_key_has_the_id_that_it_had(journal: Journal) -> None:
    await fill(journal, 1)
    assert await journal.append([draft("again", key=KEY)]) == [Kept(entry(2, "again"))]
    await fill(journal, 1)
    repeat = draft("again", key=KEY, nick="renamed", ms=9999)
    assert await journal.append([repeat]) == [Repeated(2)]
    assert (await journal.heads())["#dev"].last == 3


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
    asked = draft(other.text, log=other.log, kind=other.kind, key=KEY, recall=recall)
    assert await journal.append([asked]) == [TagTaken()]
    assert await journal.heads() == {"#dev": Head(1, None)}
    assert await journal.append([draft("text", key=KEY)]) == [Repeated(1)]


async def test_a_key_is_a_session_and_a_tag(journal: Journal) -> None:
    keys = [("one", "tag"), ("two", "tag"), ("one", "tag2"), ("onet", "ag"), ("ONE", "tag")]
    outcomes = await journal.append([draft(key=key) for key in keys])
    assert outcomes == [Kept(entry(number, "hello")) for number in range(1, 6)]


async def test_two_with_one_key_in_one_batch(journal: Journal) -> None:
    outcomes = await journal.append([draft("a", key=KEY), draft("a", key=KEY), draft("b", key=KEY)])
    assert outcomes == [Kept(entry(1, "a")), Repeated(1), TagTaken()]
    assert (await journal.heads())["#dev"].last == 1


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
    assert await journal.append([draft("a"), draft("a")]) == [Kept(entry(1, "a")), Kept(entry(2, "a"))]


async def test_a_recall_says_whether_it_was_kept_and_keeps_nothing(journal: Journal) -> None:
    recall = draft("a", key=KEY, recall=True)
    assert await journal.append([recall]) == [Unknown()]
    assert await journal.heads() == {}
    assert (await journal.append([draft("a", key=KEY)]))[0] == Kept(entry(1, "a"))
    assert await journal.append([recall]) == [Repeated(1)]
    assert (await journal.heads())["#dev"].last == 1


async def test_a_recall_sees_what_stands_in_front_of_it_in_its_batch(journal: Journal) -> None:
    recall = draft("a", key=KEY, recall=True)
    outcomes = await journal.append([recall, draft("a", key=KEY), recall])
    assert outcomes == [Unknown(), Kept(entry(1, "a")), Repeated(1)]


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
    outcomes = await journal.append(
        [draft("old", kind="topic"), draft("new", kind="topic"), draft("3"), draft("1", log="@bob")]
    )
    topic = outcomes[1]
    assert isinstance(topic, Kept)
    assert await journal.heads() == {"#dev": Head(3, topic.entry), "@bob": Head(1, None)}


async def test_a_topic_outlives_its_entry(journal: Journal) -> None:
    (topic,) = await journal.append([draft("topic", kind="topic")])
    assert isinstance(topic, Kept)
    await fill(journal, 2 * RETENTION)
    assert await journal.heads() == {"#dev": Head(2 * RETENTION + 1, topic.entry)}


async def test_a_cleared_topic_is_the_topic(journal: Journal) -> None:
    outcomes = await journal.append([draft("topic", kind="topic"), draft("", kind="topic")])
    cleared = outcomes[1]
    assert isinstance(cleared, Kept)
    assert (await journal.heads())["#dev"].topic == cleared.entry
    assert cleared.entry.text == ""
