"""A journal that lives as long as its process: bounded, exact about what it has let go.

Bounds: entries for each log (the oldest are let go, and readers are told of the gap), tags
remembered (the oldest are forgotten), logs (further ones are refused).
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from triochat.journal.interface import (
    Draft,
    Entry,
    Head,
    Kept,
    NoRoom,
    Outcome,
    Page,
    TagTaken,
    Unknown,
)


@dataclass(slots=True)
class _Log:
    entries: deque[Entry]
    last: int = 0
    topic: Entry | None = None

    @property
    def first(self) -> int:
        return self.last + 1 - len(self.entries)


class MemoryJournal:
    """See `triochat.journal.interface.Journal`.

    Args:
        retention: entries kept in each log.
        max_tags: tags remembered over all; each costs some 200 octets.
        max_logs: rooms and inboxes together.

    Raises:
        ValueError: a bound is not positive.
    """

    def __init__(self, *, retention: int = 10_000, max_tags: int = 100_000, max_logs: int = 100_000) -> None:
        for name, bound in (("retention", retention), ("max_tags", max_tags), ("max_logs", max_logs)):
            if bound < 1:
                raise ValueError(f"{name} must be at least 1")
        self._retention = retention
        self._max_tags = max_tags
        self._max_logs = max_logs
        self._logs: dict[str, _Log] = {}
        self._tags: OrderedDict[tuple[str, str], Entry] = OrderedDict()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Keep a batch; never waits."""
        return [self._append(draft) for draft in drafts]

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`; never waits."""
        kept = self._logs.get(log)
        if kept is None:
            return Page((), 1, 0)
        skip = max(after + 1 - kept.first, 0)
        return Page(tuple(islice(kept.entries, skip, skip + limit)), kept.first, kept.last)

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`; never waits."""
        kept = self._logs.get(log)
        if kept is None:
            return Page((), 1, 0)
        end = kept.last + 1 if before is None else min(before, kept.last + 1)
        stop = max(end - kept.first, 0)
        return Page(tuple(islice(kept.entries, max(stop - limit, 0), stop)), kept.first, kept.last)

    async def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        return {name: Head(log.last, log.topic) for name, log in self._logs.items()}

    def _append(self, draft: Draft) -> Outcome:
        if draft.key is not None and (known := self._tags.get(draft.key)) is not None:
            same = (known.log, known.kind, known.text) == (draft.log, draft.kind, draft.text)
            return Kept(known, repeated=True) if same else TagTaken()
        if draft.recall:
            return Unknown()
        log = self._logs.get(draft.log)
        if log is None:
            if len(self._logs) >= self._max_logs:
                return NoRoom()
            log = self._logs[draft.log] = _Log(deque(maxlen=self._retention))
        log.last += 1
        entry = Entry(
            log=draft.log,
            id=log.last,
            kind=draft.kind,
            target=draft.target,
            nick=draft.nick,
            text=draft.text,
            ms=draft.ms,
        )
        log.entries.append(entry)
        if draft.kind == "topic":
            log.topic = entry
        if draft.key is not None:
            self._tags[draft.key] = entry
            if len(self._tags) > self._max_tags:
                self._tags.popitem(last=False)
        return Kept(entry)
