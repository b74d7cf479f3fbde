"""How things look, and a file in TOML that says otherwise.

Each style has the 16 colours that every terminal has, 256 where there are so many, and what is left without
any colour (``NO_COLOR``). The defaults can be read on a light and on a dark background: they leave both the
background and the colour of ordinary text to the terminal. How the file looks is in docs/reference/screen.md.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

import urwid

from triochat.config import ConfigError
from triochat.screen.settings import config_path, read_toml

PaletteEntry: TypeAlias = tuple[str, str, str, str, str, str]
"""Name, foreground, background, mono, and foreground and background of 256: what urwid's screens take."""


@dataclass(frozen=True, slots=True)
class Style:
    """One style, in urwid's words: a colour, then attributes, with commas between them.

    Attributes:
        foreground: of 16 colours, for example ``dark red,bold``.
        background: of 16 colours.
        foreground256: of 256, for example ``#06d`` or ``h160``; empty: as with 16.
        background256: of 256; empty: as with 16.
        mono: attributes where there is no colour, for example ``underline``.
    """

    foreground: str = "default"
    background: str = "default"
    foreground256: str = ""
    background256: str = ""
    mono: str = "default"


_FAINT: Final = Style("dark gray", foreground256="h243")
_BAR: Final = Style("white", "dark blue", "h255", "h24", "standout")
_ALERT: Final = Style("white,bold", "dark red", "h231,bold", "h124", "bold,standout")
_CYAN: Final = Style("dark cyan", foreground256="h30", mono="bold")
_RED: Final = Style("dark red,bold", foreground256="h160,bold", mono="bold")
_NICKS: Final = (
    ("dark red", "h160"),
    ("dark cyan", "h30"),
    ("dark magenta", "h164"),
    ("dark green", "h28"),
    ("light blue", "h32"),
    ("brown", "h136"),
    ("light red", "h166"),
    ("light magenta", "h134"),
    ("dark cyan,bold", "h63"),
    ("dark red,bold", "h131"),
    ("light blue,bold", "h64"),
    ("dark magenta,bold", "h162"),
)

STYLES: Final[Mapping[str, tuple[Style, str]]] = {
    "time": (_FAINT, "the time of a message"),
    **{
        f"nick{n}": (Style(colour, foreground256=high), f"nicks, colour {n + 1} of 12")
        for n, (colour, high) in enumerate(_NICKS)
    },
    "own": (Style("default,bold", mono="bold"), "our own nick"),
    "mention": (_ALERT, "a message that names us"),
    "action": (Style("default,italics", mono="italics"), "what somebody does (/me)"),
    "topic": (_CYAN, "a topic that is set, and the line of the topic"),
    "presence": (_FAINT, "who comes and goes"),
    "gap": (Style("brown", foreground256="h136", mono="underline"), "entries that are no longer kept"),
    "notice": (replace(_CYAN, mono="default"), "what the client itself has to say"),
    "error": (_RED, "what went wrong"),
    "pending": (Style("dark gray,italics", foreground256="h243,italics", mono="italics"), "not kept yet"),
    "failed": (Style("dark red", foreground256="h160", mono="underline"), "not sent, and why"),
    "day": (Style("dark gray,bold", foreground256="h243,bold", mono="bold"), "the line above a day"),
    "unread": (_RED, "the line above what is new"),
    "below": (_BAR, "new messages below"),
    "title": (Style("default,bold", mono="bold"), "headings of lists and dialogs"),
    "status": (_BAR, "the status line"),
    "status.alert": (_ALERT, "what is urgent in the status line: no connection, mentions"),
    "input": (Style(), "what is typed"),
    "prompt": (Style("default,bold", mono="bold"), "the room in front of it, and questions"),
    "list": (Style(), "rooms and conversations"),
    "list.current": (_BAR, "the one that is looked at, or chosen"),
    "list.unread": (Style("default,bold", mono="bold"), "with something unread"),
    "list.mention": (replace(_RED, mono="bold,underline"), "with a mention"),
    "member": (Style(), "who is here"),
    "dialog": (Style(), "a dialog, and its frame"),
    "link": (Style("default,underline", mono="underline"), "addresses"),
}
"""Style → how it looks by default, and where it is used."""

