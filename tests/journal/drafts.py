"""Drafts with what a test does not care about filled in."""

from collections.abc import Sequence

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
        log=log,
        kind=kind,
        target=target or log,
        nick=nick,
        texts=(text,),
        ms=ms,
        session=None if key is None else key[0],
        tags=None if key is None else (key[1],),
        recall=recall,
    )


def run(
    *texts: str,
    tags: Sequence[str] | None = None,
    session: str | None = "session",
    log: str = "#dev",
    kind: Kind = "message",
) -> Draft:
    """One draft of several texts."""
    return Draft(
        log=log, kind=kind, target=log, nick="alice", texts=texts, ms=1000, session=session, tags=tags
    )


async def fill(journal: Journal, count: int, log: str = "#dev") -> None:
    """Keep so many messages, with the texts 1, 2, 3 …, one by one."""
    for number in range(1, count + 1):
        assert isinstance((await journal.append([draft(str(number), log=log)]))[0], Kept)
