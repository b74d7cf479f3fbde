"""What a file needs beside appends, in steps that delay nobody: delete what is let go, index words.

Each function does one step in a worker thread, inside a transaction of its caller, and returns what the
ledger is to be told after the commit.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from triochat.journal import tag_runs
from triochat.journal.ledger import Ledger, Log
from triochat.journal.words import words

STEP: Final = 200
"""Entries that one step deletes or indexes: some milliseconds."""
LOGS_IN_STEP: Final = 50
"""Logs that one step looks at."""

Settle = Callable[[], None]
"""To be called after the commit."""


@dataclass(frozen=True, slots=True)
class _Pruned:
    """Where a log stands after a step.

    Attributes:
        empty: there is no entry left of it.
        oldest: when the oldest entry that is left was said.
    """

    log: Log
    floor: int
    first: int
    empty: bool
    oldest: int | None


def prune(ledger: Ledger, connection: sqlite3.Connection, logs: Sequence[Log], too_old: int | None) -> Settle:
    """Delete what of these logs can't be read any more or was said before the time `too_old`."""
    budget = STEP
    done: list[_Pruned] = []
    for log in logs:
        if budget == 0:
            break
        pruned, count = _prune(connection, log, log.first_of(ledger.retention), too_old, budget)
        budget -= count
        done.append(pruned)
    for pruned in done:
        number = pruned.log.number
        if pruned.log.name is None and pruned.empty:
            connection.execute("DELETE FROM log WHERE number = ?", (number,))
        else:
            connection.execute(
                "UPDATE log SET floor = ?, first = ? WHERE number = ?", (pruned.floor, pruned.first, number)
            )

    def settle() -> None:
        if too_old is not None:
            ledger.looked_at({pruned.log for pruned in done})
        for pruned in done:
            log = pruned.log
            log.floor, log.first = pruned.floor, pruned.first
            if log.name is None and pruned.empty:
                ledger.untidy.pop(log, None)
                ledger.free.append(log.number)
                continue
            if too_old is not None:
                ledger.note_age(log, pruned.oldest)
            if ledger.is_tidy(log):
                ledger.untidy.pop(log, None)

    return settle


def _prune(
    connection: sqlite3.Connection, log: Log, first: int, too_old: int | None, budget: int
) -> tuple[_Pruned, int]:
    """Do this for one log; also return how many entries were deleted."""
    base = log.base
    rows = connection.execute(
        "SELECT key, text, ms FROM entry WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?",
        (base + log.floor, base + log.last, budget + 1),
    )
    floor, oldest = log.floor, None
    deleted: list[tuple[int, str]] = []
    for key, text, ms in rows:
        gone = key < base + first or (too_old is not None and ms < too_old)
        if not gone or len(deleted) == budget:
            floor, oldest = key - base, ms
            break
        deleted.append((key, text))
    else:
        floor = log.last + 1
    rows.close()
    if deleted:
        connection.execute("DELETE FROM entry WHERE key BETWEEN ? AND ?", (deleted[0][0], deleted[-1][0]))
        # What the index of words holds is not in it, so it must be told.
        connection.executemany(
            "INSERT INTO word (word, rowid, text) VALUES ('delete', ?, ?)",
            [(key, " ".join(words(text))) for key, text in deleted if key - base <= log.indexed],
        )
    pruned = _Pruned(log, floor, max(first, floor), oldest is None, oldest)
    return pruned, len(deleted)


def prune_tags(ledger: Ledger, connection: sqlite3.Connection, most: int) -> Settle:
    """Delete some of the oldest tags, and keep `most` at least."""
    oldest, forgotten = tag_runs.forget(connection, ledger.unindexed, ledger.next_tag - most)

    def settle() -> None:
        forgotten()
        ledger.oldest_tag = oldest

    return settle


def index(ledger: Ledger, connection: sqlite3.Connection, logs: Sequence[Log]) -> Settle:
    """Put the words of entries of these logs into the index, those of the first that are not in it yet."""
    budget = STEP
    rows: list[tuple[int, str]] = []
    done: list[tuple[Log, int]] = []
    for log in logs:
        if budget == 0:
            break
        found = connection.execute(
            "SELECT key, text FROM entry WHERE key BETWEEN ? AND ? ORDER BY key LIMIT ?",
            (log.base + log.indexed + 1, log.base + log.last, budget),
        ).fetchall()
        budget -= len(found)
        rows += found
        done.append((log, found[-1][0] - log.base if budget == 0 else log.last))
    rows.sort()  # to go back in it costs
    connection.executemany(
        "INSERT INTO word (rowid, text) VALUES (?, ?)", ((key, " ".join(words(text))) for key, text in rows)
    )
    connection.executemany(
        "UPDATE log SET indexed = ? WHERE number = ?", [(indexed, log.number) for log, indexed in done]
    )

    def settle() -> None:
        for log, indexed in done:
            log.indexed = indexed
            if ledger.is_tidy(log):
                ledger.untidy.pop(log, None)

    return settle
