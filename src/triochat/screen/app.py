"""The full-screen client: interface and conversation in one nursery, so that they live and die together.

urwid's main loop is one task among others: its `TrioEventLoop` runs inside our `trio.run`. The others listen,
send, and look after the connection. Callbacks of widgets are synchronous; what has to wait for the server is
started as a task in the same nursery, and what goes wrong with it is told in a line.

However it ends, the block of `urwid.MainLoop.start` gives the terminal back first; only then is an exception
seen by anybody. So a traceback can be read; and it is told shortly, by `triochat.screen.crash`.
"""

import gc
import math
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import trio
import urwid

from triochat.client.chat_client import ChatClient
from triochat.client.commands import CommandError, room_name
from triochat.client.errors import ClientError, ConnectionLost
from triochat.client.terminal import Screen
from triochat.config import ClientConfig, ScreenConfig
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.grammar import fold
from triochat.screen.alerts import Alerts
from triochat.screen.buffer import Buffer, Line
from triochat.screen.commands import Bell, Clear, Close, Query, ScreenRequest, parse
from triochat.screen.completion import Candidates
from triochat.screen.crash import Report
from triochat.screen.desk import NOWHERE, Desk
from triochat.screen.entry import Entry
from triochat.screen.keys import Keys, label, load_keys
from triochat.screen.lag import run_recovery
from triochat.screen.outgoing import sentence_of
from triochat.screen.pane import MessagePane
from triochat.screen.paste import PasteWatch
from triochat.screen.theme import Theme, load_theme
from triochat.screen.tty import TerminalScreen
from triochat.screen.window import Window

SPEAKERS: Final = 50
"""Lines back in which who spoke comes first when a nick is completed."""
PARTING: Final = 5.0
"""Seconds for which who leaves waits until all that was typed is sent."""
ROOMS_FOR: Final = 10.0
"""Seconds for which it is believed which rooms there are, when the name of one is completed."""
DRAW_EVERY: Final = 200
"""Happenings after which the screen is drawn, though more are waiting."""


_NO_ROOM: Final = "this is a conversation with one person, and no room; /close puts it away"


def prepare(config: ScreenConfig) -> Screen:
    """What `triochat.client.terminal.screen_for` wants: a screen with its keys and colours.

    What was imported is spared the search for cycles, which kept a key waiting in a flood of messages.

    Raises:
        triochat.config.ConfigError: a file that says how they are makes no sense.
    """
    screen = partial(converse, keys=load_keys(config.keys), theme=load_theme(config.theme))
    gc.freeze()
    return screen


async def converse(
    chat: ChatClient,
    config: ClientConfig,
    *,
    greeting: Sequence[str] = (),
    tell_unsent: Callable[[int], None] = lambda _: None,
    keys: Keys,
    theme: Theme,
    screen: urwid.BaseScreen | None = None,
    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
) -> str:
    """Let somebody chat on the whole terminal until they leave; returns their last words.

    Args:
        chat: a connection.
        config: which room to enter, and how to ask for attention.
        greeting: lines to show first.
        tell_unsent: is given the number of lines that the connection never had, however it ends.
        keys: which key does what.
        theme: how it looks.
        screen: where to draw; by default the terminal.
        now: gives Unix milliseconds.

    Raises:
        ConnectionLost: there will be no connection any more.
    """
    app: App | None = None
    if screen is None:
        sys.excepthook = Report(sys.excepthook)
    try:
        async with trio.open_nursery() as nursery:
            app = App(chat, config, keys, theme, nursery, screen or TerminalScreen(), now)
            await app.run(greeting)
            nursery.cancel_scope.cancel()
    finally:  # by now nothing is handed on any more
        if app is not None:
            tell_unsent(app.desk.outgoing.unsubmitted)
    if app.lost is not None:
        raise app.lost
    return app.farewell


