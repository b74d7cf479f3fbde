"""Which key does what, and a file in TOML that says otherwise.

A key is named as urwid names it: ``meta x`` is Alt+X, ``ctrl k`` Ctrl+K. How the file looks is in
docs/reference/screen.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from triochat.config import ConfigError
from triochat.screen.settings import config_path, read_toml


@dataclass(frozen=True, slots=True)
class Action:
    """Something that a key can do: its name in the file, its keys, and what it does."""

    name: str
    keys: tuple[str, ...]
    summary: str


ACTIONS: Final = (
    *(Action(f"switch.{n}", (f"meta {n}",), f"go to room or conversation {n}") for n in range(1, 10)),
    Action("switch.next", ("meta right", "ctrl n"), "go to the next room or conversation"),
    Action("switch.previous", ("meta left", "ctrl p"), "go to the one before"),
    Action("switch.find", ("ctrl k",), "type a part of a name to go there"),
    Action("next.unread", ("meta a",), "go to the next one with something unread, mentions first"),
    Action("page.up", ("page up",), "a page back; older messages come from the server"),
    Action("page.down", ("page down",), "a page on"),
    Action("top", ("meta <", "ctrl home"), "the oldest message that is here"),
    Action("end", ("meta >", "ctrl end"), "the newest message"),
    Action("retry", ("ctrl r",), "send the failed messages again"),
    Action("members", ("f2",), "show or hide who is here"),
    Action("help", ("f1",), "commands and keys"),
    Action("redraw", ("ctrl l",), "draw the screen again"),
    Action("quit", ("ctrl d",), "leave, if nothing is typed; else delete a character"),
    Action("send", ("enter",), "send what is typed"),
    Action("newline", ("meta enter",), "begin another line of the same message"),
    Action("complete", ("tab",), "complete a name, a command, a room or an emoji; again for the next choice"),
    Action("complete.back", ("shift tab",), "the choice before"),
    Action("history.up", ("up",), "what was typed before"),
    Action("history.down", ("down",), "what was typed after that"),
    Action("edit.start", ("ctrl a", "home"), "to the start of the line"),
    Action("edit.end", ("ctrl e", "end"), "to the end of the line"),
    Action("edit.left", ("ctrl b",), "a character back"),
    Action("edit.right", ("ctrl f",), "a character on"),
    Action("edit.word.left", ("meta b", "ctrl left"), "a word back"),
    Action("edit.word.right", ("meta f", "ctrl right"), "a word on"),
    Action("edit.kill.word", ("ctrl w", "meta backspace"), "cut the word in front of the cursor"),
    Action("edit.kill.next", ("meta d",), "cut the word behind it"),
    Action("edit.kill.before", ("ctrl u",), "cut all in front of the cursor"),
    Action("edit.kill.after", ("meta k",), "cut the rest of the line"),
    Action("edit.yank", ("ctrl y",), "put in what was cut last"),
)

_MODIFIERS: Final = ("shift", "meta", "ctrl")  # in the order in which urwid writes them
_NAMED: Final = frozenset(
    (
        *("enter", "tab", "esc", "backspace", "insert", "delete", "home", "end"),
        *("up", "down", "left", "right", "page up", "page down"),
        *(f"f{n}" for n in range(1, 21)),
    )
)
_SAME: Final = {
    "ctrl i": "tab",
    "ctrl m": "enter",
    "ctrl j": "enter",
    "ctrl h": "backspace",
    "ctrl [": "esc",
    "ctrl c": "the interrupt",
    "ctrl z": "the suspension",
}
"""What a terminal makes of these: they never arrive as what they are called."""
_LABELS: Final = {"meta": "Alt", "esc": "Esc", "page up": "PageUp", "page down": "PageDown"}
_CASED: Final = re.compile("[A-Z]")


class Keys:
    """What each key does.

    Args:
        changes: action → its keys, instead of those that it has; no keys: it has none. A key that is given to
            an action here is taken from the one that has it by default.

    Raises:
        ConfigError: there is no such action or key, or a key is given to two actions.
    """

    def __init__(self, changes: Mapping[str, tuple[str, ...]] | None = None) -> None:
        changed = {name: tuple(map(_key, keys)) for name, keys in (changes or {}).items()}
        names = [action.name for action in ACTIONS]
        for name in changed:
            if name not in names:
                raise ConfigError(f"there is no action {name}; there are {', '.join(names)}")
        self._actions: dict[str, str] = {}
        for name, keys in changed.items():
            for key in keys:
                if self._actions.setdefault(key, name) != name:
                    raise ConfigError(f"{key} can't be both {self._actions[key]} and {name}")
        for action in ACTIONS:
            if action.name not in changed:
                for key in action.keys:
                    self._actions.setdefault(key, action.name)

    def action(self, key: str) -> str | None:
        """What `key` does; None if nothing."""
        return self._actions.get(key)

    def keys(self, action: str) -> tuple[str, ...]:
        """The keys that do it, as urwid names them."""
        return tuple(key for key, name in self._actions.items() if name == action)

    def label(self, action: str) -> str:
        """Its keys as people write them: ``Ctrl+K``; empty if it has none."""
        return ", ".join(map(label, self.keys(action)))

    def help(self) -> list[str]:
        """A line for each action that has a key, the nine of `switch` in one."""
        told = (
            [("Alt+1…9", "go to the room or conversation of that number")] if not self._renumbered() else []
        )
        for action in ACTIONS:
            keys = self.label(action.name)
            if keys and (self._renumbered() or not re.fullmatch(r"switch\.[1-9]", action.name)):
                told.append((keys, action.summary))
        width = max(len(keys) for keys, _ in told)
        return [f"{keys:<{width}}  {summary}" for keys, summary in told]

    def _renumbered(self) -> bool:
        return any(self.keys(f"switch.{n}") != (f"meta {n}",) for n in range(1, 10))


def label(key: str) -> str:
    """A key of urwid's as people write it."""
    words = key.split(" ")
    modifiers = [word for word in words[:-1] if word in _MODIFIERS]
    base = " ".join(words[len(modifiers) :])
    name = _LABELS.get(base, base.upper() if len(base) == 1 and not _CASED.match(base) else base)
    if len(base) == 1 and _CASED.match(base):
        modifiers.append("shift")
    return "+".join([*(_LABELS.get(it, it.title()) for it in modifiers), name[:1].upper() + name[1:]])


