"""Tab: what the word in front of the cursor may become. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from triochat.protocol.grammar import fold
from triochat.screen.commands import COMMANDS
from triochat.screen.emoji import EMOJI

_EMOJI: Final = re.compile(r"(?<![\w:]):[a-z0-9_+-]+$")
_TAKES_NICK: Final = re.compile(r"/(?:msg|query)\s+$", re.IGNORECASE)
_TAKES_ROOM: Final = re.compile(r"/(?:join|part|who)\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidates:
    """What there is to name.

    Attributes:
        nicks: who is here, without ourselves; who spoke last comes first.
        rooms: with their ``#``; the likeliest first.
    """

    nicks: Sequence[str] = ()
    rooms: Sequence[str] = ()


class Completion:
    """The choices for one word, and which of them stands there now.

    They go round, and what was typed is one of them, the last; a single one stays.
    """

    def __init__(self, text: str, cursor: int, candidates: Candidates) -> None:
        self._head = text[:cursor]
        self._tail = text[cursor:]
        self._at = -1
        start, words = _choices(self._head, candidates)
        self._results = [self._in_place(start, word) for word in words]
        self._choices = len(self._results)
        if self._choices > 1:
            self._results.append((text, cursor))

    def _in_place(self, start: int, word: str) -> tuple[str, int]:
        cursor = start + len(word)
        if word.endswith(" ") and self._tail.startswith(" "):
            word = word[:-1]  # there is a space already
        return self._head[:start] + word + self._tail, cursor

    def __len__(self) -> int:
        """How many choices there are, what was typed not counted."""
        return self._choices

    def step(self, by: int = 1) -> tuple[str, int] | None:
        """The next choice, or with -1 the one before: the whole text, and the cursor in it.

        None if there is nothing to choose from.
        """
        if not self._results:
            return None
        if self._at == -1:
            self._at = len(self._results) - 1
        self._at = (self._at + by) % len(self._results)
        return self._results[self._at]


def _choices(head: str, candidates: Candidates) -> tuple[int, list[str]]:
    """Where the word begins that is to be replaced, and by what: with a space behind it where one belongs."""
    start = max(head.rfind(" "), head.rfind("\n"), head.rfind("\t")) + 1
    word, before = head[start:], head[:start]
    if not before and word.startswith("/"):
        return start, [f"/{it.name} " for it in COMMANDS if f"/{it.name}".startswith(word.lower())]
    if _TAKES_NICK.fullmatch(before):
        return start, [f"@{nick} " for nick in _beginning(word.removeprefix("@"), candidates.nicks)]
    if word.startswith("#") or _TAKES_ROOM.fullmatch(before):
        hashed = word if word.startswith("#") else f"#{word}"
        return start, [f"{room} " for room in _beginning(hashed, candidates.rooms)]
    if word.startswith("@"):
        return start, [f"@{nick} " for nick in _beginning(word[1:], candidates.nicks)]
    if short := _EMOJI.search(word):
        name = short.group()[1:]
        found = sorted((it for it in EMOJI if it.startswith(name)), key=lambda it: (len(it), it))
        return start + short.start(), list(dict.fromkeys(EMOJI[it] for it in found))
    if not word and before:
        return start, []
    return start, [f"{nick}{' ' if before else ': '}" for nick in _beginning(word, candidates.nicks)]


def _beginning(part: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if fold(name).startswith(fold(part))]
