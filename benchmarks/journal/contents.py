"""What is said in the journal that is measured: rooms of very different sizes, words of very different use.

Words are used as in any language: the second most common one half as often as the first, and so on (Zipf's
law). Some are put in on purpose, for the searches that might be slow: see `LEFT` and what follows it.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from triochat.journal import Draft

SEED: Final = 20260101
VOCABULARY: Final = 30_000
WORDS_EACH: Final = 8
"""Words of a text on average, of about six letters: 60 characters."""
PEOPLE: Final = 200
LONGEST_RUN: Final = 16
"""Texts that one read brings at most."""
STEEPNESS: Final = 1.2
"""How sizes differ: of a million entries in a thousand rooms the largest gets a fifth, the smallest 60."""

LEFT: Final = "leftward"
RIGHT: Final = "rightward"
"""Every text has one of these, in turns, and none both: the two commonest words never meet."""
EVERYWHERE: Final = "everywhere"
"""In every text, but for those in `Contents.quiet`."""
RARE: Final = "needle"
"""In one text of 50,000."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What to fill a journal with: the same for the same numbers.

    Attributes:
        entries: how many.
        rooms: in how many rooms.
    """

    entries: int
    rooms: int

    @property
    def huge(self) -> str:
        """The largest room."""
        return _room(0)

    @property
    def small(self) -> str:
        """The smallest room, made last: in the file it lies behind all others."""
        return _room(self.rooms - 1)

    @property
    def quiet(self) -> str:
        """A room of middle size in which one word is never said that is said everywhere else."""
        return _room(self.rooms // 4)

    def drafts(self, speaker: str = "person") -> Iterator[Draft]:
        """What people say, in its order, as the reads of their connections bring it.

        Args:
            speaker: what all nicks begin with; others say other things, in sessions of their own.
        """
        choose = random.Random(f"{SEED} {speaker}")
        vocabulary = _Vocabulary(choose)
        quiet = self.quiet
        said = dict.fromkeys(range(PEOPLE), 0)
        left = self.entries
        for turn, room in enumerate(self._rooms(choose)):
            count = min(left, choose.randint(1, LONGEST_RUN))
            left -= count
            person = choose.randrange(PEOPLE)
            first = said[person] + 1
            said[person] += count
            yield Draft(
                log=room,
                kind="message",
                target=room,
                nick=f"{speaker}{person}",
                texts=[vocabulary.text(room, quiet=room == quiet) for _ in range(count)],
                ms=1_700_000_000_000 + 400 * turn,
                session=f"{speaker}{person:032x}",
                tags=[str(first + number) for number in range(count)],
            )
            if not left:
                return

    def _rooms(self, choose: random.Random) -> Iterator[str]:
        """Where it is said: once in each, and then by chance."""
        names = [_room(rank) for rank in range(self.rooms)]
        weights = list(itertools.accumulate((rank + 1) ** -STEEPNESS for rank in range(self.rooms)))
        yield from names
        while True:
            yield from choose.choices(names, cum_weights=weights, k=1000)


def _room(rank: int) -> str:
    return f"#room{rank}"


class _Vocabulary:
    """Texts, of words that can be said aloud."""

    def __init__(self, choose: random.Random) -> None:
        self._choose = choose
        self._words = _words()
        self._weights = list(itertools.accumulate(1 / (rank + 1) for rank in range(VOCABULARY)))
        self._ready: list[str] = []
        self._turns: dict[str, int] = {}

    def text(self, room: str, *, quiet: bool) -> str:
        turn = self._turns[room] = self._turns.get(room, 0) + 1
        length = self._choose.randint(WORDS_EACH // 2, WORDS_EACH * 3 // 2) - 2
        if len(self._ready) < length:  # many at a time, which is cheaper
            self._ready = self._choose.choices(self._words, cum_weights=self._weights, k=10_000)
        words = [self._ready.pop() for _ in range(length)]
        words.append(LEFT if turn % 2 else RIGHT)
        if not quiet:
            words.append(EVERYWHERE)
        if self._choose.random() < 1 / 50_000:
            words.append(RARE)
        return " ".join(words)


def common(count: int) -> Sequence[str]:
    """The words that are said most often by chance, the commonest first."""
    return _words()[:count]


def _words() -> Sequence[str]:
    syllables = [first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou"]
    words = (
        "".join(word) for length in itertools.count(1) for word in itertools.product(syllables, repeat=length)
    )
    found = list(itertools.islice(words, VOCABULARY))
    random.Random(SEED).shuffle(found)
    return found