def reference() -> str:
    """The table of docs/reference/screen.md."""
    rows = ["| action | key | what it does |", "|---|---|---|"]
    for action in ACTIONS:
        keys = ", ".join(f"`{key}`" for key in action.keys)
        rows.append(f"| `{action.name}` | {keys} | {action.summary} |")
    return "\n".join(rows) + "\n"


def _key(written: str) -> str:
    """A key as urwid names it, from how somebody may have written it."""
    words = written.strip().split()
    modifiers = set()
    while len(words) > 1 and words[0].lower() in (*_MODIFIERS, "alt"):
        word = words.pop(0).lower()
        modifiers.add("meta" if word == "alt" else word)
    base = " ".join(words)
    if len(base) == 1:
        if modifiers & {"ctrl", "meta"} and "shift" not in modifiers and base.isprintable():
            base = base.lower() if "ctrl" in modifiers else base
            key = " ".join([*(it for it in _MODIFIERS if it in modifiers), base])
            if key in _SAME:
                raise ConfigError(f"{key} can't be used: for a terminal it is {_SAME[key]}")
            return key
    elif base.lower() in _NAMED:
        return " ".join([*(it for it in _MODIFIERS if it in modifiers), base.lower()])
    raise ConfigError(
        f"there is no key {written!r} that could be used; write it like 'ctrl k', 'meta a' (Alt+A), 'meta A'"
        f" (Alt+Shift+A), 'f2', 'shift tab'. Keys with a name are {', '.join(sorted(_NAMED, key=_in_order))}"
    )


def _in_order(name: str) -> tuple[str, int]:
    """F2 in front of F10."""
    word = name.rstrip("0123456789")
    return word, int(name[len(word) :] or 0)


def load_keys(path: Path | None = None) -> Keys:
    """The keys, with what the file says; the one in the user's folder for settings if `path` is None.

    Raises:
        ConfigError: the file can't be read, or makes no sense; a given one that is not there.
    """
    where = path or config_path("keys.toml")
    written = read_toml(where, must_exist=path is not None)
    changes: dict[str, tuple[str, ...]] = {}
    for name, value in _flat("", written):
        keys = [value] if isinstance(value, str) else value
        if not (isinstance(keys, list) and all(isinstance(key, str) for key in keys)):
            raise ConfigError(f"{where}: {name} is a key, or a list of keys, in quotes")
        changes[name] = tuple(keys)
    try:
        return Keys(changes)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _flat(above: str, table: Mapping[str, object]) -> list[tuple[str, object]]:
    """``switch.next`` may be written with its dot in quotes or without: then TOML makes a table of it."""
    flat: list[tuple[str, object]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            flat += _flat(f"{above}{name}.", value)
        else:
            flat.append((above + name, value))
    return flat
