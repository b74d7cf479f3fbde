"""A journal that lives as long as its process: bounded, exact about what it has let go.

Bounds: entries for each log (the oldest are let go, and readers are told of the gap), tags
remembered (the oldest are forgotten), rooms (further ones are refused), inboxes (the one that got
nothing for the longest time is let go, so that nobody can use them up by changing its nick).

What is said to a nick whose inbox was let go counts on behind all that inboxes let go had: its ids never
come again, and a reader that had not seen all of them is told of a gap.
"""

import hashlib
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
    Repeated,
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


@dataclass(frozen=True, slots=True)
class _Known:
    """What a tag stands for."""

    log: str
    id: int
    said: bytes


class MemoryJournal:
    """See `triochat.journal.interface.Journal`.

    Args:
        retention: entries kept in each log.
        max_tags: tags remembered over all; each costs some 400 octets.
        max_rooms: logs of rooms.
        max_inboxes: logs of what was said to one nick alone.

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
    ) -> None:
        if min(retention, max_tags, max_rooms, max_inboxes) < 1:
            raise ValueError("every bound of a journal is 1 or more")
        self._retention = retention
        self._max_tags = max_tags
        self._max_rooms = max_rooms
        self._max_inboxes = max_inboxes
        self._rooms: dict[str, _Log] = {}
        self._inboxes: OrderedDict[str, _Log] = OrderedDict()
        self._let_go = 0  # the highest id of the inboxes that were let go
        self._tags: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Keep a batch; never waits."""
        return [self._append(draft) for draft in drafts]

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`; never waits."""
        kept = self._find(log)
        if kept is None:
            return self._nothing(log)
        skip = max(after + 1 - kept.first, 0)
        return Page(tuple(islice(kept.entries, skip, skip + limit)), kept.first, kept.last)

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`; never waits."""
        kept = self._find(log)
        if kept is None:
            return self._nothing(log)
        end = kept.last + 1 if before is None else min(before, kept.last + 1)
        stop = max(end - kept.first, 0)
        return Page(tuple(islice(kept.entries, max(stop - limit, 0), stop)), kept.first, kept.last)

    async def heads(self) -> dict[str, Head]:
        """See `Journal.heads`."""
        logs = {**self._rooms, **self._inboxes}
        return {name: Head(log.last, log.topic) for name, log in logs.items()}

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
                log = self._inboxes[name] = _Log(deque(maxlen=self._retention), self._let_go)
            self._inboxes.move_to_end(name)
        elif log is None and len(self._rooms) < self._max_rooms:
            log = self._rooms[name] = _Log(deque(maxlen=self._retention))
        return log

    def _append(self, draft: Draft) -> Outcome:
        if draft.key is not None and (known := self._tags.get(draft.key)) is not None:
            return (
                Repeated(known.id) if (known.log, known.said) == (draft.log, _digest(draft)) else TagTaken()
            )
        if draft.recall:
            return Unknown()
        log = self._open(draft.log)
        if log is None:
            return NoRoom()
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
            self._tags[draft.key] = _Known(draft.log, entry.id, _digest(draft))
            if len(self._tags) > self._max_tags:
                self._tags.popitem(last=False)
        return Kept(entry)


def _digest(draft: Draft) -> bytes:
    """What was said, short enough to be remembered when the text is no longer kept."""
    return hashlib.blake2b(f"{draft.kind} {draft.text}".encode(), digest_size=16).digest()
