"""Text from the network as text that a terminal draws as wide as we think it does.

A row of the screen is one string with several columns in it: if a terminal draws a message wider than it was
counted, all that stands to the right of it moves, or breaks onto the next row. Control characters are the
smaller part of that. The larger one is that programs do not agree how wide some text is: a family of emoji
joined by zero-width joiners takes 2 columns in one terminal and 8 in the next.

So this does not try to know the terminal. It leaves only text about which all of them agree, and keeps it
readable: text is a row of *units*, each a character of one or two columns with a few marks on it, and is as
wide as its units together. What that costs: joined emoji fall apart into those that they are made of, skin
tones go, flags become letters, and consonants of Indic scripts stand beside each other that could be one.

What stays open is text that runs from right to left: it is no wider, but a terminal that reorders rows will.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal
from unicodedata import combining, normalize

from urwid import calc_width

from triochat.protocol.escape import HARMFUL

MOST_MARKS: Final = 4
"""Marks that a character keeps; Vietnamese and Hebrew want three. Fifty of them cover the rows around it."""
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
LINE_END: Final = "\N{RETURN SYMBOL}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
ALONE: Final = "\N{DOTTED CIRCLE}"
"""What a mark without a character stands on; else it would be drawn onto whatever is in front of the text."""
APART: Final = "\N{ZERO WIDTH NON-JOINER}"
"""Between two characters it says that they are two. Persian uses it as well, so it is not let go of."""

_AGREED = re.compile(
    "[ -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2030-\u205e\u2190-\u23ff\u2500-\u27bf"
    "\u3041-\u3096\u30a0-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60\U0001f300-\U0001f3fa\U0001f400-\U0001faff]*"
)
"""What most people write: no character of it has anything to do with the next."""
_INVISIBLE = re.compile(
    "[\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200d\u2060-\u2065\u206a-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff]"
)
"""Joiners, fillers, variation selectors, tags and skin tones: what changes how wide its neighbours are, or is
a blank of a width that nobody agrees on."""
_NO_CHARACTERS = re.compile(
    "[\ufdd0-\ufdef" + "".join(f"{chr(end)}{chr(end + 1)}" for end in range(0xFFFE, 0x110000, 0x10000)) + "]"
)
"""What Unicode has no character for and never will: some terminals draw nothing, some a box."""
_SPANNING = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
"""Signs that are drawn around, or under, the digits behind them."""
_FLAG = re.compile("([\U0001f1e6-\U0001f1ff])([\U0001f1e6-\U0001f1ff])?")
_FIRST_LETTER: Final = 0x1F1E6
_VIRAMA: Final = 9
"""The combining class of what joins a consonant to the next."""


def harmless(text: str) -> str:
    """`text` as one line that a terminal can't take for anything else, and whose width is known.

    A tab becomes four spaces, a line end ``⏎``, and what would act on a terminal U+FFFD. `harmless` of what
    it gives is the same again.
    """
    if _AGREED.fullmatch(text):
        return text
    text = HARMFUL.sub(REPLACEMENT, text.replace("\t", "    ").replace("\n", LINE_END))
    text = _SPANNING.sub(REPLACEMENT, _NO_CHARACTERS.sub(REPLACEMENT, _INVISIBLE.sub("", text)))
    return _apart(_bounded(normalize("NFC", _FLAG.sub(_letters, text))))


def columns(text: str) -> int:
    """How many columns of the screen `text` takes; it must be harmless."""
    return len(text) if text.isascii() else calc_width(text, 0, len(text))


def units(text: str) -> Iterator[str]:
    """The pieces of a harmless text that can't be divided: a character, and the marks on it."""
    start = 0
    for end in range(1, len(text)):
        if _role(text[end]) == "base":
            yield text[start:end]
            start = end
    if text:
        yield text[start:]


def split(text: str, width: int) -> tuple[str, str]:
    """As much of a harmless text as fits into `width` columns, and the rest."""
    if text.isascii():
        return text[:width], text[width:]
    end = taken = 0
    for unit in units(text):
        taken += columns(unit)
        if taken > width:
            break
        end += len(unit)
    return text[:end], text[end:]


def fit(text: str, width: int) -> str:
    """A harmless text, cut and ended with ``…`` if it does not fit into `width` columns, of at least 1."""
    return text if columns(text) <= width else split(text, width - 1)[0] + ELLIPSIS


def _letters(flag: re.Match[str]) -> str:
    letters = "".join(chr(ord(half) - _FIRST_LETTER + ord("A")) for half in flag.group())
    return f"[{letters}]" if flag[2] else letters


def _bounded(text: str) -> str:
    """No more than `MOST_MARKS` marks on a character, and no more than one of them that takes a column."""
    kept: list[str] = []
    marks = MOST_MARKS
    spacing = apart = False  # whether the unit has such a thing, or can have none
    for char in text:
        role = _role(char)
        if role == "base":
            marks, spacing, apart = 0, columns(char) > 1, False
        elif char == APART:
            if apart or not kept:
                continue
            apart = True
        else:
            if not kept or apart:
                kept.append(ALONE)
                marks, spacing, apart = 0, False, False
            if marks == MOST_MARKS or (role == "spacing" and spacing):
                continue
            marks += 1
            spacing |= role == "spacing"
        kept.append(char)
    return "".join(kept)


def _apart(text: str) -> str:
    """Where two units would become one, by a virama or else, let them not."""
    pieces = list(units(text))
    kept = pieces[:1]
    for before, after in pairwise(pieces):
        joined = before[-1] != APART and any(combining(char) == _VIRAMA for char in before)
        if joined or columns(before + after) != columns(before) + columns(after):
            kept.append(APART)
        kept.append(after)
    return "".join(kept)


@lru_cache(maxsize=8192)
def _role(char: str) -> Literal["base", "mark", "spacing"]:
    """Whether it stands for itself, or on the character in front of it, and there takes a column more."""
    if calc_width(char, 0, 1):
        return "base"
    return "spacing" if calc_width("a" + char, 0, 2) > 1 else "mark"
