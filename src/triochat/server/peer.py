"""One client, one nursery: a reader that turns bytes into submissions, and a writer.

Keeps laws 5, 7 and 9 of docs/architecture.md. Whichever of the two ends ends both; what goes wrong
here ends this client, and nobody else; and the chat learns of a departure by a task of the server's
own, so that no clean-up has to wait inside a cancelled client.
"""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from socket import IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET
from typing import TYPE_CHECKING

import structlog
import trio

from triochat.chat import ENTRY, WAITS, Asked, Departure, Submission, Work, weight
from triochat.protocol import (
    Connection,
    Dialect,
    Encoding,
    LocalProtocolError,
    Need,
    RemoteProtocolError,
    Role,
    State,
)
from triochat.protocol import events as e
from triochat.protocol.framed import LONGEST_RUN, RUN_OCTETS
from triochat.protocol.runs import OkRun, SayRun
from triochat.server import direct
from triochat.server.outbox import Outbox
from triochat.server.past import Past
from triochat.server.poller import Poller, Watch
from triochat.server.throttle import Throttle

if sys.platform == "linux":
    from socket import TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL

if TYPE_CHECKING:
    from triochat.config import ServerConfig
    from triochat.journal import Journal
    from triochat.server.broadcast import Broadcast

READ_SIZE = 65536
TURN = 256
"""Requests of one read that are looked at before others have their turn, however little each of them does."""
LISTS = (e.ListNames, e.GetTopic, e.Help)
"""What may be answered by far more than was asked: one at a time, and no more than is read."""
IN_FLIGHT = 2
"""Submissions of one client that may wait for their answers: they will count against its backlog."""
MAX_KEEPIDLE = 32_767
"""Seconds: more than that Linux does not take."""
LINGER = 1.0
"""Seconds in which a peer may read what was said last before its connection is closed."""

logger: structlog.stdlib.BoundLogger = structlog.get_logger("triochat.server")


@dataclass(frozen=True, slots=True)
class House:
    """What all clients of a server share.

    Attributes:
        submissions: to the hub; bounded, so a busy hub stops the readers.
        departures: outlives every client; tells the hub who has gone.
        shutdown: set when everybody has to go; then nobody is told of the others.
        peers: who is connected, by number.
        text_encodings: how those of them want what they share with others who don't speak the framed
            dialect: so that nobody has to look at each of the others.
    """

    config: ServerConfig
    journal: Journal
    submissions: trio.MemorySendChannel[Submission]
    departures: trio.Nursery
    shutdown: trio.Event
    broadcast: Broadcast[int]
    peers: dict[int, Peer]
    text_encodings: dict[int, Encoding]
    poller: Poller | None


