"""The protocol of triochat: bytes in, values out, and back. Sans-IO: see `Connection`."""

from triochat.protocol.connection import (
    CLOSED,
    NEED_DATA,
    PAUSED,
    Connection,
    Need,
    Role,
    State,
)
from triochat.protocol.encoding import Encoding, encode
from triochat.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from triochat.protocol.sniff import Dialect, sniff

__all__ = [
    "CLOSED",
    "NEED_DATA",
    "PAUSED",
    "Connection",
    "Dialect",
    "Encoding",
    "LocalProtocolError",
    "Need",
    "ProtocolError",
    "RemoteProtocolError",
    "Role",
    "State",
    "encode",
    "sniff",
]
