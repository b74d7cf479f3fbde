"""How an entry of a log becomes a line that is shown."""

from triochat.client.happenings import Entry
from triochat.protocol import events as e
from triochat.protocol.grammar import fold
from triochat.protocol.text import ACTION
from triochat.screen.buffer import Line
from triochat.screen.nicks import mentions


def line_of(entry: Entry, nick: str, now: int) -> Line:
    """The line for an entry.

    Args:
        entry: of a room, or of an inbox.
        nick: our own, when that was said: it makes the line ours, or a mention of us.
        now: Unix milliseconds, for a gap, which has no time of its own.
    """
    match entry:
        case e.Message(text=text):
            own = fold(entry.nick) == fold(nick)
            said = text.removeprefix(ACTION)
            return Line(
                "action" if text.startswith(ACTION) else "message",
                said,
                entry.ms,
                entry.nick,
                entry.id,
                own,
                mention=not own and (entry.target.startswith("@") or mentions(said, nick)),
            )
        case e.TopicSet(text=text):
            what = f"set the topic: {text}" if text else "cleared the topic"
            return Line("topic", what, entry.ms, entry.nick, entry.id, fold(entry.nick) == fold(nick))
        case e.Gap(first=first, last=last):
            return Line("gap", f"the messages {first} to {last} are no longer kept", now, id=last)
