"""All buffers, and which of them is looked at: what happens becomes lines, what is said is sent.

It has no terminal: `triochat.screen.app` draws what it holds, and is told by `Watcher` of what is more than a
line. Requests to the server are the methods that are coroutines; everything else is done at once.

What we say stands in its buffer before it is sent, and turns solid when the server has it. One task hands
it on (`run_outgoing`), so it is kept in the order in which it was typed, however long that takes.
"""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

import trio

from triochat.client.chat_client import ChatClient
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.event_buffer import Lagged
from triochat.client.exchange import Receipt
from triochat.client.happenings import Disconnected, Entry, Happening, Reconnected
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.grammar import fold
from triochat.protocol.text import ACTION
from triochat.screen.buffer import Buffer, Kind, Line
from triochat.screen.nicks import mentions

PAGE: Final = 100
"""Entries that are read of the past at once."""
MOST_OUTGOING: Final = 1000
"""Messages that may wait to be sent."""
PING_EVERY: Final = 30.0
"""Seconds between two looks at how long the way to the server and back is."""


class Watcher(Protocol):
    """What a desk tells whoever draws it."""

    def changed(self) -> None:
        """Something is to be drawn anew."""
        ...

    def turned(self, buffer: Buffer) -> bool:
        """This one is looked at now, where it was left; returns whether that is its end."""
        ...

    def mentioned(self, buffer: Buffer, line: Line) -> None:
        """Somebody wants something of us."""
        ...


