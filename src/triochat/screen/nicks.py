"""What a nick looks like, and whether a text names it."""

import re
from typing import Final
from zlib import crc32

from triochat.protocol.grammar import fold
from triochat.screen.links import LINK

COLOURS: Final = 12
"""So many colours can be told apart on a light and on a dark ground."""


def colour(nick: str) -> int:
    """Which colour a nick has, from 0 to `COLOURS` - 1: everywhere the same, as `hash` is not."""
    # Any sixteen bits of it would do; with the lower ones alice and carol, of all people, look alike.
    return (crc32(fold(nick).encode()) >> 16) % COLOURS


def mentions(text: str, nick: str) -> bool:
    """Whether `text` names `nick`: as a word of its own, in any case, and not as a part of a link.

    ``@alice``, ``alice:`` and ``alice's`` name alice; ``#alice`` is a room, ``alice@example.org`` an address.
    """
    word = rf"(?<![\w#-])(?<!\w@){re.escape(fold(nick))}(?![\w-]|@\w)"
    return re.search(word, fold(LINK.sub(" ", text))) is not None
