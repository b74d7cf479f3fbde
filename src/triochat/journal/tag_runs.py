"""Which tags of which session were used, and for what, in a file: a run of tags is a row.

A client that counts sends runs of tags that ascend, each above all tags of its session before it: ``7``,
``8``, ``9``. Such a run is one row, found by the first of its tags: of all runs of a session that ascend so,
the one that may hold a tag is the last that does not begin behind it. A tag out of that order is a *stray*,
a row of its own. (In this order the longer tag is the higher one, and of two as long the later one in the
order of letters.)

Almost no tag is ever looked for, and to put each run into an index at once would cost more than all else of
its batch, since the runs of a batch belong to many sessions and each would touch another page. So runs are
only added to a table, and those that are not in the index yet are in memory as well, in `Unindexed`, up to
`MAX_UNINDEXED`. They are put into the index many at a time, in its order. This is what the log-structured
merge tree does (O'Neil et al., 1996), with one level.
"""

import sqlite3
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from zlib import crc32

from triochat.journal.interface import Draft

MAX_RUN: Final = 64
"""Tags in a row: to look for one, all of its row are looked at."""
UNINDEXED_AT_EASE: Final = 5_000
"""Runs in memory that are no reason to do anything: some 400 octets each."""
MAX_UNINDEXED: Final = 50_000
"""Runs in memory at most, but for those of one batch."""
RUNS_IN_STEP: Final = 500
"""Runs that one step puts into the index, or forgets: some milliseconds."""

Said = tuple[int, int | None]
"""What a tag stands for: an id, and the checksum of what was said, if it is known."""


class Run(NamedTuple):
    """A row.

    Attributes:
        number: counts tags, of all sessions, in the order in which they came: that of the first of these.
        session: its digest.
        stray: a single tag that is not above all others of its session.
        tags: ascending.
        id: of what the first tag stands for; the others follow.
        said: checksums of what was said, see `checksums`; None: not known.
    """

    number: int
    session: bytes
    stray: bool
    tags: Sequence[str]
    id: int
    said: Sequence[int] | None

    def find(self, tag: str) -> Said:
        """What one of these tags stands for."""
        index = self.tags.index(tag)
        return self.id + index, None if self.said is None else self.said[index]


def checksums(draft: Draft) -> list[int]:
    """By these it is known again what was said, and where, for each text.

    A client that uses a tag for two different texts is told so, unless they have the same checksum, one case
    in four thousand million. It harms nobody else, so a checksum will do.
    """
    start = crc32(f"{draft.log}\0{draft.kind}\0".encode())
    return [crc32(text.encode(), start) for text in draft.texts]


def rank(tag: str) -> tuple[int, str]:
    """The order in which one counts."""
    return len(tag), tag


def in_rows(
    number: int, session: bytes, highest: str, tags: Sequence[str], first: int, said: Sequence[int]
) -> Iterator[Run]:
    """Rows for the tags of a draft.

    Args:
        number: of the first tag.
        session: its digest.
        highest: the highest tag of the session before these.
        tags: none of them known, in any order.
        first: id of what the first tag stands for.
        said: checksums of what was said.
    """
    start = 0
    while start < len(tags):
        end = start
        while end < len(tags) and end - start < MAX_RUN and rank(tags[end]) > rank(highest):
            highest = tags[end]
            end += 1
        stray = end == start
        end += stray
        yield Run(number + start, session, stray, tags[start:end], first + start, said[start:end])
        start = end


