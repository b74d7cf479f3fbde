"""A client as a library: `open_client`. The terminal program on top of it is `triochat.client.terminal`."""

from triochat.client.chat_client import ChatClient, ChatStatistics, EnteredRoom, Receipt, open_client
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.event_buffer import Lagged

__all__ = [
    "ChatClient",
    "ChatStatistics",
    "ClientError",
    "ConnectionLost",
    "EnteredRoom",
    "Lagged",
    "Receipt",
    "Refused",
    "open_client",
]
