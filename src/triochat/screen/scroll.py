"""Which rows of a buffer are on the screen, without laying out the rest of it.

Nobody knows how many rows a buffer has, since that takes laying out every line at the width of the moment. So
nothing here counts rows from its beginning, as a scroll bar would. A *place* is a line and a row of it, and
one goes from place to place by steps; what a step costs is its length.

What is kept between two drawings is not a place either, since lines come in front, settle elsewhere, are let
go of and wrap otherwise in another width. It is an *anchor* for each line that was on the screen: this line
stood there. The first one that is still in the buffer is put back where it stood, and all others follow
from it. Who looks at the end has no anchors: the end stays where it is, and lines move up.
"""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import date, tzinfo
from itertools import islice
from typing import Final, NamedTuple

from triochat.screen.buffer import Buffer, Line
from triochat.screen.harmless import columns, harmless
from triochat.screen.layout import Row, day_of, day_row, rows, unread_row

LEAST_NICKS: Final = 6
"""Columns that nicks have at least: with fewer each newcomer would move the texts."""
MOST_LAID_OUT: Final = 1024
"""Lines whose rows are remembered: some screens of them, so that scrolling to and fro lays out nothing."""


class Place(NamedTuple):
    """A row of a line. Those with the day, and the unread line, stand in front of it, as -1 and -2."""

    at: int
    row: int


class Anchor(NamedTuple):
    """A line was at a row of the screen.

    Attributes:
        line: which.
        row: of this line.
        of: how many rows it had, in the width of then.
        y: row of the screen, from its top.
        hint: where in the buffer it was.
    """

    line: Line
    row: int
    of: int
    y: int
    hint: int


