"""A journal beside the simplest one that there can be: a list of all entries, and a dictionary of all tags.

Runs of any length, in any order, with tags that count and tags that don't; after each batch all that can be
read is read, from every cursor.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triochat.journal import (
    Draft,
    Each,
    Entry,
    Head,
    Journal,
    Kept,
    MemoryJournal,
    Outcome,
    Page,
    Repeated,
    TagTaken,
    Unknown,
    open_sqlite_journal,
)

LOGS = ("#dev", "#ops", "@bob")


class Model:
    """Keeps everything, and counts what it should have let go."""

    def __init__(self, retention: int) -> None:
        self._retention = retention
        self._entries: dict[str, list[Entry]] = {log: [] for log in LOGS}
        self._said: dict[tuple[str, str], Entry] = {}

    def append(self, draft: Draft) -> Outcome:
        outcomes = [self._append(draft, index) for index in range(len(draft.texts))]
        first = outcomes[0]
        if len(outcomes) == 1 or all(isinstance(outcome, Kept) for outcome in outcomes):
            return first
        return Each(outcomes)

    def _append(self, draft: Draft, index: int) -> Outcome:
        entry = draft.entry(len(self._entries[draft.log]) + 1, index)
        if draft.session is not None and draft.tags is not None:
            key = (draft.session, draft.tags[index])
            before = self._said.get(key)
            if before is not None:
                same = (before.log, before.kind, before.text) == (entry.log, entry.kind, entry.text)
                return Repeated(before.id) if same else TagTaken()
            if draft.recall:
                return Unknown()
            self._said[key] = entry
        self._entries[draft.log].append(entry)
        return Kept(entry.id)

    def page(self, log: str, first: int, behind: int) -> Page:
        last = len(self._entries[log])
        oldest = max(last - self._retention, 0) + 1
        return Page(tuple(self._entries[log][max(first, oldest) - 1 : max(behind - 1, 0)]), oldest, last)

    def newest(self, log: str) -> Page:
        return self.page(log, 1, len(self._entries[log]) + 1)

    def before(self, log: str, before: int, limit: int) -> Page:
        last = len(self._entries[log])
        behind = min(before, last + 1)
        return self.page(log, max(behind - limit, 1), behind)

    def heads(self) -> dict[str, Head]:
        return {
            log: Head(len(entries), next((one for one in reversed(entries) if one.kind == "topic"), None))
            for log, entries in self._entries.items()
            if entries
        }


@st.composite
def drafts(draw: st.DrawFn, tags: st.SearchStrategy[str]) -> Draft:
    recall = draw(st.integers(0, 9)) == 0
    length = 1 if recall else draw(st.integers(1, 6))
    log = draw(st.sampled_from(LOGS))
    return Draft(
        log=log,
        kind=draw(st.sampled_from(("message", "message", "topic"))),
        target=log,
        nick=draw(st.sampled_from("ab")),
        texts=[draw(st.sampled_from("xyz")) for _ in range(length)],
        ms=draw(st.integers(1, 9)),
        session=draw(st.sampled_from("st")) if recall else draw(st.sampled_from(("s", "t", None))),
        tags=[draw(tags) for _ in range(length)] if recall or draw(st.booleans()) else None,
        recall=recall,
    )


def counted() -> Iterator[str]:
    for number in range(1, 400):
        yield f"t{number}"


@st.composite
def batches(draw: st.DrawFn) -> list[list[Draft]]:
    """Some with tags by lot, few enough that they come again; some that count, and then repeat themselves."""
    lists = st.lists(st.lists(drafts(st.text("12", max_size=3)), max_size=4), max_size=8)
    asked = draw(lists)
    if draw(st.booleans()):
        number = counted()
        asked = [
            [
                one if one.recall or one.tags is None else one._replace(tags=[next(number) for _ in one.tags])
                for one in batch
            ]
            for batch in asked
        ]
        said = [one for batch in asked for one in batch]
        if said:
            asked.append(draw(st.lists(st.sampled_from(said), max_size=4)))
            asked.append(
                [one._replace(tags=[next(number) for _ in one.texts]) for one in said[:3] if not one.recall]
            )
    return asked


@given(batches(), st.integers(1, 12))
async def test_it_is_what_a_list_would_be(batches: list[list[Draft]], retention: int) -> None:
    journal = MemoryJournal(retention=retention)
    model = Model(retention)
    for batch in batches:
        assert await journal.append(batch) == [model.append(draft) for draft in batch]
    await look_at_all(journal, model)


@settings(max_examples=60)
@given(batches(), st.integers(1, 12), st.lists(st.sets(st.sampled_from(("tidy", "open anew")))))
async def test_a_file_is_what_a_list_would_be(
    batches: list[list[Draft]], retention: int, between: list[set[str]]
) -> None:
    """Tidied or opened anew at any time, and with bounds so low that tags are wherever they may be."""
    model = Model(retention)
    async with AsyncExitStack() as stack:
        path = Path(stack.enter_context(TemporaryDirectory()), "chat.db")
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for bound, low in LOW.items():
            patch.setattr(f"triochat.journal.{bound}", low)
        opened = await stack.enter_async_context(AsyncExitStack())
        for steps in [{"open anew"}, *between, *[set[str]()] * len(batches)]:
            if "open anew" in steps:
                await opened.aclose()
                journal = await opened.enter_async_context(
                    open_sqlite_journal(path, durability="normal", retention=retention)
                )
            while "tidy" in steps and await journal.tidy(10):
                pass
            if batches:
                batch = batches.pop(0)
                assert await journal.append(batch) == [model.append(draft) for draft in batch]
        await look_at_all(journal, model)


LOW = {
    "batch.MAX_RUN": 3,
    "tag_runs.MAX_RUN": 3,
    "tag_runs.RUNS_IN_STEP": 2,
    "sqlite.UNINDEXED_AT_EASE": 2,
    "sqlite.MAX_UNINDEXED": 5,
}


async def look_at_all(journal: Journal, model: Model) -> None:
    assert await journal.heads() == model.heads()
    for log in LOGS:
        last = model.newest(log).last
        assert await journal.read_before(log, None, last + 1) == model.newest(log)
        for cursor in range(last + 3):
            for limit in (1, 2, 5, 100):
                first = max(cursor + 1, model.newest(log).first)
                assert await journal.read_after(log, cursor, limit) == model.page(log, first, first + limit)
                assert await journal.read_before(log, cursor, limit) == model.before(log, cursor, limit)
