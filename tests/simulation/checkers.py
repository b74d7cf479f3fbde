"""The promises of section 4 of docs/protocol.md, each as a function from a record to the breaks it shows.

They know nothing of the server but what everybody saw, and what the journal holds in the end.
"""

import math
from collections.abc import Sequence
from typing import Final

from tests.simulation.asking_checkers import answers_are_whole
from tests.simulation.checking import Broken, Checker, whole
from tests.simulation.netcat_checkers import all_at_netcat, once_at_netcat, typed_is_kept
from tests.simulation.record import Anew, Record, Restored, Seen, Skipped, valid
from triochat.protocol.grammar import fold

MARGIN: Final = 5.0
"""Seconds that a server may notice earlier than its peer that a connection is gone."""


def kept_once(record: Record) -> Broken:
    """Promises 2 and 3: what was acknowledged is there under that id; and nothing is there twice."""
    where: dict[str, list[tuple[str, int]]] = {}
    once = whole(record)
    for log, entries in record.logs.items():
        for entry in entries:
            if entry.text in once:
                where.setdefault(entry.text, []).append((log, entry.id))
    for text, places in where.items():
        if len(places) > 1:
            yield f"{text[:40]!r} is kept {len(places)} times: {places}"
    for witness in record.witnesses:
        for text, (log, number) in witness.kept.items():
            places = where.get(text, [])
            if number < record.oldest.get(log, 1) and not places:
                continue  # it was let go since
            if places != [(log, number)]:
                yield f"{witness.name}: {text[:40]!r} was acknowledged as {number} of {log}, and is {places}"
        for text, code in witness.refused.items():
            if text in where and code != "unavailable":
                yield f"{witness.name}: {text[:40]!r} was refused ({code}), and is kept"


def resent(record: Record) -> Broken:
    """Promise 3 again: what a killed program had not sent, or does not know of, is kept by the next one."""
    for witness in record.witnesses:
        for text, room in witness.owed.items():
            kept = {entry.text for entry in record.logs.get(room, ())}
            if text not in kept and record.oldest.get(room, 1) == 1:
                yield f"{witness.name}: {text[:40]!r} stood in its file, and is not in {room}"


def one_order(record: Record) -> Broken:
    """Promise 1: whoever sees an id of a log sees the same entry under it, and ids never go back."""
    for witness in record.witnesses:
        for log, view in witness.views.items():
            by_id = {entry.id: entry for entry in record.logs.get(log, ())}
            last = 0
            for seen in valid(view):
                match seen:
                    case Seen(id=0):
                        continue
                    case Restored():
                        last = seen.seen
                    case Seen():
                        if by_id and seen.id in by_id and by_id[seen.id] != seen:
                            yield f"{witness.name}: saw {seen} in {log}, where {by_id[seen.id]} is"
                        if seen.id not in by_id and seen.id >= record.oldest.get(log, 1):
                            yield f"{witness.name}: saw {seen} in {log}, which is not there"
                        if seen.id <= last:
                            yield f"{witness.name}: saw {seen.id} of {log} behind {last}"
                        last = seen.id
                    case Anew():
                        last = seen.after


def no_holes(record: Record) -> Broken:
    """Promise 4: nobody misses an entry of a room it is in, unless it is told truly that it is gone."""
    for witness in record.witnesses:
        for room, stays in witness.stays.items():
            view = witness.view(room)
            seen = {one.id for one in valid(view) if isinstance(one, Seen)}
            for one in view:
                if isinstance(one, Skipped):
                    if one.last >= record.oldest.get(room, 1):
                        gone = f"{one.first} to {one.last}"
                        yield f"{witness.name}: was told that {room} has no {gone}, and it has"
                    seen.update(range(one.first, one.last + 1))
            if any(isinstance(one, Restored) for one in view):
                # That an id is gone which it knows from the log that was there before, it is not told.
                seen.update(range(1, record.oldest.get(room, 1)))
            end = record.logs[room][-1].id if record.logs.get(room) else 0
            for stay in stays:
                until = end if stay.until is None else stay.until
                if missed := set(range(stay.after + 1, until + 1)) - seen:
                    yield f"{witness.name}: was in {room} {stay}, and did not see {sorted(missed)[:9]}"


def private_arrives(record: Record) -> Broken:
    """Promise 4 for what is said to one nick alone: while somebody has the nick, none of it is missed."""
    attentive = {
        witness.name: witness for witness in record.witnesses if witness.attentive and not witness.lagged
    }
    for sender in record.witnesses:
        for text, said in sender.private.items():
            log, number = sender.kept.get(text, ("", 0))
            to = attentive.get(log[1:].partition("-")[0])
            if to is None or said <= max(record.started, record.gone.get(log[1:], 0.0)):
                continue
            view = to.view(log)
            if any(isinstance(one, Skipped) and one.first <= number <= one.last for one in view):
                continue
            if not any(isinstance(one, Seen) and one.text == text for one in view):
                yield f"{to.name}: did not see {text[:40]!r}, which {sender.name} said to it alone"


