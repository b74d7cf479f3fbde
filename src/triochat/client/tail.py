"""``triochat tail``: what was said in rooms, on the standard output, and on with what is said now.

The past is read page by page, which takes no more memory for a long log than for a short one, and for which
one need not be in a room. Who follows enters behind the last entry that was read. Should the program that
reads our output be too slow for what is said, the client drops what it holds for us; then the log is read
again from where we are. So each room comes out in its order, each entry once, without a hole.
"""

import sys
from collections.abc import Awaitable
from contextlib import ExitStack
from functools import partial
from typing import Final, TextIO

import trio

from triochat.client.calling import Dial
from triochat.client.chat_client import ChatClient
from triochat.client.commands import room_name
from triochat.client.cursor_file import CursorError, CursorFile, Place
from triochat.client.dial import dial
from triochat.client.errand import Errand, run_errand
from triochat.client.errors import ConnectionLost, Refused
from triochat.client.event_buffer import Lagged
from triochat.client.happenings import Disconnected, Entry, Happening
from triochat.client.nicks import login_nick, with_ending
from triochat.client.outlet import Outlet
from triochat.client.reach import Unreached, reach
from triochat.client.reading import Reading
from triochat.client.render import render
from triochat.client.report import FAILED
from triochat.client.tail_output import TailOutput
from triochat.config import ConfigError, TailConfig, moment
from triochat.json_lines import entry_line, gap_line
from triochat.protocol import events as e
from triochat.protocol.grammar import LOBBY, MAX_ID, MAX_PAGE, is_room

BROKEN_PIPE: Final = 128 + 13
"""The exit code of a program that SIGPIPE has ended, by which a shell knows that nobody read on."""
PATIENCE: Final = 30.0
"""Seconds for which to try to reach the server, if nothing else is said."""


async def run_tail(
    host: str, port: int, config: TailConfig, *, out_fd: int = 1, err: TextIO | None = None
) -> int:
    """Print rooms. Call it in the main thread.

    Args:
        host: name or address of the server.
        port: its TCP port.
        config: which rooms, from where on, and how.
        out_fd: the output.
        err: for what goes wrong; by default the standard error.

    Returns:
        The exit code: 0; 1 after a sentence; 141 if nobody reads the output to its end; 128 and the number of
        the signal that ended it.

    Raises:
        ConfigError: what is asked for makes no sense.
    """
    names = list(dict.fromkeys(map(room_name, config.room or (LOBBY,))))
    for name in names:
        if not is_room(name):
            raise ConfigError(
                f"{name!a} can't be the name of a room:"
                " a room is up to 32 letters, digits, - and _ behind a #"
            )
    since = _since(config.since, len(names))

    async def carry_out(errand: Errand) -> None:
        errand.timeout = (0 if config.follow else PATIENCE) if config.timeout is None else config.timeout
        with ExitStack() as stack:
            try:
                outlet = _outlet(out_fd)
                cursor = None if config.cursor is None else CursorFile(config.cursor)
            except OSError as error:
                await errand.fail(f"the output can't be written: {error.strerror}")
                return
            except CursorError as error:
                await errand.fail(str(error))
                return
            encoding = "utf-8" if config.json or sys.stdout is None else sys.stdout.encoding
            if cursor is not None:
                stack.callback(cursor.close)
            tail = _Tail(errand, config, names, since, TailOutput(outlet, cursor, encoding))
            await tail.run(partial(dial, host, port), f"{host}:{port}", outlet)

    return await run_errand(carry_out, err)


def _outlet(fd: int) -> Outlet:
    if fd == 1 and sys.stdout is None:  # it was closed when we were started; by now it may be anything
        fd = -1
    return Outlet(fd)


def _since(since: str | None, rooms: int) -> Place | None:
    """An id, or a time."""
    if since is None:
        return None
    if not (since.isascii() and since.isdecimal()):
        try:
            return Place(ms=moment(since))
        except ConfigError as error:
            raise ConfigError(f"{error}; of one room it may be an id as well") from None
    if rooms > 1:
        raise ConfigError("since is an id, which means something in one room only; give a date or a time")
    return Place(id=min(int(since), MAX_ID))


