"""Looks into a journal in a file, for its tests."""

from triochat.journal import (
    SqliteJournal,
)


async def tidy(journal: SqliteJournal, ms: int = 1000) -> int:
    """All that there is to tidy; how many steps it took."""
    steps = 1
    while await journal.tidy(ms):
        steps += 1
    return steps


async def texts(journal: SqliteJournal, log: str = "#dev") -> list[str]:
    return [entry.text for entry in (await journal.read_after(log, 0, 10_000)).entries]


def count(journal: SqliteJournal, table: str) -> int:
    """Rows that are really in the file."""
    found: int = journal._file.reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found
