"""Servers that break one promise each, to see that it is noticed: ``python mutants.py NAME server …``.

They are the real server but for one method of its journal.
"""

import sys
from collections.abc import Callable, Sequence

from triochat.cli import main
from triochat.journal import Draft, Outcome
from triochat.journal.sqlite import SqliteJournal


def forgetful() -> None:
    """It does not remember tags: what is sent again is stored again (promise 3)."""
    append = SqliteJournal.append

    async def forget(journal: SqliteJournal, drafts: Sequence[Draft]) -> list[Outcome]:
        return await append(journal, [draft._replace(session=None) for draft in drafts])

    SqliteJournal.append = forget  # type: ignore[assignment, method-assign]


def early() -> None:
    """It acknowledges a batch before it is committed, which happens when the next one comes (promise 2)."""

    def transact(
        journal: SqliteJournal, work: Callable[[], tuple[object, object]], _: bool
    ) -> tuple[object, object]:
        connection = journal._file.writer
        if connection.in_transaction:
            connection.execute("COMMIT")
        connection.execute("BEGIN IMMEDIATE")
        return work()

    SqliteJournal._transact = transact  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    {"forgetful": forgetful, "early": early}[sys.argv.pop(1)]()
    main()
