"""Entries read back, as frames: with every gap told."""

from collections.abc import Iterator, Sequence

from triochat.journal.interface import Entry, Page
from triochat.protocol.events import Event, Gap, Notice


def behind(page: Page, log: str, after: int, tag: str | None) -> Iterator[Event]:
    """Frames for what was read behind id `after`: first the gap, if some are no longer kept."""
    return _frames(page.entries, log, after + 1, min(page.first - 1, page.last), tag)


def in_front(
    page: Page, log: str, before: int | None, limit: int, tag: str | None, floor: int = 0
) -> Iterator[Event]:
    """Frames for a page in front of id `before`: first the gap, if some are no longer kept.

    Of what is not behind the id `floor` nothing is told.
    """
    end = min(page.last, page.last if before is None else before - 1)
    entries = [entry for entry in page.entries if entry.id > floor]
    return _frames(entries, log, max(end - limit, floor) + 1, min(page.first - 1, end), tag)


def found(entries: Sequence[Entry], tag: str | None, *, for_person: bool) -> Iterator[Event]:
    """Frames for what a search has found, newest first.

    A person at a terminal reads downwards and has the end before its eyes: there the newest comes last.
    """
    if for_person and not entries:
        yield Notice("nothing was found")
    for entry in reversed(entries) if for_person else entries:
        yield entry.event(tag)


def _frames(entries: Sequence[Entry], log: str, asked: int, gone: int, tag: str | None) -> Iterator[Event]:
    if asked <= gone:
        yield Gap(log, asked, gone, tag=tag)
    for entry in entries:  # made one by one, as they are sent: there may be thousands
        yield entry.event(tag)
