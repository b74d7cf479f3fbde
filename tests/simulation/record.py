"""What everybody saw: the only thing that the promises are checked on, beside the journal in the end."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import trio

from triochat.protocol.grammar import fold


class Seen(NamedTuple):
    """An entry of a log, as somebody was shown it."""

    id: int
    kind: str
    nick: str
    text: str


class Skipped(NamedTuple):
    """Somebody was told that the ids from `first` to `last` are no longer kept."""

    first: int
    last: int


class Anew(NamedTuple):
    """From here on it remembers no more than that it had come to the id `after`."""

    after: int = 0


@dataclass(slots=True, eq=False)
class Stay:
    """A time in which somebody was in a room, counted in ids: all behind `after` is for its eyes.

    Attributes:
        until: the last that it had seen when it was about to leave; None: it stayed to the end.
    """

    after: int
    until: int | None = None


class Asked(NamedTuple):
    """A page of a log, or what a search of it has found.

    Attributes:
        log: whose.
        entries: in the order in which they came.
        limit: how many there may be.
        reach: the last id that was known to whoever asked, before it asked.
        before, after: ids; as ``HISTORY`` has them.
        word: that was searched for; empty: it is a page.
    """

    log: str
    entries: Sequence[Seen | Skipped]
    limit: int
    reach: int
    before: int | None = None
    after: int | None = None
    word: str = ""


@dataclass(slots=True, eq=False)
class Typed:
    """What somebody typed on one connection of the text dialect, into ``#lobby``.

    Attributes:
        texts: in their order.
        refused: how many of them it was told could not be kept.
        untold: the connection broke while there may have been more to tell of that.
        here: the connection was still there in the end.
    """

    texts: list[str] = field(default_factory=list)
    refused: int = 0
    untold: bool = False
    here: bool = False


class Restored(NamedTuple):
    """The server was set back: ids behind `kept` are given again, and this witness goes on behind `seen`."""

    kept: int
    seen: int


ANEW = Anew()
View = list[Seen | Skipped | Anew | Restored]


def valid(view: View) -> View:
    """What was seen of the log as it is: not what was taken back when the server was set back."""
    found: View = []
    kept = math.inf
    for one in reversed(view):
        if isinstance(one, Restored):
            kept = min(kept, one.kept)
        if not isinstance(one, Seen) or one.id <= kept:
            found.append(one)
    return found[::-1]


@dataclass(slots=True, eq=False)
class Witness:
    """What one of them said and saw.

    Attributes:
        name: what it is called in traces; its nick may change.
        said: text → log, of all that it asked to be kept.
        kept: text → (log, id), of what was acknowledged.
        refused: text → code, of what was refused.
        owed: text → room, of what a killed program had on its disk to be sent, and the next one has to send.
        views: by log, what it was shown live and on its return.
        stays: by room, when it was there.
        rooms: where it is when all is quiet.
        nick: who it is then; None: it has gone.
        people: by room, whom it believes to be there when all is quiet.
        faults: what a server may not do, whatever happens.
        private: text → when it was said, of what was said to one nick alone.
        told: text → when it knew that this was kept, of the same.
        names: nick, folded → when it first asked for it.
        typed: by connection, what it typed without a tag.
        asked: of the past, and what it was given.
        absent: seconds that it was away at most, as far as the server can know; None: nobody can tell.
        lefts: nick, folded → how often it was told that this one has left a room.
        lagged: it was told that it had missed something by being slow.
        attentive: it is shown all that is said to it alone, and what is new in a log that was set back.
        whole: what it says arrives as it was said; not that of an unframed peer, which a network tears.
    """

    name: str
    said: dict[str, str] = field(default_factory=dict)
    kept: dict[str, tuple[str, int]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    owed: dict[str, str] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    stays: dict[str, list[Stay]] = field(default_factory=dict)
    rooms: tuple[str, ...] = ()
    nick: str | None = None
    people: dict[str, set[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    private: dict[str, float] = field(default_factory=dict)
    told: dict[str, float] = field(default_factory=dict)
    names: dict[str, float] = field(default_factory=dict)
    typed: list[Typed] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    absent: float | None = None
    lefts: Counter[str] = field(default_factory=Counter)
    lagged: bool = False
    attentive: bool = False
    whole: bool = True

    def owns(self, nick: str) -> bool:
        """Whether it may have that nick: everybody has a kind of its own, and some are for all."""
        if not self.whole and nick.startswith(self.name):
            return True  # it may have been torn off what it said next
        return fold(nick).partition("-")[0] in (self.name, "guest")

    def view(self, log: str) -> View:
        """Of one log."""
        return self.views.setdefault(log, [])

    def enter(self, room: str, after: int) -> None:
        """It is in a room, and `after` was the last id before it was."""
        stays = self.stays.setdefault(room, [])
        if not stays or stays[-1].until is not None:
            stays.append(Stay(after))

    def is_in(self, room: str) -> bool:
        """Whether it is in that room for certain."""
        stays = self.stays.get(room)
        return stays is not None and len(stays) > 0 and stays[-1].until is None

    def leave(self, room: str) -> None:
        """It is about to leave a room, if it is there."""
        stays = self.stays.get(room)
        if stays and stays[-1].until is None:
            stays[-1].until = self.last(room)

    def last(self, log: str) -> int:
        """The last id of a log that it knows of."""
        seen = (
            one.id if isinstance(one, Seen) else one.last
            for one in valid(self.view(log))
            if isinstance(one, Seen | Skipped)
        )
        return max(seen, default=0)

    def set_back(self, lasts: Mapping[str, int], oldest: Mapping[str, int]) -> None:
        """The server was set back: of each log it has no more than up to there, and some older ones again."""
        for room, stays in self.stays.items():
            stays[:] = [Stay(lasts.get(room, 0))] if self._would_notice(room) else []
        for log, view in self.views.items():
            view[:] = [
                one
                for one in view
                if not (isinstance(one, Skipped) and one.last >= oldest.get(log, 1))
                and not (isinstance(one, Seen) and one.id == 0)  # at netcat nobody knows what was taken back
            ]
            kept = lasts.get(log, 0)
            view.append(Restored(kept, kept if log.startswith("#") and self._would_know(view, kept) else 0))
        self.typed.clear()
        self.asked.clear()
        for text, (log, number) in list(self.kept.items()):
            if number > lasts.get(log, 0):
                del self.kept[text]

    def _would_know(self, view: View, kept: int) -> bool:
        """Whether it can tell that this is the beginning of the log that it knows: it has heard of it."""
        for one in reversed(valid(view)):
            if isinstance(one, Seen) and one.id <= kept:
                return self.attentive
            if not isinstance(one, Seen):
                break
        return False

    def _would_notice(self, room: str) -> bool:
        """Whether it can tell this log from another one: it has heard something of it since it came."""
        if not self.attentive or not self.is_in(room):
            return False
        since = self.stays[room][-1].after
        return any(isinstance(one, Seen) and one.id > since for one in valid(self.view(room)))

    def begin_anew(self) -> None:
        """It does not remember how far it had come anywhere."""
        self.go_on({})

    def go_on(self, rooms: Mapping[str, int]) -> None:
        """It remembers that it is in these rooms, and how far it had come; perhaps a little less far."""
        for room in self.stays:
            if room not in rooms:
                self.leave(room)
        for log, view in self.views.items():
            view.append(Anew(rooms.get(log, 0)))


@dataclass(slots=True, eq=False)
class Record:
    """All that happened in one simulation.

    Attributes:
        lines: what happened, in its order: a trace that is the same whenever the seed is.
        faults: injected, by kind.
        witnesses: those whose word counts.
        logs: by name, what the journal holds in the end.
        oldest: by name, the first id that it still holds; the next one, if it holds none.
        set_backs: how often the server was set back.
        started: when the last server began.
        gone: nick, folded → when it was last given up by who had it: what was said to it alone goes with it.
        members: by room, the answer that somebody got who asked in the end.
        left_over: what was still there when everybody had gone: of tasks, people, sessions, subscriptions.
        grace: seconds for which a server holds who is away.
        complaints: what the server or a client logged as an error of its own.
        bounds: queues that were found above their bound.
        unfinished: what still was not over when everybody had had enough time.
        seconds: simulated.
    """

    lines: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    witnesses: list[Witness] = field(default_factory=list)
    logs: dict[str, Sequence[Seen]] = field(default_factory=dict)
    oldest: dict[str, int] = field(default_factory=dict)
    set_backs: int = 0
    started: float = 0.0
    gone: dict[str, float] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    left_over: list[str] = field(default_factory=list)
    grace: float = 0.0
    complaints: list[str] = field(default_factory=list)
    bounds: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def note(self, who: str, what: str) -> None:
        """Something happened now."""
        self.lines.append(f"{trio.current_time():12.6f} {who:<10} {what}")

    def fault(self, kind: str, what: str = "") -> None:
        """A fault was injected."""
        self.faults[kind] += 1
        self.note("FAULT", f"{kind} {what}".rstrip())
