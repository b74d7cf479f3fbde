"""An entry of a journal as one line of JSON, and back: the form is in docs/reference/archive.md.

Nothing is lost on the way, and nothing is passed over: what is unknown or missing in a line is refused.
"""

import json
from datetime import datetime
from typing import Any, Final, Literal

from triochat.journal.interface import Entry
from triochat.journal.snapshot import Gap, Item
from triochat.json_lines import EPOCH, MILLISECOND, entry_line, gap_line

MAX_LINE: Final = 65536
"""Octets of a line. The longest text, all of it in escapes, takes less than a third of that."""

_ENTRY_KEYS: Final = {"room": str, "id": int, "kind": str, "nick": str, "text": str}
_GAP_KEYS: Final = {"room": str, "kind": str, "from": int, "to": int}


class BadLine(ValueError):  # noqa: N818 -- it names what is the case
    """This line says nothing that a journal could keep. The message is a sentence, safe for a terminal."""


def line_of(item: Item) -> str:
    """The line, with its end."""
    if isinstance(item, Gap):
        return gap_line(item.log, 1, item.last)
    return entry_line(
        room=item.log,
        number=item.id,
        ms=item.ms,
        kind=item.kind,
        target=item.target,
        nick=item.nick,
        text=item.text,
    )


def item_of(line: bytes) -> Item:
    """What a line says; whether a journal can keep that is for `triochat.journal.restore` to say.

    Raises:
        BadLine: it is none of ours.
    """
    try:
        keys = json.loads(line)
    except (ValueError, RecursionError) as error:
        where = f" ({error.msg}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise BadLine(f"it is no JSON{where}") from None
    if not isinstance(keys, dict):
        raise BadLine("it is no JSON object")
    if "kind" not in keys:
        raise BadLine('there is no "kind"')
    match keys["kind"]:
        case "gap":
            _check(keys, _GAP_KEYS, ())
            if keys["from"] != 1:
                raise BadLine('"from" is 1: a gap is at the beginning')
            return Gap(keys["room"], keys["to"])
        case "message" | "topic" as kind:
            return _entry(keys, kind)
        case _:
            raise BadLine('"kind" is "message", "topic" or "gap"')


def _entry(keys: dict[str, Any], kind: Literal["message", "topic"]) -> Entry:
    _check(keys, _ENTRY_KEYS, ("time", "target"))
    target = keys.get("target", keys["room"])
    if not isinstance(target, str):
        raise BadLine('"target" is a string')
    return Entry(
        log=keys["room"],
        id=keys["id"],
        kind=kind,
        target=target,
        nick=keys["nick"],
        text=keys["text"],
        ms=_ms(keys.get("time")),
    )


def _check(keys: dict[str, Any], types: dict[str, type], others: tuple[str, ...]) -> None:
    for key, wanted in types.items():
        if key not in keys:
            raise BadLine(f'there is no "{key}"')
        if type(keys[key]) is not wanted:  # a bool is an int, and none of ours
            raise BadLine(f'"{key}" is {"a string" if wanted is str else "a whole number"}')
    for key in keys:
        if key not in types and key not in others:
            raise BadLine(f"there is no key {key!a} in such a line")


def _ms(time: object) -> int:
    if type(time) is int:
        return time
    try:
        moment = datetime.fromisoformat(time if isinstance(time, str) else "")
    except ValueError:
        moment = datetime.min
    if moment.tzinfo is None:
        raise BadLine('"time" is a time with its zone, such as "2026-07-30T09:30:00.000Z"')
    if moment < EPOCH:
        raise BadLine('"time" is not before 1970')
    return (moment - EPOCH) // MILLISECOND