class Scroll:
    """A window on a buffer.

    Args:
        buffer: what is looked at.
        nick_width: columns of the column of nicks at most. It is as wide as a nick that was on the screen
            since this is looked at, and no narrower than `LEAST_NICKS`; so it grows at once, and while
            somebody looks it never shrinks.
        retry: likewise.
        zone: likewise.

    Attributes:
        width: columns; set with `resize`.
        height: rows.
        following: the last line is on the screen, and stays there.
        laid_out: how many lines were laid out, for tests.
    """

    def __init__(
        self, buffer: Buffer, *, nick_width: int, retry: str = "", zone: tzinfo | None = None
    ) -> None:
        self.buffer = buffer
        self.width = 80
        self.height = 24
        self.following = True
        self.laid_out = 0
        self._most_nicks = nick_width
        self._nick_width = min(LEAST_NICKS, nick_width)
        self._retry = retry
        self._zone = zone
        self._anchors: list[Anchor] = []
        self._rows: OrderedDict[Line, tuple[object, list[Row]]] = OrderedDict()

    def resize(self, width: int, height: int) -> None:
        """The screen has this size; what is looked at stays."""
        if width != self.width:
            self._rows.clear()
        self.width, self.height = width, height

    # --- moving ---------------------------------------------------------------------------------

    def by(self, count: int) -> None:
        """Look `count` rows further down; up if it is negative."""
        if self.buffer.lines:
            self._look(self._step(self.top(), count))

    def to_start(self) -> None:
        """Look at the oldest line."""
        if self.buffer.lines:
            self._look(self._start())

    def to_end(self) -> None:
        """Look at the newest line, and go on doing so."""
        self.following, self._anchors = True, []

    def hold(self) -> None:
        """Stay at what is looked at, though the buffer is about to go on below it."""
        if self.following and self.buffer.lines:
            top = self._end()
            self.following = False
            self._anchors = list(self._anchored([*islice(self._from(top), self.height)]))

    def to_line(self, line: Line) -> bool:
        """Look at `line`, with some of what was said before it; False if it is not there."""
        at = self._find(Anchor(line, 0, 1, 0, 0))
        if at is None:
            return False
        self._look(self._step(Place(at, 0), -(self.height // 3)))
        return True

    # --- what is seen ---------------------------------------------------------------------------

    def top(self) -> Place:
        """The first row on the screen. The buffer must not be empty."""
        end = self._end()
        if self.following:
            return end
        for number, anchor in enumerate(self._anchors):
            at = self._find(anchor)
            if at is not None:
                found = anchor._replace(line=self.buffer.lines[at], hint=at)
                # It stays the first one, so that what a narrow screen rounds is not lost to a wide one.
                self._anchors = [found, *self._anchors[number + 1 :]]
                row = max(anchor.row, 0) * len(self._body(at)) // anchor.of
                return min(end, self._step(Place(at, row), min(anchor.row, 0) - anchor.y))
        self._anchors = []
        return min(end, self._start())  # all of it was let go of, as the oldest ones are

    def visible(self) -> list[tuple[Place, Row]]:
        """What is on the screen, from its top; fewer rows than `height` only if there are no more."""
        if not self.buffer.lines:
            return []
        while self._widen(shown := list(islice(self._from(top := self.top()), self.height))):
            pass  # what is seen with another width may be of others
        self.following = self.following or top >= self._end()
        self._anchors = [] if self.following else [*self._anchors[:1], *self._anchored(shown)]
        return shown

    def _widen(self, shown: list[tuple[Place, Row]]) -> bool:
        """Make room for the nicks in what is shown; True if there was none, so it is to be laid out anew."""
        at = {place.at for place, _ in shown}
        nicks = {line.nick for line in map(self.buffer.lines.__getitem__, at) if line.kind == "message"}
        widest = max((columns(harmless(nick)) for nick in nicks), default=0)
        if self._nick_width >= min(widest, self._most_nicks):
            return False
        self._nick_width = min(widest, self._most_nicks)
        self._rows.clear()
        return True

    def _look(self, top: Place) -> None:
        """The screen begins with that row, or with the last one from which it is filled."""
        self.following = False
        self._anchors = list(self._anchored([(top, [])]))
        self.visible()

    def _anchored(self, shown: list[tuple[Place, Row]]) -> Iterator[Anchor]:
        before = None
        for y, (place, _) in enumerate(shown):
            if place.at != before:
                before = place.at
                yield Anchor(self.buffer.lines[before], place.row, len(self._body(before)), y, hint=before)

    def _find(self, anchor: Anchor) -> int | None:
        """Where its line is now: the same, or one that was read anew and is the same entry."""
        lines = self.buffer.lines
        if anchor.hint < len(lines) and lines[anchor.hint] is anchor.line:
            return anchor.hint
        try:
            return lines.index(anchor.line)
        except ValueError:
            entry = (anchor.line.id, anchor.line.own)
            return next((i for i, line in enumerate(lines) if line.id and (line.id, line.own) == entry), None)

    # --- from place to place --------------------------------------------------------------------

    def _start(self) -> Place:
        return Place(0, -len(self._above(0)))

    def _end(self) -> Place:
        """Where the screen begins if it shows the last row."""
        last = len(self.buffer.lines) - 1
        return self._step(Place(last, len(self._body(last)) - 1), 1 - self.height)

    def _step(self, place: Place, count: int) -> Place:
        """The place `count` rows below, or above if it is negative; as far as there is one."""
        index, row = place
        while count < 0:
            first = -len(self._above(index))
            if row + count >= first:
                return Place(index, row + count)
            if index == 0:
                return Place(0, first)
            count += row - first + 1
            index -= 1
            row = len(self._body(index)) - 1
        while count > 0:
            last = len(self._body(index)) - 1
            if row + count <= last:
                return Place(index, row + count)
            if index == len(self.buffer.lines) - 1:
                return Place(index, last)
            count -= last - row + 1
            index += 1
            row = -len(self._above(index))
        return Place(index, row)

    def _from(self, place: Place) -> Iterator[tuple[Place, Row]]:
        for index in range(place.at, len(self.buffer.lines)):
            above = self._above(index)
            first = place.row if index == place.at else -len(above)
            for row, drawn in enumerate([*above, *self._body(index)], -len(above)):
                if row >= first:
                    yield Place(index, row), drawn

    # --- laying out -----------------------------------------------------------------------------

    def _body(self, index: int) -> list[Row]:
        """The rows of a line, from those that were laid out lately if nothing has changed about it."""
        line = self.buffer.lines[index]
        of = (line.kind, line.text, line.ms, line.nick, line.own, line.mention, line.state, line.reason)
        known = self._rows.get(line)
        if known is not None and known[0] == of:
            self._rows.move_to_end(line)
            return known[1]
        body = rows(line, self.width, nick_width=self._nick_width, retry=self._retry, zone=self._zone)
        self.laid_out += 1
        self._rows[line] = of, body
        if len(self._rows) > MOST_LAID_OUT:
            self._rows.popitem(last=False)
        return body

    def _above(self, index: int) -> list[Row]:
        """The rows in front of a line, which depend on what was before it."""
        above: list[Row] = []
        day = self._day(index)
        if day is not None and day != next(filter(None, map(self._day, range(index - 1, -1, -1))), None):
            above.append(day_row(day, self.width))
        if self.buffer.lines[index] is self.buffer.unread_from:
            above.append(unread_row(self.width))
        return above

    def _day(self, index: int) -> date | None:
        line = self.buffer.lines[index]
        # When a gap was noticed says nothing about the time of what is missing.
        return None if line.kind == "gap" else day_of(line.ms, self._zone)