class Desk:
    """See the module.

    Args:
        chat: what to talk through.
        watcher: is told of what happens.
        now: gives Unix milliseconds.

    Attributes:
        buffers: by name, in the order in which they were opened.
        current: the one that is looked at; there is always one.
        rtt: seconds that the last question to the server took; None while there is no answer.
        lost: why there is no connection; None if there is one.
    """

    def __init__(self, chat: ChatClient, watcher: Watcher, now: Callable[[], int]) -> None:
        self.chat = chat
        self.buffers: dict[str, Buffer] = {}
        self.rtt: float | None = None
        self.lost: str | None = None
        self.at_end = True  # whether the end of the current buffer is on the screen
        self._watcher = watcher
        self._now = now
        self._console = Buffer("", complete=True)  # where one is who is in no room
        self.current = self._console
        self._last: dict[str, int] = {}  # by room, the newest id
        self._reading: set[str] = set()
        self._to_send, self._outgoing = trio.open_memory_channel[tuple[Buffer, Line]](MOST_OUTGOING)

    # --- what is looked at ----------------------------------------------------------------------

    def switch(self, name: str) -> None:
        """Look at another buffer."""
        buffer = self.buffers[name]
        if buffer is not self.current:
            self.current.leave()
            self._turn_to(buffer)

    def _turn_to(self, buffer: Buffer) -> None:
        self.current = buffer
        self.look(at_end=self._watcher.turned(buffer))

    def look(self, *, at_end: bool) -> None:
        """What is on the screen is the end of the current buffer, or is not."""
        self.at_end = at_end
        if at_end and not self.current.detached:
            self.current.seen()
        self._watcher.changed()

    def step(self, by: int) -> None:
        """Look at the buffer that is so many places further."""
        names = list(self.buffers)
        if names:
            here = names.index(self.current.name) if self.current.name in self.buffers else 0
            self.switch(names[(here + by) % len(names)])

    def next_unread(self) -> None:
        """Look at the one where somebody wants something of us, or else at one with something new."""
        waiting = [buffer for buffer in self.buffers.values() if buffer.unread and buffer is not self.current]
        if waiting:
            self.switch(max(waiting, key=lambda buffer: buffer.mentions).name)

    def open(self, name: str) -> Buffer:
        """The buffer of a room or a person, made if there is none."""
        key = fold(name)
        if key not in self.buffers:
            direct = name.startswith("@")
            self.buffers[key] = Buffer(name if direct else key, complete=direct)
            if direct:
                self.buffers[key].name = key
            if self.current is self._console:
                self._turn_to(self.buffers[key])
        return self.buffers[key]

    def close(self, name: str) -> None:
        """Look at something else, and let go of this."""
        buffer = self.buffers.get(name)
        if buffer is None:
            return
        names = list(self.buffers)
        if buffer is self.current:
            others = [other for other in names if other != name]
            near = others[max(names.index(name) - 1, 0)] if others else None
            self._turn_to(self._console if near is None else self.buffers[near])
        del self.buffers[name]
        self._watcher.changed()

    def tell(self, text: str, kind: Kind = "notice", buffer: Buffer | None = None) -> None:
        """Let a buffer, by default the current one, show what the client itself has to say."""
        self._show(buffer or self.current, Line(kind, text, self._now()))

    # --- what happens ---------------------------------------------------------------------------

    async def listen(self) -> None:
        """Take note of what happens until we have left.

        Raises:
            ConnectionLost: there will be no connection any more.
        """
        async for event in self.chat:
            self.feed(event)

    def feed(self, event: Happening) -> None:
        """Take note of something that happened."""
        match event:
            case e.Message() | e.TopicSet() | e.Gap():
                self._entry(event)
            case e.Joined(room=room, nick=nick) if room in self.buffers:
                self.buffers[room].members[fold(nick)] = nick
                self.tell(f"{nick} came in", "presence", self.buffers[room])
            case e.Left(room=room, nick=nick, reason=reason) if room in self.buffers:
                self.buffers[room].members.pop(fold(nick), None)
                self.tell(f"{nick} left" + (f" ({reason})" if reason else ""), "presence", self.buffers[room])
            case e.Renamed(old=old, new=new):
                self._renamed(old, new)
            case e.Failure(sentence=sentence):
                self.tell(sentence, "error")
            case Disconnected(reason=reason):
                self.lost, self.rtt = reason, None
                self.tell(f"the connection is lost: {reason}; trying again")
            case Reconnected():
                self.lost = None
                self.tell("connected again")
            case Lagged(count=count):
                self.tell(f"{count} messages came too fast to be shown; /history has them")
            case _:
                pass
        self._watcher.changed()

    def _entry(self, event: Entry) -> None:
        line = self._line(event)
        if not isinstance(event, e.Message) or event.target.startswith("#"):
            name = event.room if isinstance(event, e.TopicSet) else event.target
            if name.startswith("@"):  # of our own inbox something is no longer kept
                self.tell(line.text, "gap")
                return
        else:
            name = event.target if line.own else f"@{event.nick}"
        if name.startswith("#") and name not in self.buffers:
            return  # we have left it meanwhile
        buffer = self.open(name)
        if isinstance(event, e.TopicSet):
            buffer.topic = event.text
        number = event.last if isinstance(event, e.Gap) else event.id
        if line.own and (ours := buffer.pending(line.kind, line.text)) is not None:
            buffer.settle(ours, number)
        elif not self._is_shown(buffer, line, number):
            self._show(buffer, line)
        self._note_last(buffer, number)

    def _is_shown(self, buffer: Buffer, line: Line, number: int) -> bool:
        """Whether a line stands there already: read as history, or settled by its receipt."""
        if buffer.is_room:
            return number <= self._last.get(buffer.name, 0) and buffer.has(number)
        return line.own and buffer.has(number, own=True)

    def _note_last(self, buffer: Buffer, number: int) -> None:
        if buffer.is_room:
            self._last[buffer.name] = max(self._last.get(buffer.name, 0), number)

    def _show(self, buffer: Buffer, line: Line) -> None:
        buffer.append(line, looked_at=buffer is self.current and self.at_end)
        if line.mention and not line.own:
            self._watcher.mentioned(buffer, line)
        self._watcher.changed()

    def _renamed(self, old: str, new: str) -> None:
        for buffer in self.buffers.values():
            if buffer.members.pop(fold(old), None) is not None:
                buffer.members[fold(new)] = new
                self.tell(f"{old} is now {new}", "presence", buffer)
        before, after = fold(f"@{old}"), fold(f"@{new}")
        if before in self.buffers and after not in self.buffers:
            buffer = self.buffers[before]
            buffer.name = after
            self.buffers = {one.name: one for one in self.buffers.values()}
            self.tell(f"{old} is now {new}", "presence", buffer)

    def _line(self, event: Entry) -> Line:
        match event:
            case e.Message():
                own = fold(event.nick) == fold(self.chat.nick)
                action = event.text.startswith(ACTION)
                text = event.text.removeprefix(ACTION)
                alone = event.target.startswith("@")
                return Line(
                    "action" if action else "message",
                    text,
                    event.ms,
                    event.nick,
                    event.id,
                    own,
                    mention=not own and (alone or mentions(text, self.chat.nick)),
                )
            case e.TopicSet():
                what = f"set the topic: {event.text}" if event.text else "cleared the topic"
                own = fold(event.nick) == fold(self.chat.nick)
                return Line("topic", what, event.ms, event.nick, event.id, own)
            case e.Gap():
                gone = f"the messages {event.first} to {event.last} are no longer kept"
                return Line("gap", gone, self._now(), id=event.last)

    # --- what we say ----------------------------------------------------------------------------

    def say(self, text: str, target: str | None = None) -> None:
        """Say something to a room or a person, by default where one looks. It is shown at once."""
        buffer = self.current if target is None else self.open(target)
        if buffer is self._console:
            self.tell("you are in no room; /join #lobby enters one", "error")
            return
        action = text.startswith(ACTION)
        line = Line(
            "action" if action else "message",
            text.removeprefix(ACTION),
            self._now(),
            self.chat.nick,
            own=True,
            state="pending",
        )
        self._show(buffer, line)
        self._hand_on(buffer, line)

    def retry(self, line: Line | None = None) -> None:
        """Send again what failed in the current buffer: this, or by default the oldest such line."""
        failed = [one for one in self.current.lines if one.state == "failed"]
        line = line or next(iter(failed), None)
        if line is not None:
            self.current.drop(line)
            line.state, line.reason, line.ms = "pending", "", self._now()
            self._show(self.current, line)
            self._hand_on(self.current, line)

    def _hand_on(self, buffer: Buffer, line: Line) -> None:
        try:
            self._to_send.send_nowait((buffer, line))
        except trio.WouldBlock:
            buffer.fail(line, "too many messages wait to be sent")

    async def run_outgoing(self) -> None:
        """Send what is said, in its order; each line hears what became of it."""
        async with trio.open_nursery() as nursery:
            async for buffer, line in self._outgoing:
                text = (ACTION if line.kind == "action" else "") + line.text
                try:
                    receipt = await self.chat.submit(buffer.name, text)
                except (ClientError, ProtocolError) as error:
                    self._failed(buffer, line, error)
                else:
                    nursery.start_soon(self._confirm, buffer, line, receipt)

    async def _confirm(self, buffer: Buffer, line: Line, receipt: Receipt) -> None:
        try:
            number = await receipt.kept()
        except ClientError as error:
            self._failed(buffer, line, error)
        else:
            if line.state != "kept":  # else its echo was here first
                buffer.settle(line, number)
                self._note_last(buffer, number)
                self._watcher.changed()

    def _failed(self, buffer: Buffer, line: Line, error: ClientError | ProtocolError) -> None:
        if line.state == "pending":
            buffer.fail(line, sentence_of(error))
            self._watcher.changed()

    # --- what we ask ----------------------------------------------------------------------------

    async def enter(self, room: str) -> None:
        """Enter a room and look at it.

        Raises:
            ClientError, ProtocolError: that is not possible.
        """
        room = fold(room)
        if room in self.buffers:
            self.switch(room)
            return
        entered = await self.chat.join(room)
        buffer = self.open(room)
        buffer.topic = entered.topic
        buffer.members = {fold(nick): nick for nick in entered.nicks}
        self._last[room] = max(self._last.get(room, 0), entered.last)
        if not entered.last:
            buffer.complete = True
        self.switch(room)
        if entered.last:
            await self._read_back(buffer, entered.last + 1)

    async def leave_room(self, room: str, reason: str = "") -> None:
        """Leave a room, and close its buffer."""
        await self.chat.part(room, reason)
        self.close(fold(room))

    async def read_older(self) -> None:
        """Read what stands in the log in front of the current buffer's first line, if anything does."""
        buffer = self.current
        if not buffer.complete and buffer.name not in self._reading:
            await self._read_back(buffer, buffer.oldest)

    async def read_newest(self) -> None:
        """Go back to the newest lines, which were let go of."""
        buffer = self.current
        if buffer.detached and buffer.name not in self._reading:
            await self._read_back(buffer, None, anew=True)
            self.look(at_end=True)

    async def read_around(self, room: str, number: int) -> Line | None:
        """Look at an entry of a room, wherever in its past that is; returns its line."""
        buffer = self.open(room)
        if not buffer.has(number):
            page = await self.chat.history(room, number + PAGE // 2, PAGE)
            lines = [self._line(entry) for entry in page]
            ids = [line.id or 0 for line in lines]
            buffer.replace(
                lines, complete=len(page) < PAGE // 2, attached=max(ids, default=0) >= self._last.get(room, 0)
            )
        self.switch(buffer.name)
        return next((line for line in buffer.lines if line.id == number), None)

    async def _read_back(self, buffer: Buffer, before: int | None, *, anew: bool = False) -> None:
        self._reading.add(buffer.name)
        try:
            page = await self.chat.history(buffer.name, before, PAGE)
        except (ClientError, ProtocolError) as error:
            if not isinstance(error, ConnectionLost):
                self.tell(f"what was said before can't be read: {sentence_of(error)}", "error", buffer)
            return
        finally:
            self._reading.discard(buffer.name)
        lines = [self._line(entry) for entry in page]
        complete = len(page) < PAGE or isinstance(page[0], e.Gap)
        if anew:
            buffer.replace(lines, complete=complete, attached=True)
        else:
            shown = {line.id for line in buffer.lines}
            buffer.prepend([line for line in lines if line.id not in shown], complete=complete)
        self._watcher.changed()

    async def search(self, words: str) -> list[Line]:
        """The entries of the current room that hold all of these words, newest first.

        Raises:
            ClientError, ProtocolError: that is not possible.
        """
        return [self._line(entry) for entry in await self.chat.search(self.current.name, words)]

    async def watch_connection(self) -> None:
        """Ask the server from time to time how far away it is."""
        while True:
            began = trio.current_time()
            try:
                await self.chat.ping()
            except Refused:
                pass
            except ConnectionLost:
                return
            else:
                before, self.rtt = self.rtt, trio.current_time() - began
                if before is None or round(before * 1000) != round(self.rtt * 1000):
                    self._watcher.changed()
            await trio.sleep(PING_EVERY)

    @property
    def unread_elsewhere(self) -> int:
        """Messages that wait in buffers that are not looked at."""
        return sum(buffer.unread for buffer in self._others())

    @property
    def mentions_elsewhere(self) -> int:
        """Those among them that mention us."""
        return sum(buffer.mentions for buffer in self._others())

    def _others(self) -> Iterable[Buffer]:
        return (buffer for buffer in self.buffers.values() if buffer is not self.current)


def sentence_of(error: ClientError | ProtocolError) -> str:
    """What went wrong, for people."""
    return error.sentence if isinstance(error, Refused | ProtocolError) else str(error)
