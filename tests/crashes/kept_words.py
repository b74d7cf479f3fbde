"""What is promised to those who type, checked on what everybody saw: pure functions, no clock, no client.

A line counts as *taken* when it was said, or stood in the file of a client that was killed. What a client
was killed in front of, still in its pipe or not yet on the disk, was not taken; but that is always the end of
what was typed. What it had heard and not yet printed when it was killed, the next one does not print either;
so each client is looked at by itself.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from tests.crashes.promises import Log


class Process(Protocol):
    """One life of a client."""

    @property
    def typed(self) -> Sequence[str]:
        """What it was given, in this order; no two lines alike."""

    @property
    def left(self) -> Sequence[str]:
        """What it left in its file to be said by the next one."""

    @property
    def shown(self) -> Sequence[tuple[str, str]]:
        """Nick and text of all that it printed of the room."""


class Person(Protocol):
    """One who typed, when all is over."""

    @property
    def nick(self) -> str:
        """Who it was."""

    @property
    def room(self) -> str:
        """Where it was."""

    @property
    def lives(self) -> Sequence[Process]:
        """Its clients, one after the other."""


def not_kept(people: Iterable[Person], logs: dict[str, Log]) -> list[str]:
    """Every break of a promise, as a sentence; none if all were kept."""
    return [fault for person in people for fault in _not_kept(person, logs[person.room])]


def _not_kept(person: Person, log: Log) -> list[str]:
    faults: list[str] = []
    said = [text for _, nick, text in log if nick == person.nick]
    typed = [text for life in person.lives for text in life.typed]
    faults += [f"{person.nick}: {text!r} is said {said.count(text)} times" for text in _repeated(said)]
    if (once := list(dict.fromkeys(said))) != [text for text in typed if text in set(said)]:
        faults.append(f"{person.nick}: what it said is not what was typed, in that order: {once}")
    for life in person.lives:
        taken = [text in said or text in life.left for text in life.typed]
        lost = [text for text in life.left if text not in said]
        lost += [
            text for index, text in enumerate(life.typed) if not taken[index] and any(taken[index + 1 :])
        ]
        faults += [f"{person.nick}: {text!r} was taken and never said" for text in lost]
    return faults + _not_shown(person, log)


def _not_shown(person: Person, log: Log) -> list[str]:
    """Whatever was cut and killed around it, one client shows a room without a hole and without a repeat."""
    places = {(nick, text): number for number, nick, text in log}
    faults: list[str] = []
    for life in person.lives:
        ids = [places.get(line, 0) for line in life.shown]
        if ids and ids != list(range(ids[0], ids[0] + len(ids))):
            at = next(index for index, number in enumerate(ids) if number != ids[0] + index)
            faults.append(f"{person.nick}: behind {ids[at - 1]} it was shown {ids[at]}")
    return faults


def _repeated(texts: Sequence[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if texts.count(text) > 1]
