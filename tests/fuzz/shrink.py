"""A long input that fails to a short one that does."""

from collections.abc import Callable
from typing import Final

MOST_TRIES: Final = 2000


def shrink(data: bytes, fails: Callable[[bytes], bool], tries: int = MOST_TRIES) -> bytes:
    """Leave out what is not needed for `data` to fail, in ever smaller pieces."""
    size = len(data) // 2
    while size:
        start = 0
        while start < len(data):
            if not tries:
                return data
            tries -= 1
            shorter = data[:start] + data[start + size :]
            if fails(shorter):
                data = shorter
            else:
                start += size
        size //= 2
    return data
