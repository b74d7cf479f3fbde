"""Where everything stands on the screen, by how wide it is, and what lies over it for a while.

    #lobby  what the topic is
    1 #lobby  │ 12:34 alice │ hello        │ 2 here
    2 #dev 3  │ 12:35   bob │ hi           │ alice
                                           │ bob
     online 2 ms  alice  #lobby     #dev 3
    #lobby> what is being typed

Under `NARROW` columns there is no list of members, under `SLIM` none of rooms either: then the status line
tells what is unread elsewhere, and the switcher finds it. What is typed always goes to the entry, whatever
was clicked; only a dialog takes the keys.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import urwid

from triochat.protocol.grammar import fold
from triochat.screen.bars import Status, StatusLine, TopicLine
from triochat.screen.buffer import Line
from triochat.screen.desk import Desk
from triochat.screen.dialogs import Found, HelpScreen, SearchResults, over
from triochat.screen.entry import Entry
from triochat.screen.keys import Keys
from triochat.screen.nicks import colour
from triochat.screen.pane import MessagePane
from triochat.screen.sidebar import BufferList, MemberList
from triochat.screen.switcher import Place, Switcher

SLIM: Final = 70
"""Columns from which on rooms are listed."""
NARROW: Final = 90
"""Columns from which on members are listed, unless somebody wants it otherwise."""
ROOMS_WIDE: Final = 18
MEMBERS_WIDE: Final = 16


class Window(urwid.WidgetWrap[urwid.Widget]):
    """The whole screen.

    Args:
        desk: what there is to see.
        pane: the messages.
        entry: what is typed.
        go_to: is given the name of a buffer that somebody chose.
    """

    def __init__(self, desk: Desk, pane: MessagePane, entry: Entry, go_to: Callable[[str], None]) -> None:
        self._desk = desk
        self._pane = pane
        self._entry = entry
        self._go_to = go_to
        self._topic = TopicLine()
        self._status = StatusLine()
        self._rooms = BufferList(go_to)
        self._members = MemberList(self._style_of, self._talk_to)
        self._wants_members: bool | None = None
        self._body = urwid.Columns([("weight", 1, pane)])
        self._foot = urwid.Pile([("pack", self._status), ("pack", entry)], focus_item=entry)
        self._frame = urwid.Frame(self._body, header=self._topic, footer=self._foot, focus_part="footer")
        self._shown: tuple[bool, bool] = (False, False)
        self._stale = True
        super().__init__(self._frame)

    # --- what it shows --------------------------------------------------------------------------

    def changed(self) -> None:
        """The desk is not as it was when it was drawn.

        What that means is found out when it is drawn again, once for however much has happened until then.
        """
        self._stale = True
        self._invalidate()  # each time: what was told while it was drawn, urwid has forgotten behind it

    def _refresh(self) -> None:
        """Show how the desk is now."""
        self._stale = False
        desk, here = self._desk, self._desk.current
        self._topic.show(here.name, here.topic)
        self._entry.rename(here.name)
        self._rooms.show(list(desk.buffers.values()), here)
        self._members.show(here.members.values())
        note = ""
        if desk.leaving:
            note = f"leaving when {desk.outgoing.unanswered} are sent"
        elif desk.lost is not None:
            waiting = sum(line.state == "pending" for line in here.lines[-100:])
            note = f"{waiting} not sent yet" if waiting else ""
        self._status.show(
            Status(
                state="online" if desk.lost is None else "connecting",
                rtt_ms=None if desk.rtt is None else round(desk.rtt * 1000),
                nick=desk.chat.nick,
                name=here.name,
                elsewhere=[
                    (buffer.name, buffer.unread, buffer.mentions)
                    for buffer in desk.buffers.values()
                    if buffer.unread and buffer is not here
                ],
                note=note,
            )
        )
        self._pane.refresh()

    def toggle_members(self) -> None:
        """Show who is here, or do not, however wide the screen is."""
        self._wants_members = not self._shown[1]
        self._invalidate()

    def _style_of(self, nick: str) -> str:
        return "own" if fold(nick) == fold(self._desk.chat.nick) else f"nick{colour(nick)}"

    def _talk_to(self, nick: str) -> None:
        if fold(nick) != fold(self._desk.chat.nick):
            self._go_to(self._desk.open(f"@{nick}").name)

    # --- where it stands ------------------------------------------------------------------------

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        """The screen as the desk is now, arranged for its width."""
        if self._stale:
            self._refresh()
        self._arrange(size[0])
        canvas = super().render(size, focus)
        if self._stale:  # drawing has shown the pane what its end is, and so the desk what was seen
            self._refresh()
            self._invalidate()
            canvas = super().render(size, focus)
        return canvas

    def _arrange(self, width: int) -> None:
        is_room = self._desk.current.is_room
        members = is_room and (width >= NARROW if self._wants_members is None else self._wants_members)
        shown = (width >= SLIM, members)
        if shown == self._shown:
            return
        self._shown = shown
        rule = urwid.AttrMap(urwid.SolidFill("│"), "time"), self._body.options("given", 1)
        parts: list[tuple[urwid.Widget, Any]] = [(self._pane, self._body.options("weight", 1))]
        if shown[0]:
            parts[:0] = [(self._rooms, self._body.options("given", ROOMS_WIDE)), rule]
        if shown[1]:
            wide = min(MEMBERS_WIDE, width // 3)
            parts += [rule, (self._members, self._body.options("given", wide))]
        self._body.contents = parts

    # --- what lies over it ----------------------------------------------------------------------

    @property
    def has_dialog(self) -> bool:
        """Something lies over the screen, and takes the keys."""
        return self._w is not self._frame

    def close(self) -> None:
        """Nothing lies over the screen."""
        self._w = self._frame

    def find(self) -> None:
        """Let somebody type a part of the name of where to go."""
        places = [
            Place(buffer.name, buffer.unread, buffer.mentions) for buffer in self._desk.buffers.values()
        ]
        self._lay(Switcher(places, self._choose, self.close), "Go to")

    def help(self, keys: Keys) -> None:
        """Show commands and keys."""
        self._lay(HelpScreen(keys, self.close), "Help · Page Down: more · Esc: close")

    def results(self, words: str, room: str, found: Sequence[Line], jump: Callable[[Line], None]) -> None:
        """Show what a search found; `jump` is given the line that somebody wants to see."""
        lines = {line.id or 0: line for line in found}
        rows = [Found(room, line.ms, line.nick, line.text, line.id or 0) for line in found]
        self._lay(
            SearchResults(rows, self._style_of, partial(self._jump, lines, jump), self.close),
            f"{len(rows)} found in {room}: {words}",
        )

    def _choose(self, name: str) -> None:
        self.close()
        self._go_to(name)

    def _jump(self, lines: dict[int, Line], jump: Callable[[Line], None], found: Found) -> None:
        self.close()
        jump(lines[found.id])

    def _lay(self, dialog: urwid.Widget, title: str) -> None:
        self._w = over(self._frame, dialog, title)

    def mouse_event(
        self,
        size: tuple[int, int],  # type: ignore[override]
        event: str,
        button: int,
        col: int,
        row: int,
        focus: bool,
    ) -> bool:
        """A click does what it does; the keys stay where they are."""
        done = bool(self._w.mouse_event(size, event, button, col, row, focus))
        if not self.has_dialog:
            self._frame.focus_position = "footer"
            self._foot.focus_position = 1
        return done
