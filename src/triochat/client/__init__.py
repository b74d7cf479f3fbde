"""A client as a library: `open_client`. The terminal program on top of it is `triochat.client.terminal`."""

from triochat.client.answers import EnteredRoom
from triochat.client.chat_client import ChatClient
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.event_buffer import Lagged
from triochat.client.exchange import Receipt
from triochat.client.happenings import Disconnected, Reconnected, RoomState
from triochat.client.opening import open_client
from triochat.client.state_file import StateError
from triochat.client.statistics import ChatStatistics

__all__ = [
    "ChatClient",
    "ChatStatistics",
    "ClientError",
    "ConnectionLost",
    "Disconnected",
    "EnteredRoom",
    "Lagged",
    "Receipt",
    "Reconnected",
    "Refused",
    "RoomState",
    "StateError",
    "open_client",
]
