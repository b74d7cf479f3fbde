"""What can be answered before anything is imported: which commands there are, and the version.

To import what parses a command line, and what draws its help, takes ten times as long as Python takes to
start. That is well spent on a command that is to be run, and on its own help, which shows all settings. It
is not on these two questions. The tests see to it that the answers are those of `triochat.cli`.
"""

from collections.abc import Sequence

from triochat.version import __version__

SUMMARY = "A chat for a small team, a class, a LAN: server and client."
VERSION = f"triochat {__version__}"

COMMANDS = {
    "backup": "Copy the server's file to a new file, whether the server runs or not.",
    "client": "Chat at ADDRESS. With a pipe as input, send every line and end when all are kept.",
    "completion": "Print what makes a shell complete the commands of triochat.",
    "export": "Write what is kept to the standard output, whether the server runs or not.",
    "host": "Serve the chat to others, and take part in it.",
    "import": (
        "Fill a new journal from JSON lines of export, all or nothing; ids and times stay as they were."
    ),
    "send": "Say TEXT, or each line of the standard input, and end when all is kept.",
    "server": "Serve the chat until SIGTERM or Ctrl-C.",
    "tail": "Print what was said in rooms, and go on with what is said now if asked to.",
}
"""The commands, and the first sentence of what each of them does."""

WIDTH = 80


def quick_answer(arguments: Sequence[str]) -> str | None:
    """What to print for exactly these arguments; None: the command line has to be parsed."""
    match list(arguments):
        case [] | ["--help"] | ["-h"]:
            return help_text()
        case ["--version"]:
            return f"{VERSION}\n"
        case _:
            return None


def help_text() -> str:
    """The help of the whole program."""
    lines = ["Usage: triochat COMMAND", "", SUMMARY, "", "Commands:"]
    column = max(len(name) for name in COMMANDS) + 4
    for name, sentence in COMMANDS.items():
        line = f"  {name}".ljust(column)
        for word in sentence.split():
            if len(line) + 1 + len(word) > WIDTH:
                lines.append(line)
                line = " " * column
            line += word if line.endswith("  ") else f" {word}"
        lines.append(line)
    lines += [
        "",
        "triochat COMMAND --help tells more of each of them.",
        "triochat --version tells the version.",
    ]
    return "\n".join(lines) + "\n"
