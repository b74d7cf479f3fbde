"""A server's connection from its first octet on: listening, asking, and finding out who is there."""

from typing import Final

from tests.fuzz.framed import check_requests, serve_by
from tests.fuzz.said import check_said
from tests.fuzz.script import Read, finely, read_script
from tests.fuzz.shells import Outcome, ServerShell
from tests.fuzz.text import check_typed
from triochat.protocol import Connection, Dialect, Role
from triochat.protocol.grammar import MAX_FRAME, is_tag

_WAITS: Final = b"\x01"


def check(data: bytes) -> None:
    r"""Silence decides how a peer is read, and each read of one that is unframed; else no cut matters.

    A peer whose input begins with ``\x01`` says nothing until it is asked.
    """
    waits = data.startswith(_WAITS)
    script = read_script(data.removeprefix(_WAITS))
    outcome = serve(script.reads, waits=waits)
    check_dialect(outcome, script.reads)
    assert [said.wire for said in outcome.said if said.frame is None] == [b"NICK"] * waits
    if outcome.dialect is Dialect.FRAMED:
        check_requests(outcome)
    else:
        check_typed(outcome)
    check_said(outcome)
    assert serve(script.reads, waits=waits, fine=True) == outcome, "how it is cut matters"


class FineShell(ServerShell):
    """One that gets what comes octet by octet, as long as a read is no message."""

    def receive(self, data: bytes) -> None:
        """One read, as several."""
        if self.connection.unframed:
            super().receive(data)
            return
        for piece in finely(data):
            super().receive(piece)


def serve(reads: list[Read], *, waits: bool, fine: bool = False) -> Outcome:
    """What a server makes of somebody of whom it knows nothing."""
    shell = (FineShell if fine else ServerShell)(Connection(Role.SERVER), by_runs=not fine)
    if waits:
        shell.be_silent()
    return serve_by(shell, reads)


def check_dialect(outcome: Outcome, reads: list[Read]) -> None:
    """What the peer said first is taken for what it is."""
    sent = b"".join(read.data for read in reads)
    first, end, _ = sent.partition(b"\n")
    before = _before_silence(reads)
    answered = 0 < len(before) < MAX_FRAME and b"\n" not in before
    unframed = answered and not _half_a_greeting(before)
    assert outcome.unframed == unframed, f"{before!r}, then silence: unframed is {outcome.unframed}"
    if unframed:
        assert outcome.dialect is Dialect.TEXT
    elif end or len(first) >= MAX_FRAME:
        assert (outcome.dialect is Dialect.FRAMED) == _greets(first), f"{first!r} is {outcome.dialect}"
    else:
        assert outcome.dialect is not None, "the stream has ended, and nobody knows how to read it"


def _before_silence(reads: list[Read]) -> bytes:
    """What has come when a sniff time passes in silence for the first time; nothing if none does."""
    before = b""
    for data, silence in reads:
        before += data
        if silence:
            return before
    return b""


def _greets(line: bytes) -> bool:
    """Whether a first line is a ``NICK`` frame that names the protocol."""
    words = _untagged(line.removesuffix(b"\r")).split(b" ")
    return len(line) < MAX_FRAME and words[0] == b"NICK" and b"triochat/1" in words[1:]


def _half_a_greeting(first: bytes) -> bool:
    """Whether this wants no other end than one that makes it a ``NICK`` frame."""
    return _untagged(first).startswith(b"NICK ")


def _untagged(line: bytes) -> bytes:
    tag, _, frame = line.partition(b" ")
    return frame if tag.startswith(b"@") and is_tag(tag[1:].decode("latin-1")) else line
