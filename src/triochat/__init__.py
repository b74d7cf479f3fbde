"""triochat: a chat server and client on trio, around a pure protocol core.

The public API::

    async with triochat.open_client("127.0.0.1", 55555, nick="bot") as chat: ...
    await triochat.serve(triochat.ServerConfig(port=0))
"""

from triochat.version import __version__ as __version__

TYPE_CHECKING = False  # that of typing, without importing it: `triochat --help` takes as long as that does
if TYPE_CHECKING:
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
        RoomState,
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
    "RoomState",
    "ServerConfig",
    "StateError",
    "open_client",
    "serve",
]


_HOME = {
    **dict.fromkeys(__all__, "triochat.client"),
    **dict.fromkeys(("ClientConfig", "ConfigError", "ServerConfig"), "triochat.config"),
    "serve": "triochat.server",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is (PEP 562): a bot needs no server, a command only its own part."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
