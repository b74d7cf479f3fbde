"""What is typed, or comes through a pipe: lines that are sent, and commands that are carried out.

Lines of a person are read by one task and carried out, in their order, by another, so a person goes on typing
while there is no connection. A pipe waits, is sent line by line whatever is in it, and its exit code tells
whether all of it was kept.
"""

from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import trio

from triochat.client.chat_client import ChatClient
from triochat.client.commands import HELP, CommandError, parse, room_name
from triochat.client.errors import ClientError, ConnectionLost, Refused
from triochat.client.exchange import WINDOW, Receipt
from triochat.client.keyboard import BadLine, Keyboard
from triochat.client.printer import Printer
from triochat.client.render import render
from triochat.client.report import Report
from triochat.client.text_client import TextClient
from triochat.config import ClientConfig
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.escape import clean

TYPED_AHEAD: Final = 100
"""Lines of a person that may wait to be carried out."""
RECENT: Final = 20
"""Messages that a person is shown on entering a room."""


class Typist:
    """Somebody, or something, that types to a server of ours.

    Args:
        chat: where to.
        config: which room to enter, and whether a state file remembers what is unsent.
        keyboard: what is typed, or piped in.
        printer: shows answers.
        report: is told what goes wrong.
        paper: held while what belongs together is printed.

    Attributes:
        unsent: lines of a person who has left while there was no connection.
    """

    def __init__(
        self,
        chat: ChatClient,
        config: ClientConfig,
        keyboard: Keyboard,
        printer: Printer,
        report: Report,
        paper: trio.Lock,
    ) -> None:
        self._chat = chat
        self._config = config
        self._keyboard = keyboard
        self._printer = printer
        self._report = report
        self._paper = paper
        self.unsent = 0
        self._room: str | None = None  # where a line goes
        self._rooms: dict[str, None] = {}  # all that we are in, in the order in which we came

    async def run(self) -> None:
        """Enter the room, hand on what is typed, and leave behind it."""
        person = self._keyboard.is_terminal
        with suppress(ConnectionLost):  # the other task says why, behind all that was heard before
            entered = await answered(
                self._report, self._enter(room_name(self._config.room)), fatal=not person
            )
            farewell = ""
            if person:
                farewell = await self._obey()
            elif entered:
                await self._send_everything()
                if self._config.state is not None:  # what a client before us left is answered first
                    await self._chat.ping()
            await self._chat.quit(farewell)

    async def _obey(self) -> str:
        """Do what a person types until it says ``/quit``. Returns its last words.

        What was typed before is done first, if there is a connection.
        """
        async with trio.open_nursery() as nursery:
            to_do, requests = trio.open_memory_channel[e.Request](TYPED_AHEAD)
            done = await nursery.start(self._do_all, requests)
            with to_do:
                farewell = await self._read_requests(to_do)
            if self._chat.connected:
                await done.wait()
            else:
                waiting = requests.statistics().current_buffer_used
                self.unsent = self._chat.statistics().unanswered + waiting
            nursery.cancel_scope.cancel()
        return farewell

    async def _do_all(
        self,
        requests: trio.MemoryReceiveChannel[e.Request],
        task_status: trio.TaskStatus[trio.Event],
    ) -> None:
        done = trio.Event()
        task_status.started(done)
        async with trio.open_nursery() as nursery:
            to_confirm, receipts = trio.open_memory_channel[Receipt](WINDOW)
            nursery.start_soon(partial(self._confirm, receipts, fatal=False))
            with to_confirm, suppress(ConnectionLost):
                async for request in requests:
                    if isinstance(request, e.Say):  # what comes behind it need not wait for the answer
                        doing = self._submit(request.target, request.text, to_confirm)
                    else:
                        doing = self._do(request)
                    await answered(self._report, doing, fatal=False)
        done.set()

    async def _read_requests(self, to_do: trio.MemorySendChannel[e.Request]) -> str:
        while (line := await next_line(self._keyboard, self._report)) is not None:
            if isinstance(line, BadLine):
                await self._report.tell(line.sentence)
                continue
            try:
                request = parse(line)
            except CommandError as error:
                await self._report.tell(str(error))
                continue
            if isinstance(request, e.Quit):
                return request.reason
            if request is not None:
                await to_do.send(request)
        return ""

    async def _send_everything(self) -> None:
        """Send each line of a pipe, and wait until all are kept."""
        assert self._room is not None
        async with trio.open_nursery() as nursery:
            to_confirm, receipts = trio.open_memory_channel[Receipt](WINDOW)
            nursery.start_soon(partial(self._confirm, receipts, fatal=True))
            with to_confirm, suppress(ConnectionLost):
                while (line := await next_line(self._keyboard, self._report)) is not None:
                    if isinstance(line, BadLine):
                        await self._report.fail(line.sentence)
                    elif line.strip():
                        await answered(self._report, self._submit(self._room, line, to_confirm), fatal=True)

    async def _submit(
        self, target: str | None, text: str, to_confirm: trio.MemorySendChannel[Receipt]
    ) -> None:
        await to_confirm.send(await self._chat.submit(target or self._current(), text))

    async def _confirm(self, receipts: trio.MemoryReceiveChannel[Receipt], *, fatal: bool) -> None:
        with suppress(ConnectionLost):
            async for receipt in receipts:
                await answered(self._report, receipt.kept(), fatal=fatal)

    # --- commands -------------------------------------------------------------------------------

    async def _do(self, request: e.Request) -> None:
        match request:
            case e.Join(room=room):
                await self._enter(room)
            case e.Part(room=room, reason=reason):
                await self._part(room or self._current(), reason)
            case e.Rename(nick=nick):
                await self._chat.rename(nick)
            case e.ListNames(room=room):
                room = room or self._current()
                await self._printer.show(render(e.NameList(room, await self._chat.names(room))))
            case e.ListRooms():
                rooms = await self._chat.rooms()
                await self._printer.show([line for info in rooms for line in render(info)])
            case e.GetTopic():
                room = self._current()
                topic = (await self._chat.topic(room)).replace("\n", " ")
                await self._printer.show([clean(f"{room}: {topic or 'there is no topic'}")])
            case e.SetTopic(text=topic):
                await self._chat.set_topic(self._current(), topic)
            case e.ReadHistory(limit=limit):
                room = self._current()
                entries = await self._chat.history(room, limit=limit)
                lines = [line for entry in entries for line in render(entry)]
                await self._printer.show(lines or [f"{room}: nothing was said here yet"])
            case e.Search(text=words):
                room = self._current()
                found = await self._chat.search(room, words)
                lines = [line for entry in reversed(found) for line in render(entry)]
                await self._printer.show(lines or [f"{room}: no message holds these words"])
            case _:  # there is no other command than /help
                await self._printer.show(HELP.split("\n"))

    def _current(self) -> str:
        if self._room is None:
            raise CommandError("you are in no room; /join #lobby enters one")
        return self._room

    async def _enter(self, room: str) -> None:
        """Enter a room, or go on talking in one that we are in."""
        if room in self._rooms:
            self._room = room
            await self._printer.show([f"{room}: you talk here now"])
            return
        known = room in self._chat.joined  # from the state file: what was missed there is told anyway
        async with self._paper:
            entered = await self._chat.join(room)
            self._room = room
            self._rooms[room] = None
            if not self._keyboard.is_terminal:
                return
            lines = render(entered)
            if entered.last and not known:
                recent = await self._chat.history(room, before=entered.last + 1, limit=RECENT)
                lines.extend(line for entry in recent for line in render(entry))
            await self._printer.show(lines)

    async def _part(self, room: str, reason: str) -> None:
        await self._chat.part(room, reason)
        self._rooms.pop(room, None)
        if room == self._room:
            self._room = next(reversed(self._rooms), None)
        where = "you are in no room now" if self._room is None else f"you talk in {self._room} now"
        await self._printer.show([f"{room}: you have left; {where}"])


