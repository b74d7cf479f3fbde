"""The text dialect: what a person with netcat and a 2019 tutorial client type and read.

Parsing turns one line, its decoration already gone, into a request; rendering turns an event into
the lines that a person reads. What is rendered depends on nothing but the event, so one rendering
serves a whole room. A sentence of the server never quotes what a peer sent, every message begins with
its sender's name, and its further lines are indented: so no text can make the server emit a line that
is exactly ``NICK``, which a 2019 client would answer in the room.
"""

import re
from collections.abc import Callable

from triochat.protocol import events as e
from triochat.protocol.errors import LocalProtocolError, RemoteProtocolError
from triochat.protocol.escape import FORBIDDEN
from triochat.protocol.grammar import MAX_PAGE, fold

CONTINUED = "\n  "
"""Leads in the further lines of a message. Nothing else begins with a space, so none of them can pass
for somebody else's; the sender's name on each would make up to 17 octets of one."""
PROMPT = b"NICK"
"""Four octets, no line end, and nothing behind them: all that a 2019 client understands."""

ACTION = "/me "
"""What the text of a message begins with that tells what its sender does."""

HELP = (
    "Type a line to say it to everyone in the room you are in. Commands:\n"
    "/join #room   go to another room\n"
    "/nick name    take another name\n"
    "/msg name hi  say something to one person alone\n"
    "/me waves     tell what you do\n"
    "/who          who is here\n"
    "/rooms        which rooms there are\n"
    "/topic [text] read or set the topic\n"
    "/history [n]  the last messages\n"
    "/search words the messages that hold all these words\n"
    "/help         this list\n"
    "/quit         leave"
)

_PROMPT_LINE = re.compile("^NICK$", re.MULTILINE)


def _usage(form: str) -> RemoteProtocolError:
    return RemoteProtocolError("bad-frame", f"The form is: {form}")


def _join(rest: str) -> e.Request:
    if not rest or " " in rest:
        raise _usage("/join #room")
    return e.Join(_room(rest))


def _nick(rest: str) -> e.Request:
    if not rest or " " in rest:
        raise _usage("/nick name")
    return e.Rename(rest)


def _msg(rest: str) -> e.Request:
    nick, _, text = rest.partition(" ")
    if not text.strip():
        raise _usage("/msg name what you say")
    return e.Say("@" + nick.removeprefix("@"), text.strip())


def _me(rest: str) -> e.Request:
    if not rest:
        raise _usage("/me waves")
    return e.Say(None, ACTION + rest)


def _who(rest: str) -> e.Request:
    if " " in rest:
        raise _usage("/who, or /who #room")
    return e.ListNames(_room(rest) if rest else None)


def _topic(rest: str) -> e.Request:
    return e.SetTopic(None, rest) if rest else e.GetTopic(None)


def _history(rest: str) -> e.Request:
    if not rest:
        return e.ReadHistory(None)
    if re.fullmatch("[0-9]{1,4}", rest) is None or not 1 <= int(rest) <= MAX_PAGE:
        raise _usage(f"/history, or /history n with n from 1 to {MAX_PAGE}")
    return e.ReadHistory(None, limit=int(rest))


def _search(rest: str) -> e.Request:
    if not rest:
        raise _usage("/search words")
    return e.Search(None, rest)


def _room(word: str) -> str:
    return fold(word if word.startswith("#") else "#" + word)


_COMMANDS: dict[str, Callable[[str], e.Request]] = {
    "join": _join,
    "nick": _nick,
    "msg": _msg,
    "me": _me,
    "who": _who,
    "rooms": lambda _: e.ListRooms(),
    "topic": _topic,
    "history": _history,
    "search": _search,
    "help": lambda _: e.Help(),
    "quit": e.Quit,
}


