"""For what can't be written any more: the null device takes it.

What waits in Python's buffer of a standard stream when the program ends is written then. If that is not
possible, the exit code is 120, whatever the program has decided.
"""

import os
from contextlib import suppress
from typing import Any


def discard(stream: Any) -> None:  # noqa: ANN401 -- whatever has a descriptor, or has none
    """Have the null device take all that is written to `stream` from now on, and what waits for it."""
    with suppress(OSError, AttributeError, ValueError):  # there is nothing behind it, or it is closed
        descriptor = stream.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(null, descriptor)
        finally:
            os.close(null)
