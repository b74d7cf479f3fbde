"""What can be typed on the full screen: what every client knows, and what only a screen can do.

From the one table here come ``/help``, completion, and docs/reference/commands.md. Pure.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from triochat.client import commands as plain
from triochat.client.commands import Command, CommandError
from triochat.protocol import events as e
from triochat.protocol.grammar import is_nick


@dataclass(frozen=True, slots=True)
class Query:
    """Open a direct conversation, and go there."""

    nick: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close what is looked at: leave the room, or put the conversation away."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Wipe the pane. What is on the server stays there, and can be paged back to."""


@dataclass(frozen=True, slots=True)
class Bell:
    """Ring for a mention, or do not; None turns it round."""

    on: bool | None


ScreenRequest: TypeAlias = Query | Close | Clear | Bell
"""What concerns nobody but the screen."""

SCREEN_ONLY: Final = (
    Command("query", "name", "open a conversation with one person"),
    Command("close", "", "leave this room, or put this conversation away"),
    Command("clear", "", "wipe the pane; page up brings all of it back"),
    Command("bell", "[on|off]", "ring when somebody mentions you, or do not"),
)

COMMANDS: Final = (
    plain.COMMANDS[:4] + SCREEN_ONLY[:1] + plain.COMMANDS[4:-2] + SCREEN_ONLY[1:] + plain.COMMANDS[-2:]
)
"""All of them, in the order in which a person is told of them."""

HELP: Final = plain.help_text(COMMANDS)


def parse(line: str) -> e.Request | ScreenRequest | None:
    """What was typed; None for an empty line. A room that is None is the one that is looked at.

    Raises:
        CommandError: it makes no sense; the text is a sentence that says why.
    """
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    match word.lower():
        case "/query":
            nick = rest.removeprefix("@")
            if not is_nick(nick):
                raise CommandError("the form is: /query name")
            return Query(nick)
        case "/bell":
            if rest.lower() not in ("", "on", "off"):
                raise CommandError("the form is: /bell on, or /bell off")
            return Bell(None if not rest else rest.lower() == "on")
        case "/close" | "/clear" as alone:
            if rest:
                raise CommandError(f"the form is: {alone}")
            return Close() if alone == "/close" else Clear()
        case _:
            return plain.parse(line)


def reference() -> str:
    """The table of docs/reference/commands.md."""
    rows = ["| type | what it does | where |", "|---|---|---|"]
    for command in COMMANDS:
        form = command.form.replace("|", "\\|")
        where = "full screen" if command in SCREEN_ONLY else "everywhere"
        rows.append(f"| `{form}` | {command.summary} | {where} |")
    return "\n".join(rows) + "\n"
