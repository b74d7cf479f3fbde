"""A client as a library: `open_client`. The terminal program on top of it is `triochat.client.terminal`."""

from triochat.client.chat_client import ChatClient, Receipt, open_client
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.event_buffer import Lagged

__all__ = [
    "ChatClient",
    "ClientError",
    "ConnectionLost",
    "Lagged",
    "Receipt",
    "Refused",
    "open_client",
]
