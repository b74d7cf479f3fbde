"""What queues in a client."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatStatistics:
    """What queues in a client.

    Attributes:
        unanswered: requests whose answer is not complete, at most 256.
        unsent: frames that wait to be written; while there is no connection, the same as `unanswered`.
        unseen: events that nobody has taken.
    """

    unanswered: int
    unsent: int
    unseen: int
