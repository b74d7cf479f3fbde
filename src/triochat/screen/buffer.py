"""What one room, or one direct conversation, has to show: its lines, who is there, and what was not read yet.

No terminal and no network: it is told what happens, and a pane looks at it. "Buffer" is what weechat and
Emacs call it.

However long a room's past is, a buffer holds `MOST` lines. Who pages back past that lets go of the newest
ones, which the server has: then the buffer is `detached`, and what comes is counted, until the newest page
is read again. Law 6 of docs/architecture.md, for what is seen.
"""

from bisect import bisect_left
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

    @property
    def is_room(self) -> bool:
        """Whether it is a room, and not a person."""
        return self.name.startswith("#")

    @property
    def oldest(self) -> int | None:
        """The id of the oldest entry that it holds; None if it holds none."""
        return next((line.id for line in self.lines if line.id is not None), None)

    # --- what happens ---------------------------------------------------------------------------

    def append(self, line: Line, *, looked_at: bool) -> None:
        """Something new: behind all that is kept, in front of what is not kept yet.

        Args:
            line: what.
            looked_at: this buffer is on the screen, and its end is.
        """
        if line.kind in ("message", "action") and not line.own and not looked_at:
            if self.unread == 0 and self.unread_from is None and not self.detached:
                self.unread_from = line
            self.unread += 1
            self.mentions += line.mention
        if self.detached:
            self.newer += 1
            return
        place = len(self.lines)
        if line.state == "kept":
            while place and self.lines[place - 1].state != "kept":
                place -= 1
        self.lines.insert(place, line)
        if len(self.lines) > MOST + MOST // 10:
            self._let_go(self.lines[: len(self.lines) - MOST])
            del self.lines[: len(self.lines) - MOST]
            self.complete = False
        self.version += 1

    def settle(self, line: Line, number: int) -> None:
        """A pending line is kept, as entry `number`: it goes where the log has it."""
        line.state, line.id, line.reason = "kept", number, ""
        self.version += 1
        if not self.is_room:  # what both sides say there stands in two logs, each with ids of its own
            return
        if line in self.lines:
            self.lines.remove(line)
        if not self.detached and all(other.id != number for other in self.lines):
            self.lines.insert(self._place(number), line)

    def has(self, number: int, *, own: bool | None = None) -> bool:
        """Whether it shows that entry.

        Args:
            number: its id.
            own: in a direct conversation, who said it: each side has ids of its own.
        """
        return any(line.id == number and own in (None, line.own) for line in reversed(self.lines))

    def pending(self, kind: Kind, text: str) -> Line | None:
        """What we have said and the server has not answered yet: the oldest such line."""
        found = None
        for line in reversed(self.lines):
            if line.state == "kept":
                break
            if line.state == "pending" and (line.kind, line.text) == (kind, text):
                found = line
        return found

    def fail(self, line: Line, reason: str) -> None:
        """A pending line was refused, or it is not known what became of it."""
        line.state, line.reason = "failed", reason
        self.version += 1

    def drop(self, line: Line) -> None:
        """Somebody does not want to see a failed line any more."""
        if line in self.lines:
            self.lines.remove(line)
            self.version += 1

    def prepend(self, older: Iterable[Line], *, complete: bool) -> None:
        """What stands in the log in front of the oldest entry.

        Args:
            older: oldest first.
            complete: there is nothing in front of these.
        """
        self.lines[:0] = older
        self.complete = complete
        if len(self.lines) > MOST:
            unsent = [line for line in self.lines if line.state != "kept"]
            kept = [line for line in self.lines if line.state == "kept"]
            self._let_go(kept[MOST:])
            self.lines = kept[:MOST] + unsent
            self.detached = True
        self.version += 1

    def replace(self, lines: Iterable[Line], *, complete: bool, attached: bool) -> None:
        """Show another part of the log, for example the newest after a long way back, or what a search found.

        Args:
            lines: of that part, oldest first.
            complete: there is nothing in front of these.
            attached: nothing is behind these.
        """
        unsent = [line for line in self.lines if line.state != "kept"]
        self.lines = [*lines, *unsent]
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

    def _place(self, number: int) -> int:
        kept = [(index, line.id) for index, line in enumerate(self.lines) if line.id is not None]
        at = bisect_left([id_ for _, id_ in kept], number)
        if at < len(kept):
            return kept[at][0]
        return kept[-1][0] + 1 if kept else len([line for line in self.lines if line.state == "kept"])

    def _let_go(self, lines: Iterable[Line]) -> None:
        if any(line is self.unread_from for line in lines):
            self.unread_from = None
