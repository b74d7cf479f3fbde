"""What becomes of a batch of drafts: decided, written and committed in one go, in a worker thread.

Of every tag it must be known whether it is new, and almost every one is. To look each up in the file would
cost more than to keep the message. Most clients count: ``1``, ``2`` … ``10``. A tag that is longer than all
that its session used, or as long as the longest and later in the order of letters, is new. So of each
session its highest tag is remembered, and only a tag that is not above that is looked up. `Tags` of the
journal in memory does the same.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from copy import copy
from hashlib import blake2b
from typing import Final

from triochat.journal import tag_runs
from triochat.journal.interface import (
    Draft,
    Each,
    Entry,
    Kept,
    NoRoom,
    Outcome,
    Repeated,
    TagTaken,
    Unknown,
)
from triochat.journal.ledger import Ledger, Log, Session
from triochat.journal.schema import LAST_ID
from triochat.journal.tag_runs import MAX_RUN, Run, Said, checksums, in_rows, rank

_SESSION_OCTETS: Final = 16


class Batch:
    """A batch on its way into the file.

    Nothing of it is seen by anybody else until `settle`, which is called after the commit.

    Args:
        ledger: where the logs stand; only read before `settle`.
        connection: in a transaction.
        max_rooms, max_inboxes: see `open_sqlite_journal`.
    """

    def __init__(
        self, ledger: Ledger, connection: sqlite3.Connection, max_rooms: int, max_inboxes: int
    ) -> None:
        self._ledger = ledger
        self._connection = connection
        self._max_rooms = max_rooms
        self._max_inboxes = max_inboxes
        # What changes, as it will be: copies of the ledger's logs, and new ones.
        self._changed_rooms: dict[str, Log] = {}
        self._changed_inboxes: OrderedDict[str, Log] = OrderedDict()  # the one used last is last
        self._new: list[Log] = []
        self._gone: dict[int, Log] = {}  # by number
        self._unused = iter(ledger.inboxes.items())  # those in front of where it is are changed or gone
        self._rooms = len(ledger.rooms)
        self._inboxes = len(ledger.inboxes)
        self._let_go = ledger.let_go
        self._free = list(ledger.free) if ledger.free else []
        self._next_number = ledger.next_number
        self._next_tag = ledger.next_tag
        self._next_used = ledger.next_used
        self._sessions: dict[str, Session] = {}
        self._topics: dict[int, Entry] = {}
        self._entries: list[tuple[int, int, str | None, str, str, int]] = []
        self._runs: list[Run] = []
        self._said: dict[tuple[bytes, str], Said] = {}  # of this batch, made when it is asked for
        self._said_up_to = 0

    def append(self, draft: Draft) -> Outcome:
        """Decide about one draft; what is kept of it is written by `write`.

        Raises:
            OverflowError: the log has no more ids. It is a fault, as no log gets there by talking.
        """
        name, kind, target, nick, texts, ms, session, tags, recall = draft
        digest = None
        if session is not None and tags is not None:
            digest, highest = self._sessions.get(session) or self._read_session(session)
            before, counts = highest, True
            for tag in tags:
                if len(tag) < len(highest) or (len(tag) == len(highest) and tag <= highest):
                    known = self._find(digest, tags)
                    if known or len(set(tags)) < len(tags):
                        if len(tags) > 1:
                            return Each([self.append(one) for one in draft.apart()])
                        number, said = known[tag]
                        return Repeated(number) if said in (None, *checksums(draft)) else TagTaken()
                    highest, counts = max(before, *tags, key=rank), False
                    break
                highest = tag
        if recall:
            return Unknown()
        log = self._use(name)
        if log is None:
            return NoRoom()
        first = log.last + 1
        log.last += len(texts)
        if log.last > LAST_ID:  # the next key would be one of the next log
            raise OverflowError(f"the log {name!r} has no more ids: in a file it has {LAST_ID}")
        key = log.base + first
        row_target = None if target == name else target
        if kind == "message":
            self._entries += [(key + i, 0, row_target, nick, text, ms) for i, text in enumerate(texts)]
        else:
            self._entries += [(key + i, 1, row_target, nick, text, ms) for i, text in enumerate(texts)]
            log.topic = self._topics[log.number] = draft.entry(log.last, len(texts) - 1)
        if log.oldest is None:
            log.oldest = ms
        if digest is not None and session is not None and tags is not None:
            self._sessions[session] = (digest, highest)
            sums = checksums(draft)
            if counts and len(tags) <= MAX_RUN:  # as of most
                self._runs.append(Run(self._next_tag, digest, False, tags, first, sums))
            else:
                self._runs += in_rows(self._next_tag, digest, before, tags, first, sums)
            self._next_tag += len(tags)
        return Kept(first)

    def write(self) -> None:
        """Write all that is kept."""
        many = self._connection.executemany
        many("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", self._entries)
        if self._runs:
            tag_runs.write(self._connection, self._runs)
        gone = self._gone
        if gone:  # first, since others may take their names
            numbers = [(number,) for number in gone]
            many("UPDATE log SET name = NULL WHERE number = ?", numbers)
            many("DELETE FROM topic WHERE log = ?", numbers)
            self._connection.execute("UPDATE inboxes SET let_go = ?", (self._let_go,))
        for log in self._new:
            name = None if log.number in gone else log.name
            self._connection.execute(
                "INSERT INTO log (number, name, floor, first, last, used, indexed)"
                " VALUES (?, ?, ?, ?, 0, 0, ?)",
                (log.number, name, log.floor, log.first, log.indexed),
            )
        changed = [*self._changed_rooms.values(), *self._changed_inboxes.values(), *gone.values()]
        many(
            "UPDATE log SET last = ?, used = ? WHERE number = ?",
            [(log.last, log.used, log.number) for log in changed],
        )
        if self._topics:
            many(
                "INSERT OR REPLACE INTO topic VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (number, topic.id, None if topic.target == topic.log else topic.target, *topic[4:])
                    for number, topic in self._topics.items()
                    if number not in gone
                ],
            )

    def settle(self) -> None:
        """It is committed: let the ledger know of it."""
        ledger = self._ledger
        for log in self._gone.values():
            known = ledger.inboxes.get(log.name or "")
            if known is not None and known.number == log.number:
                del ledger.inboxes[log.name or ""]
                known.last = log.last
            else:  # it was made by this batch
                known = log
            known.name = None
            ledger.put(known)
        for name, log in (*self._changed_rooms.items(), *self._changed_inboxes.items()):
            known = ledger.find(name)
            if known is None:
                known = log
                ledger.note_age(log, log.oldest)
            else:
                known.last, known.used, known.topic = log.last, log.used, log.topic
                if known.oldest is None:
                    ledger.note_age(known, log.oldest)
            ledger.put(known)
        ledger.let_go = self._let_go
        ledger.free = self._free
        ledger.next_number = self._next_number
        ledger.next_tag = self._next_tag
        ledger.next_used = self._next_used
        ledger.unindexed.add(self._runs)
        ledger.remember(self._sessions)

    def _use(self, name: str) -> Log | None:
        """The log of that name, to be changed; made if need be, None if there are too many."""
        private = name.startswith("@")
        changed = self._changed_inboxes if private else self._changed_rooms
        log = changed.get(name)
        if log is None:
            known = self._ledger.find(name)
            if known is not None and known.number not in self._gone:
                log = copy(known)
            elif private:
                while self._inboxes >= self._max_inboxes:  # once, unless there may be fewer than before
                    self._let_one_go()
                self._inboxes += 1
                log = self._make(name, self._let_go)
            elif self._rooms < self._max_rooms:
                self._rooms += 1
                log = self._make(name, 0)
            else:
                return None
            changed[name] = log
        elif private:
            self._changed_inboxes.move_to_end(name)
        log.used = self._next_used
        self._next_used += 1
        return log

    def _make(self, name: str, start: int) -> Log:
        if self._free:
            number = self._free.pop()
        else:
            number = self._next_number
            self._next_number += 1
        log = Log(number, name, start + 1, start + 1, start, 0, start)
        self._new.append(log)
        return log

    def _let_one_go(self) -> None:
        """Let go of the inbox that got nothing for the longest time, this batch's included."""
        for name, known in self._unused:
            if name not in self._changed_inboxes:
                log = copy(known)
                break
        else:
            _, log = self._changed_inboxes.popitem(last=False)
        self._let_go = max(self._let_go, log.last)
        self._gone[log.number] = log
        self._inboxes -= 1

    def _read_session(self, session: str) -> Session:
        known = self._ledger.sessions.get(session)
        if known is None:
            digest = blake2b(session.encode(), digest_size=_SESSION_OCTETS).digest()
            indexed = tag_runs.highest(self._connection, digest)
            known = digest, max(indexed, self._ledger.unindexed.highest(digest), key=rank)
        self._sessions[session] = known
        return known

    def _find(self, session: bytes, tags: Sequence[str]) -> dict[str, Said]:
        """Those of the tags that are known, and what they stand for."""
        for run in self._runs[self._said_up_to :]:
            self._said.update({(run.session, tag): run.find(tag) for tag in run.tags})
        self._said_up_to = len(self._runs)
        known: dict[str, Said] = {}
        for tag in tags:
            found = (
                self._said.get((session, tag))
                or self._ledger.unindexed.find(session, tag)
                or tag_runs.find(self._connection, session, tag)
            )
            if found is not None:
                known[tag] = found
        return known
