"""A journal that lives as long as its process: bounded, exact about what it has let go.

Bounds: entries for each log (the oldest are let go, and readers are told of the gap), tags
remembered (the oldest are forgotten), rooms (further ones are refused), inboxes (the one that got
nothing for the longest time is let go, so that nobody can use them up by changing its nick).

What is said to a nick whose inbox was let go counts on behind all that inboxes let go had: its ids never
come again, and a reader that had not seen all of them is told of a gap.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from triochat.journal.interface import (
    Draft,
    Each,
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
    entries: deque[tuple[Any, ...]]  # the fields of Entry, which is made when it is read
    last: int = 0
    topic: Entry | None = None

    @property
    def first(self) -> int:
        return self.last + 1 - len(self.entries)


class _Said:
    """What the tags of one draft stand for.

    One for all of them, since they come and are looked up together. Of the texts only hashes are
    remembered when they are no longer kept: Python's have 64 bits, and nobody outside can foretell them.
    """

    __slots__ = ("_hashes", "_kind", "_log", "_tags", "first")

    def __init__(self, draft: Draft) -> None:
        assert draft.tags is not None
        self._log = draft.log
        self._kind = draft.kind
        self._hashes = tuple(map(hash, draft.texts))
        self._tags = draft.tags
        self.first = 0  # until it is kept

    def number(self, tag: str, draft: Draft) -> int | None:
        """The id of what `tag` stands for; None if that is not what `draft` says."""
        index = self._tags.index(tag)
        same = (self._log, self._kind, self._hashes[index]) == (draft.log, draft.kind, hash(draft.texts[0]))
        return self.first + index if same else None


_Generation = dict[str, dict[str, _Said]]  # by session and tag


class MemoryJournal:
    """See `triochat.journal.interface.Journal`.

    Args:
        retention: entries kept in each log.
        max_tags: tags remembered over all, the newest half of them for sure, and those of the last two
            drafts even if they alone are more; each costs 150 to 600 octets.
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
        # Two generations by session, the younger one first. When that has half of all tags, the elder
        # one is let go as a whole: in bulk that costs less than the oldest tag for each new one.
        self._tags: tuple[_Generation, _Generation] = ({}, {})
        self._young = 0

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Keep a batch; never waits."""
        return [self._append(draft) for draft in drafts]

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        """See `Journal.read_after`; never waits."""
        kept = self._find(log)
        if kept is None:
            return self._nothing(log)
        skip = max(after + 1 - kept.first, 0)
        entries = islice(kept.entries, skip, skip + limit)
        return Page(tuple(map(Entry._make, entries)), kept.first, kept.last)

    async def read_before(self, log: str, before: int | None, limit: int) -> Page:
        """See `Journal.read_before`; never waits."""
        kept = self._find(log)
        if kept is None:
            return self._nothing(log)
        end = kept.last + 1 if before is None else min(before, kept.last + 1)
        stop = max(end - kept.first, 0)
        entries = islice(kept.entries, max(stop - limit, 0), stop)
        return Page(tuple(map(Entry._make, entries)), kept.first, kept.last)

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
        said = None
        known: dict[str, _Said] = {}
        if draft.session is not None and draft.tags is not None:
            said = _Said(draft)
            known = dict.fromkeys(draft.tags, said)
            if len(known) < len(draft.tags) or not self._are_new(draft.session, known):
                if len(draft.tags) > 1:
                    return Each([self._append(one) for one in _apart(draft, draft.tags)])
                return self._recall(draft, draft.session, draft.tags[0])
        if draft.recall:
            return Unknown()
        log = self._open(draft.log)
        if log is None:
            return NoRoom()
        first = log.last + 1
        log.last += len(draft.texts)
        numbers = range(first, log.last + 1)
        name, kind, target, nick, texts, ms = draft[:6]
        # In the order of the fields of Entry.
        log.entries.extend(
            [
                (name, number, kind, target, nick, text, ms)
                for number, text in zip(numbers, texts, strict=True)
            ]
        )
        if draft.kind == "topic":
            log.topic = Entry._make(log.entries[-1])
        if draft.session is not None and said is not None:
            said.first = first
            self._remember(draft.session, known)
        return Kept(first)

    # --- tags -----------------------------------------------------------------------------------

    def _are_new(self, session: str, tags: Iterable[str]) -> bool:
        for generation in self._tags:
            known = generation.get(session)
            if known is not None and not known.keys().isdisjoint(tags):
                return False
        return True

    def _recall(self, draft: Draft, session: str, tag: str) -> Repeated | TagTaken:
        """Only for a tag that is known."""
        young, elder = self._tags
        said = young.get(session, {}).get(tag) or elder[session][tag]
        number = said.number(tag, draft)
        return TagTaken() if number is None else Repeated(number)

    def _remember(self, session: str, known: dict[str, _Said]) -> None:
        if self._young + len(known) > self._max_tags // 2:
            self._tags = ({}, self._tags[0])
            self._young = 0
        self._young += len(known)
        self._tags[0].setdefault(session, {}).update(known)


def _apart(draft: Draft, tags: Sequence[str]) -> Iterator[Draft]:
    """The same, each text in a draft of its own."""
    for text, tag in zip(draft.texts, tags, strict=True):
        yield draft._replace(texts=(text,), tags=(tag,))
