"""The help of a command as plain text, in the form in which `triochat.usage` has that of all of them.

What parses the command line draws frames, which leave little room on a narrow terminal, and are read out.
"""

from typing import TYPE_CHECKING, Any, Final

from triochat import usage

if TYPE_CHECKING:
    from cyclopts.help import HelpEntry, HelpPanel
    from rich.console import Console, ConsoleOptions

_FIRST: Final = ("--server", "--nick", "--room")
"""Options that most people want; they stand in front of the others, in which order ever they were defined."""
_KINDS: Final = {"STR": "TEXT", "PATH": "FILE", "INT": "NUMBER", "FLOAT": "NUMBER"}
"""What a value is called, by its type as programmers call it."""
_VALUES: Final = {
    "--host": "ADDRESS",
    "--name": "WORD",
    "--nick": "NICK",
    "--room": "ROOM",
    "--server": "ADDRESS",
    "--since": "TIME",
    "--to": "NICK",
}
"""The same for options of which there is more to say."""


class HelpPage:
    """A formatter of help, as cyclopts takes them; each part but the first begins with an empty line."""

    def render_usage(self, console: "Console", _: "ConsoleOptions", line: object) -> None:
        """Print the line that says in which order things are written."""
        words = _words(console, line).removeprefix("Usage: ")
        _print(console, usage.filled(words, console.width, "Usage: ", "  "))

    def render_description(self, console: "Console", _: "ConsoleOptions", text: object) -> None:
        """Print what the command does."""
        _print(console, ["", *usage.filled(_words(console, text), console.width)])

    def __call__(
        self,
        console: "Console",
        options: "ConsoleOptions",  # noqa: ARG002 -- those of the console, which cyclopts gives as well
        panel: "HelpPanel",
    ) -> None:
        """Print arguments or options, and what each of them is for."""
        entries = sorted(panel.entries, key=_place)
        rows = [(_label(entry), _text(console, entry)) for entry in entries]
        if rows:
            _print(console, ["", f"{panel.title}:", *usage.listed(rows, console.width)])


def shown(default: object) -> str | None:
    """A default as people write it; None if there is nothing to see in it."""
    if default is None or default is False or default in ("", ()):
        return None
    return f"{default:g}" if isinstance(default, float) else str(default)


def _place(entry: "HelpEntry") -> int:
    return next((_FIRST.index(name) for name in entry.positive_names if name in _FIRST), len(_FIRST))


def _label(entry: "HelpEntry") -> str:
    if entry.positional_label:
        return entry.positional_label
    label = ", ".join([*entry.positive_shorts, *entry.positive_names])
    if not entry.metavar:
        return label
    kind = entry.metavar.removesuffix("...")
    return f"{label} {_VALUES.get(entry.positive_names[0]) or _KINDS.get(kind, kind)}"


def _text(console: "Console", entry: "HelpEntry") -> str:
    more = []
    if entry.choices:
        more.append(f"one of {', '.join(entry.choices)}")
    if entry.default is not None:
        more.append(f"default: {entry.default}")
    if entry.env_var:
        more.append(f"or in the environment: {', '.join(entry.env_var)}")
    text = _words(console, entry.description)
    return f"{text} [{'; '.join(more)}]" if more else text


def _words(console: "Console", drawn: Any) -> str:  # noqa: ANN401 -- whatever rich can draw
    wide = console.options.update(width=10_000)
    return " ".join("".join(segment.text for segment in console.render(drawn, wide)).split())


def _print(console: "Console", lines: list[str]) -> None:
    for line in lines:
        console.out(line, highlight=False)
