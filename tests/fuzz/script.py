r"""What an input means: what a peer sends, in which reads, and when it is silent.

::

    input = sent [ NUL lots ]
    sent  = octets; but \x02 and an octet stand for 1000 of that octet, and \x03 and an octet for 64
    lots  = an octet for each read, over and over: how long it is, and whether silence follows

So an input without a NUL is what goes over the wire, and comes octet by octet. The two stretches bring the
limits of the protocol within the reach of a short input: 8000 is eight of the one, 8192 three of the other
beside them.
"""

import re
from typing import Final, NamedTuple

MOST: Final = 20_000
"""Octets that are sent at the most: several frames of the greatest length."""
MOST_READS: Final = 100
"""Reads that follow the lots; what is left then comes at once."""
LENGTHS: Final = {b"\x02": 1000, b"\x03": 64}

_STRETCH = re.compile(rb"([\x02\x03])(.)", re.DOTALL)


class Read(NamedTuple):
    """What one read brings.

    Attributes:
        data: never empty; the end of the stream is no read.
        silence: whether a sniff time passes behind it.
    """

    data: bytes
    silence: bool = False


class Script(NamedTuple):
    """What a peer does until its stream ends.

    Attributes:
        sent: all its octets.
        reads: the same, as they come.
    """

    sent: bytes
    reads: list[Read]


def read_script(data: bytes) -> Script:
    """What `data` means."""
    sent, nul, lots = data.rpartition(b"\0")
    if not nul:
        sent, lots = data, b""
    sent = _STRETCH.sub(lambda match: match[2] * LENGTHS[match[1]], sent)[:MOST]
    lots = lots or b"\0"
    reads: list[Read] = []
    start = 0
    while start < len(sent):
        lot = lots[len(reads) % len(lots)]
        end = start + _length(lot) if len(reads) < MOST_READS else len(sent)
        reads.append(Read(sent[start:end], silence=lot % 2 == 1))
        start = end
    return Script(sent, reads)


def _length(lot: int) -> int:
    """1 to 64 octets, each of them, and then steps of 256, up to twice the limit of a frame."""
    number = lot >> 1
    return number + 1 if number < 64 else (number - 63) * 256


def finely(data: bytes) -> list[bytes]:
    """`data` octet by octet, but what is far in it at once."""
    near, far = data[:64], data[64:]
    return [near[i : i + 1] for i in range(len(near))] + ([far] if far else [])
