"""The journal: the kept, ordered record of every room."""

from triochat.journal.interface import (
    Draft,
    Each,
    Entry,
    Head,
    Journal,
    JournalUnavailable,
    JournalUnusable,
    Kept,
    NoRoom,
    Outcome,
    Page,
    Repeated,
    TagTaken,
    Unknown,
)
from triochat.journal.memory import MemoryJournal
from triochat.journal.sqlite import SqliteJournal, open_sqlite_journal

__all__ = [
    "Draft",
    "Each",
    "Entry",
    "Head",
    "Journal",
    "JournalUnavailable",
    "JournalUnusable",
    "Kept",
    "MemoryJournal",
    "NoRoom",
    "Outcome",
    "Page",
    "Repeated",
    "SqliteJournal",
    "TagTaken",
    "Unknown",
    "open_sqlite_journal",
]
