"""Which dialect do these first bytes speak?

One pure function with a table, asked again with everything that has come so far until it answers.
A protocol to come (TLS, HTTP, IRC) is one more row.
"""

import enum
import re

from triochat.protocol.grammar import MAX_FRAME, TAG


class Dialect(enum.Enum):
    """How a connection frames what it says."""

    FRAMED = "framed"
    TEXT = "text"


_FIRST_LINES = [
    (Dialect.FRAMED, re.compile(rf"(?:@{TAG} )?NICK (?:.* )?triochat/1(?: .*)?\r?".encode())),
    (Dialect.TEXT, re.compile(rb"(?s:.*)")),
]
"""The first row whose pattern is the whole first line decides."""

_HELLO = b"NICK "
_TAG_SO_FAR = re.compile(rf"@(?:{TAG}(?: .*)?)?".encode())


def sniff(first: bytes, *, silent: bool = False) -> Dialect | None:
    """Tell the dialect from everything that a peer has sent so far.

    Args:
        first: the octets so far.
        silent: the sniff time is over and nothing more has come. Without it, what may still become
            a hello waits; with it, only what has said ``NICK`` and a space does.

    Returns:
        The dialect, or None if more octets are needed.
    """
    line, end, _ = first.partition(b"\n")
    if len(line) >= MAX_FRAME:
        return Dialect.TEXT  # whatever it is, it is no frame
    if end:
        return next(dialect for dialect, pattern in _FIRST_LINES if pattern.fullmatch(line))
    tag, space, verb = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    if tag and _TAG_SO_FAR.fullmatch(line) is None:
        return Dialect.TEXT
    if verb.startswith(_HELLO):
        return None
    may_become_one = (tag and not space) or _HELLO.startswith(verb)
    return None if may_become_one and not silent else Dialect.TEXT