def parse(line: str) -> e.Request:
    """What a person typed, as a request.

    Raises:
        RemoteProtocolError: a command that there is not, or that lacks something.
    """
    if not line.strip():
        return e.Blank()
    try:
        if not line.startswith("/"):
            return e.Say(None, line)
        if line.startswith("//"):
            return e.Say(None, line[1:])
        word, _, rest = line[1:].partition(" ")
        command = _COMMANDS.get(fold(word))
        if command is None:
            raise RemoteProtocolError(
                "unknown-command",
                "There is no such command: /help lists them."
                " To say a text that begins with a slash, type two.",
            )
        return command(rest.strip())
    except LocalProtocolError as error:
        raise RemoteProtocolError(error.code, error.sentence) from None


def likely_nick(offered: str) -> str:
    """A well-formed nick close to what a peer offered that can't be asked again."""
    kept = re.sub("[^A-Za-z0-9_-]", "", offered).lstrip("0123456789_-")
    return kept[:32] or "guest"


def printable(text: str) -> str:
    """Text of a peer that knows no rules, made safe for a terminal and for our values."""
    return FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


# --- Rendering ----------------------------------------------------------------------------------


def _clock(ms: int) -> str:
    """Hours and minutes, UTC."""
    hours, minutes = divmod(ms // 60_000 % 1440, 60)
    return f"{hours:02}:{minutes:02}"


def _mark(entry: e.Message | e.TopicSet) -> str:
    """An entry under a tag is part of an answer: it tells of the past."""
    return "" if entry.tag is None else f"[history {_clock(entry.ms)}] "


def _message(event: e.Message) -> str:
    private = event.target.startswith("@")
    name = f"(private) {event.nick} to {event.target[1:]}" if private else event.nick
    action = event.text.startswith(ACTION)
    lead = f"* {name} " if action else f"{name}: "
    text = event.text.removeprefix(ACTION).replace("\n", CONTINUED)
    return f"{_mark(event)}{lead}{text}"


def _one_line(text: str) -> str:
    return text.replace("\n", " ")


def _topic_set(event: e.TopicSet) -> str:
    deed = f"set the topic: {_one_line(event.text)}" if event.text else "cleared the topic."
    return f"{_mark(event)}{event.nick} {deed}"


def _room_info(event: e.RoomInfo) -> str:
    people = "1 person" if event.members == 1 else f"{event.members} people"
    topic = f", topic: {_one_line(event.topic)}" if event.topic else ""
    return f"{event.room}: {people}{topic}"


def _left(event: e.Left) -> str:
    reason = f" ({_one_line(event.reason)})" if event.reason else ""
    return f"{event.nick} left!{reason}"


def _bye(event: e.Bye) -> str:
    return f"Goodbye! ({_one_line(event.reason)})" if event.reason else "Goodbye!"


def as_sentence(words: str) -> str:
    """Words of the server as a person would write them; a line ``NICK`` is no words."""
    end = "" if not words or words.endswith((".", "!", "?")) else "."
    return _PROMPT_LINE.sub("NICK.", f"{words[:1].upper()}{words[1:]}{end}")


def render(event: e.Event) -> str:
    r"""The lines, joined by ``\n``, that tell a person of `event`; empty if there is nothing to tell."""
    match event:
        case e.Message():
            return _message(event)
        case e.Joined():
            return f"{event.nick} joined!"
        case e.Left():
            return _left(event)
        case e.Renamed():
            return f"{event.old} is now {event.new}."
        case e.TopicSet():
            return _topic_set(event)
        case e.RoomInfo():
            return _room_info(event)
        case e.NameList():
            return f"In {event.room}: {', '.join(event.nicks) or 'nobody'}"
        case e.Gap():
            return f"(The entries {event.first} to {event.last} are no longer kept.)"
        case e.Failure() | e.Notice():
            return as_sentence(event.sentence)
        case e.Welcome():
            return "Connected to server!"
        case e.Bye():
            return _bye(event)
        case _:  # OK, PING, PONG: for programs
            return ""