class _Tail:
    """From the first attempt to connect to the last line."""

    def __init__(
        self, errand: Errand, config: TailConfig, names: list[str], since: Place | None, output: TailOutput
    ) -> None:
        self._errand = errand
        self._config = config
        self._since = since
        self._readings = {name: Reading(name) for name in names}
        self._output = output
        self._order = trio.Lock()  # what is said now waits until all rooms are entered

    async def run(self, dial: Dial, where: str, outlet: Outlet) -> None:
        """Print, and have the cursor follow."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._end_if_nobody_reads, outlet, nursery.cancel_scope)
                nursery.start_soon(self._output.keep_cursor)
                await self._talk(dial, where)
                nursery.cancel_scope.cancel()
        finally:
            self._output.finish()
        if self._output.fault is not None:
            await self._errand.fail(
                f"the cursor file {self._config.cursor} can't be written: {self._output.fault.strerror}"
            )

    async def _end_if_nobody_reads(self, outlet: Outlet, everything: trio.CancelScope) -> None:
        await outlet.reader_gone()
        self._errand.end(BROKEN_PIPE, everything)

    async def _talk(self, dial: Dial, where: str) -> None:
        nick = self._config.nick or with_ending(login_nick(), "tail")
        patience = PATIENCE if self._config.timeout is None else self._config.timeout
        try:
            async with reach(dial, where, nick=nick, timeout=patience, tell=self._errand.tell) as chat:
                with self._errand.conversation():
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(self._listen, chat, nursery)
                        if await self._done(self._tell_past(chat)) and not self._config.follow:
                            nursery.cancel_scope.cancel()
        except Unreached as unreached:
            await self._errand.fail(str(unreached))
            return
        await self._errand.fail_if_late()

    async def _done(self, work: Awaitable[None]) -> bool:
        """Whether it was done; if not, all ends, and a sentence says why."""
        try:
            await work
        except ConnectionLost:  # the iteration says why
            return False
        except BrokenPipeError:
            self._errand.end(BROKEN_PIPE)
        except OSError as error:
            await self._errand.fail(f"the output can't be written: {error.strerror}")
            self._errand.end(FAILED)
        except Refused as refused:
            await self._errand.fail(f"the server refused: {refused.sentence}")
            self._errand.end(FAILED)
        return True

    # --- the past -------------------------------------------------------------------------------

    async def _tell_past(self, chat: ChatClient) -> None:
        ends = {name: await self._begin(chat, reading) for name, reading in self._readings.items()}
        for reading in self._readings.values():
            await self._read_on(chat, reading, ends[reading.room].id)
        if not self._config.follow:
            return
        for (
            reading
        ) in self._readings.values():  # what was said meanwhile: so there is little left for the end
            await self._read_on(chat, reading)
        async with self._order:
            for reading in self._readings.values():
                await self._enter(chat, reading)

    async def _begin(self, chat: ChatClient, reading: Reading) -> Place:
        """Find out where to begin with a room. Returns where it ends."""
        last = await self._last(chat, reading.room)
        if (kept := self._output.kept(reading.room)) is not None:
            await self._go_on(chat, reading, kept)
        elif self._since is None:
            first = max(0, last.id - self._config.lines)
            reading.go_to(last if first == last.id else Place(first))
        elif self._since.ms:
            reading.go_to(Place(await self._first_since(chat, reading.room, last.id, self._since.ms) - 1))
        else:
            reading.go_to(Place(min(max(0, self._since.id - 1), last.id)))
        self._output.start(reading.room, reading.place)
        return last

    async def _last(self, chat: ChatClient, room: str) -> Place:
        """The last entry of a room."""
        try:
            page = await chat.history(room, limit=1)
        except Refused as refused:
            if refused.code != "no-such-room":
                raise
            if not self._config.follow:
                await self._errand.fail(
                    f"there is no room {room}: nobody is in it, and nothing was ever said there"
                )
            return Place()
        return _place(page[-1]) if page else Place()

    async def _first_since(self, chat: ChatClient, room: str, last: int, ms: int) -> int:
        """The id of the first entry that was said at `ms` or later; the times of a log rise."""
        low, high = 1, last + 1
        while low < high:
            middle = (low + high) // 2
            page = await chat.history(room, after=middle - 1, limit=1)
            entry = page[-1] if page else None
            if entry is None or isinstance(entry, e.Gap):
                return high
            if entry.ms < ms:
                low = entry.id + 1
            else:
                high = middle
        return low

    async def _go_on(self, chat: ChatClient, reading: Reading, kept: Place) -> None:
        """Go on behind a place, if the log is still the one of which it is a place."""
        reading.go_to(kept)
        if kept.id and kept.ms:
            page = await self._page(chat, reading.room, kept.id - 1, 1)
            if not page or (not isinstance(page[0], e.Gap) and _place(page[0]) != kept):
                await self._begin_anew(reading)

    async def _begin_anew(self, reading: Reading) -> None:
        await self._errand.tell(
            f"{reading.room}: the log is another one than it was; all that is new in it follows"
        )
        reading.begin_anew()

    async def _page(self, chat: ChatClient, room: str, after: int, limit: int) -> tuple[Entry, ...]:
        try:
            return await chat.history(room, after=after, limit=limit)
        except Refused as refused:
            if refused.code != "no-such-room":  # nobody has entered it yet
                raise
            return ()

    async def _read_on(self, chat: ChatClient, reading: Reading, until: int | None = None) -> None:
        """Print a room up to an id, or to its end, page by page."""
        while until is None or reading.id < until:
            limit = MAX_PAGE if until is None else min(MAX_PAGE, until - reading.id)
            page = await self._page(chat, reading.room, reading.id, limit)
            for entry in page:
                await self._put(reading, entry)
            await self._output.flush()
            if len(page) < limit and (until is None or not page):
                return

    async def _enter(self, chat: ChatClient, reading: Reading) -> None:
        entered = await chat.join(reading.room, after=reading.id)
        if entered.last < reading.id:
            await self._begin_anew(reading)
            await self._read_on(chat, reading, entered.last)
        for entry in entered.missed:
            await self._put(reading, entry)
        await self._output.flush()

    # --- what is said now -----------------------------------------------------------------------

    async def _listen(self, chat: ChatClient, nursery: trio.Nursery) -> None:
        try:
            async for event in chat:
                await self._errand.hear(event, chat, nursery)
                if isinstance(event, Disconnected):
                    self._errand.wait_no_longer()
                elif self._config.follow:
                    await self._done(self._hear(chat, event))
        except ConnectionLost as lost:
            await self._errand.fail(f"the connection is lost: {lost.reason}")
        nursery.cancel_scope.cancel()

    async def _hear(self, chat: ChatClient, event: Happening) -> None:
        match event:
            case e.Message(target=room) | e.Gap(target=room) | e.TopicSet(room=room):
                if (reading := self._readings.get(room)) is not None:
                    async with self._order:
                        await self._catch_up(chat, reading, event)
            case Lagged():
                async with self._order:
                    for reading in self._readings.values():
                        await self._read_on(chat, reading)
            case e.Left(room=room, reason=reason) if event.nick == chat.nick and room in self._readings:
                await self._errand.fail(f"{room}: {reason}")
                self._errand.end(FAILED)
            case _:
                pass
        if self._output.full or not chat.statistics().unseen:  # whatever came last
            async with self._order:
                await self._output.flush()

    async def _catch_up(self, chat: ChatClient, reading: Reading, entry: Entry) -> None:
        """Print an entry, and in front of it what we lack."""
        if isinstance(entry, e.Gap):
            if entry.last > reading.id:
                await self._put(reading, entry)
            return
        if entry.id <= reading.id:
            # The client may hold more for us than the times that we remember; ids in front of those are not
            # enough to go by, since a log that begins anew has them too.
            if reading.heard.may_have(entry.id, entry.ms):
                return  # we have read it since we did not keep up
            await self._begin_anew(reading)
        if entry.id > reading.id + 1:
            await self._read_on(chat, reading, entry.id - 1)
        await self._put(reading, entry)

    # --- one entry ------------------------------------------------------------------------------

    async def _put(self, reading: Reading, entry: Entry) -> None:
        if not reading.advance(entry):
            return
        if self._config.json:
            line = _json(reading.room, entry)
        elif isinstance(entry, e.Gap):
            await self._errand.tell(render(entry)[0])
            return
        else:
            line = "".join(f"{line}\n" for line in render(entry))
        self._output.put(line, reading.room, reading.place)


def _place(entry: Entry) -> Place:
    return Place(entry.last) if isinstance(entry, e.Gap) else Place(entry.id, entry.ms)


def _json(room: str, entry: Entry) -> str:
    if isinstance(entry, e.Gap):
        return gap_line(room, entry.first, entry.last)
    kind = "topic" if isinstance(entry, e.TopicSet) else "message"
    return entry_line(
        room=room, number=entry.id, ms=entry.ms, kind=kind, target=room, nick=entry.nick, text=entry.text
    )
