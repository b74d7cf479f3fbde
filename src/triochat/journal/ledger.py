"""Where the logs of a file stand: what a server must know of a journal without reading it.

All of it is in memory, and is as much as there are logs and active sessions, not as there are entries. It
changes only after a commit, and then at once; so whoever reads it never sees what was not kept.
"""

import heapq
import sqlite3
from collections import OrderedDict
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from triochat.journal.interface import Entry
from triochat.journal.schema import ID_BITS
from triochat.journal.tag_runs import Unindexed, read

MAX_SESSIONS: Final = 10_000
"""Sessions of which it is remembered how far they have counted; all are read anew when there are more."""

Session = tuple[bytes, str]
"""Digest of a session, and its highest tag: see `triochat.journal.batch`."""


@dataclass(slots=True, eq=False)
class Log:
    """One log; see the tables in `triochat.journal.schema`.

    Attributes:
        topic: the entry that set the topic.
        oldest: when the oldest entry was said, as far as known: no later than that. None: nothing is kept.
    """

    number: int
    name: str | None
    floor: int
    first: int
    last: int
    used: int
    indexed: int
    topic: Entry | None = None
    oldest: int | None = None

    @property
    def base(self) -> int:
        """What is added to an id to make a key."""
        return self.number << ID_BITS

    def first_of(self, retention: int | None) -> int:
        """The id of the oldest entry that can be read; `last` + 1 if there is none."""
        if self.name is None:
            return self.last + 1
        return self.first if retention is None else max(self.first, self.last - retention + 1)


@dataclass(slots=True)
class Ledger:
    """All logs, and what new ones begin with.

    Attributes:
        retention: entries that can be read of each log; None: all.
        rooms, inboxes: by name; the inbox that was used last is last.
        let_go: the highest id of the inboxes that were let go.
        free: numbers that no log has, below `next_number`.
        next_tag, oldest_tag: numbers of tags.
        next_used: what the next log that is used gets.
        sessions: by what drafts call them.
        unindexed: tags that are not in the index yet.
        untidy: logs with entries that are to be deleted or put into the index of words.
        ages: a heap of (oldest, something that differs, log).
    """

    retention: int | None
    rooms: dict[str, Log] = field(default_factory=dict)
    inboxes: OrderedDict[str, Log] = field(default_factory=OrderedDict)
    let_go: int = 0
    free: list[int] = field(default_factory=list)
    next_number: int = 1
    next_tag: int = 1
    oldest_tag: int = 1
    next_used: int = 1
    sessions: dict[str, Session] = field(default_factory=dict)
    unindexed: Unindexed = field(default_factory=Unindexed)
    untidy: dict[Log, None] = field(default_factory=dict)
    ages: list[tuple[int, int, Log]] = field(default_factory=list)

    @classmethod
    def read(cls, connection: sqlite3.Connection, retention: int | None) -> "Ledger":
        """Read it from a file; of the entries none is looked at, and of the tags only the newest."""
        ledger = cls(retention)
        rows = connection.execute(
            "SELECT l.number, l.name, l.floor, l.first, l.last, l.used, l.indexed,"
            " t.id, t.target, t.nick, t.text, t.ms"
            " FROM log l LEFT JOIN topic t ON t.log = l.number ORDER BY l.used"
        )
        numbers: set[int] = set()
        for number, name, floor, first, last, used, indexed, topic, target, nick, text, ms in rows:
            log = Log(number, name, floor, first, last, used, indexed)
            if topic is not None:
                log.topic = Entry(name, topic, "topic", target or name, nick, text, ms)
            numbers.add(number)
            ledger.next_used = used + 1
            ledger.put(log)
            if floor <= last:
                ledger.note_age(log, 0)  # it is not known yet
        ledger.next_number = max(numbers, default=0) + 1
        ledger.free = sorted(set(range(1, ledger.next_number)) - numbers)
        (ledger.let_go,) = connection.execute("SELECT let_go FROM inboxes").fetchone()
        ledger.unindexed, ledger.oldest_tag, ledger.next_tag = read(connection)
        return ledger

    def __iter__(self) -> Iterator[Log]:
        """All logs that have a name."""
        yield from self.rooms.values()
        yield from self.inboxes.values()

    def find(self, name: str) -> Log | None:
        """The log of that name."""
        return self.inboxes.get(name) if name.startswith("@") else self.rooms.get(name)

    def put(self, log: Log) -> None:
        """Take a log in, or note that it was used; the one used last is put last."""
        if log.name is not None and log.name.startswith("@"):
            self.inboxes[log.name] = log
            self.inboxes.move_to_end(log.name)
        elif log.name is not None:
            self.rooms[log.name] = log
        if not self.is_tidy(log):
            self.untidy[log] = None

    def is_tidy(self, log: Log) -> bool:
        """Whether nothing of it is left to delete or to index; its age is another matter."""
        return log.name is not None and log.floor >= log.first_of(self.retention) and log.indexed >= log.last

    def note_age(self, log: Log, oldest: int | None) -> None:
        """Note when its oldest entry was said."""
        log.oldest = oldest
        if oldest is not None:
            heapq.heappush(self.ages, (oldest, id(log), log))

    def is_any_too_old(self, before: int) -> bool:
        """Whether the oldest entry of any log may have been said before that time."""
        return bool(self.ages) and self.ages[0][0] < before

    def too_old(self, before: int, most: int) -> list[Log]:
        """Up to so many logs of which that may be so; they stay in the heap until `looked_at`."""
        while self.ages and self.ages[0][2].name is None:  # it is let go as a whole
            heapq.heappop(self.ages)
        if not self.is_any_too_old(before):
            return []
        oldest = heapq.nsmallest(most, self.ages, key=itemgetter(0, 1))
        return [log for when, _, log in oldest if when < before and log.name is not None]

    def looked_at(self, logs: Container[Log]) -> None:
        """Take logs that `too_old` gave, from the first on, out of the heap."""
        while self.ages and (self.ages[0][2] in logs or self.ages[0][2].name is None):
            heapq.heappop(self.ages)

    def remember(self, sessions: dict[str, Session]) -> None:
        """Note how far sessions have counted."""
        if len(self.sessions) + len(sessions) > MAX_SESSIONS:
            self.sessions.clear()
        self.sessions |= sessions
