"""The journal: the kept, ordered record of every room."""

from triochat.journal.interface import (
    Draft,
    Each,
    Entry,
    Head,
    Journal,
    JournalUnavailable,
    Kept,
    NoRoom,
    Outcome,
    Page,
    Repeated,
    TagTaken,
    Unknown,
)
from triochat.journal.memory import MemoryJournal

__all__ = [
    "Draft",
    "Each",
    "Entry",
    "Head",
    "Journal",
    "JournalUnavailable",
    "Kept",
    "MemoryJournal",
    "NoRoom",
    "Outcome",
    "Page",
    "Repeated",
    "TagTaken",
    "Unknown",
]
