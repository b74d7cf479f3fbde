"""One task that looks after everybody's time: who never says who it is, and who has fallen silent.

One sweep over all costs less than a timer for each; the price is that a timeout may come late by
one part in `PARTS`.
"""

import trio

from triochat.config import ServerConfig
from triochat.protocol import Dialect, State
from triochat.protocol import events as e
from triochat.server.peer import Peer

PARTS = 4


async def run_keepalive(config: ServerConfig, peers: dict[int, Peer]) -> None:
    """Ask the silent, drop those who do not answer, and those who never said hello."""
    pause = min(config.idle_timeout, config.handshake_timeout) / PARTS
    while True:
        await trio.sleep(pause)
        now = trio.current_time()
        for peer in list(peers.values()):
            _look_after(peer, config, now)


def _look_after(peer: Peer, config: ServerConfig, now: float) -> None:
    if peer.connection.state is State.DECIDING:
        return  # it has said who it is, and the answer takes its time
    if peer.connection.state is not State.CHATTING:
        if now - peer.connected_at >= config.handshake_timeout:
            peer.stop("you did not say who you are")
        return
    # A peer whose reader is busy with what it sent is not silent; and a person at a plain terminal
    # has no way to answer a PING, so there the system's own keep-alive has to do.
    if peer.silent_since is None or peer.connection.dialect is Dialect.TEXT:
        return
    if peer.asked_at is not None:
        if now - peer.asked_at >= config.idle_timeout:
            peer.stop("idle")
    elif now - peer.silent_since >= config.idle_timeout:
        peer.asked_at = now
        peer.say([e.Ping()])
