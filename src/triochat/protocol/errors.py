"""What can go wrong on the wire, by whose fault, and what to tell the peer.

The split follows h11: a *local* error means that we tried to say what can't be said, a *remote*
one that the peer did. A remote error carries the answer that it deserves, so no caller has to
invent a sentence.
"""

CODES = frozenset(
    {
        "bad-frame",
        "not-ascii",
        "too-long",
        "bad-text",
        "unknown-command",
        "hello-first",
        "bad-nick",
        "nick-in-use",
        "bad-room",
        "no-such-room",
        "no-such-nick",
        "not-in-room",
        "too-many-rooms",
        "not-allowed",
        "throttled",
        "unavailable",
    }
)
"""Every code that an ``ERROR`` frame may carry."""

MALFORMED = frozenset({"bad-frame", "not-ascii", "too-long", "bad-text"})
"""The codes that count towards the limit of malformed frames in a row."""


class ProtocolError(Exception):
    """A rule of the protocol was broken.

    Attributes:
        code: one of :data:`CODES`.
        sentence: what to tell a person; it never quotes the input, so it is always safe to show.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class LocalProtocolError(ProtocolError):
    """We tried to build or send something that the protocol does not allow."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something that the protocol does not allow.

    The connection goes on behind it, unless `fatal`: call ``next_event()`` again.

    Attributes:
        tag: the tag of the offending frame, as far as it could be read.
        fatal: the peer has used up its patience; say ``BYE`` and close.
    """

    def __init__(self, code: str, sentence: str, *, tag: str | None = None, fatal: bool = False) -> None:
        super().__init__(code, sentence)
        self.tag = tag
        self.fatal = fatal
