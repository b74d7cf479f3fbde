"""What a line means that a person typed: a request, or a sentence that says what is wrong with it.

Pure, like the parser of the text dialect on which it stands, so that both know the same commands.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from triochat.protocol import ProtocolError, text
from triochat.protocol import events as e
from triochat.protocol.grammar import fold


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that can be typed behind a slash.

    Attributes:
        name: without the slash.
        arguments: as a person reads them: ``[#room]`` may be left out.
        summary: what it does, in few words.
    """

    name: str
    arguments: str
    summary: str

    @property
    def form(self) -> str:
        """How to type it: ``/join #room``."""
        return f"/{self.name} {self.arguments}".rstrip()


COMMANDS: Final = (
    Command("join", "#room", "enter another room, or go on in one you are in"),
    Command("part", "[#room]", "leave a room"),
    Command("nick", "name", "take another name"),
    Command("msg", "name hi", "say something to one person alone"),
    Command("me", "waves", "tell what you do"),
    Command("who", "[#room]", "who is here"),
    Command("rooms", "", "which rooms there are"),
    Command("topic", "[text]", "read or set the topic"),
    Command("history", "[n]", "the last messages"),
    Command("search", "words", "the last messages that hold all these words"),
    Command("help", "", "this list"),
    Command("quit", "", "leave"),
)
"""What every client of ours knows, plain or on the full screen."""


def help_text(commands: Iterable[Command]) -> str:
    """A line for each of them, between a line that says what a text does and one about slashes."""
    table = tuple(commands)
    width = max(len(command.form) for command in table)
    return "\n".join(
        (
            "Type a line to say it to everyone in the room you are in. Commands:",
            *(f"{command.form:<{width}} {command.summary}" for command in table),
            "To say a text that begins with a slash, type two.",
        )
    )


HELP: Final = help_text(COMMANDS)


class CommandError(Exception):
    """What was typed makes no sense; the text is a sentence that says why."""


def room_name(word: str) -> str:
    """A room as it is written in the protocol: in lower case, with its ``#``."""
    return fold(word if word.startswith("#") else "#" + word)


def parse(line: str) -> e.Request | None:
    """What was typed, as a request; None for an empty line. A room that is None is the current one.

    Raises:
        CommandError: it makes no sense.
    """
    if not line.strip():
        return None
    try:
        word, _, rest = line.partition(" ")
        if fold(word) == "/part":
            return _part(rest.strip())
        return text.parse(line)
    except ProtocolError as error:
        if error.code == "unknown-command":
            raise CommandError("there is no such command; /help lists them, and // says a /") from None
        raise CommandError(error.sentence) from None


def _part(rest: str) -> e.Part:
    room, _, reason = rest.partition(" ")
    return e.Part(room_name(room) if room else None, reason.strip())
