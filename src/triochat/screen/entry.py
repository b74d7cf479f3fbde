"""The input: a few rows at the bottom in which one types.

It knows what was typed before, what Tab may make of a word, and how much fits into one message; where a
message goes it leaves to who gets it. A paste of several lines waits for an answer.
"""

import re
from collections.abc import Callable
from typing import Final, Literal

import urwid

from triochat.protocol.escape import HARMFUL, MAX_TEXT, wire_length
from triochat.screen.completion import Candidates, Completion
from triochat.screen.editing import Editor
from triochat.screen.emoji import expand
from triochat.screen.harmless import REPLACEMENT, columns, fit, harmless
from triochat.screen.keys import Keys
from triochat.screen.paste import Paste
from triochat.screen.typed import Typed

MOST_ROWS: Final = 5
"""Rows of text that are seen at once."""
MOST_TEXT: Final = 50_000
"""Characters that are taken from a paste: with so many, a key still costs no more than some 30 ms."""
LEAST_TEXT: Final = 4
"""Columns in which one types; on a screen that has no more there is no prompt."""
NEARLY: Final = 200
"""Octets that are left of a message when it begins to say so."""

_UNFIT: Final = re.compile(rf"(?!\t){HARMFUL.pattern}")
"""What is not put in by a paste: all that is harmful but tabs, which code is indented with."""


