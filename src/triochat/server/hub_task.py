"""The one task that puts everything in order: take a batch, decide, keep, publish.

Keeps laws 2 to 4 of docs/architecture.md. There is no timer in this path: under load batches grow,
when idle a batch is one message and leaves at once.
"""

import math
import time
from collections.abc import Sequence

import structlog
import trio

from triochat.chat import Broadcast as Announcement
from triochat.chat import CaughtUp, Delivery, Departure, Dismiss, Errand, Hub, Reply, Submission
from triochat.journal import Journal, JournalUnavailable
from triochat.protocol import Encoding, encode
from triochat.protocol import events as e
from triochat.protocol.escape import wire_length
from triochat.server.broadcast import Broadcast
from triochat.server.peer import Peer

MAX_BATCH = 512
"""Submissions in one batch."""
MAX_BATCH_OCTETS = 131_072
"""Octets of what everybody gets of one batch, roughly: little beside a backlog and a kernel's buffer."""
ENTRY = 80
"""Octets that an entry, or a line of it, takes beside its text, roughly."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.hub")


async def run_hub(
    hub: Hub,
    journal: Journal,
    submissions: trio.MemoryReceiveChannel[Submission],
    broadcast: Broadcast[int],
    peers: dict[int, Peer],
) -> None:
    """Serve submissions until the channel ends. A fault in here is meant to end the server."""
    while True:
        batch = await _next_batch(submissions, hub.next_deadline)
        if batch is None:
            return
        plan = hub.decide(batch, ms=time.time_ns() // 1_000_000, now=trio.current_time())
        try:
            outcomes = await journal.append(plan.drafts) if plan.drafts else []
        except JournalUnavailable:
            log.exception("the journal could not keep a batch", messages=len(plan.drafts))
            outcomes = None
        _deliver(plan.settle(outcomes), broadcast, peers)
        for submission in batch:
            if (peer := peers.get(submission.client)) is not None:
                peer.answered()


async def _next_batch(
    submissions: trio.MemoryReceiveChannel[Submission], deadline: float | None
) -> list[Submission] | None:
    """All that is waiting, up to a bound; empty when the deadline comes first, None at the end."""
    batch: list[Submission] = []
    with trio.move_on_at(math.inf if deadline is None else deadline):
        try:
            batch.append(await submissions.receive())
        except trio.EndOfChannel:
            return None
    # Readers that became ready in the same tick add to the batch: a wake-up less for each.
    await trio.lowlevel.checkpoint()
    size = sum(map(_weight, batch))
    while len(batch) < MAX_BATCH and size < MAX_BATCH_OCTETS:
        try:
            batch.append(submissions.receive_nowait())
        except (trio.WouldBlock, trio.EndOfChannel):
            break
        size += _weight(batch[-1])
    return batch


def _weight(submission: Submission) -> int:
    """Octets that every member may get of it, roughly."""
    return sum(map(_octets, submission.requests))


def _octets(request: e.Request | Departure | CaughtUp) -> int:
    match request:
        case e.Say(text=words) | e.SetTopic(text=words) | e.Part(reason=words) | e.Quit(reason=words):
            return ENTRY + wire_length(words) + words.count("\n")
        case _:
            return ENTRY


def _deliver(deliveries: Sequence[Delivery], broadcast: Broadcast[int], peers: dict[int, Peer]) -> None:
    """Encode each run once for each encoding, gather what each client gets, and hand it out at once."""
    parcels: dict[int, list[bytes]] = {}
    dismissed: list[Peer] = []
    for delivery in deliveries:
        if isinstance(delivery, Announcement):
            encoded: dict[Encoding, bytes] = {}
            for client in delivery.audience:
                if (peer := peers.get(client)) is None:
                    continue
                encoding = peer.encoding
                if (data := encoded.get(encoding)) is None:
                    data = encoded[encoding] = _encode(delivery.events, encoding)
                parcels.setdefault(client, []).append(data)
            continue
        peer = peers.get(delivery.client)
        if peer is None:
            continue
        match delivery:
            case Reply():
                parcels.setdefault(delivery.client, []).append(peer.reply(delivery.event))
            case Errand():
                peer.errand = delivery.work
            case Dismiss():
                dismissed.append(peer)
    broadcast.publish(parcels)
    for peer in dismissed:
        peer.stop()


def _encode(events: Sequence[e.Event], encoding: Encoding) -> bytes:
    return b"".join([encode(event, encoding) for event in events])
