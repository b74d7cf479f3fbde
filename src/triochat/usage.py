"""What can be answered before anything is imported: which commands there are, and the version.

To import what parses a command line, and what draws its help, takes ten times as long as Python takes to
start. That is well spent on a command that is to be run, and on its own help, which shows all settings. It
is not on these two questions. The tests see to it that the answers are those of `triochat.cli`.
"""

import os
from collections.abc import Iterable, Sequence

from triochat.version import __version__

SUMMARY = "A chat for a small team, a class, a LAN: server and client."
VERSION = f"triochat {__version__}"

COMMANDS = {
    "host": "Serve the chat to others, and take part in it.",
    "client": "Chat at ADDRESS. With a pipe as input, send every line and end when all are kept.",
    "server": "Serve the chat until SIGTERM or Ctrl-C.",
    "send": "Say TEXT, or each line of the standard input, and end when all is kept.",
    "tail": "Print the last of what was said in rooms, and with --follow what is said from now on.",
    "export": "Write what was said to the standard output, whether the server runs or not.",
    "import": "Fill the file of a new server with what export wrote, all or nothing; ids and times stay.",
    "backup": "Copy the server's file to a new file, whether the server runs or not.",
    "completion": "Print what makes a shell complete commands and options when Tab is pressed.",
}
"""The commands, those that most people want first, and the first sentence of what each of them does."""

HINTS = (
    "To begin, one runs triochat host, and the others what it shows them.",
    "triochat COMMAND --help tells more of each of them.",
    "triochat --version tells the version.",
)

WIDTH = 80
"""Columns of a help, unless the terminal has fewer."""
NARROWEST = 24
"""Columns with which a help can be read. What has fewer, or says so, wraps by itself."""


def quick_answer(arguments: Sequence[str]) -> str | None:
    """What to print for exactly these arguments; None: the command line has to be parsed."""
    match list(arguments):
        case [] | ["--help"] | ["-h"]:
            return help_text(columns())
        case ["--version"]:
            return f"{VERSION}\n"
        case _:
            return None


def help_text(width: int) -> str:
    """The help of the whole program, in lines of up to `width` columns."""
    lines = ["Usage: triochat COMMAND", "", *filled(SUMMARY, width), "", "Commands:"]
    lines += listed(COMMANDS.items(), width)
    lines.append("")
    for sentence in HINTS:
        lines += filled(sentence, width)
    return "\n".join(lines) + "\n"


def columns() -> int:
    """Columns for a help: those of the terminal, or those in ``COLUMNS``, but no more than `WIDTH`."""
    told = os.environ.get("COLUMNS", "")
    there = int(told) if told.isascii() and told.isdigit() else _terminal()
    return min(there, WIDTH) if there >= NARROWEST else WIDTH


def filled(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """The words of a text in lines of up to `width` columns; `first` and `rest` begin them."""
    lines: list[str] = []
    line, is_empty = first, True
    for word in text.split():
        if not is_empty and len(line) + 1 + len(word) > width:
            lines.append(line)
            line, is_empty = rest, True
        line += word if is_empty else f" {word}"
        is_empty = False
    return [*lines, line.rstrip()]


def listed(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Names, and beside each what it is; below it where that would be too narrow."""
    rows = list(rows)
    column = max(len(name) for name, _ in rows) + 4
    lines = []
    for name, text in rows:
        if width - column >= NARROWEST:
            lines += filled(text, width, f"  {name}".ljust(column), " " * column)
        else:
            lines += [f"  {name}", *filled(text, width, " " * 6, " " * 6)]
    return lines


def _terminal() -> int:
    """Columns of the terminal, also if one of the standard streams is a pipe; 0: there is none."""
    for fd in (1, 2, 0):
        try:
            return os.get_terminal_size(fd).columns
        except OSError:
            continue
    return 0
