"""A journal that lives as long as its process: bounded, exact about what it has let go.

Bounds: entries for each log, and their age (the oldest are let go, and readers are told of the gap), tags
remembered (the oldest are forgotten), rooms (further ones are refused), inboxes (the one that got
nothing for the longest time is let go, so that nobody can use them up by changing its nick).

What is said to a nick whose inbox was let go counts on behind all that inboxes let go had: its ids never
come again, and a reader that had not seen all of them is told of a gap.

What is said costs little to keep, for almost nothing of it is ever read: a log keeps what a draft brought as
one *chunk*, and makes an `Entry` when it is read.
"""

from bisect import bisect_left
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

import trio

from triochat.journal.interface import (
    Draft,
    Each,
    Entry,
    Head,
    Kept,
    Kind,
    NoRoom,
    Outcome,
    Page,
    Repeated,
    TagTaken,
    Unknown,
)
from triochat.journal.tags import Tags
from triochat.journal.words import words

SEARCHED_AT_ONCE = 16_384
"""Characters, roughly, that a search looks through before others have their turn: about 2 ms."""

_Chunk = tuple[int, Kind, str, str, Sequence[str], int]
"""What a log keeps of a draft: the id of its last text, kind, target, nick, texts, ms.

A plain tuple: one with names costs 0.1 µs more. Not the draft itself, which would keep its tags as well;
but its texts are not copied.
"""

_last_id: Final = itemgetter(0)

LOGS_AT_ONCE: Final = 256
"""Logs that one step of `MemoryJournal.tidy` looks at."""


@dataclass(slots=True)
class _Log:
    """What is kept of one log.

    What can be read is counted by ids, so it is exact; what is in memory goes by chunks. The oldest one stays
    until all of its texts are out, so there may be more in memory than can be read: less than one draft.

    Attributes:
        name: of the log.
        retention: how many entries can be read.
        start: the id in front of its first entry ever, or behind those that were let go for their age.
        last: the id of its newest entry.
        chunks: oldest first; only such as have an entry that can be read.
        topic: the entry that set the topic.
    """

    name: str
    retention: int
    start: int
    last: int
    chunks: deque[_Chunk] = field(default_factory=deque)
    topic: Entry | None = None

    @property
    def first(self) -> int:
        """The id of the oldest entry that can be read; `last` + 1 if there is none."""
        return max(self.start, self.last - self.retention) + 1

    def page(self, first: int, behind: int) -> Page:
        """The entries from id `first` up to, not including, `behind`, as far as there are any."""
        oldest = self.first
        number = max(first, oldest)
        behind = min(behind, self.last + 1)
        entries: list[Entry] = []
        # A deque is a chain of blocks of 64, walked from the nearer end. So a look into the middle of 10,000
        # chunks is 78 steps: a page of 50 from there takes 40 µs, one from either end 30.
        index = bisect_left(self.chunks, number, key=_last_id)
        while number < behind:
            last, kind, target, nick, texts, ms = self.chunks[index]
            skip = number - (last + 1 - len(texts))
            for text in texts[skip : skip + behind - number]:
                entries.append(Entry(self.name, number, kind, target, nick, text, ms))
                number += 1
            index += 1
        return Page(tuple(entries), oldest, self.last)

    def forget(self, before: int) -> None:
        """Let go of what was said before that time, as far as nothing newer stands in front of it."""
        while self.chunks and self.chunks[0][-1] < before:
            self.start = self.chunks.popleft()[0]

    def backwards(self) -> Iterator[Entry]:
        """The entries that can be read now, newest first, whatever happens to the log meanwhile."""
        oldest = self.first
        for last, kind, target, nick, texts, ms in reversed(tuple(self.chunks)):
            for number, text in zip(range(last, last - len(texts), -1), reversed(texts), strict=True):
                if number < oldest:
                    return
                yield Entry(self.name, number, kind, target, nick, text, ms)