class Peer:
    """A connected client.

    Args:
        number: never given to another.
        stream: how to reach it.
        house: what it shares with others.
    """

    def __init__(self, number: int, stream: trio.abc.Stream, house: House) -> None:
        self.number = number
        self.connection = Connection(Role.SERVER)
        self.errand: Work | None = None
        self.connected_at = trio.current_time()
        self.silent_since: float | None = None  # None: it isn't the peer's turn to say something
        self.asked_at: float | None = None  # since then a PING is on its way, and nothing has come
        self._house = house
        self._stream, self._socket = direct.take_over(stream)
        config = house.config
        self._throttle = Throttle(config.rate_limit) if config.rate_limit else None
        self._watch: Watch | None = None
        self._taken = False  # something was read while the reader slept, and the reader has to go on with it
        # What is submitted next, and what that weighs.
        self._share: list[Asked] = []
        self._share_octets = 0
        self._unanswered = 0
        self._answered: trio.Event | None = None  # made when it waits for that
        self._reading = trio.CancelScope()
        self._farewell = ""
        self._known = False  # to the hub
        self._nick = ""  # that it came with
        self._eof = False
        self._address = _address(self._stream)

    # --- its life -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serve the client until it goes, or is told to. Raises nothing but cancellation."""
        house = self._house
        try:
            self._keep_alive()
            async with trio.open_nursery() as self._nursery:
                self._outbox = Outbox(
                    self._stream,
                    self._nursery,
                    limit=house.config.backlog,
                    send_timeout=house.config.send_timeout,
                    send=None if self._socket is None else self._socket.send,
                )
                # Inside the nursery: nothing may be put that its writer could not be started for.
                with house.broadcast.subscribe(self.number, self._outbox, self._evict):
                    house.peers[self.number] = self
                    try:
                        await self._serve()
                    finally:
                        del house.peers[self.number]
                        house.text_encodings.pop(self.number, None)
                        self._gone()
        except* (trio.BrokenResourceError, trio.ClosedResourceError) as broken:
            self.log.info("connection broke", error=_innermost(broken))
        except* trio.TooSlowError:
            self.log.warning("cut off: it does not read", timeout=house.config.send_timeout)
        except* Exception:
            self.log.exception("serving this client failed")
        finally:
            self.log.log(logging.INFO if self._nick else logging.DEBUG, "gone")
            await trio.aclose_forcefully(self._stream)

    async def _serve(self) -> None:
        self.log.debug("connected")
        if self._house.shutdown.is_set():
            self.stop()
        if self._socket is not None and self._house.poller is not None:
            try:
                with self._house.poller.watch(self._socket, self._take) as self._watch:
                    await self._read()
            finally:
                self._watch = (
                    None  # it knows `_take`, and so this: a cycle, for the collector to find some day
                )
        else:
            await self._read()
        await self._close()

    @property
    def is_named(self) -> bool:
        """Whether it has said who it is, and was let in."""
        return self._known

    @property
    def log(self) -> structlog.stdlib.BoundLogger:
        """Made when it is needed: kept for each client, it would be memory that is hardly ever used."""
        about: dict[str, object] = {"peer": self.number, "address": self._address}
        if self._nick:
            about["nick"] = self._nick
        return logger.bind(**about)

    def stop(self, farewell: str = "") -> None:
        """Read nothing more; answer what has come, say good-bye, and close when all is written."""
        self._farewell = self._farewell or farewell
        self._reading.cancel()

    def _evict(self) -> None:
        self.log.warning("cut off: its backlog is full", limit=self._house.config.backlog)
        self._nursery.cancel_scope.cancel()

    def _keep_alive(self) -> None:
        """Have the system find out when a person's machine is gone: it can't be asked with a PING."""
        if isinstance(self._stream, trio.SocketStream):
            idle = int(min(max(self._house.config.idle_timeout, 1), MAX_KEEPIDLE))
            with suppress(OSError):  # gone already: the reader is about to find out
                self._stream.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
                if sys.platform == "linux":  # elsewhere the system's own times have to do
                    self._stream.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, idle)
                    self._stream.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, max(idle // 4, 1))
                    self._stream.setsockopt(IPPROTO_TCP, TCP_KEEPCNT, 4)

    def _gone(self) -> None:
        if self._known and not self._house.shutdown.is_set():
            departure = Submission(self.number, (Departure(),), octets=ENTRY)
            self._house.departures.start_soon(self._house.submissions.send, departure)

    async def _close(self) -> None:
        """Let the peer read to the end: closing on what it has still sent would reset the connection."""
        if self._eof or not isinstance(self._stream, trio.abc.HalfCloseableStream):
            return
        await self._stream.send_eof()
        with trio.move_on_after(LINGER):
            while await self._stream.receive_some(READ_SIZE):
                pass

    # --- what the hub tells it ------------------------------------------------------------------

    def reply(self, event: e.Event | OkRun) -> bytes:
        """The bytes that say `event` to this client alone; none if it is beyond being told."""
        if self.connection.state is State.CLOSED:
            return b""
        if isinstance(event, e.Prompt) and self.connection.out_of_tries:
            self.stop("too many names that did not do")
            return b""
        if isinstance(event, e.Welcome):
            self._nick = event.nick
            self.log.info("came")
        try:
            if isinstance(event, OkRun):
                return self.connection.send_oks(event)
            return self.connection.send(event)
        except LocalProtocolError:  # a fault of ours; it must not become everybody's
            self.log.exception("could not say this to a client", event_type=type(event).__name__)
            self._nursery.cancel_scope.cancel()
            return b""

    def answered(self) -> None:
        """One of its submissions is dealt with, and everything to be said about it is in the outbox."""
        self._unanswered -= 1
        if self._answered is not None:
            self._answered.set()
            self._answered = None

    def say(self, events: Iterable[e.Event]) -> None:
        """Tell it something, outside of any batch."""
        if not self._outbox.put(b"".join(map(self.reply, events))):
            self._evict()

    # --- reading --------------------------------------------------------------------------------

    async def _read(self) -> None:
        with self._reading:
            while (data := await self._receive()) != b"":
                if data:
                    self.connection.receive_data(data)
                await self._hand_on()
            self._eof = True
            self.connection.receive_data(b"")
            await self._hand_on()
            if (
                self._known and not self._house.shutdown.is_set()
            ):  # at once, so that its name is free for whoever connects next
                await self._submit([Departure()])
                self._known = False
        await self._until_answered()
        if self._farewell and self.connection.dialect is not None:
            self.say([e.Bye(self._farewell)])
        await self._outbox.finish()

    async def _receive(self) -> bytes | None:
        """One read; None if there was none, but something may have to be handed on all the same."""
        self.silent_since = trio.current_time()
        try:
            if not self.connection.wants_timer:
                return await self._read_once()
            with trio.move_on_after(self._house.config.sniff_time):
                return await self._read_once()
        finally:
            self.silent_since = None
        if not self._outbox.put(self.connection.timer_expired()):
            self._evict()
        return None

    async def _read_once(self) -> bytes | None:
        if self._watch is None:
            data: bytes | None = bytes(await self._stream.receive_some(READ_SIZE))
        else:
            await self._watch.wait()
            if self._taken:
                self._taken = False
                return None
            data = self._read_directly()
            if data is None:
                return None
        self.asked_at = None
        return data

    def _read_directly(self) -> bytes | None:
        """What is there; None if it was taken back, as the system may do."""
        assert self._socket is not None
        try:
            return self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return None
        except OSError as error:
            raise trio.BrokenResourceError from error

    def _take(self) -> bool:
        """While the reader sleeps: read and submit in its place, as long as that means no waiting.

        Returns:
            False if the reader has to go on: with what is unusual, and with whatever takes a while.
        """
        if not self.connection.takes_says or self._unanswered >= IN_FLIGHT or self._outbox.crowded:
            return False
        data = self._read_directly()
        if not data:
            return data is None  # the end of the stream is there for the reader as well
        self.asked_at = None
        self.silent_since = trio.current_time()
        self.connection.receive_data(data)
        while not self._share_is_full and (run := self._next_run()) is not None:
            self._share.append(run)
            self._share_octets += weight(run)
        if self.connection.pending or not self._submit_at_once():
            self._taken = True
            return False
        return True

    async def _hand_on(self) -> None:
        """Submit what the last read has brought, in shares, no faster than the rate limit."""
        if self._share_is_full:  # of what was taken while the reader slept
            await self._submit_share()
        for number in itertools.count(1):
            if number % TURN == 0:
                await trio.lowlevel.checkpoint()
            if (run := self._next_run()) is not None:
                await self._add(run)
                continue
            error: RemoteProtocolError | None = None
            try:
                event = self.connection.next_event()
            except RemoteProtocolError as caught:
                error = caught
            else:
                if isinstance(event, Need):
                    break
                assert isinstance(event, e.Request)
                request = event
            if self.connection.dialect is Dialect.TEXT:  # whatever becomes of it: it may have shown UTF-8
                self._house.text_encodings[self.number] = self.connection.encoding
            if self._throttle is not None and (delay := self._throttle.charge(trio.current_time())):
                await self._submit_share()
                await trio.sleep(delay)
            if error is not None:
                await self._submit_share()
                await self._refuse(error)
                if error.fatal:
                    return
                continue
            if isinstance(request, e.Quit) and self.connection.state is State.NAMING:
                self.say([e.Bye("you quit", tag=request.tag)])  # the hub has never heard of it
                self.stop()
                return
            if isinstance(request, e.Blank):
                continue
            await self._add(request)
            if isinstance(request, WAITS):
                await self._submit_share()
                await self._until_answered()
                while (work := self.errand) is not None:
                    self.errand = None
                    # Made for each: kept, it would be a cycle, for it knows this peer.
                    await Past(self, self._house.journal, self._outbox).run(work)
            elif isinstance(request, LISTS):
                await self._submit_share()
                await self._until_answered()
        await self._submit_share()

    async def _add(self, request: e.Request | SayRun) -> None:
        """Put a request into the share that is submitted next; when that is as large as it may be, submit."""
        self._share.append(request)
        self._share_octets += weight(request)
        if self._share_is_full:
            await self._submit_share()

    @property
    def _share_is_full(self) -> bool:
        """Whether it weighs what one client may add to a batch at once; so it is no great number, either."""
        return self._share_octets >= RUN_OCTETS

    async def _submit_share(self) -> None:
        share, self._share = self._share, []
        octets, self._share_octets = self._share_octets, 0
        await self._submit(share, octets)

    def _submit_at_once(self) -> bool:
        """Submit the share, if it need not wait for anything but a place among what waits for the hub."""
        if self._share:
            submission = Submission(self.number, self._share, octets=self._share_octets)
            try:
                self._house.submissions.send_nowait(submission)
            except trio.WouldBlock:
                return False
            self._unanswered += 1
            self._share = []
            self._share_octets = 0
        return True

    def _next_run(self) -> SayRun | None:
        """Messages that come next, as many as there are, if that is within the rate limit anyway."""
        if self._throttle is None:
            return self.connection.next_says()
        now = trio.current_time()
        if not self._throttle.allows(now, LONGEST_RUN):
            return None
        run = self.connection.next_says()
        if run is not None:
            self._throttle.charge(now, len(run.texts))
        return run

    async def _submit(self, requests: Sequence[Asked], octets: int = ENTRY) -> None:
        if not requests:
            return
        while self._unanswered >= IN_FLIGHT:
            await self._wait_for_an_answer()
        if self._outbox.crowded:  # who does not read its answers is not read either
            await self._outbox.wait_for_room()
        text = self.connection.dialect is Dialect.TEXT
        self._known = True
        self._unanswered += 1
        submission = Submission(self.number, requests, text, octets)
        try:
            self._house.submissions.send_nowait(submission)  # no checkpoint: the next read is one
        except trio.WouldBlock:
            await self._wait_and_submit(submission)

    async def _wait_and_submit(self, submission: Submission) -> None:
        try:
            await self._house.submissions.send(submission)
        except BaseException:
            self._unanswered -= 1
            raise

    async def ask(self, request: Asked) -> None:
        """Submit a request on the client's behalf, and wait until it is answered."""
        await self._submit([request])
        await self._until_answered()

    async def _until_answered(self) -> None:
        while self._unanswered:
            await self._wait_for_an_answer()

    async def _wait_for_an_answer(self) -> None:
        if self._answered is None:
            self._answered = trio.Event()
        await self._answered.wait()

    async def _refuse(self, error: RemoteProtocolError) -> None:
        """Answer what was not allowed, behind the answers to what came before it."""
        await self._until_answered()
        await self._outbox.wait_for_room()  # a checkpoint too: one read may hold thousands of these
        self.log.log(logging.INFO if error.fatal else logging.DEBUG, "refused", code=error.code)
        answer: list[e.Event] = [e.Failure(error.code, error.sentence, tag=error.tag)]
        # A person is asked again whatever was wrong, since anything it types is taken for its name.
        asked = self.connection.dialect is Dialect.TEXT or error.code not in (
            "hello-first",
            "unknown-command",
        )
        if asked and self.connection.state is State.NAMING and not error.fatal:
            answer.append(e.Prompt(error.sentence))
        self.say(answer)
        if error.fatal:
            self.stop("too much that makes no sense")


def _address(stream: trio.abc.Stream) -> str:
    """Where it comes from, for the log."""
    if not isinstance(stream, trio.SocketStream):
        return type(stream).__name__
    try:
        name = stream.socket.getpeername()
    except OSError:  # gone already
        return "unknown"
    return f"{name[0]} {name[1]}" if isinstance(name, tuple) else "local"  # a socket in the file system


def _innermost(group: BaseExceptionGroup[Exception]) -> str:
    """For a log line: what the system said."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error.__cause__ or error)
