"""What a client's user has to expect, beside the `OSError` of a server that is not there."""

from typing import Final

TRANSIENT: Final = frozenset({"unavailable", "throttled"})
"""Codes of refusals that another attempt may help against."""


class ClientError(Exception):
    """What went wrong in talking to a server."""


class Refused(ClientError):  # noqa: N818 -- says what happened, as trio's own `Cancelled` does
    """The server answered a request with ``ERROR``.

    Attributes:
        code: one of `triochat.protocol.errors.CODES`, for programs.
        sentence: for people; it is the server's, so clean it before it reaches a terminal.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return f"{self.sentence} ({self.code})"


class ConnectionLost(ClientError):  # noqa: N818 -- says what happened, as trio's own `Cancelled` does
    """The connection has ended and is not made again, or we have left.

    Whether a request that was not answered by then has been carried out is not known.

    Attributes:
        reason: the server's own words, or ours; clean it before it reaches a terminal.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
