r"""Unicode text over a 7-bit wire.

The escapes are Python's own (``\\ \n \t \xHH \uHHHH \UHHHHHHHH``), in their shortest form when
built and in any form when read. What would reach somebody's terminal as a command (the control
characters of C0 and C1, but newline and tab) and what no UTF-8 can carry (surrogates) is refused
in both directions.
"""

import re

from triochat.protocol.errors import LocalProtocolError
from triochat.protocol.grammar import MAX_FRAME

MAX_TEXT = MAX_FRAME - 192
"""Octets of one text in its escaped form: what fits a frame beside the longest words around it."""

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""A character that would act on a terminal, or that no UTF-8 can carry."""
TURNS = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""What would turn the direction of a terminal's line, or end it, as part of a pattern: marks, line ends by
another name, embeddings and overrides, isolates. It may travel, but not reach a terminal."""
HARMFUL = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{TURNS}]")
"""What may not reach a terminal as it is: what is forbidden, what turns lines, and newline and tab too."""
PLAIN = bytes(set(range(0x20, 0x7F)) - {ord("\\")})
"""The characters that are the same on the framed wire."""
_TO_PLAIN = bytes(octet if octet in PLAIN else ord("?") for octet in range(256))
"""A table that translates to itself what is plain, and nothing else."""
_ESCAPE = re.compile(r"\\(?:([\\nt])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|)")
SHORTEST_ESCAPE = (
    r"\\(?:[\\nt]"
    r"|x[a-fA-F][0-9a-fA-F]"
    r"|u(?!00|[dD][89a-fA-F])[0-9a-fA-F]{4}"
    r"|U00(?:0[1-9a-fA-F]|10)[0-9a-fA-F]{4})"
)
"""Pattern of an escape of a character that may travel, in the form that `escape` gives it, in either case."""
_SIMPLE = {"\\": "\\", "n": "\n", "t": "\t"}


def check_text(text: str) -> None:
    """Raise `LocalProtocolError` (``bad-text``, ``too-long``) if `text` must not travel."""
    if FORBIDDEN.search(text) is not None:
        raise LocalProtocolError("bad-text", "a text may hold no control characters but newline and tab")
    if len(text) * 10 > MAX_TEXT and wire_length(text) > MAX_TEXT:
        raise LocalProtocolError("too-long", f"a text is at most {MAX_TEXT} octets long, its escapes counted")


def clean(text: str) -> str:
    """One line that does nothing to a terminal: a tab becomes four spaces, what else acts U+FFFD."""
    return HARMFUL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", "    "))


def wire_length(text: str) -> int:
    """Octets that `text` takes on the framed wire."""
    return len(escape(text))


def is_plain(text: str) -> bool:
    """Whether `text` is the same on the framed wire, since nothing in it needs an escape."""
    if not text.isascii():
        return False
    octets = text.encode("ascii")  # to translate them takes a quarter of the time of `str.isprintable`
    return octets.translate(_TO_PLAIN) == octets


def escape(text: str) -> str:
    """Text to wire. Does not check: see `check_text`."""
    if is_plain(text):
        return text
    escaped = text.replace("\\", r"\\").replace("\n", r"\n").replace("\t", r"\t")
    return escaped.encode("ascii", "backslashreplace").decode("ascii")


def unescape(wire: str) -> str:
    """Wire to text; `wire` is ASCII.

    Raises:
        LocalProtocolError: ``bad-text``: an escape that there is not, or a character that may not
            travel.
    """
    text = _ESCAPE.sub(_unescape_one, wire) if "\\" in wire else wire
    check_text(text)
    return text


def _unescape_one(match: re.Match[str]) -> str:
    simple, x, u, big = match.groups()
    if simple is not None:
        return _SIMPLE[simple]
    digits = x or u or big
    if digits is None or (number := int(digits, 16)) > 0x10FFFF:
        raise LocalProtocolError("bad-text", r"the escapes of a text are \\ \n \t \xHH \uHHHH \UHHHHHHHH")
    return chr(number)
