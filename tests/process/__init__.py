"""The installed command: real processes, real sockets, real signals."""
