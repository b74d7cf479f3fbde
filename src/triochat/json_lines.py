r"""What was said, as one line of JSON: what an export writes and what ``triochat tail --json`` prints.

One form for both, so that one script reads either: it is in docs/reference/archive.md. The lines are UTF-8,
but what acts on a terminal is an escape (``\u202e``): who looks at them sees what they say.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from triochat.protocol.escape import HARMFUL

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
_LATEST: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MILLISECOND


def entry_line(*, room: str, number: int, ms: int, kind: str, target: str, nick: str, text: str) -> str:
    """A message, or a change of topic. With the line end.

    Args:
        room: the log in which it stands.
        number: its id in there.
        ms: when it was said, in Unix milliseconds.
        kind: ``message`` or ``topic``.
        target: to whom it was said, as the sender wrote it.
        nick: who said it.
        text: what was said.
    """
    keys: dict[str, object] = {"room": room, "id": number, "time": _time(ms), "kind": kind}
    if target != room:
        keys["target"] = target
    return _line(keys | {"nick": nick, "text": text})


def gap_line(room: str, first: int, last: int) -> str:
    """The ids of a room, from one to another, that are not there. With the line end."""
    return _line({"room": room, "kind": "gap", "from": first, "to": last})


def _line(keys: dict[str, object]) -> str:
    return f"{HARMFUL.sub(_escape, json.dumps(keys, ensure_ascii=False))}\n"


def _time(ms: int) -> str | int:
    """ISO 8601, UTC; what no calendar holds as the number that it is."""
    if ms > _LATEST:
        return ms
    return f"{(EPOCH + ms * MILLISECOND).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
