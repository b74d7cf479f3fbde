"""The line above the messages, and the one below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import urwid

from triochat.screen.drawing import Row, ends, paint
from triochat.screen.harmless import columns, harmless


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What the status line tells.

    Attributes:
        state: of the connection.
        rtt_ms: milliseconds of a round trip; None if it is not known.
        retry_s: seconds until the next attempt to connect; None if it is not known.
        nick: ours.
        name: of what is looked at.
        elsewhere: name, unread messages and mentions of all else that has any.
        note: something to say once, for example how many messages are not sent yet.
    """

    state: Literal["online", "connecting", "offline"] = "connecting"
    rtt_ms: int | None = None
    retry_s: int | None = None
    nick: str = ""
    name: str = ""
    elsewhere: Sequence[tuple[str, int, int]] = ()
    note: str = ""


class Bar(urwid.Widget):
    """One row."""

    _sizing = frozenset([urwid.FLOW])
    _selectable = False

    def row(self, width: int) -> Row:
        """What stands in it."""
        raise NotImplementedError

    def rows(self, size: tuple[int], focus: bool = False) -> int:  # noqa: ARG002
        """One."""
        return 1

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]  # noqa: ARG002
        """The row."""
        row = self.row(size[0])
        return paint(row, size[0], row[-1][0])


class TopicLine(Bar):
    """Where we are, and what it is about there."""

    def __init__(self) -> None:
        super().__init__()
        self._name = self._topic = ""

    def show(self, name: str, topic: str) -> None:
        """This room and its topic; call it whenever one changed."""
        if (name, topic) != (self._name, self._topic):
            self._name, self._topic = name, topic
            self._invalidate()

    def row(self, width: int) -> Row:  # noqa: ARG002
        """Name and topic."""
        return [("title", self._name), ("topic", f"  {self._topic}" if self._topic else " ")]


class StatusLine(Bar):
    """Connection, who and where we are, and what is unread elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._status = Status()

    def show(self, status: Status) -> None:
        """Tell this; nothing is drawn again if it is the same."""
        if status != self._status:
            self._status = status
            self._invalidate()

    def row(self, width: int) -> Row:
        """As much as there is room for.

        Where it is narrow, what is unread elsewhere counts more than our nick, and less than the connection.
        """
        it = self._status
        state = ("status", " online") if it.state == "online" else ("status.alert", f" {_trouble(it)} ")
        trip = f" {it.rtt_ms} ms" if it.state == "online" and it.rtt_ms is not None else ""
        note = ("status.alert", f" {it.note} ") if it.note else ("status", "")
        full: Row = [state, ("status", trip), ("status", f"  {it.nick}  {it.name} "), note]
        short: Row = [*full[:2], ("status", f"  {it.name} "), note]
        lefts = [
            (full, 3),
            *((short, most) for most in (3, 2, 1)),
            *(([state, note], most) for most in (3, 2, 1, 0)),
        ]
        tries = [(left, self._elsewhere(most)) for left, most in lefts]
        fits = [(left, right) for left, right in tries if _width(left) + _width(right) <= width]
        left, right = fits[0] if fits else tries[-1]
        return [*ends(left, right, width, "status"), ("status", "")]

    def _elsewhere(self, most: int) -> Row:
        """Mentions first, and how many more there are."""
        known = sorted(self._status.elsewhere, key=lambda it: not it[2])
        row: Row = [
            ("status.alert" if mentions else "status", f" {name} {unread} ")
            for name, unread, mentions in known[:most]
        ]
        if len(known) > most:
            style = "status.alert" if any(mentions for _, _, mentions in known[most:]) else "status"
            row.append((style, f" +{len(known) - most} "))
        return row


def _trouble(status: Status) -> str:
    if status.state == "connecting":
        return "connecting…"
    again = "" if status.retry_s is None else f", again in {status.retry_s} s"
    return f"no connection{again}"


def _width(row: Row) -> int:
    return sum(columns(harmless(text)) for _, text in row)
