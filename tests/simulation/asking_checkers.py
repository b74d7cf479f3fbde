"""What is promised to those who ask for the past: a page has all that it must have, and a search finds it."""

import re

from tests.simulation.checking import Broken, known
from tests.simulation.record import Asked, Record, Seen, Skipped


def answers_are_whole(record: Record) -> Broken:
    """A page is a piece of the log without a hole, as long as was asked for; a search finds all there is."""
    logs: dict[str, dict[int, Seen]] = {}
    for witness in record.witnesses:
        for asked in witness.asked:
            entries = logs.setdefault(asked.log, known(record, asked.log))
            oldest = record.oldest.get(asked.log, 1)
            about = f"{witness.name}: in {asked._replace(entries=())} {_ids(asked)}"
            for one in asked.entries:
                if isinstance(one, Seen) and entries.get(one.id, one) != one:
                    yield f"{about} was {one}, where {entries[one.id]} is"
                if isinstance(one, Seen) and one.id >= oldest and one.id not in entries:
                    yield f"{about} was {one}, which is not there"
                if isinstance(one, Skipped) and one.last >= oldest:
                    yield f"{about} was told that {one} are gone, and they are not"
            wrong = _wrong_search(asked, entries, oldest) if asked.word else _wrong_page(asked)
            if wrong:
                yield f"{about} {wrong}"


def _wrong_page(asked: Asked) -> str:
    """What is wrong with a page, but for what stands in it."""
    covered: list[int] = []
    for one in asked.entries:
        covered += [one.id] if isinstance(one, Seen) else range(one.first, one.last + 1)
    last = covered[-1] if covered else (asked.after or 0)
    if covered != list(range(last - len(covered) + 1, last + 1)):
        return "are holes"
    entries = sum(isinstance(one, Seen) for one in asked.entries)
    if entries > asked.limit:
        return "is more than was asked for"
    if asked.after is not None:
        if covered and covered[0] != asked.after + 1:
            return "is not the beginning"
        return "is not all" if entries < asked.limit and last < asked.reach else ""
    end = asked.reach if asked.before is None else min(asked.reach, asked.before - 1)
    if last < end or (asked.before is not None and last >= asked.before):
        return f"is not the end, which is {end} or later"
    return "is not all" if len(covered) != min(asked.limit, last) else ""


def _wrong_search(asked: Asked, entries: dict[int, Seen], oldest: int) -> str:
    """What is wrong with what a search has found."""
    ids = _ids(asked)
    if ids != sorted(ids, reverse=True) or len(set(ids)) < len(ids) or len(ids) > asked.limit:
        return "is another order, or too much"
    if any(isinstance(one, Seen) and not _has(one, asked.word) for one in asked.entries):
        return "is what nobody has asked for"
    first = oldest if len(ids) < asked.limit else ids[-1]
    must = {
        number for number, one in entries.items() if first <= number <= asked.reach and _has(one, asked.word)
    }
    return f"is not {sorted(must - set(ids))[:9]}" if must - set(ids) else ""


def _has(entry: Seen, word: str) -> bool:
    return word in re.findall("[a-z0-9]+", entry.text)


def _ids(asked: Asked) -> list[int]:
    return [one.id if isinstance(one, Seen) else one.last for one in asked.entries]
