"""The one task that puts everything in order: take a batch, decide, keep, publish.

Keeps laws 2 to 4 of docs/architecture.md. There is no timer in this path: under load batches grow,
when idle a batch is one message and leaves at once.
"""

import time
from collections.abc import Mapping, Sequence

import structlog
import trio

from triochat.chat import Broadcast as Announcement
from triochat.chat import Delivery, Dismiss, Errand, Hub, Replies, Submission
from triochat.journal import Journal, JournalUnavailable, Outcome
from triochat.protocol import Encoding, encode
from triochat.protocol.events import Event
from triochat.protocol.runs import MessageRun
from triochat.server.broadcast import Broadcast
from triochat.server.outage import Outage
from triochat.server.peer import Peer

MAX_BATCH = 512
"""Submissions in one batch."""
MAX_BATCH_OCTETS = 131_072
"""Octets of what everybody gets of one batch, roughly: little beside a backlog and a kernel's buffer."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.hub")


async def run_hub(
    hub: Hub,
    journal: Journal,
    submissions: trio.MemoryReceiveChannel[Submission],
    broadcast: Broadcast[int],
    peers: dict[int, Peer],
    text_encodings: Mapping[int, Encoding],
) -> None:
    """Serve submissions until the channel ends. A fault in here is meant to end the server."""
    outage = Outage(log)
    while True:
        batch = await _next_batch(submissions, hub.next_deadline)
        if batch is None:
            return
        plan = hub.decide(batch, ms=time.time_ns() // 1_000_000, now=trio.current_time())
        outcomes: Sequence[Outcome] | None = []
        if plan.drafts:
            try:
                outcomes = await journal.append(plan.drafts)
            except JournalUnavailable as error:
                outage.refused(sum(len(draft.texts) for draft in plan.drafts), error)
                outcomes = None
            else:
                outage.kept()
        _deliver(plan.settle(outcomes), broadcast, peers, text_encodings)
        for submission in batch:
            if (peer := peers.get(submission.client)) is not None:
                peer.answered()


async def _next_batch(
    submissions: trio.MemoryReceiveChannel[Submission], deadline: float | None
) -> list[Submission] | None:
    """All that is waiting, up to a bound; empty when the deadline comes first, None at the end."""
    batch: list[Submission] = []
    try:
        if deadline is None:  # most often; the scope would cost as much as the rest of this function
            batch.append(await submissions.receive())
        else:
            with trio.move_on_at(deadline):
                batch.append(await submissions.receive())
    except trio.EndOfChannel:
        return None
    # Readers that became ready in the same tick add to the batch: a wake-up less for each.
    await trio.lowlevel.checkpoint()
    size = sum(submission.octets for submission in batch)
    while len(batch) < MAX_BATCH and size < MAX_BATCH_OCTETS:
        try:
            batch.append(submissions.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
        size += batch[-1].octets
    return batch


def _deliver(
    deliveries: Sequence[Delivery],
    broadcast: Broadcast[int],
    peers: dict[int, Peer],
    text_encodings: Mapping[int, Encoding],
) -> None:
    """Encode each run once for each encoding, gather what each client gets, and hand it out at once."""
    parcels = _Parcels()
    dismissed: list[Peer] = []
    for delivery in deliveries:
        match delivery:
            case Announcement():
                parcels.add_to_all(delivery, text_encodings)
            case Replies():
                for client, event in delivery.answers:
                    if (peer := peers.get(client)) is not None:
                        parcels.add(client, peer.reply(event))
            case Errand():
                if (peer := peers.get(delivery.client)) is not None:
                    peer.errand = delivery.work
            case Dismiss():
                if (peer := peers.get(delivery.client)) is not None:
                    dismissed.append(peer)
    broadcast.publish(parcels.joined())
    for peer in dismissed:
        peer.stop()


class _Parcels:
    """What each client gets: most get one piece, the same as all others; it is not even copied."""

    def __init__(self) -> None:
        self._parcels: dict[int, bytes] = {}
        self._more: dict[int, list[bytes]] = {}  # all pieces of those who get several

    def add_to_all(self, announcement: Announcement, text_encodings: Mapping[int, Encoding]) -> None:
        audience, events = announcement
        parcels = self._parcels
        if not text_encodings and parcels.keys().isdisjoint(audience):  # as in most batches for most rooms
            parcels |= dict.fromkeys(audience, _encoded(events, Encoding.FRAMED))
            return
        encoded: dict[Encoding, bytes] = {}
        encoding: Encoding | None = None  # of the one before: most often all want the same
        piece = b""
        for client in audience:
            wanted = text_encodings.get(client, Encoding.FRAMED)
            if wanted is not encoding:
                encoding = wanted
                if encoding not in encoded:
                    encoded[encoding] = _encoded(events, encoding)
                piece = encoded[encoding]
            if client in parcels:
                self.add(client, piece)
            else:
                parcels[client] = piece

    def add(self, client: int, piece: bytes) -> None:
        first = self._parcels.get(client)
        if first is None:
            self._parcels[client] = piece
        elif (pieces := self._more.get(client)) is not None:
            pieces.append(piece)
        else:
            self._more[client] = [first, piece]

    def joined(self) -> dict[int, bytes]:
        for client, pieces in self._more.items():
            self._parcels[client] = b"".join(pieces)
        return self._parcels


def _encoded(events: Sequence[Event | MessageRun], encoding: Encoding) -> bytes:
    return b"".join([encode(event, encoding) for event in events])
