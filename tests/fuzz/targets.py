"""What can be fuzzed: functions of an input that raise `AssertionError` if a promise is broken."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.fuzz import client, framed, sniffing, text

CORPUS: Final = Path(__file__).parent / "corpus"
"""A folder for each target, with a file for each input."""

TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "framed": framed.check,
    "text": text.check,
    "client": client.check,
    "sniffing": sniffing.check,
}

_ALSO: Final = {"sniffing": ("framed", "text")}
"""Whose corpus serves a target beside its own."""


def check(target: str, data: bytes) -> None:
    """Hold `target` against one input.

    Raises:
        AssertionError: a promise is broken, or something was raised that no caller expects.
    """
    try:
        TARGETS[target](data)
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"nobody expects {error!r}") from error


def corpus(target: str) -> list[Path]:
    """The files of the inputs with which to begin, always in the same order."""
    return [
        path for folder in (target, *_ALSO.get(target, ())) for path in sorted((CORPUS / folder).iterdir())
    ]
