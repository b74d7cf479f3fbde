"""Section 4 of docs/protocol.md, checked on what everybody saw: pure functions, no clock, no server."""

from collections.abc import Iterable, Sequence
from typing import Protocol


class Witness(Protocol):
    """One client, when all is over."""

    @property
    def nick(self) -> str:
        """Who it was."""

    @property
    def room(self) -> str:
        """Where it was."""

    @property
    def said(self) -> Sequence[str]:
        """All its texts, no two of them alike."""

    @property
    def kept(self) -> dict[str, int]:
        """Text → id, of what was acknowledged."""

    @property
    def refused(self) -> int:
        """How often something could not be kept for the time being, and was said again later."""

    @property
    def seen(self) -> Sequence[tuple[int, str, str]]:
        """Id, nick and text of all that it was shown, in the order in which it was."""


Log = Sequence[tuple[int, str, str]]
"""Id, nick and text of all that a room holds in the end."""


def broken(witnesses: Iterable[Witness], logs: dict[str, Log]) -> list[str]:
    """Every break of a promise, as a sentence; none if all were kept."""
    faults: list[str] = []
    for room, log in logs.items():
        ids = [number for number, _, _ in log]
        if ids != list(range(1, len(ids) + 1)):
            faults.append(f"{room}: the ids are not 1, 2, 3 … without holes")
        texts = [text for _, _, text in log]
        faults += [
            f"{room}: {text!r} is kept {texts.count(text)} times" for text in _repeated(texts)
        ]  # promise 3
    for witness in witnesses:
        faults += _broken_for(witness, logs[witness.room])
    return faults


def _broken_for(witness: Witness, log: Log) -> list[str]:
    faults: list[str] = []
    by_id = {number: (nick, text) for number, nick, text in log}
    for text, number in witness.kept.items():  # promise 2
        if by_id.get(number) != (witness.nick, text):
            faults.append(
                f"{witness.nick}: {text!r} was acknowledged as {number}, where {by_id.get(number)} is"
            )
    faults += [
        f"{witness.nick}: {text!r} was never acknowledged"
        for text in witness.said
        if text not in witness.kept
    ]
    own = [text for _, nick, text in log if nick == witness.nick]
    if not witness.refused and own != [text for text in witness.said if text in set(own)]:
        faults.append(f"{witness.nick}: its own messages are not in the order in which it said them")
    ids = [number for number, _, _ in witness.seen]
    if ids and ids != list(range(ids[0], ids[0] + len(ids))):  # promises 1 and 4
        at = next(index for index, number in enumerate(ids) if number != ids[0] + index)
        faults.append(f"{witness.nick}: behind {ids[at - 1]} it saw {ids[at]}")
    for number, nick, text in witness.seen:
        if by_id.get(number) != (nick, text):
            faults.append(f"{witness.nick}: saw {text!r} as {number}, where {by_id.get(number)} is")
            break
    if log and (not ids or ids[-1] != log[-1][0]):
        faults.append(f"{witness.nick}: saw up to {ids[-1] if ids else 0}, not to {log[-1][0]}")
    return faults


def _repeated(texts: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    again: dict[str, None] = {}
    for text in texts:
        if text in seen:
            again[text] = None
        seen.add(text)
    return list(again)
