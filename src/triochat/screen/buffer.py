"""What one room, or one direct conversation, has to show: its lines, who is there, and what was not read yet.

No terminal and no network: it is told what happens, and a pane looks at it. "Buffer" is what weechat and
Emacs call it.

However long a room's past is, a buffer holds `MOST` lines. Who pages back past that lets go of the newest
ones, which the server has: then the buffer is `detached`, and what comes is counted, until the newest page
is read again. Law 6 of docs/architecture.md, for what is seen.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

MOST: Final = 5000
"""Lines that a buffer holds."""

Kind = Literal["message", "action", "topic", "presence", "gap", "notice", "error"]
State = Literal["kept", "pending", "failed"]


@dataclass(slots=True, eq=False)
class Line:
    """One thing that happened, as a buffer has it.

    Attributes:
        kind: what it is; an action is what ``/me`` says, a notice what the client itself has to say.
        text: as it was said: with line ends, and whatever else. Who draws it makes it harmless.
        ms: Unix milliseconds.
        nick: who; empty if nobody.
        id: of the entry in the log; None for what is in no log, or not yet.
        own: we have said it.
        mention: it names us, or was said to us alone.
        state: whether the server has it.
        reason: why it failed.
        in_log: it stands where the log has it; what we have said does when it has come back.
    """

    kind: Kind
    text: str
    ms: int
    nick: str = ""
    id: int | None = None
    own: bool = False
    mention: bool = False
    state: State = "kept"
    reason: str = ""
    in_log: bool = True

    def __post_init__(self) -> None:
        if self.state != "kept":
            self.in_log = False

    @property
    def is_said(self) -> bool:
        """Whether somebody said it."""
        return self.kind in ("message", "action")


@dataclass(slots=True, eq=False)
class Buffer:
    """One of the things that one can look at.

    Attributes:
        name: ``#room`` or ``@nick``.
        lines: oldest first. What is not kept yet, or failed, stands at the end.
        topic: of the room.
        members: who is there, folded nick → nick; empty for a direct conversation.
        unread: messages that came while it was not looked at.
        mentions: those among them that mention us.
        unread_from: the first of them; the unread line stands in front of it. It stays there while the buffer
            is looked at, until it is left.
        draft: what was typed and not sent.
        complete: there is nothing older to read.
        detached: the newest lines were let go of; `newer` counts what came since.
        newer: messages that came while it was detached.
        version: one more with each change of `lines`, so that who draws them knows.
    """

    name: str
    lines: list[Line] = field(default_factory=list)
    topic: str = ""
    members: dict[str, str] = field(default_factory=dict)
    unread: int = 0
    mentions: int = 0
    unread_from: Line | None = None
    draft: str = ""
    complete: bool = False
    detached: bool = False
    newer: int = 0
    version: int = 0
    _arriving: list[Line] | None = None
    _broken: bool = False
    _echoes_dropped: bool = False

    @property
    def is_room(self) -> bool:
        """Whether it is a room, and not a person."""
        return self.name.startswith("#")

    @property
    def oldest(self) -> int | None:
        """The id of the oldest entry that it holds; None if it holds none."""
        return next((line.id for line in self.lines if line.id is not None), None)

    @property
    def newest(self) -> int | None:
        """The id of the newest entry that it holds as the log has it; None if it holds none."""
        return next((line.id for line in reversed(self.lines) if line.id is not None and line.in_log), None)

    # --- what happens ---------------------------------------------------------------------------

    def append(self, line: Line, *, looked_at: bool, late: bool = False) -> None:
        """Something new: behind all that the log has, in front of what it does not have yet.

        Args:
            line: what.
            looked_at: this buffer is on the screen, and its end is.
            late: what is newer may be here already; it gets the place that it would have had.
        """
        if line.is_said and not line.own and not looked_at:
            if self.unread == 0 and self.unread_from is None and not self.detached:
                self.unread_from = line
            self.unread += 1
            self.mentions += line.mention
        if self.detached and line.in_log and (line.id is not None or line.kind == "presence"):
            self.newer += line.is_said
            if self._arriving is not None:
                self._arriving.append(line)
            return
        self._insert(line, late=late)
        self._bound()
        self.version += 1

    def echo(self, kind: Kind, text: str, number: int, ms: int) -> bool:
        """Something that we have said comes back: it is in the log now. False if it is not known here.

        Args:
            kind: message or action.
            text: what was said.
            number: its id.
            ms: when that was, in Unix milliseconds.
        """
        ours = [line for line in self._not_in_log() if (line.kind, line.text) == (kind, text)]
        answered = (line for line in ours if line.id == number)
        line = next(answered, None) or next((line for line in ours if line.state == "pending"), None)
        if line is None:
            return self._echoes_dropped and self._settled(text, number, ms)
        line.state, line.id, line.ms, line.in_log, line.reason = "kept", number, ms, True, ""
        self.lines.remove(line)
        if not self.detached:
            self._insert(line)
        elif self._arriving is not None:
            self._arriving.append(line)
        self.version += 1
        return True

    def keep(self, line: Line, number: int) -> None:
        """The server has a pending line, as entry `number`. Its echo, perhaps here already, places it."""
        if line.state != "pending":
            return
        if self.is_room and any(one.id == number and one.own for one in reversed(self.lines)):
            self.drop(line)  # it was read where it stands in the log, so its echo is not told any more
        else:
            line.state, line.id = "kept", number
            if self._echoes_dropped:
                self._settle(line)
            self.version += 1

    def begin_another_log(self) -> None:
        """What is here is of a log that the server does not have any more: its ids mean nothing."""
        for line in self.lines:
            if line.in_log:
                line.id = None
        self.complete = True
        self.version += 1

    def fail(self, line: Line, reason: str) -> None:
        """A pending line was refused, or it is not known what became of it."""
        line.state, line.reason = "failed", reason
        self.version += 1

    def drop(self, line: Line) -> None:
        """Somebody does not want to see a failed line any more."""
        if line in self.lines:
            self.lines.remove(line)
            self.version += 1

    def has(self, number: int, ms: int) -> bool:
        """Whether it shows that entry; in another log, or in the inbox of another, an id has another time."""
        return any(line.id == number and line.ms == ms for line in reversed(self.lines))

    def begins_behind(self, number: int, ms: int) -> bool:
        """Whether that entry stands in front of all that it shows: who pages back finds it."""
        first = next((line for line in self.lines if line.id is not None and line.in_log), None)
        return first is not None and first.id is not None and number < first.id and ms <= first.ms

    # --- the past -------------------------------------------------------------------------------

    def prepend(self, older: Iterable[Line], *, complete: bool) -> None:
        """What stands in the log in front of what is shown; what is shown already is left out.

        Args:
            older: oldest first.
            complete: there is nothing in front of these.
        """
        self.lines[:0] = self._not_shown(older)
        self.complete = complete
        if len(self.lines) > MOST:
            unsent = self._not_in_log()
            kept = [line for line in self.lines if line.in_log]
            self._let_go(kept[MOST:])
            self.lines = kept[:MOST] + unsent
            self.detached = True
        self.version += 1

    def break_off(self) -> None:
        """Something of its log was not told: as if its newest lines had been let go of.

        What is being read for `replace` may end in front of that, so it does not attach any more. What we
        have said to one person stands in no log that we may read: its echo may be what was not told, so from
        now on it has its place as soon as it is kept.
        """
        if self.is_room:
            self.detached, self.newer = True, 0
            self._broken = self._arriving is not None
        else:
            self._echoes_dropped = True
            for line in self._not_in_log():
                if line.state == "kept":
                    self._settle(line)
        self.version += 1

    def attach(self) -> None:
        """The newest lines are being read: from now on what comes is kept for `replace`."""
        self._arriving, self._broken = [], False

    def give_up(self) -> None:
        """What was being read does not come: what comes is counted again, and no more."""
        self._arriving = None

    def extend(self, newer: Iterable[Line], *, attached: bool) -> None:
        """What stands in the log behind its newest line, where the rest was let go of.

        Args:
            newer: oldest first.
            attached: nothing is behind these but what came since `attach`; not so after a `break_off` since.
        """
        attached, self._broken = attached and not self._broken, False
        end = 1 + max(
            (at for at, line in enumerate(self.lines) if line.id is not None and line.in_log), default=-1
        )
        behind = self.lines[end:]  # what we have to say ourselves, and what is not in the log yet
        page = self._not_shown(newer)
        ours = {line.id for line in page if line.own}
        self.lines[end:] = [
            *page,
            *(line for line in behind if line.in_log or line.id not in ours or line.id is None),
        ]
        for line in (self._arriving or ()) if attached else ():
            if line.id is None or not self.has(line.id, line.ms):
                self._insert(line)
        self._arriving = None
        if attached:
            self.detached, self.newer = False, 0
        self._bound()
        self.version += 1

    def replace(self, lines: Iterable[Line], *, complete: bool, attached: bool) -> None:
        """Show another part of the log, for example the newest after a long way back, or what a search found.

        Args:
            lines: of that part, oldest first.
            complete: there is nothing in front of these.
            attached: nothing is behind these but what came since `attach`. After a `break_off` since then
                something may be, and it stays detached.
        """
        attached, self._broken = attached and not self._broken, False
        last = max((at for at, line in enumerate(self.lines) if line.id is not None), default=-1)
        told = [line for line in self.lines[last + 1 :] if line.in_log and line.kind in ("notice", "error")]
        page = [*lines]
        ours = {line.id for line in page if line.own}
        unsent = (line for line in self._not_in_log() if line.id is None or line.id not in ours)
        self.lines = [*page, *unsent]
        for line in [*((self._arriving or ()) if attached else ()), *told]:
            if line.id is None or not (self.has(line.id, line.ms) or self.begins_behind(line.id, line.ms)):
                self._insert(line)
        self._arriving = None
        self.complete = complete
        self.detached = not attached
        self.newer = 0
        self.unread_from = None
        self.version += 1

    # --- looking at it --------------------------------------------------------------------------

    def seen(self) -> None:
        """Its end is on the screen: nothing is unread. The unread line stays until `leave`."""
        self.unread = self.mentions = 0

    def leave(self) -> None:
        """Something else is looked at now."""
        if not self.unread:
            self.unread_from = None

    def _insert(self, line: Line, *, late: bool = False) -> None:
        place = len(self.lines)
        while line.in_log and place and not self.lines[place - 1].in_log:
            place -= 1
        while late and place and self._is_newer(self.lines[place - 1], line):
            place -= 1
            if self.lines[place] is self.unread_from:
                self.unread_from = line
        self.lines.insert(place, line)

    @staticmethod
    def _is_newer(line: Line, than: Line) -> bool:
        """In an inbox; what we say ourselves is numbered in another, and what is in none has our time."""
        if line.id is None:
            return True
        return line.ms >= than.ms and (line.own or than.own or line.id > (than.id or 0))

    def _bound(self) -> None:
        """Let go of the oldest lines if there are too many; of many at once, since that takes a while."""
        if (many := len(self.lines) - MOST) > MOST // 10:
            self._let_go(self.lines[:many])
            del self.lines[:many]
            if self.is_room:
                self.complete = False

    def _settle(self, line: Line) -> None:
        line.in_log = True
        if line in self.lines:  # or it was let go of
            self.lines.remove(line)
            self._insert(line)

    def _settled(self, text: str, number: int, ms: int) -> bool:
        """Whether that has its place already; when it was said is known now."""
        ours = (line for line in reversed(self.lines) if line.own and line.in_log)
        line = next((line for line in ours if (line.id, line.text) == (number, text)), None)
        if line is not None:
            line.ms = ms
        return line is not None

    def _not_in_log(self) -> list[Line]:
        """What we have said, and did not come back yet: it stands at the end."""
        found: list[Line] = []
        for line in reversed(self.lines):
            if line.in_log:
                break
            found.append(line)
        return found[::-1]

    def _not_shown(self, lines: Iterable[Line]) -> list[Line]:
        shown = {(line.id, line.ms) for line in self.lines if line.id is not None}
        return [line for line in lines if (line.id, line.ms) not in shown]

    def _let_go(self, lines: Iterable[Line]) -> None:
        if any(line is self.unread_from for line in lines):
            self.unread_from = None