class Entry(urwid.Widget):
    """What is being typed.

    Args:
        keys: which key does what.
        on_send: is given each message or command, with characters for the short names of emoji. A text that
            was pasted is never a command.
        candidates: what there is to complete, asked for with the first Tab.
        on_change: is called when the text changed, for the draft.
    """

    _sizing = frozenset([urwid.FLOW])
    _selectable = True

    def __init__(
        self,
        keys: Keys,
        on_send: Callable[[str], None],
        candidates: Callable[[], Candidates] = Candidates,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._keys = keys
        self._on_send = on_send
        self._candidates = candidates
        self._on_change = on_change
        self._editor = Editor()
        self._typed = Typed()
        self._completion: Completion | None = None
        self._asking = False
        self._refused = ""  # why a paste was not taken
        self._unpasted = ""  # what stood there before it
        self._name = ""

    # --- for who shows it -----------------------------------------------------------------------

    @property
    def text(self) -> str:
        """What is typed, as a draft."""
        return self._editor.text

    @property
    def asking(self) -> bool:
        """A paste waits for an answer."""
        return self._asking

    def show(self, name: str, draft: str) -> None:
        """Type into another buffer: its name stands in front, and its draft is there again."""
        self._name = name
        self.set_text(draft)

    def rename(self, name: str) -> None:
        """The buffer has this name now; what is typed stays."""
        if name != self._name:
            self._name = name
            self._invalidate()

    def set_text(self, text: str) -> None:
        """Put this in, with the cursor behind it."""
        self._asking = False
        self._refused = ""
        self._completion = None
        self._typed.forget_place()
        self._editor.set(text, len(text))
        self._invalidate()

    @property
    def left(self) -> int:
        """Octets that one message may still have; less than 0 if it is too long."""
        return MAX_TEXT - wire_length(self._outgoing())

    # --- keys -----------------------------------------------------------------------------------

    def keypress(self, size: tuple[int], key: str) -> str | None:  # type: ignore[override]
        """Takes what it knows, and gives back the rest."""
        before = self._editor.text
        unhandled = self._keypress(size, key)
        if self._editor.text != before:
            self._on_change()
        self._invalidate()
        return unhandled

    def _keypress(self, size: tuple[int], key: str) -> str | None:
        if isinstance(key, Paste):
            self._pasted(key.text)
            return None
        self._refused = ""
        if self._asking:
            return self._answer(key)
        action = self._keys.action(key)
        if action in ("complete", "complete.back"):
            self._complete(1 if action == "complete" else -1)
            return None
        self._completion = None
        width = self._text_width(size[0])
        match action:
            case "send":
                self._send()
            case "newline":
                self._editor.insert("\n")
            case "history.up" | "history.down" if not self._editor.move_row(width, key):
                self._recall(up=action == "history.up")
            case "history.up" | "history.down":
                pass
            case "quit" if self._editor.text:
                self._editor.delete()
            case str() if action.startswith("edit."):
                self._editor.do(action)
            case str():
                return key
            case None:
                if len(key) == 1 and HARMFUL.match(key):
                    return None
                return self._editor.type(width, key)
        return None

    def _complete(self, by: Literal[1, -1]) -> None:
        if self._completion is None:
            self._completion = Completion(self._editor.text, self._editor.cursor, self._candidates())
        if (step := self._completion.step(by)) is not None:
            self._editor.set(*step)

    def _recall(self, *, up: bool) -> None:
        line = self._typed.older(self._editor.text) if up else self._typed.newer()
        if line is not None:
            self._editor.set(line, len(line))

    # --- sending --------------------------------------------------------------------------------

    def _outgoing(self) -> str:
        return expand(self._editor.text)

    def _send(self) -> None:
        """All of it as one message, unless it is too long: then the row says so, and all stays."""
        if not self._editor.text.strip() or self.left < 0:
            return
        text = self._outgoing()
        self._typed.sent(self._editor.text)
        self.set_text("")
        self._on_send(text)

    def _send_lines(self) -> None:
        lines = self._editor.text.split("\n")
        self.set_text("")
        for index, line in enumerate(lines):
            if line.strip():
                said = expand(line)
                self._on_send(f"/{said}" if said.startswith("/") and index else said)

    # --- a paste --------------------------------------------------------------------------------

    def _pasted(self, text: str) -> None:
        """Put it in, and ask if it has several lines; of what is much too long nothing is taken."""
        self._completion = None
        if self._refused:
            return
        if not self._asking:
            self._unpasted = self._editor.text
            text = text.strip("\n") if not self._editor.text else text.rstrip("\n")
        if len(self._editor.text) + len(text) > MOST_TEXT:
            self._editor.set(self._unpasted, len(self._unpasted))
            self._asking = False
            self._refused = f"Not pasted: it has more than {MOST_TEXT} characters"
            return
        lines = [_UNFIT.sub(REPLACEMENT, line) for line in text.split("\n")]
        if len(lines) > 1 and lines[0].startswith("/") and not self._editor.cursor:
            lines[0] = f"/{lines[0]}"  # to be said, and not to be done
        self._editor.insert("\n".join(lines))
        self._asking = self._asking or len(lines) > 1

    def _answer(self, key: str) -> str | None:
        match key:
            case "enter":
                if self.left >= 0:
                    self._asking = False
                    self._send()
            case "l" | "L":
                self._send_lines()
            case "esc":
                self._asking = False
            case _ if self._keys.action(key) == "quit":
                pass  # it leaves only where nothing is typed
            case _ if len(key) > 1:
                return key
        return None

    def _bar(self) -> str:
        """What there is to say above the input."""
        if not self._asking:
            return self._refused
        lines = sum(1 for line in self._editor.text.split("\n") if line.strip())
        if self.left < 0:
            return f"Send {lines} lines? Too long for one message · L: line by line · Esc: edit"
        return f"Send {lines} lines? Enter: as one message · L: line by line · Esc: edit"

    # --- drawing --------------------------------------------------------------------------------

    def _prompt(self, width: int) -> str:
        left = self.left if len(self._editor.text) * 10 > MAX_TEXT - NEARLY * 10 else MAX_TEXT
        count = f" ({left} left)" if 0 <= left < NEARLY else f" ({-left} too long)" if left < 0 else ""
        prompt = fit(harmless(self._name), max(width // 3 - len(count), 4)) + count + "> "
        return prompt if columns(prompt) + LEAST_TEXT <= width else ""

    def _text_width(self, width: int) -> int:
        return max(width - columns(self._prompt(width)), 1)

    def rows(self, size: tuple[int], focus: bool = False) -> int:  # noqa: ARG002
        """The rows that it wants now: at most `MOST_ROWS`, and one for a question."""
        return min(self._editor.rows(self._text_width(size[0])), MOST_ROWS) + bool(self._bar())

    def get_cursor_coords(self, size: tuple[int]) -> tuple[int, int] | None:
        """Where the cursor is."""
        cursor: tuple[int, int] | None = self.render(size, focus=True).cursor
        return cursor

    def render(self, size: tuple[int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        """The rows around the cursor, with the prompt in front of the first one that is seen."""
        width = size[0]
        prompt = self._prompt(width)
        shown = self._editor.render(self._text_width(width), MOST_ROWS, focus=focus)
        canvas: urwid.Canvas = shown
        if prompt:
            text = urwid.Text([("prompt", prompt)], wrap="clip").render((columns(prompt),))
            lead = urwid.CompositeCanvas(text)
            lead.pad_trim_top_bottom(0, shown.rows() - 1)
            parts = [(lead, None, False, columns(prompt)), (shown, None, True, width - columns(prompt))]
            canvas = urwid.CanvasJoin(parts)
        if said := self._bar():
            bar = urwid.Text([("prompt", fit(said, width))], wrap="clip").render((width,))
            canvas = urwid.CanvasCombine([(bar, None, False), (canvas, None, True)])
        return canvas
