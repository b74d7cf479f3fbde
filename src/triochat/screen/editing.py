"""A text with a cursor, and the keys that people know from their shell. urwid's `Edit` does the typing.

What Ctrl+W and its like cut is kept, and cuts one after the other make one text, as in readline.
"""

from typing import Any

import urwid


class _Edit(urwid.Edit):
    """Tabs are a blank each where they are drawn, or a terminal would do with them as it likes."""

    def get_text(self) -> tuple[str, Any]:
        text, attributes = super().get_text()
        return str(text).replace("\t", " "), attributes


class Editor:
    """The text, the cursor, and what was cut last."""

    def __init__(self) -> None:
        self._edit = _Edit(multiline=True, wrap="any")
        self._cut = ""
        self._cutting = False  # the last thing done was a cut

    @property
    def text(self) -> str:
        """All of it, lines ended by newlines."""
        return str(self._edit.edit_text)

    @property
    def cursor(self) -> int:
        """In front of which character it stands."""
        return int(self._edit.edit_pos)

    def set(self, text: str, cursor: int) -> None:
        """Another text."""
        self._cutting = False
        self._edit.set_edit_text(text)
        self._edit.set_edit_pos(cursor)

    def insert(self, text: str) -> None:
        """Put it in at the cursor."""
        before, behind = self.text[: self.cursor], self.text[self.cursor :]
        self.set(before + text + behind, len(before) + len(text))

    def type(self, width: int, key: str) -> str | None:
        """A key that means nothing else: a character, or what every input knows. Any other comes back."""
        self._cutting = False
        if key == "enter":
            return key
        return self._edit.keypress((width,), key)

    def delete(self) -> None:
        """The character behind the cursor."""
        self.type(1, "delete")

    def move_row(self, width: int, key: str) -> bool:
        """Move to another row, if `key` does that, and there is one."""
        self._cutting = False
        return key in ("up", "down") and self._edit.keypress((width,), key) is None

    def do(self, action: str) -> None:
        """One of the actions that begin with ``edit.``."""
        text, at = self.text, self.cursor
        line_start = text.rfind("\n", 0, at) + 1
        line_end = text.find("\n", at) if "\n" in text[at:] else len(text)
        match action:
            case "edit.start":
                self.set(text, line_start)
            case "edit.end":
                self.set(text, line_end)
            case "edit.left":
                self.type(1, "left")
            case "edit.right":
                self.type(1, "right")
            case "edit.word.left":
                self.set(text, _word_left(text, at))
            case "edit.word.right":
                self.set(text, _word_right(text, at))
            case "edit.kill.word":
                self._kill(_word_left(text, at), at)
            case "edit.kill.next":
                self._kill(at, _word_right(text, at))
            case "edit.kill.before":
                self._kill(0, at)
            case "edit.kill.after":
                self._kill(at, line_end if line_end > at else min(at + 1, len(text)))
            case _:
                self.insert(self._cut)

    def _kill(self, start: int, end: int) -> None:
        text, forward = self.text, start == self.cursor
        gone = text[start:end]
        if self._cutting:
            self._cut = self._cut + gone if forward else gone + self._cut
        elif gone:
            self._cut = gone
        self.set(text[:start] + text[end:], start)
        self._cutting = True

    # --- drawing --------------------------------------------------------------------------------

    def rows(self, width: int) -> int:
        """How many rows all of it takes."""
        return self._edit.rows((width,))

    def render(self, width: int, most: int, *, focus: bool) -> urwid.Canvas:
        """At most this many rows of it: those with the cursor."""
        canvas = urwid.CompositeCanvas(self._edit.render((width,), focus=True))
        canvas.fill_attr("input")
        row = canvas.cursor[1] if canvas.cursor else 0
        if canvas.rows() > most:
            top = min(max(row - most + 1, 0), canvas.rows() - most)
            canvas.trim(top, most)
        if not focus:
            canvas.cursor = None
        return canvas


def _word_left(text: str, at: int) -> int:
    while at and text[at - 1].isspace():
        at -= 1
    while at and not text[at - 1].isspace():
        at -= 1
    return at


def _word_right(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    while at < len(text) and not text[at].isspace():
        at += 1
    return at
