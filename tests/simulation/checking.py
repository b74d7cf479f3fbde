"""What all checkers have in common."""

from collections.abc import Callable, Iterator

from tests.simulation.record import Record, Seen, valid

Broken = Iterator[str]
Checker = Callable[[Record], Broken]


def whole(record: Record) -> set[str]:
    """Texts that were said once, and not torn on the way."""
    return {text for witness in record.witnesses if witness.whole for text in witness.said}


def known(record: Record, log: str) -> dict[int, Seen]:
    """By id, what is known of a log: what is kept, and what was shown with its id before it was let go."""
    entries: dict[int, Seen] = {}
    for witness in record.witnesses:
        for one in valid(witness.views.get(log, [])):
            if isinstance(one, Seen) and one.id:
                entries[one.id] = one
    entries.update((entry.id, entry) for entry in record.logs.get(log, ()))
    return dict(sorted(entries.items()))