class MemoryJournal:
    """See `triochat.journal.interface.Journal`.

    Args:
        retention: entries kept in each log.
        max_tags: tags remembered over all, the newest half of them for sure, and those of the last two
            drafts even if they alone are more; each costs 100 to 750 octets.
        max_rooms: logs of rooms.
        max_inboxes: logs of what was said to one nick alone.
        max_age: seconds for which an entry is kept at least; `tidy` lets go of it then. None: no limit.

    Raises:
        ValueError: a bound is not positive.
    """

    def __init__(
        self,
        *,
        retention: int = 10_000,
        max_tags: int = 100_000,
        max_rooms: int = 100_000,
        max_inboxes: int = 10_000,
        max_age: float | None = None,
    ) -> None:
        if min(retention, max_tags, max_rooms, max_inboxes) < 1 or (max_age is not None and max_age <= 0):
            raise ValueError("every bound of a journal is 1 or more, and an age more than 0")
        self._retention = retention
        self._max_rooms = max_rooms
        self._max_inboxes = max_inboxes
        self._max_age_ms = None if max_age is None else int(max_age * 1000)
        self._to_look_at: list[_Log] = []  # for what is too old
        self._rooms: dict[str, _Log] = {}
        self._inboxes: OrderedDict[str, _Log] = OrderedDict()
        self._let_go = 0  # the highest id of the inboxes that were let go
        self._tags = Tags(max_tags)

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Keep a batch; never waits."""
        return [self._append(draft) for draft in drafts]

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`; never waits."""
        kept = self._find(log)
        if kept is None:
            return self._nothing(log)
        first = max(after + 1, kept.first)
        return kept.page(first, first + limit)

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`; never waits."""
        kept = self._find(log)
        if kept is None:
            return self._nothing(log)
        behind = kept.last + 1 if before is None else min(before, kept.last + 1)
        return kept.page(behind - limit, behind)

    async def search(self, log: str, query: Sequence[str], limit: int) -> list[Entry]:
        """See `Journal.search`. Looks at the log as it stands at the call, in steps: it has no index."""
        kept, wanted = self._find(log), frozenset(query)
        if kept is None or not wanted:
            return []
        found: list[Entry] = []
        looked_at = 0
        for entry in kept.backwards():
            looked_at += len(entry.text) + 100  # however short it is, to look at it is some work
            if looked_at > SEARCHED_AT_ONCE:
                looked_at = 0
                await trio.lowlevel.checkpoint()
            if wanted.issubset(words(entry.text)):
                found.append(entry)
                if len(found) == limit:
                    break
        return found

    async def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        logs = {**self._rooms, **self._inboxes}
        return {name: Head(log.last, log.topic) for name, log in logs.items()}

    async def tidy(self, ms: int) -> bool:
        """Let go of what is too old in some of the logs; never waits."""
        if self._max_age_ms is None:
            return False
        if not self._to_look_at:
            self._to_look_at = [*self._rooms.values(), *self._inboxes.values()]
        for log in self._to_look_at[-LOGS_AT_ONCE:]:
            log.forget(ms - self._max_age_ms)
        del self._to_look_at[-LOGS_AT_ONCE:]
        return bool(self._to_look_at)

    def _find(self, name: str) -> _Log | None:
        return self._inboxes.get(name) if name.startswith("@") else self._rooms.get(name)

    def _nothing(self, name: str) -> Page:
        """A page of a log that there is not, or not any more."""
        last = self._let_go if name.startswith("@") else 0
        return Page((), last + 1, last)

    def _open(self, name: str) -> _Log | None:
        """The log of that name, made if need be; None if there are too many."""
        log = self._find(name)
        if name.startswith("@"):
            if log is None:
                if len(self._inboxes) == self._max_inboxes:
                    _, oldest = self._inboxes.popitem(last=False)
                    self._let_go = max(self._let_go, oldest.last)
                log = self._inboxes[name] = _Log(name, self._retention, self._let_go, self._let_go)
            self._inboxes.move_to_end(name)
        elif log is None and len(self._rooms) < self._max_rooms:
            log = self._rooms[name] = _Log(name, self._retention, 0, 0)
        return log

    def _append(self, draft: Draft) -> Outcome:
        name, kind, target, nick, texts, ms, session, tags, recall = draft
        highest = None
        if session is not None and tags is not None:
            highest = self._tags.admit(session, tags)
            if highest is None:
                if len(tags) > 1:
                    return Each([self._append(one) for one in draft.apart()])
                number = self._tags.number(session, tags[0], name, kind, texts[0])
                return TagTaken() if number is None else Repeated(number)
        if recall:
            return Unknown()
        log = self._rooms.get(name) or self._open(name)
        if log is None:
            return NoRoom()
        first = log.last + 1
        last = log.last = log.last + len(texts)
        log.chunks.append((last, kind, target, nick, texts, ms))
        while log.chunks[0][0] <= last - self._retention:  # which is never so of the new one
            log.chunks.popleft()
        if kind == "topic":
            log.topic = draft.entry(last, len(texts) - 1)
        if session is not None and tags is not None and highest is not None:
            # Most drafts have one text; written out for it, that saves a tenth of all this.
            hashes = (hash(texts[0]),) if len(texts) == 1 else tuple(map(hash, texts))
            self._tags.remember(session, (last, name, kind, tags, hashes), highest)
        return Kept(first)