async def type_text(client: TextClient, keyboard: Keyboard, report: Report) -> None:
    """Say what is typed to a server that knows lines only; its commands, if it has any, are its own."""
    person = keyboard.is_terminal
    with suppress(ConnectionLost):
        while (line := await next_line(keyboard, report)) is not None:
            if isinstance(line, BadLine):
                await (report.tell(line.sentence) if person else report.fail(line.sentence))
            elif person and line.strip().lower() == "/quit":
                break
            elif line.strip():
                await answered(report, client.say(line), fatal=not person)
        client.quit()


async def next_line(keyboard: Keyboard, report: Report) -> str | BadLine | None:
    """What is typed next; None where it ends, or can't be read."""
    try:
        return await keyboard.next_line()
    except OSError as error:
        await report.fail(f"the input can't be read: {error.strerror}")
        return None


async def answered(report: Report, request: Awaitable[object], *, fatal: bool) -> bool:
    """Whether a request was carried out; if not, a sentence says why, and if `fatal`, the exit code."""
    try:
        await request
    except ConnectionLost:
        raise
    except (ClientError, CommandError, ProtocolError) as error:
        sentence = error.sentence if isinstance(error, Refused | ProtocolError) else str(error)
        await (report.fail(sentence) if fatal else report.tell(sentence))
        return False
    return True


async def tell_of_unsent(report: Report, state: Path | None, count: int, kept: int) -> None:
    """A person leaves while `count` lines are not sent; a state file, if there is one, has `kept` of them."""
    if state is None or not kept:
        await report.fail(f"not sent: {count} of your lines")
    elif kept < count:
        await report.fail(f"not sent: {count} of your lines; {kept} of them are kept in {state}")
    else:
        await report.fail(f"not sent yet: {count} of your lines; they are kept in {state}")
