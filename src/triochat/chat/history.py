"""Entries read back, as frames: with every gap told."""

from collections.abc import Sequence

from triochat.journal.interface import Page
from triochat.protocol.events import Event, Gap


def behind(page: Page, log: str, after: int, tag: str | None) -> list[Event]:
    """Frames for what was read behind id `after`: first the gap, if some are no longer kept."""
    return _frames(page, log, after + 1, min(page.first - 1, page.last), tag)


def in_front(page: Page, log: str, before: int | None, limit: int, tag: str | None) -> list[Event]:
    """Frames for a page in front of id `before`: first the gap, if some are no longer kept."""
    end = min(page.last, page.last if before is None else before - 1)
    return _frames(page, log, max(end - limit + 1, 1), min(page.first - 1, end), tag)


def _frames(page: Page, log: str, asked: int, gone: int, tag: str | None) -> list[Event]:
    entries: Sequence[Event] = [entry.event(tag) for entry in page.entries]
    return [Gap(log, asked, gone, tag=tag), *entries] if asked <= gone else list(entries)