class Unindexed:
    """The runs that are in the table, but not in the index; the oldest first."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        self._runs: deque[Run] = deque()
        self._by_session: dict[bytes, _OfSession] = {}
        self.add(runs)

    def __len__(self) -> int:
        """How many runs."""
        return len(self._runs)

    def add(self, runs: Iterable[Run]) -> None:
        """They are in the table now."""
        for run in runs:
            self._runs.append(run)
            of_session = self._by_session.get(run.session)
            if of_session is None:
                of_session = self._by_session[run.session] = _OfSession()
            of_session.runs.append(run)

    def find(self, session: bytes, tag: str) -> Said | None:
        """What a tag stands for, if it is one of these."""
        of_session = self._by_session.get(session)
        run = None if of_session is None else of_session.by_tag().get(tag)
        return None if run is None else run.find(tag)

    def highest(self, session: bytes) -> str:
        """The highest tag of a session among these; empty: there is none."""
        of_session = self._by_session.get(session)
        if of_session is not None:
            tags = []
            for run in reversed(of_session.runs):
                tags.append(run.tags[-1])
                if not run.stray:  # no stray before it was higher
                    break
            return max(tags, key=rank)
        return ""

    def oldest(self, most: int) -> list[Run]:
        """So many of the oldest, or all."""
        return [run for run, _ in zip(self._runs, range(most), strict=False)]

    def drop(self, behind: int) -> None:
        """Those with a number below that are in the index now, or forgotten."""
        while self._runs and self._runs[0].number < behind:
            run = self._runs.popleft()
            of_session = self._by_session[run.session]
            of_session.drop()
            if not of_session.runs:
                del self._by_session[run.session]


class _OfSession:
    """Of one session; a dictionary is made when a tag is looked for, which for most never happens."""

    __slots__ = ("_by_tag", "_in_it", "runs")

    def __init__(self) -> None:
        self.runs: deque[Run] = deque()
        self._by_tag: dict[str, Run] = {}
        self._in_it = 0  # how many of the runs, from the left, are in the dictionary

    def by_tag(self) -> dict[str, Run]:
        for index in range(self._in_it, len(self.runs)):
            run = self.runs[index]
            self._by_tag.update(dict.fromkeys(run.tags, run))
        self._in_it = len(self.runs)
        return self._by_tag

    def drop(self) -> None:
        run = self.runs.popleft()
        if self._in_it:
            self._in_it -= 1
            for tag in run.tags:
                del self._by_tag[tag]


# --- the file -------------------------------------------------------------------------------------


def write(connection: sqlite3.Connection, runs: Iterable[Run]) -> None:
    """Add runs to the table."""
    connection.executemany(
        "INSERT INTO tag_run VALUES (?, ?, ?, ?, ?, ?)",
        [
            (number, session, stray, " ".join(tags), first, said and struct.pack(f">{len(said)}I", *said))
            for number, session, stray, tags, first, said in runs
        ],
    )


def read(connection: sqlite3.Connection) -> tuple[Unindexed, int, int]:
    """What is not in the index, and the numbers of the oldest tag and of the next one."""
    (indexed,) = connection.execute("SELECT behind FROM tag_runs_indexed").fetchone()
    found = connection.execute("SELECT * FROM tag_run WHERE number >= ? ORDER BY number", (indexed,))
    unindexed = Unindexed(_run(row) for row in found)
    oldest, newest = connection.execute(
        "SELECT (SELECT min(number) FROM tag_run), (SELECT max(number) FROM tag_run)"
    ).fetchone()
    if newest is None:
        return unindexed, indexed, indexed
    (tags,) = connection.execute("SELECT tags FROM tag_run WHERE number = ?", (newest,)).fetchone()
    return unindexed, oldest, newest + tags.count(" ") + 1


def find(connection: sqlite3.Connection, session: bytes, tag: str) -> Said | None:
    """What a tag stands for, by the index."""
    for condition in ("stray = 1 AND size = ? AND first = ?", "stray = 0 AND (size, first) <= (?, ?)"):
        row = connection.execute(
            "SELECT number FROM tag_run_of_session WHERE session = ? AND"
            f" {condition} ORDER BY size DESC, first DESC LIMIT 1",
            (session, len(tag), tag),
        ).fetchone()
        if row is not None:
            run = _run(connection.execute("SELECT * FROM tag_run WHERE number = ?", row).fetchone())
            if tag in run.tags:
                return run.find(tag)
    return None


def highest(connection: sqlite3.Connection, session: bytes) -> str:
    """The highest tag of a session that is in the index; empty: there is none."""
    tags = [""]
    for stray in (False, True):  # a stray may have outlived what was above it
        row = connection.execute(
            "SELECT number FROM tag_run_of_session WHERE session = ? AND stray = ?"
            " ORDER BY size DESC, first DESC LIMIT 1",
            (session, stray),
        ).fetchone()
        if row is not None:
            run = _run(connection.execute("SELECT * FROM tag_run WHERE number = ?", row).fetchone())
            tags.append(run.tags[-1])
    return max(tags, key=rank)


def index(connection: sqlite3.Connection, unindexed: Unindexed) -> Callable[[], None]:
    """Put some of the oldest runs into the index; returns what is to be called after the commit."""
    runs = unindexed.oldest(RUNS_IN_STEP)
    rows = sorted((session, stray, *rank(tags[0]), number) for number, session, stray, tags, *_ in runs)
    connection.executemany("INSERT INTO tag_run_of_session VALUES (?, ?, ?, ?, ?)", rows)
    behind = runs[-1].number + 1
    connection.execute("UPDATE tag_runs_indexed SET behind = ?", (behind,))
    return lambda: unindexed.drop(behind)


def forget(
    connection: sqlite3.Connection, unindexed: Unindexed, before: int
) -> tuple[int, Callable[[], None]]:
    """Forget some of the oldest runs, of those that have only tags with numbers below `before`.

    Returns:
        The number of the oldest tag that is left, and what is to be called after the commit.
    """
    rows = connection.execute(
        "SELECT * FROM tag_run WHERE number <= ? ORDER BY number LIMIT ?", (before, RUNS_IN_STEP + 1)
    )
    *runs, kept = [_run(row) for row in rows]
    connection.execute("DELETE FROM tag_run WHERE number < ?", (kept.number,))
    connection.executemany(
        "DELETE FROM tag_run_of_session WHERE session = ? AND stray = ? AND size = ? AND first = ?",
        sorted((session, stray, *rank(tags[0])) for _, session, stray, tags, *_ in runs),
    )
    return kept.number, lambda: unindexed.drop(kept.number)


def _run(row: tuple[int, bytes, int, str, int, bytes | None]) -> Run:
    number, session, stray, text, first, said = row
    tags = text.split(" ")
    return Run(number, session, bool(stray), tags, first, said and struct.unpack(f">{len(tags)}I", said))
