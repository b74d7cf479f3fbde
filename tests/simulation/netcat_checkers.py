"""What is promised to those who see no ids: what they read must stand in the log, in that order."""

from tests.simulation.checking import Broken, known, whole
from tests.simulation.record import Anew, Record, Seen, Skipped, View, Witness

LOBBY = "#lobby"


def once_at_netcat(record: Record) -> Broken:
    """What is shown in the text dialect is in the order of the room as well, and each only once."""
    places = _places(record)
    for witness in record.witnesses:
        for part in _parts(witness):
            last = 0
            for seen in part:
                if not isinstance(seen, Seen) or (place := places.get(seen.text)) is None:
                    continue
                if place.id <= last:
                    yield f"{witness.name}: read {seen.text!r} ({place.id}) behind {last}"
                if (place.kind, place.nick) != (seen.kind, seen.nick):
                    yield f"{witness.name}: read {seen}, which is {place}"
                last = place.id


def all_at_netcat(record: Record) -> Broken:
    """Promise 4 for one connection: between two lines that it was shown there is nothing that it was not."""
    places = _places(record)
    last = record.logs[LOBBY][-1].id if record.logs.get(LOBBY) else 0
    for witness in record.witnesses:
        if not witness.typed:
            continue
        parts = _parts(witness)
        for part in parts:
            ids = {places[seen.text].id for seen in part if isinstance(seen, Seen) and seen.text in places}
            for one in part:
                if isinstance(one, Skipped):
                    ids.update(range(one.first, one.last + 1))
            if not ids:
                continue
            stayed = part is parts[-1] and witness.typed[-1].here
            end = last if stayed else max(ids)
            missed = [p.id for p in places.values() if min(ids) < p.id <= end and p.id not in ids]
            if missed:
                yield f"{witness.name}: read from {min(ids)} to {end} of {LOBBY}, and not {missed[:9]}"


def typed_is_kept(record: Record) -> Broken:
    """What was typed is kept, or its sender told, if anything is that was typed behind it."""
    if record.oldest.get(LOBBY, 1) > 1:
        return
    kept = {entry.text for entry in record.logs.get(LOBBY, ())}
    for witness in record.witnesses:
        for typed in witness.typed if witness.whole else ():
            found = [number for number, text in enumerate(typed.texts, 1) if text in kept]
            until = len(typed.texts) if typed.here else max(found, default=0)
            missed = [text for text in typed.texts[:until] if text not in kept]
            if len(missed) > typed.refused and not typed.untold:
                yield f"{witness.name}: typed {missed[:9]}, {typed.refused} were refused, and none is kept"


def _places(record: Record) -> dict[str, Seen]:
    """By its first word, each entry of the lobby that a person at netcat can recognise."""
    words = {text.split()[0] for text in whole(record)}
    return {
        word: entry
        for entry in known(record, LOBBY).values()
        if entry.text and (word := entry.text.split()[0]) in words
    }


def _parts(witness: Witness) -> list[View]:
    """What it was shown without a break: mostly on one connection."""
    parts: list[View] = [[]]
    for one in witness.views.get(LOBBY, []) if witness.typed else []:
        if isinstance(one, Anew):
            parts.append([])
        else:
            parts[-1].append(one)
    return parts
