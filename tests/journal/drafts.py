"""Drafts with what a test does not care about filled in."""

from triochat.journal import Draft, Journal, Kept
from triochat.journal.interface import Kind

KEY = ("session", "tag")


def draft(
    text: str = "hello",
    *,
    log: str = "#dev",
    kind: Kind = "message",
    target: str | None = None,
    nick: str = "alice",
    ms: int = 1000,
    key: tuple[str, str] | None = None,
    recall: bool = False,
) -> Draft:
    return Draft(
        log=log, kind=kind, target=target or log, nick=nick, text=text, ms=ms, key=key, recall=recall
    )


async def fill(journal: Journal, count: int, log: str = "#dev") -> None:
    """Keep so many messages, with the texts 1, 2, 3 …, one by one."""
    for number in range(1, count + 1):
        assert isinstance((await journal.append([draft(str(number), log=log)]))[0], Kept)
