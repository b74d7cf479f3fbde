"""How a peer wants its bytes: so that one encoding of an event can be shared by all who want it alike."""

import enum
import re

from triochat.protocol import events as e
from triochat.protocol import framed, text
from triochat.protocol.escape import TURNS
from triochat.protocol.runs import MessageRun

_TURNS = re.compile(f"[{TURNS}]")


class Encoding(enum.Enum):
    """What the bytes that go to a peer look like.

    A peer of the text dialect that has sent no octet over 127 gets 7-bit text: one such octet
    kills a 2019 client. Once it has sent valid UTF-8 it gets UTF-8.
    """

    __hash__ = object.__hash__  # enum's own is a function in Python, and this stands in the hottest path

    FRAMED = "framed"
    ASCII_TEXT = "ascii"
    UTF8_TEXT = "utf-8"


def encode(event: e.Event | MessageRun, encoding: Encoding) -> bytes:
    """The bytes that tell a peer of `event`; none at all if its dialect has no words for it.

    Raises:
        LocalProtocolError: it can't be said.
    """
    if isinstance(event, MessageRun):
        if encoding is Encoding.FRAMED:
            return framed.build_messages(event)
        return b"".join([encode(message, encoding) for message in event.frames()])
    if encoding is Encoding.FRAMED:
        return framed.build(event)
    if isinstance(event, e.Prompt):
        return text.PROMPT
    lines = text.render(event)
    if encoding is Encoding.UTF8_TEXT and not lines.isascii():
        lines = _TURNS.sub("\N{REPLACEMENT CHARACTER}", lines)
    return f"{lines}\n".encode(encoding.value, "backslashreplace") if lines else b""
