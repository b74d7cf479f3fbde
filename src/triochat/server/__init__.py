"""The trio shell around the chat: sockets, tasks, time."""

from triochat.server.serve import serve

__all__ = ["serve"]
