"""The tables of a journal's file, and how an older file becomes one of this version.

The version is the number of migrations that a file has had (``PRAGMA user_version``). A change of the tables
is a further function at the end of `MIGRATIONS`; those that were released never change.
"""

import sqlite3
from collections.abc import Callable
from typing import Final

APPLICATION_ID: Final = int.from_bytes(b"trio", "big")
"""Stands in the header of every journal: ``file`` and we know it by that."""

ID_BITS: Final = 36
"""An entry's key is the number of its log, then its id in so many bits: 68,719,476,735 for each log.

So the entries of a log lie together in the file and in the order of their ids, and one integer, which
SQLite finds fastest and the index of words needs, is all that an entry has to be found by.
"""

LAST_ID: Final = (1 << ID_BITS) - 1
"""The highest id that has a key."""

NAME_OF_KIND: Final = ("message", "topic")
"""Kinds by the number that stands for them in the file."""


def _logs_entries_tags(connection: sqlite3.Connection) -> None:
    connection.execute(
        # name: NULL of an inbox that was let go, whose entries are still to be deleted.
        # floor: there is no entry with a lower id.
        # first, last: the ids that can be read, less what retention has let go since.
        # used: counts up; the inbox with the lowest is the next that is let go.
        """
        CREATE TABLE log (
            number INTEGER PRIMARY KEY,
            name TEXT UNIQUE,
            floor INTEGER NOT NULL,
            first INTEGER NOT NULL,
            last INTEGER NOT NULL,
            used INTEGER NOT NULL
        )
        """
    )
    connection.execute(
        """
        CREATE TABLE topic (
            log INTEGER PRIMARY KEY,
            id INTEGER NOT NULL,
            target TEXT,
            nick TEXT NOT NULL,
            text TEXT NOT NULL,
            ms INTEGER NOT NULL
        )
        """
    )
    connection.execute(
        # target: NULL if it is the log's name.
        """
        CREATE TABLE entry (
            key INTEGER PRIMARY KEY,
            kind INTEGER NOT NULL,
            target TEXT,
            nick TEXT NOT NULL,
            text TEXT NOT NULL,
            ms INTEGER NOT NULL
        )
        """
    )
    connection.execute(
        # number: counts up, so the oldest tags are those with the lowest.
        # session, said: digests, of the session and of what was said where.
        """
        CREATE TABLE tag (
            number INTEGER PRIMARY KEY,
            session BLOB NOT NULL,
            size INTEGER NOT NULL,
            tag TEXT NOT NULL,
            id INTEGER NOT NULL,
            said BLOB NOT NULL
        )
        """
    )
    # By length first: the highest tag of a session that counts is the last of its range.
    connection.execute("CREATE UNIQUE INDEX tag_of_session ON tag (session, size, tag)")
    # The highest id that any of the inboxes that were let go had.
    connection.execute("CREATE TABLE inboxes (let_go INTEGER NOT NULL)")
    connection.execute("INSERT INTO inboxes VALUES (0)")


def _words(connection: sqlite3.Connection) -> None:
    """The index of words; `indexed` is the highest id of a log that is in it."""
    connection.execute("ALTER TABLE log ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0")
    # It holds no texts and no places in them. What it is given are words already, with a space between,
    # which the tokenizer "ascii" takes as they are.
    connection.execute(
        "CREATE VIRTUAL TABLE word USING fts5(text, content='', columnsize=0, detail=none, tokenize='ascii')"
    )


def _tag_runs(connection: sqlite3.Connection) -> None:
    """A row for each run of tags: see `triochat.journal.tag_runs`."""
    connection.execute(
        # number: counts tags, so the oldest are those with the lowest; that of the first of these.
        # tags: with a space between. id: of what the first stands for; the others follow.
        # said: checksums of four octets each; NULL: not known.
        """
        CREATE TABLE tag_run (
            number INTEGER PRIMARY KEY,
            session BLOB NOT NULL,
            stray INTEGER NOT NULL,
            tags TEXT NOT NULL,
            id INTEGER NOT NULL,
            said BLOB
        )
        """
    )
    connection.execute(
        """
        CREATE TABLE tag_run_of_session (
            session BLOB NOT NULL,
            stray INTEGER NOT NULL,
            size INTEGER NOT NULL,
            first TEXT NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (session, stray, size, first)
        ) WITHOUT ROWID
        """
    )
    connection.execute("INSERT INTO tag_run SELECT number, session, 0, tag, id, NULL FROM tag")
    connection.execute(
        "INSERT INTO tag_run_of_session SELECT session, 0, size, tag, number FROM tag"
        " ORDER BY session, size, tag"
    )
    # Runs with lower numbers are in the index.
    connection.execute("CREATE TABLE tag_runs_indexed (behind INTEGER NOT NULL)")
    connection.execute("INSERT INTO tag_runs_indexed SELECT coalesce(max(number), 0) + 1 FROM tag")
    connection.execute("DROP TABLE tag")


MIGRATIONS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (
    _logs_entries_tags,
    _words,
    _tag_runs,
)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Make a file of that version, 0 if it is new, one of this; all or nothing.

    Raises:
        sqlite3.Error: it did not work, and the file is what it was.
    """
    if version == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for migration in MIGRATIONS[version:]:
            migration(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
