"""Tags for requests: no two alike in a session, whoever else uses it, and rising."""

import secrets
import time
from itertools import count


class Tags:
    """Tags that no other client draws, so that a session used one process after the other has none twice.

    They rise, first by length and then in the order of letters, within a client and from one client to
    the next: a server finds most quickly that such a tag is new. So they begin with the time; the random
    part behind it tells clients apart that start in the same second, or whose clock was set back.
    """

    def __init__(self) -> None:
        self._prefix = f"{int(time.time()):08x}{secrets.token_hex(3)}"
        self._numbers = count(1)

    def next(self) -> str:
        """Draw a tag."""
        return f"{self._prefix}-{next(self._numbers):06x}"
