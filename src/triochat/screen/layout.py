"""A line of a buffer as rows of the screen.

Pure: what is drawn is a function of the line and the width, so whoever keeps the rows knows when they are
stale. Wide terminals have a column for nicks, narrow ones (under `COMPACT` columns) do not:

    12:34  alice │ a text that goes on              12:34 alice: a text
                 │ in the next row                    that goes on

Nobody can write what looks like somebody else's line: nothing but a link reaches back under time and nick.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, tzinfo
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias

from triochat.screen.buffer import Kind, Line
from triochat.screen.harmless import columns, fit, harmless, split
from triochat.screen.links import LINK
from triochat.screen.nicks import colour

Segment: TypeAlias = tuple[str | None, str]
"""The name of a style, or None for the default, and a harmless text in it."""
Row: TypeAlias = list[Segment]
"""What stands beside each other; as urwid's markup has it."""

LEAST: Final = 20
"""Columns that a row has at least."""
COMPACT: Final = 50
"""With fewer columns nicks have no column of their own."""

_TIME: Final = len("12:34 ")
_RULE: Final = " │ "
_INDENT: Final = "  "
_STYLES: Final[dict[Kind, str | None]] = {
    "message": None,
    "action": "action",
    "topic": "topic",
    "presence": "presence",
    "gap": "gap",
    "notice": "notice",
    "error": "error",
}
_SIGNS: Final[dict[Kind, str]] = {"error": "!"}
"""What stands in the place of a nick, which can't be a nick; by default a dash."""
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = tuple(
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
"""Not by `strftime`, which would write them in the language of the machine, and the rest is English."""
_BLANKS: Final = " \u3000"
_TOKEN = re.compile(f"[{_BLANKS}]+|[^{_BLANKS}]+")


def rows(
    line: Line, width: int, *, nick_width: int, retry: str = "", zone: tzinfo | None = None
) -> list[Row]:
    """The rows that show `line`; at least one, none of them wider than `width`.

    Args:
        line: what to show.
        width: columns, at least `LEAST`.
        nick_width: columns of the column of nicks; longer ones are cut.
        retry: the key that sends a failed line again, for people; empty if there is none.
        zone: in which time zone the clock is shown; None for that of this machine.
    """
    first, further = _leads(line, width, min(nick_width, width // 3), zone)
    room = width - _length(further)
    shown: list[Row] = []
    for paragraph in _paragraphs(line, retry):
        for row in _wrap(paragraph, room if shown else width - _length(first), room, width):
            if not shown and _length(first) + _length(row) > width:
                shown.append(first)
            shown.append([*_lead(further if shown else first, width - _length(row)), *_joined(row)])
    return shown


def day_of(ms: int, zone: tzinfo | None = None) -> date | None:
    """On which day that was; None if there is no such day."""
    when = moment(ms, zone)
    return when.date() if when else None


def day_row(day: date, width: int) -> Row:
    """What stands in front of the first line of a day."""
    sentence = f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"
    return _ruled("day", sentence if len(sentence) + 6 <= width else day.isoformat(), width)


def unread_row(width: int) -> Row:
    """What stands in front of the first line that was not read yet."""
    return _ruled("unread", "new", width)


def _ruled(style: str, words: str, width: int) -> Row:
    return [(style, f" {words} ".center(width, "─"))]


# --- what a row begins with ---------------------------------------------------------------------


def _leads(line: Line, width: int, nick_width: int, zone: tzinfo | None) -> tuple[Row, Row]:
    """What stands in front of the text in the first row, and what in each further one."""
    when = moment(line.ms, zone)
    clock: Segment = ("time", when.strftime("%H:%M ") if when else "--:-- ")
    named = line.kind == "message"
    name = harmless(line.nick) if named else "" if line.kind == "action" else _SIGNS.get(line.kind, "—")
    style = _nick_style(line) if named else _STYLES[line.kind]
    if width < COMPACT:
        name = fit(name, width // 3)
        after = ": " if named else " " if name else ""
        return [clock, (style, name), (None, after)], [(None, _INDENT)]
    name = fit(name, nick_width)
    blank = " " * (nick_width - columns(name))
    return (
        [clock, (None, blank), (style, name), ("time", _RULE)],
        [(None, " " * (_TIME + nick_width)), ("time", _RULE)],
    )


def _nick_style(line: Line) -> str:
    return "own" if line.own else f"nick{colour(line.nick)}"


def _lead(lead: Row, most: int) -> Row:
    """A link may be wider than the column of texts: then the blanks in front of it give way."""
    return lead if _length(lead) <= most else [(None, " " * most)]


def moment(ms: int, zone: tzinfo | None = None) -> datetime | None:
    """When that was; None if there is no such time, since a server may say any number."""
    try:
        return datetime.fromtimestamp(ms / 1000, zone)
    except (OverflowError, OSError, ValueError):
        return None


# --- what is said -------------------------------------------------------------------------------


def _paragraphs(line: Line, retry: str) -> Iterator[Row]:
    """The text, a line of it at a time, with what the client has to say about it."""
    unsettled = None if line.state == "kept" else line.state
    style = unsettled or ("mention" if line.mention else _STYLES[line.kind])
    texts = line.text.split("\n")
    for number, text in enumerate(texts):
        lead: Row = []
        if not number and line.kind == "action":
            lead = [(style, "* "), (unsettled or _nick_style(line), harmless(line.nick)), (style, " ")]
        elif not number and line.kind == "topic" and line.nick:
            lead = [(_nick_style(line), harmless(line.nick)), (style, " ")]
        yield [*lead, *_linked(text, style, plain=unsettled is not None)]
    if line.state == "failed":
        reason = harmless(line.reason).rstrip(".") or "it is not known why"
        again = f" — {retry} sends it again" if retry else ""
        yield [("failed", f"not sent: {reason}{again}")]


def _linked(text: str, style: str | None, *, plain: bool) -> Row:
    text = harmless(text)
    if plain:
        return [(style, text)]
    row: Row = []
    at = 0
    for link in LINK.finditer(text):
        row += [(style, text[at : link.start()]), ("link", link.group())]
        at = link.end()
    return [*row, (style, text[at:])]


# --- wrapping -----------------------------------------------------------------------------------


def _wrap(paragraph: Row, first: int, room: int, width: int) -> Iterator[Row]:
    """Rows of `room` columns, the first one of `first`, broken at blanks.

    A word that is longer than a row is cut; but a link that fits into `width` has a row of its own, in which
    a terminal finds it as a whole.
    """
    row: Row = []
    left = first
    blank: Row = []  # is drawn only if a word follows in the same row
    for word in _words(paragraph):
        if word[0][1][0] in _BLANKS:
            blank = word
            continue
        need, gap = _length(word), _length(blank)
        if gap + need <= left:
            row += [*blank, *word]
            left -= gap + need
        elif need <= room or (need <= width and LINK.match(word[0][1])):
            if row or left < room:
                yield row
            row, left = [*word], room - need
        else:
            if gap + 1 < left:  # a character may take two columns
                row += blank
                left -= gap
            elif row or left < room:
                yield row
                row, left = [], room
            for style, text in word:
                rest = text
                while rest:
                    piece, rest = split(rest, left)
                    if piece:
                        row.append((style, piece))
                        left -= columns(piece)
                    if rest:
                        yield row
                        row, left = [], room
        blank = []
    yield row


def _words(paragraph: Row) -> Iterator[Row]:
    """What is divided only if it must be, and the blanks between: a word may be of several styles."""
    word: Row = []
    for style, text in paragraph:
        for token in _TOKEN.findall(text):
            if word and (token[0] in _BLANKS or word[0][1][0] in _BLANKS):
                yield word
                word = []
            word.append((style, token))
    if word:
        yield word


def _joined(row: Row) -> Row:
    """The same with fewer segments."""
    return [(style, "".join(text for _, text in parts)) for style, parts in groupby(row, itemgetter(0))]


def _length(row: Iterable[Segment]) -> int:
    return sum(columns(text) for _, text in row)
