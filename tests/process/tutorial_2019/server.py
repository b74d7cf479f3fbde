# ruff: noqa: T201 -- a program of 2019, left in its own ways
"""The server of the tutorial. The only change: the port comes as an argument, not 55555."""

import socket
import sys
import threading

host = "127.0.0.1"
port = int(sys.argv[1])

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.bind((host, port))
server.listen()

clients: list[socket.socket] = []
nicknames: list[str] = []


def broadcast(message: bytes) -> None:
    for client in clients:
        client.send(message)


def handle(client: socket.socket) -> None:
    while True:
        try:
            message = client.recv(1024)
            broadcast(message)
        except Exception:
            index = clients.index(client)
            clients.remove(client)
            client.close()
            nickname = nicknames[index]
            broadcast(f"{nickname} left!".encode("ascii"))
            nicknames.remove(nickname)
            break


def receive() -> None:
    while True:
        client, address = server.accept()
        print(f"Connected with {address}")

        client.send(b"NICK")
        nickname = client.recv(1024).decode("ascii")
        nicknames.append(nickname)
        clients.append(client)

        print(f"Nickname is {nickname}")
        broadcast(f"{nickname} joined!".encode("ascii"))
        client.send(b"Connected to server!")

        thread = threading.Thread(target=handle, args=(client,))
        thread.start()


print("Server is listening...")
receive()
