"""triochat: a chat server and client on trio, around a pure protocol core.

The public API::

    async with triochat.open_client("127.0.0.1", 55555, nick="bot") as chat: ...
    await triochat.serve(triochat.ServerConfig(port=0))
"""

from triochat.client import (
    ChatClient,
    ChatStatistics,
    ClientError,
    ConnectionLost,
    Disconnected,
    EnteredRoom,
    Lagged,
    Receipt,
    Reconnected,
    Refused,
    StateError,
    open_client,
)
from triochat.config import ClientConfig, ConfigError, ServerConfig
from triochat.server import serve

__all__ = [
    "ChatClient",
    "ChatStatistics",
    "ClientConfig",
    "ClientError",
    "ConfigError",
    "ConnectionLost",
    "Disconnected",
    "EnteredRoom",
    "Lagged",
    "Receipt",
    "Reconnected",
    "Refused",
    "ServerConfig",
    "StateError",
    "open_client",
    "serve",
]
