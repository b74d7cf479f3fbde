"""What the journal in memory does beyond the contract: its bounds."""

import pytest

from tests.journal.drafts import KEY, draft, fill
from triochat.journal import Kept, MemoryJournal, NoRoom, Outcome, TagTaken, Unknown


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


@pytest.mark.parametrize("bound", ["retention", "max_tags", "max_logs"])
async def test_a_bound_is_at_least_one(bound: str) -> None:
    with pytest.raises(ValueError, match=bound):
        MemoryJournal(**{bound: 0})


async def test_the_oldest_tags_are_forgotten() -> None:
    journal = MemoryJournal(max_tags=2)
    keys = [("session", str(number)) for number in range(3)]
    assert ids(await journal.append([draft(key=key) for key in keys])) == [1, 2, 3]
    recalled = await journal.append([draft(key=key, recall=True) for key in keys])
    assert recalled[0] == Unknown()
    assert ids(recalled) == [2, 3]
    assert ids(await journal.append([draft(key=keys[0])])) == [4]


async def test_a_recall_takes_no_place_among_the_tags() -> None:
    journal = MemoryJournal(max_tags=1)
    await journal.append([draft(key=KEY), draft(key=("session", "other"), recall=True)])
    assert ids(await journal.append([draft(key=KEY)])) == [1]


async def test_further_logs_are_refused_and_the_others_go_on() -> None:
    journal = MemoryJournal(max_logs=2)
    asked = [draft(log=log, key=("session", log)) for log in ("#a", "@b", "#c", "#a", "#c")]
    asked[3] = draft(log="#a")
    outcomes = await journal.append(asked)
    assert ids(outcomes) == [1, 1, 2]
    assert outcomes[2] == outcomes[4] == NoRoom()
    assert set(await journal.heads()) == {"#a", "@b"}


async def test_what_was_refused_leaves_its_tag_free() -> None:
    journal = MemoryJournal(max_logs=1)
    outcomes = await journal.append([draft(log="#a"), draft(log="#b", key=KEY), draft(log="#a", key=KEY)])
    assert outcomes[1] == NoRoom()
    assert ids(outcomes) == [1, 2]
    assert await journal.append([draft(log="#b", key=KEY)]) == [TagTaken()]