_COLOURS: Final = (
    "default, black, dark red, dark green, brown, dark blue, dark magenta, dark cyan, light gray, dark gray,"
    " light red, light green, yellow, light blue, light magenta, light cyan, white"
)
_FORM: Final = (
    f"The colours are {_COLOURS}; of 256 also #rgb, h0 to h255 and g0 to g100;"
    " behind a foreground, with commas: bold, italics, underline, blink, standout, strikethrough"
)


class Theme:
    """How everything looks.

    Args:
        changes: style → its settings, each instead of the one that it has. A new colour of 16 is also the one
            of 256, unless that is given too.

    Raises:
        ConfigError: there is no such style, setting or colour.
    """

    def __init__(self, changes: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self.styles: dict[str, Style] = {name: style for name, (style, _) in STYLES.items()}
        for name, settings in (changes or {}).items():
            if name not in STYLES:
                raise ConfigError(f"there is no style {name}; there are {', '.join(STYLES)}")
            self.styles[name] = _changed(name, self.styles[name], settings)

    def palette(self) -> list[PaletteEntry]:
        """What urwid's main loop takes as its palette."""
        return [
            (
                name,
                style.foreground,
                style.background,
                style.mono,
                style.foreground256 or style.foreground,
                style.background256 or style.background,
            )
            for name, style in self.styles.items()
        ]


def reference() -> str:
    """The table of docs/reference/screen.md."""
    rows = [
        "| style | foreground | background | foreground256 | background256 | mono | of what |",
        "|" + "---|" * 7,
    ]
    for name, (style, where) in STYLES.items():
        cells = [f"`{value}`" if value else "" for value in asdict(style).values()]
        rows.append(f"| `{name}` | {' | '.join(cells)} | {where} |")
    return "\n".join(rows) + "\n"


def _changed(name: str, style: Style, settings: Mapping[str, str]) -> Style:
    known = [field.name for field in fields(Style)]
    for setting in settings:
        if setting not in known:
            raise ConfigError(f"{name} has no setting {setting}; there are {', '.join(known)}")
    new = dict(settings)
    for ground in ("foreground", "background"):
        if ground in new:
            new.setdefault(f"{ground}256", "")
    result = replace(style, **new)
    for setting, value in asdict(result).items():
        _check(f"{name}.{setting}", setting, value)
    return result


def _check(where: str, setting: str, value: str) -> None:
    if not value:
        return
    colours: Literal[16, 256] = 256 if setting.endswith("256") else 16
    try:
        if setting.startswith("background"):
            urwid.AttrSpec("default", value, colours)
        else:
            urwid.AttrSpec(value, "default", 1 if setting == "mono" else colours)
    except urwid.AttrSpecError:
        raise ConfigError(f"{where}: there is no {value!r}. {_FORM}") from None


def load_theme(path: Path | None = None) -> Theme:
    """The styles, with what the file says; the one in the user's folder for settings if `path` is None.

    Raises:
        ConfigError: the file can't be read, or makes no sense; a given one that is not there.
    """
    where = path or config_path("theme.toml")
    changes: dict[str, dict[str, str]] = {}
    try:
        _collect("", read_toml(where, must_exist=path is not None), changes)
        return Theme(changes)
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(str(where)) else f"{where}: {text}") from None


def _collect(above: str, table: Mapping[str, object], changes: dict[str, dict[str, str]]) -> None:
    """``[list.current]`` may be written with its name in quotes or without: then TOML makes tables of it."""
    for name, value in table.items():
        if isinstance(value, dict):
            inner = f"{above}.{name}" if above else name
            if not value or any(not isinstance(it, dict) for it in value.values()):
                changes.setdefault(inner, {})
            _collect(inner, value, changes)
        elif not above:
            raise ConfigError(f"{name} stands in no table; write [style] above it")
        elif isinstance(value, str):
            changes[above][name] = value
        else:
            raise ConfigError(f"{above}.{name} is a text in quotes")
