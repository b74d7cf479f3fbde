"""A file as the first version made it."""

import sqlite3
from pathlib import Path

from triochat.journal.schema import APPLICATION_ID, ID_BITS, MIGRATIONS


def make_first_version(path: Path) -> None:
    """One room, ``#dev``, and in it what `tests.journal.drafts.draft` says."""
    connection = sqlite3.connect(path, isolation_level=None)
    MIGRATIONS[0](connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO log VALUES (1, '#dev', 1, 1, 1, 1)")
    connection.execute("INSERT INTO entry VALUES (?, 0, NULL, 'alice', 'hello', 1000)", (1 << ID_BITS | 1,))
    connection.close()