def private(record: Record) -> Broken:
    """What was said to one person is shown to nobody but that person, and to who said it.

    A nick may change hands: then it is not shown to who asked for it when it was kept already.
    """
    told = {text: when for witness in record.witnesses for text, when in witness.told.items()}
    for witness in record.witnesses:
        for log, view in witness.views.items():
            if log.startswith("@") and not witness.owns(log[1:]):
                for seen in view:
                    if isinstance(seen, Seen) and not witness.owns(seen.nick):
                        yield f"{witness.name}: saw {seen} to {log}"
            elif log[1:] in witness.names:
                for seen in view:
                    if not isinstance(seen, Seen) or seen.text in witness.said:
                        continue
                    if told.get(seen.text, math.inf) < witness.names[log[1:]]:
                        yield f"{witness.name}: saw {seen} to {log}, which it was not by then"


def ids_in_a_row(record: Record) -> Broken:
    """Promise 1: the ids of a room are 1, 2, 3 … without holes."""
    for log, entries in record.logs.items():
        first = record.oldest[log]
        if [entry.id for entry in entries] != list(range(first, first + len(entries))):
            yield f"the ids of {log} have holes"


def everything_ended(record: Record) -> Broken:
    """Promise 7, and common sense: when all is quiet everything that was asked is answered."""
    yield from record.unfinished


def presence(record: Record) -> Broken:
    """When all is quiet everybody is where it believes to be, once, and under a nick of its own."""
    for room, members in record.members.items():
        folded = [fold(nick) for nick in members]
        for nick in sorted({nick for nick in folded if folded.count(nick) > 1}):
            yield f"{nick} is in {room} twice"
    nicks: dict[str, str] = {}
    for witness in record.witnesses:
        if witness.nick is None:
            continue
        if (other := nicks.setdefault(fold(witness.nick), witness.name)) != witness.name:
            yield f"{witness.name} and {other} are both {witness.nick}"
        for room, members in record.members.items():
            there = fold(witness.nick) in {fold(nick) for nick in members}
            if there != (room in witness.rooms):
                where = f"{'' if there else 'not '}in {room}"
                yield f"{witness.name} ({witness.nick}) is {where}, and does not know"
        for room, people in witness.people.items():
            there_now = record.members.get(room, ())
            if {fold(nick) for nick in people} != {fold(nick) for nick in there_now} - {"auditor"}:
                yield f"{witness.name}: knows {sorted(people)} in {room}, where {there_now} are"


def held(record: Record) -> Broken:
    """Promise 5: who comes back within the grace time was there all the time; nobody is told otherwise."""
    if any(record.faults[kind] for kind in ("crash", "restart", "set back", "unreadable disk")):
        return  # another server, or one that could not let it in again, does not know it
    for witness in record.witnesses:
        if witness.absent is not None and witness.absent + MARGIN < record.grace:
            for other in record.witnesses:
                if other.lefts[witness.name]:
                    away = f"{witness.name} left, which was away {witness.absent:.1f} s"
                    yield f"{other.name}: was told that {away}"


def nothing_left(record: Record) -> Broken:
    """When the last has gone nobody is held, nothing is subscribed, and nobody waits."""
    yield from record.left_over


def within_bounds(record: Record) -> Broken:
    """Promise 6: what waits for a slow reader is bounded."""
    yield from record.bounds


def no_complaints(record: Record) -> Broken:
    """Nothing failed in a way that nobody has thought of."""
    yield from record.complaints


def said_by_witnesses(record: Record) -> Broken:
    """What a witness itself could tell."""
    for witness in record.witnesses:
        yield from (f"{witness.name}: {fault}" for fault in witness.faults)


CHECKERS: Final[Sequence[Checker]] = (
    kept_once,
    resent,
    one_order,
    no_holes,
    private_arrives,
    once_at_netcat,
    all_at_netcat,
    typed_is_kept,
    answers_are_whole,
    private,
    ids_in_a_row,
    everything_ended,
    presence,
    held,
    nothing_left,
    within_bounds,
    no_complaints,
    said_by_witnesses,
)


def broken(record: Record) -> dict[str, list[str]]:
    """By checker, every break that it found."""
    found = {checker.__name__: list(checker(record)) for checker in CHECKERS}
    return {name: breaks for name, breaks in found.items() if breaks}
