"""Under which name a command comes that nobody has given one."""

import getpass
import secrets
from collections.abc import Iterator
from typing import Final

from triochat.protocol.text import likely_nick

MOST: Final = 32
"""Characters of a nickname."""


def login_nick() -> str:
    """The login name, as far as it can be a nickname."""
    try:
        return likely_nick(getpass.getuser())
    except (OSError, KeyError, ImportError):  # a user without a name; which one depends on Python's version
        return likely_nick("")


def with_ending(nick: str, ending: str) -> str:
    """``nick-ending``, not longer than a nickname may be."""
    return f"{nick[: MOST - 1 - len(ending)]}-{ending}"


def variants(nick: str) -> Iterator[str]:
    """The nick itself, ``nick-2`` to ``nick-9``, then names with a random ending; without an end."""
    yield nick
    for number in range(2, 10):
        yield with_ending(nick, str(number))
    while True:
        yield with_ending(nick, secrets.token_hex(3))
