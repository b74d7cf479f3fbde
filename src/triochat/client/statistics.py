"""What queues in a client."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatStatistics:
    """What queues in a client.

    Attributes:
        unanswered: requests whose answer is not complete, at most 256.
        unsent: frames that wait to be written; while there is no connection, the same as `unanswered`.
        unkept: our messages and topics among the unanswered, which a state file holds; when the connection is
            over, those that it was lost with.
        unseen: events that nobody has taken.
    """

    unanswered: int
    unsent: int
    unkept: int
    unseen: int
