"""What a line means that a person typed: a request, or a sentence that says what is wrong with it.

Pure, like the parser of the text dialect on which it stands, so that both know the same commands.
"""

from triochat.protocol import ProtocolError, text
from triochat.protocol import events as e
from triochat.protocol.grammar import fold

HELP = (
    "Type a line to say it to everyone in the room you are in. Commands:\n"
    "/join #room   enter another room, or go on in one you are in\n"
    "/part [#room] leave a room\n"
    "/nick name    take another name\n"
    "/msg name hi  say something to one person alone\n"
    "/me waves     tell what you do\n"
    "/who [#room]  who is here\n"
    "/rooms        which rooms there are\n"
    "/topic [text] read or set the topic\n"
    "/history [n]  the last messages\n"
    "/search words the last messages that hold all these words\n"
    "/help         this list\n"
    "/quit         leave\n"
    "To say a text that begins with a slash, type two."
)


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