class App:
    """Widgets, desk and keys, and what they have to do with each other.

    Attributes:
        desk: what there is to see.
        farewell: what was said on leaving.
        lost: why it ended, if nobody wanted that.
    """

    def __init__(
        self,
        chat: ChatClient,
        config: ClientConfig,
        keys: Keys,
        theme: Theme,
        nursery: trio.Nursery,
        screen: urwid.BaseScreen,
        now: Callable[[], int],
    ) -> None:
        self.farewell = ""
        self.lost: ConnectionLost | None = None
        self._chat = chat
        self._config = config
        self._keys = keys
        self._nursery = nursery
        self._screen = screen
        self._scope = trio.CancelScope()
        if isinstance(screen, TerminalScreen):
            screen.on_closed = self._scope.cancel
        self.desk = Desk(chat, self, now)
        self._alerts = Alerts(
            screen,
            bell=not config.no_bell,
            notify=config.notify,
            encoding="utf-8" if sys.stdout is None else sys.stdout.encoding,  # it is what urwid writes to
        )
        self._pane = MessagePane(
            self.desk.current,
            on_top=self._at_top,
            on_end=self._at_end,
            on_more=self._at_more,
            retry=next(map(label, keys.keys("retry")), ""),
        )
        self._entry = Entry(keys, self._typed, self._candidates, self._keep_draft)
        self.window = Window(self.desk, self._pane, self._entry, self._go_to)
        self._events = urwid.TrioEventLoop()
        self._loop = urwid.MainLoop(
            self.window,
            theme.palette(),
            screen=screen,
            event_loop=self._events,
            input_filter=self._filter,
            unhandled_input=self._pressed,
        )
        self._pastes = PasteWatch()
        self._rooms: tuple[str, ...] = ()
        self._rooms_until = -math.inf  # until then nobody need ask which there are
        self._cleared: set[Buffer] = set()  # rooms that look as if nothing had been said there

    async def run(self, greeting: Sequence[str]) -> None:
        """Draw and obey until somebody leaves."""
        recover = partial(run_recovery, self.desk)
        for task in (self._listen, self.desk.outgoing.run, self.desk.watch_connection, recover):
            self._nursery.start_soon(task)
        self._ask(self._enter_all, [*self._chat.joined, room_name(self._config.room)], greeting)
        with self._scope, self._loop.start():
            await self._events.run_async()
        if self._scope.deadline <= trio.current_time():
            self.lost = ConnectionLost(f"it did not come back within {self._config.timeout:g} seconds")

    async def _enter_all(self, rooms: Sequence[str], greeting: Sequence[str]) -> None:
        for room in rooms:
            await self._do(self.desk.enter, room)
        for line in greeting:
            self.desk.tell(line)

    async def _listen(self) -> None:
        heard = 0
        try:
            async for event in self._chat:
                self.desk.feed(event)
                heard += 1
                if heard % DRAW_EVERY == 0:  # in a flood nobody is ever idle, and what is typed must be seen
                    self._loop.entering_idle()
                if self.desk.lost is None:
                    self._scope.deadline = math.inf
                elif self._config.timeout and self._scope.deadline == math.inf:
                    self._scope.deadline = trio.current_time() + self._config.timeout
        except ConnectionLost as lost:
            self.lost = lost
        self._scope.cancel()

    # --- what the desk tells --------------------------------------------------------------------

    def changed(self) -> None:
        """Something is to be drawn anew: urwid does when nobody has anything to do, `_listen` in a flood."""
        self.window.changed()

    def turned(self, buffer: Buffer) -> bool:
        """This one is looked at now."""
        self._pane.show(buffer)
        self._entry.show(buffer.name, buffer.draft)
        if buffer.detached and self._pane.at_bottom:  # its newest lines were let go of while nobody looked
            self._ask(self._read_newest)
        return self._pane.at_end

    def mentioned(self, buffer: Buffer, line: Line) -> None:
        """Somebody wants something of us."""
        self._alerts.ring(f"{line.nick} in {buffer.name}" if buffer.is_room else line.nick, line.text)

    # --- what widgets tell ----------------------------------------------------------------------

    def _go_to(self, name: str) -> None:
        self._keep_draft()
        self.desk.switch(name)

    def _keep_draft(self) -> None:
        self.desk.current.draft = self._entry.text
        if self._entry.text.lower().startswith("/join ") and trio.current_time() >= self._rooms_until:
            self._rooms_until = trio.current_time() + ROOMS_FOR
            self._ask(self._learn_rooms)

    async def _learn_rooms(self) -> tuple[e.RoomInfo, ...]:
        """Which rooms there are, also for who completes the name of one."""
        rooms = await self._chat.rooms()
        self._rooms = tuple(info.room for info in rooms)
        return rooms

    def _at_top(self) -> None:
        if not self.desk.current.complete and self.desk.lost is None:
            self._ask(self.desk.read_older)

    def _at_end(self, at_end: bool) -> None:
        self.desk.look(at_end=at_end and not self.desk.current.detached)
        if at_end and self.desk.current.detached:
            self._ask(self.desk.read_newest)

    def _at_more(self) -> None:
        self.desk.look(at_end=False)
        if self.desk.lost is None:
            self._ask(self._read_newer)

    async def _read_newer(self) -> None:
        if self._pane.at_bottom:  # as below
            await self.desk.read_newer(self._pane.hold)

    async def _read_newest(self) -> None:
        if self._pane.at_bottom:  # and nobody has gone elsewhere meanwhile, as `_jump` does
            await self.desk.read_newest()

    def _candidates(self) -> Candidates:
        buffer = self.desk.current
        speakers = [line.nick for line in reversed(buffer.lines[-SPEAKERS:]) if line.nick and not line.own]
        nicks = dict.fromkeys([*speakers, *sorted(buffer.members.values(), key=str.casefold)])
        rooms = dict.fromkeys([*(name for name in self.desk.buffers if name.startswith("#")), *self._rooms])
        return Candidates(nicks=tuple(nicks), rooms=tuple(rooms))

    # --- keys -----------------------------------------------------------------------------------

    def _filter(self, keys: list[Any], _: list[int]) -> list[Any]:
        return self._pastes.filter(keys)

    def _pressed(self, key: str | tuple[str, int, int, int]) -> bool:
        """A key that no widget wanted."""
        if not isinstance(key, str):
            return False
        action = self._keys.action(key)
        if self.window.has_dialog and (key == "ctrl c" or action is not None):
            self.window.close()
            if key == "ctrl c" or action == "quit":
                return True
        elif self.window.has_dialog and len(key) == 1:  # who types means the input
            self.window.close()
            return self._loop.process_input([key])
        if key == "ctrl c":
            self._interrupted()
            return True
        if action is None:
            return False
        if action.startswith("switch.") and action[-1].isdigit():
            names = list(self.desk.buffers)
            number = int(action[-1]) - 1
            if number < len(names):
                self._go_to(names[number])
            return True
        actions: dict[str, Callable[[], object]] = {
            "switch.next": partial(self._step, 1),
            "switch.previous": partial(self._step, -1),
            "switch.find": self.window.find,
            "next.unread": self._next_unread,
            "page.up": partial(self._back, partial(self._pane.page, -1)),
            "page.down": partial(self._pane.page, 1),
            "top": partial(self._back, self._pane.to_top),
            "end": self._pane.to_end,
            "retry": self._retry,
            "members": self.window.toggle_members,
            "help": partial(self.window.help, self._keys),
            "redraw": self._screen.clear,
            "quit": partial(self._leave, ""),
        }
        if action in actions:
            actions[action]()
            return True
        return False

    def _step(self, by: int) -> None:
        self._keep_draft()
        self.desk.step(by)

    def _back(self, scroll: Callable[[], None]) -> None:
        """Look at what was said before, also if somebody wiped it off the screen."""
        here = self.desk.current
        if here in self._cleared:
            self._cleared.discard(here)
            here.complete = False
            self._ask(self.desk.read_older)
        scroll()

    def _next_unread(self) -> None:
        self._keep_draft()
        self.desk.next_unread()

    def _retry(self) -> None:
        for line in [line for line in self.desk.current.lines if line.state == "failed"]:
            self.desk.retry(line)

    def _interrupted(self) -> None:
        """Ctrl-C: give up what is typed, or else leave."""
        if self._entry.text:
            self._entry.set_text("")
            self._keep_draft()
        else:
            self._leave("")

    def _leave(self, reason: str) -> None:
        """Leave behind what was typed; at once if there is no connection, or if it is said again."""
        self.farewell = reason
        if self.desk.leaving or not self.desk.outgoing.waiting:
            self._scope.cancel()
        else:
            self.desk.leaving = True
            self.changed()
            self._nursery.start_soon(self._part)

    async def _part(self) -> None:
        with trio.move_on_after(PARTING):
            await self.desk.outgoing.answered()
        self._scope.cancel()

    # --- what is typed --------------------------------------------------------------------------

    def _typed(self, text: str) -> None:
        self.desk.current.draft = ""
        try:
            request = parse(text)
        except CommandError as error:
            self._pane.to_end()  # or who has scrolled up would not see it
            self.desk.tell(str(error), "error")
            return
        here = self.desk.current.name
        match request:
            case None:
                pass
            case _ if _wants_room(request) and not here.startswith("#"):
                self._pane.to_end()
                self.desk.tell(_NO_ROOM if here else NOWHERE, "error")
            case e.Say(target=None, text=words):
                self._pane.to_end()
                self.desk.say(words)
            case e.Say(target=str(target), text=words):
                self.desk.say(words, target)
                if fold(target) != here:
                    self._pane.to_end()
                    self.desk.tell(f"to {target.removeprefix('@')} alone: {words}")
            case Query(nick=nick):
                self._go_to(self.desk.open(f"@{nick}").name)
            case e.Join(room=room):
                self._ask(self.desk.enter, room)
            case e.Part(room=room, reason=reason):
                self._ask(self._leave_room, room or here, reason)
            case Close() if here.startswith("#"):
                self._ask(self._leave_room, here)
            case Close():
                buffer = self.desk.buffers.get(here)
                self.desk.close(here)
                self._forget(buffer)
            case Clear():
                self.desk.current.replace((), complete=True, attached=True)
                if self.desk.current.is_room:  # what was said to one alone can't be read again
                    self._cleared.add(self.desk.current)
            case Bell(on=on):
                self._alerts.bell = not self._alerts.bell if on is None else on
                self.desk.tell(f"the bell is {'on' if self._alerts.bell else 'off'}")
            case e.Quit(reason=reason):
                self._leave(reason)
            case e.Help():
                self.window.help(self._keys)
            case e.Search(text=words):
                self._ask(self._search, words)
            case e.ReadHistory():
                self._ask(self.desk.read_older)
            case _:
                self._ask(self._answer, request, here)
        self.changed()

    async def _leave_room(self, room: str, reason: str = "") -> None:
        buffer = self.desk.buffers.get(fold(room))
        await self.desk.leave_room(room, reason)
        self._forget(buffer)

    def _forget(self, buffer: Buffer | None) -> None:
        """It was closed: nothing of it is needed any more."""
        if buffer is not None:
            self._pane.forget(buffer)
            self._cleared.discard(buffer)

    async def _answer(self, request: e.Request, here: str) -> None:
        """Requests whose answer is a line or two."""
        match request:
            case e.Rename(nick=nick):
                await self._chat.rename(nick)
            case e.ListNames(room=room):
                room = room or here
                self.desk.tell(f"{room}: {', '.join(await self._chat.names(room)) or 'nobody'}")
            case e.ListRooms():
                for info in await self._learn_rooms():
                    topic = f", topic: {info.topic}" if info.topic else ""
                    self.desk.tell(f"{info.room}: {info.members} here{topic}")
            case e.GetTopic():
                topic = await self._chat.topic(here)
                self.desk.tell(f"{here}: {topic or 'there is no topic'}")
            case e.SetTopic(text=text):
                await self._chat.set_topic(here, text)
            case _:
                self.desk.tell("that can't be done here; /help lists what can", "error")

    async def _search(self, words: str) -> None:
        room = self.desk.current.name
        found = await self.desk.search(words)
        if found:
            self.window.results(words, room, found, partial(self._jump, room))
        else:
            self.desk.tell(f"{room}: no message holds these words")

    def _jump(self, room: str, line: Line) -> None:
        async def jump() -> None:
            there = await self.desk.read_around(room, line.id or 0)
            if there is not None:
                self._pane.to_line(there)

        self._ask(jump)

    def _ask(self, ask: Callable[..., Awaitable[object]], *args: object) -> None:
        """Start what has to wait for the server."""
        self._nursery.start_soon(partial(self._do, ask, *args))

    async def _do(self, ask: Callable[..., Awaitable[object]], *args: object) -> None:
        """Ask the server, and tell what goes wrong in a line."""
        try:
            await ask(*args)
        except ConnectionLost:
            pass  # `_listen` tells it
        except (ClientError, ProtocolError) as error:
            self.desk.tell(sentence_of(error), "error")


def _wants_room(request: e.Request | ScreenRequest) -> bool:
    """Whether it is about the room that one looks at."""
    match request:
        case e.Part(room=None) | e.ListNames(room=None) | e.GetTopic() | e.SetTopic() | e.Search():
            return True
        case _:
            return False
