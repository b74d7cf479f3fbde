r"""Output of programs as text that may be said: without what is meant for a terminal.

Compilers colour what they write, and bars of progress write one line again and again. The protocol refuses
all control characters but newline and tab, and of ``make 2>&1 | triochat send`` each line should arrive.
"""

import re
from typing import Final

from triochat.protocol.escape import FORBIDDEN

_ESCAPE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, and where the cursor is
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC: titles, links
    r"|\x1b[ -/]*[0-~]"  # all others
)
"""A control sequence of ECMA-48."""


def plain_line(line: str) -> str:
    """A line without control sequences, and without control characters but tabs.

    Of a line that was written again and again, with carriage returns between, the last one is left.
    """
    if FORBIDDEN.search(line) is None:
        return line
    line = _ESCAPE.sub("", line)
    return FORBIDDEN.sub("", line.rstrip("\r").rpartition("\r")[2])


def plain_text(text: str) -> str:
    """The same for a text of several lines."""
    return "\n".join(map(plain_line, text.split("\n")))
