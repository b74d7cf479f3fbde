"""What reads the past on behalf of one client: its errands, run by its own reader, so nobody else waits.

The hub says what is to be read (see `triochat.chat.deliveries`); here it is read from the journal, slice by
slice, and sent no faster than the client reads. Of the past no more than two pieces ever wait in the outbox,
so however long a replay is, the backlog is left to what is said meanwhile. A client slower than a room stays
behind it, and follows from the journal; it is attached once it has nearly nothing left to read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from triochat.chat import CaughtUp, Replay, SendList, SendMatches, SendPage, Work, history
from triochat.journal import JournalUnavailable
from triochat.protocol import Dialect
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_ID

if TYPE_CHECKING:
    from triochat.journal import Entry, Journal
    from triochat.server.outbox import Outbox
    from triochat.server.peer import Peer

SLICE = 2048
"""Entries that a follower reads at a time, at most: more than a batch adds, or it would never catch up."""
FIRST_SLICE = 256
"""Entries that it reads first, while it is not known how long they are."""
SLICE_CHARACTERS = 262_144
"""About so many in a slice: long texts come in slices of fewer entries, for many may follow at once."""
PIECE = 32_768
"""Octets, roughly, that are handed over at once of what may be long."""
PIECE_FRAMES = 256
"""Frames in a piece: to build so many short ones takes a millisecond or two."""
UNFRAMED_READ = 1024
"""Octets that a 2019 client takes at once: what it is shown of the past fits into that."""


class Past:
    """The past, as one client is given it.

    Args:
        peer: whose reader runs the errands.
        journal: where the past is.
        outbox: of that client.
    """

    __slots__ = ("_journal", "_outbox", "_peer")

    def __init__(self, peer: Peer, journal: Journal, outbox: Outbox) -> None:
        self._peer = peer
        self._journal = journal
        self._outbox = outbox

    async def run(self, work: Work) -> None:
        """Do an errand to its end, or say why that can't be."""
        match work:
            case Replay():
                await self._replay(work)
            case SendList():
                await self._send(work.events)
            case _:
                try:
                    await self._send(await self._look_up(work))
                except JournalUnavailable as error:
                    self._say_why_not(work, error)
                    return
                if work.tag is not None:
                    self._peer.say([e.Ok(tag=work.tag)])

    async def _look_up(self, work: SendPage | SendMatches) -> Iterable[e.Event]:
        if isinstance(work, SendMatches):
            entries = await self._journal.search(work.log, work.words, work.limit)
            return history.found(entries, work.tag, for_person=self._for_person)
        if work.after is not None:
            page = await self._journal.read_after(work.log, work.after, work.limit)
            return history.behind(page, work.log, work.after, work.tag)
        page = await self._journal.read_before(work.log, work.before, work.limit)
        return history.in_front(page, work.log, work.before, work.limit, work.tag, work.floor)

    # --- replay ---------------------------------------------------------------------------------

    async def _replay(self, work: Replay) -> None:
        """Send what is behind the cursor, slice by slice, and have the hub decide how it goes on."""
        cursor = work.after
        # What a person reads beyond that was said while that person was in the room: it is no history.
        tag = None if self._for_person and work.recent is None else work.tag
        limit = work.recent or FIRST_SLICE
        while True:
            try:
                page = await self._journal.read_after(work.log, cursor, limit)
            except JournalUnavailable as error:
                await self._stop_short(work, cursor, error)
                return
            await self._send(history.behind(page, work.log, cursor, tag))
            if not page.entries:  # a later one that is no longer kept was told of as a gap
                cursor = max(cursor, page.last)
                break
            cursor = page.entries[-1].id
            if cursor >= page.last or work.recent is not None:
                break
            limit = _next_slice(page.entries)
        await self._outbox.wait_down_to(PIECE)
        await self._peer.ask(CaughtUp(work.log, cursor, work.tag))
        # It may have been handed as much as a small backlog holds, and did not choose how much that is.
        self._outbox.excuse()

    async def _stop_short(self, work: Replay, cursor: int, error: JournalUnavailable) -> None:
        """The past can't be read any further. It goes on without, is out of the room, or is cut off.

        What it has been sent is in order and without a hole, so it can ask again from there.
        """
        if self._for_person:  # it did not ask for the past: go on without, but with all said since it came
            self._say_why_not(work, error)
            came_at = MAX_ID if work.recent is None else work.after + work.recent
            await self._peer.ask(CaughtUp(work.log, came_at, work.tag))
        elif work.log.startswith("#"):
            await self._peer.ask(e.Part(work.log))
            self._say_why_not(work, error)
        else:  # what it missed while it was away; its session may return for the rest of that
            self._peer.log.warning("the journal could not be read", error=str(error))
            await self._peer.ask(CaughtUp(work.log, cursor, None))
            self._peer.errand = None
            self._peer.stop("what you missed can't be read now")

    def _say_why_not(self, work: Work, error: JournalUnavailable) -> None:
        self._peer.log.warning("the journal could not be read", error=str(error))
        self._peer.say([e.Failure("unavailable", "the past can't be read now; ask again", tag=work.tag)])

    # --- sending --------------------------------------------------------------------------------

    @property
    def _for_person(self) -> bool:
        return self._peer.connection.dialect is Dialect.TEXT

    async def _send(self, events: Iterable[e.Event]) -> None:
        """Send no faster than is read: what someone asked for must not get it cut off.

        `events` are taken one piece at a time, so that what nobody reads is not even built.
        """
        frames: Iterable[bytes] = map(self._peer.reply, events)
        if self._peer.connection.unframed:
            frames = _what_fits(list(frames))
        if self._outbox.crowded:
            await self._outbox.wait_for_room()
        for piece in _pieces(frames):
            self._outbox.put(piece)
            await self._outbox.wait_down_to(PIECE)  # a checkpoint too, so nobody waits for a long slice


def _what_fits(frames: list[bytes]) -> list[bytes]:
    """The last of them, as far as a 2019 client reads them at once."""
    while sum(map(len, frames)) > UNFRAMED_READ:
        frames.pop(0)
    return frames


def _next_slice(entries: Sequence[Entry]) -> int:
    """How many entries to read next, if they are as long as these."""
    characters = sum(len(entry.text) for entry in entries)
    return max(1, min(SLICE, SLICE_CHARACTERS * len(entries) // max(characters, 1)))


def _pieces(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Frames joined to pieces of `PIECE` octets or `PIECE_FRAMES` frames each, but for the last."""
    some: list[bytes] = []
    size = 0
    for frame in frames:
        some.append(frame)
        size += len(frame)
        if size >= PIECE or len(some) == PIECE_FRAMES:
            yield b"".join(some)
            some.clear()
            size = 0
    if some:
        yield b"".join(some)
