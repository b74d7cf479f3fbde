"""The design of the 2019 tutorial: a thread for each client, blocking sends in a loop over all of them.

Kept as it was in what matters here: one accepting thread that also asks for the name, no framing
(each read is relayed as one message), no locks, no rooms. Changed: it takes any free port, and the
thread of a client that has gone ends.
"""

import socket
import sys
import threading

clients: list[socket.socket] = []
names: dict[socket.socket, str] = {}


def broadcast(message: bytes) -> None:
    """Send to everybody, one after the other; each may block."""
    for client in clients.copy():
        try:
            client.sendall(message)
        except OSError:
            drop(client)


def drop(client: socket.socket) -> None:
    """Forget a client, and tell the others."""
    if client in clients:
        clients.remove(client)
        client.close()
        broadcast(f"{names.pop(client)} left!".encode("ascii"))


def handle(client: socket.socket) -> None:
    """Relay what one client sends."""
    while True:
        try:
            message = client.recv(1024)
        except OSError:
            message = b""
        if not message:
            drop(client)
            return
        broadcast(message)


def main() -> None:
    """Accept clients for ever."""
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    sys.stdout.write(f"listening on 127.0.0.1:{server.getsockname()[1]}\n")
    sys.stdout.flush()
    while True:
        client, _ = server.accept()
        client.sendall(b"NICK")
        name = client.recv(1024).decode("ascii").strip()
        names[client] = name
        clients.append(client)
        broadcast(f"{name} joined!".encode("ascii"))
        client.sendall(b"Connected to server!")
        threading.Thread(target=handle, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
