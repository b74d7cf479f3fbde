"""All buffers, and which of them is looked at: what happens is shown, what is asked is answered.

It has no terminal: `triochat.screen.app` draws what it holds, and is told by `Watcher` of what is more than a
line. Requests to the server are the methods that are coroutines; everything else is done at once.

What we say stands in its buffer before it is sent, and turns solid when the server has it; on its way it is
in `triochat.screen.outgoing`.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

import trio

from triochat.client.chat_client import ChatClient
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.event_buffer import LIMIT, Lagged
from triochat.client.happenings import Disconnected, Entry, Happening, Reconnected, RoomState
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.grammar import fold
from triochat.protocol.text import ACTION
from triochat.screen.buffer import Buffer, Kind, Line
from triochat.screen.lines import line_of
from triochat.screen.outgoing import Outgoing, sentence_of

PAGE: Final = 100
"""Entries that are read of the past at once."""
NOT_THERE: Final = frozenset({"not-in-room", "no-such-room"})
"""Refusals that say that we have left already."""
MOST_DIRECT: Final = 200
"""Direct conversations at once."""
NOWHERE: Final = "you are in no room; /join #lobby enters one"
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
        outgoing: what we have said, on its way.
        rtt: seconds that the last question to the server took; None while there is no answer.
        lost: why there is no connection; None if there is one.
        leaving: somebody has said so, and what was typed before is being sent.
        behind: something was not told to us; `triochat.screen.lag` asks for it, and makes another event.
        heard: if something was not told, our nick then, and the last message to us alone in front of that.
    """

    def __init__(self, chat: ChatClient, watcher: Watcher, now: Callable[[], int]) -> None:
        self.chat = chat
        self.buffers: dict[str, Buffer] = {}
        self.rtt: float | None = None
        self.lost: str | None = None
        self.leaving = False
        self.at_end = True  # whether the end of the current buffer is on the screen
        self.behind = trio.Event()
        self._dropped = 0
        self._lag: tuple[Buffer, Line] | None = None  # where that much is told of
        self.heard: tuple[str, int] | None = None
        self.outgoing = Outgoing(chat, watcher.changed, self._not_sent)
        self._watcher = watcher
        self._now = now
        self._console = Buffer("", complete=True)  # where one is who is in no room
        self.current = self._console
        self._nick = chat.nick  # as of what was taken note of so far
        # To whom, id and time of the last messages to us alone, which may be told and read as well.
        self._direct: dict[tuple[str, int, int], None] = {}
        self._last: dict[str, int] = {}  # by room, the id of the last entry that was told
        self._read_to: dict[str, int] = {}  # by room, the newest id of the newest page
        self._entering: dict[str, Buffer] = {}
        self._losses = 0
        self._reading: set[str] = set()
        for room in chat.joined:  # what was missed there is about to be told
            self.open(room)

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
                self._forget_strangers()
            if self.current is self._console:
                self._turn_to(self.buffers[key])
        return self.buffers[key]

    def _forget_strangers(self) -> None:
        """Let go of the oldest conversation if there are too many: anybody can begin one."""
        direct = [buffer for buffer in self.buffers.values() if not buffer.is_room]
        idle = [buffer for buffer in direct if buffer is not self.current and not buffer.draft]
        if len(direct) > MOST_DIRECT and len(idle) > 1:
            del self.buffers[idle[0].name]

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
            case RoomState(room=room, nicks=nicks, topic=topic):
                if (buffer := self._of(room)) is not None:
                    buffer.members, buffer.topic = {fold(nick): nick for nick in nicks}, topic
                    if fold(self._nick) not in buffer.members:  # we are there, by a name that was not told
                        self._nick = self.chat.nick
            case e.Joined() | e.Left():
                self._presence(event)
            case e.Renamed(old=old, new=new):
                self._renamed(old, new)
            case e.Failure(sentence=sentence):
                self.tell(sentence, "error")
            case Disconnected(reason=reason):
                self.lost, self.rtt = reason, None
                self._losses += 1
                self.outgoing.lose()
                self.tell(f"the connection is lost: {reason}; trying again")
            case Reconnected():
                self.lost = None
                self.outgoing.resume()
                self.tell("connected again")
            case Lagged(count=count):
                self._tell_of_lag(count)
                for buffer in self.buffers.values():
                    buffer.break_off()
                nick, here = fold(self.chat.nick), self.chat.inbox
                before = here if self.heard is None or self.heard[0] != nick else self.heard[1]
                self.heard = nick, min(here, before)
                if self.chat.connected:  # that it is may be what was not told
                    self.lost = None
                    self.outgoing.resume()
                self.behind.set()
            case _:
                pass
        self._watcher.changed()

    def _tell_of_lag(self, count: int) -> None:
        """In one line, for as long as it goes on: a flood is cut off again and again."""
        if self._lag is None:
            self._dropped, self._lag = 0, (self.current, Line("notice", "", self._now()))
            self._show(*self._lag)
        buffer, line = self._lag
        self._dropped += count
        line.text = f"{self._dropped} messages came too fast to be shown; they are read again"
        buffer.version += 1

    def has_caught_up(self) -> None:
        """All that was not told is asked for; what is not told from now on is told of anew."""
        self._lag = None

    def _presence(self, event: e.Joined | e.Left) -> None:
        buffer = self._of(event.room)
        if buffer is None:
            return
        if isinstance(event, e.Joined):
            buffer.members[fold(event.nick)] = event.nick
            self.tell(f"{event.nick} came in", "presence", buffer)
        else:
            buffer.members.pop(fold(event.nick), None)
            reason = f" ({event.reason})" if event.reason else ""
            self.tell(f"{event.nick} left{reason}", "presence", buffer)

    def show_missed(self, entry: Entry) -> None:
        """Something of our inbox that was perhaps not told: it is shown in its place, once."""
        line = self._line(entry)
        if not isinstance(entry, e.Message):
            self.tell(line.text, "gap")
        elif self._is_first(entry):
            buffer = self.open(f"@{entry.nick}")
            if not (line.own and buffer.echo(line.kind, line.text, entry.id, line.ms)):
                self._show(buffer, line, late=True)

    def _is_first(self, message: e.Message) -> bool:
        """Whether a message to us alone was neither told nor read before."""
        key = fold(message.target), message.id, message.ms
        if key in self._direct:
            return False
        self._direct[key] = None
        if len(self._direct) > LIMIT:
            del self._direct[next(iter(self._direct))]
        return True

    def _entry(self, event: Entry) -> None:
        line = self._line(event)
        if not isinstance(event, e.Message) or event.target.startswith("#"):
            name = event.room if isinstance(event, e.TopicSet) else event.target
            if name.startswith("@"):  # of our own inbox something is no longer kept
                self.tell(line.text, "gap")
                return
        else:
            ours = line.own and fold(event.target) != fold(f"@{event.nick}")  # and not to ourselves
            if not ours and not self._is_first(event):
                return
            name = event.target if line.own else f"@{event.nick}"
        buffer = self._of(name)
        if buffer is None:
            return  # we have left it meanwhile
        if isinstance(event, e.TopicSet):
            buffer.topic = event.text
        number = event.last if isinstance(event, e.Gap) else event.id
        if buffer.is_room and self._is_shown(buffer, line, number):
            return
        if not (line.own and line.is_said and buffer.echo(line.kind, line.text, number, line.ms)):
            self._show(buffer, line)

    def _of(self, name: str) -> Buffer | None:
        """The buffer for what is said in a room that we are in, or about to enter, or to a person."""
        if name in self._entering:
            return self._entering[name]
        return self.open(name) if name.startswith("@") else self.buffers.get(name)

    def _is_shown(self, buffer: Buffer, line: Line, number: int) -> bool:
        """Whether it, read as history, stands there or in front; notes when the log is another one."""
        name, last = buffer.name, self._last.get(buffer.name, 0)
        if number <= self._read_to.get(name, 0) and (
            buffer.has(number, line.ms) or buffer.begins_behind(number, line.ms)
        ):
            return True
        if number <= last:  # as long as it is one log, ids only rise
            buffer.begin_another_log()
            self._read_to.pop(name, None)
            self.tell("the log of this room is another one from here on", buffer=buffer)
        self._last[name] = number
        return False

    def _show(self, buffer: Buffer, line: Line, *, late: bool = False) -> None:
        buffer.append(line, looked_at=buffer is self.current and self.at_end, late=late)
        if line.mention and not line.own:
            self._watcher.mentioned(buffer, line)
        self._watcher.changed()

    def _renamed(self, old: str, new: str) -> None:
        if fold(old) == fold(self._nick):
            self._nick = new
        for buffer in [*self.buffers.values(), *self._entering.values()]:
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
        return line_of(event, self._nick, self._now())

    # --- what we say ----------------------------------------------------------------------------

    def say(self, text: str, target: str | None = None) -> None:
        """Say something to a room or a person, by default where one looks. It is shown at once."""
        buffer = self.current if target is None else self.open(target)
        if buffer is self._console:
            self.tell(NOWHERE, "error")
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
        self.outgoing.hand_on(buffer, line)

    def _not_sent(self, buffer: Buffer, line: Line) -> None:
        """It says so where it stands; who looks elsewhere would not know."""
        if buffer is not self.current:
            self.tell(f"not sent to {buffer.name.removeprefix('@')}: {line.reason}", "error")

    def retry(self, line: Line | None = None) -> None:
        """Send again what failed in the current buffer: this, or by default the oldest such line."""
        failed = [one for one in self.current.lines if one.state == "failed"]
        line = line or next(iter(failed), None)
        if line is not None:
            self.current.drop(line)
            line.state, line.reason, line.ms = "pending", "", self._now()
            self._show(self.current, line)
            self.outgoing.hand_on(self.current, line)

    # --- what we ask ----------------------------------------------------------------------------

    async def enter(self, room: str) -> None:
        """Enter a room and look at it.

        Raises:
            ClientError, ProtocolError: that is not possible.
        """
        room = fold(room)
        known = self.buffers.get(room)
        if known is not None and known.members and room in self.chat.joined:
            self.switch(room)
            return
        buffer = known or Buffer(room)
        self._entering[room] = buffer
        try:
            entered = await self.chat.join(room)
        finally:
            del self._entering[room]
        if known is None:
            self.buffers[room] = buffer
        if not buffer.members:  # the news of it is still on its way
            buffer.members = {fold(nick): nick for nick in entered.nicks}
            buffer.topic = entered.topic
        buffer.complete = not entered.last
        self.switch(room)
        if entered.last:
            await self._read_back(buffer, buffer.oldest or entered.last + 1)

    async def leave_room(self, room: str, reason: str = "") -> None:
        """Leave a room, and close its buffer."""
        try:
            await self.chat.part(room, reason)
        except Refused as refused:
            if refused.code not in NOT_THERE or fold(room) not in self.buffers:
                raise
        self.close(fold(room))

    async def read_older(self) -> None:
        """Read what stands in the log in front of the current buffer's first line, if anything does."""
        buffer = self.current
        if not buffer.complete and buffer.name not in self._reading:
            await self._read_back(buffer, buffer.oldest)

    async def read_newer(self, hold: Callable[[], None]) -> None:
        """Read what stands in the log behind the current buffer's last line, where that was let go of.

        Args:
            hold: is called before the buffer grows, if it is still the current one.
        """
        buffer = self.current
        if not buffer.detached or buffer.name in self._reading:
            return
        if (last := buffer.newest) is None:
            await self.read_newest()
            return
        buffer.attach()
        page = await self._read(buffer, after=last)
        if page is None or buffer.newest != last:
            return
        if buffer is self.current:
            hold()
        lines = [self._line(entry) for entry in page]
        buffer.extend(lines, attached=len(page) < PAGE)
        self._note_read(buffer, lines)

    async def read_newest(self) -> None:
        """Go back to the newest lines, which were let go of."""
        buffer = self.current
        if buffer.detached and buffer.name not in self._reading:
            buffer.attach()
            await self._read_back(buffer, None, anew=True)
            if buffer is self.current:
                self.look(at_end=True)

    async def read_around(self, room: str, number: int) -> Line | None:
        """Look at an entry of a room, wherever in its past that is; returns its line."""
        buffer = self.open(room)
        if all(line.id != number for line in buffer.lines):
            page = await self.chat.history(room, number + PAGE // 2, PAGE)
            buffer.replace(
                [self._line(entry) for entry in page], complete=self._is_whole(page), attached=False
            )
        self.switch(buffer.name)
        return next((line for line in buffer.lines if line.id == number), None)

    async def _read_back(self, buffer: Buffer, before: int | None, *, anew: bool = False) -> None:
        page = await self._read(buffer, before)
        if page is None:
            return
        lines = [self._line(entry) for entry in page]
        if anew:
            buffer.replace(lines, complete=self._is_whole(page), attached=True)
        elif buffer.oldest is None or before is None or buffer.oldest >= before:
            buffer.prepend(lines, complete=self._is_whole(page))
        self._note_read(buffer, lines)

    async def _read(
        self, buffer: Buffer, before: int | None = None, after: int | None = None
    ) -> Sequence[Entry] | None:
        """A page of a log; None if it can't be read, which is told."""
        self._reading.add(buffer.name)
        try:
            return await self.chat.history(buffer.name, before, PAGE, after=after)
        except (ClientError, ProtocolError) as error:
            buffer.give_up()
            if not isinstance(error, ConnectionLost):
                self.tell(f"what was said before can't be read: {sentence_of(error)}", "error", buffer)
            return None
        finally:
            self._reading.discard(buffer.name)

    def _note_read(self, buffer: Buffer, lines: Iterable[Line]) -> None:
        newest = max((line.id or 0 for line in lines), default=0)
        self._read_to[buffer.name] = max(self._read_to.get(buffer.name, 0), newest)
        self._watcher.changed()

    @staticmethod
    def _is_whole(page: Sequence[Entry]) -> bool:
        """Whether there is nothing in front of that page."""
        return len(page) < PAGE or isinstance(page[0], e.Gap)

    async def search(self, words: str) -> list[Line]:
        """The entries of the current room that hold all of these words, newest first.

        Raises:
            ClientError, ProtocolError: that is not possible.
        """
        return [self._line(entry) for entry in await self.chat.search(self.current.name, words)]

    async def watch_connection(self) -> None:
        """Ask the server from time to time how far away it is."""
        while True:
            began, losses = trio.current_time(), self._losses
            try:
                await self.chat.ping()
            except Refused:
                pass
            except ConnectionLost:
                return
            else:
                before, rtt = self.rtt, trio.current_time() - began
                self.rtt = rtt if losses == self._losses else None  # it has waited for the connection
                if before is None or round(before * 1000) != round(rtt * 1000):
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
