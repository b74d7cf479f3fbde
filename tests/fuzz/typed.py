"""What a typed line means: the grammar of the text dialect as docs/protocol.md has it, without its parser."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from triochat.protocol import events as e

_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MOST_TEXT: Final = 8000
_PAGE: Final = 20
_ROOM: Final = "#?([A-Za-z0-9_-]{1,32})"
_NICK: Final = "[A-Za-z][A-Za-z0-9_-]{0,31}"
_TEXT: Final = "(?P<text>.+)"


class Form(NamedTuple):
    """How a command is typed.

    Attributes:
        rest: what may stand behind its word, white space around it taken off.
        means: the request, of the groups of `rest`.
        refusals: the codes for whatever else stands there.
    """

    rest: str
    means: Callable[..., e.Request]
    refusals: frozenset[str] = frozenset({"bad-frame"})


_NO_ROOM: Final = frozenset({"bad-frame", "bad-room"})
_NO_NICK: Final = frozenset({"bad-frame", "bad-nick"})

FORMS: Final = {
    "join": Form(_ROOM, lambda room: e.Join(f"#{room.lower()}"), _NO_ROOM),
    "nick": Form(f"({_NICK})", e.Rename, _NO_NICK),
    "msg": Form(rf"@?({_NICK}) \s*{_TEXT}", lambda nick, text: e.Say(f"@{nick}", text), _NO_NICK),
    "me": Form(_TEXT, lambda text: e.Say(None, text)),
    "who": Form(f"(?:{_ROOM})?", lambda room: e.ListNames(room and f"#{room.lower()}"), _NO_ROOM),
    "rooms": Form(".*", e.ListRooms),
    "topic": Form(f"{_TEXT}?", lambda text: e.SetTopic(None, text) if text else e.GetTopic(None)),
    "history": Form(
        "(?!0+$)(0?[0-9]{1,3}|1000)?", lambda n: e.ReadHistory(None, limit=_PAGE if n is None else int(n))
    ),
    "search": Form(_TEXT, lambda text: e.Search(None, text, _PAGE)),
    "help": Form(".*", e.Help),
    "quit": Form(f"{_TEXT}?", lambda text: e.Quit(text or "")),
}
"""By the word behind the slash, in lower case."""


def meaning(typed: str) -> e.Request | frozenset[str]:
    """The request of somebody who types this line, or the codes of which it must be refused with one."""
    if not typed.strip():
        return e.Blank()
    if not typed.startswith("/") or typed.startswith("//"):
        said = typed.removeprefix("/")
        return _untold(said) or e.Say(None, said)
    word, _, rest = typed[1:].partition(" ")
    form = FORMS.get(word.lower()) if word.isascii() else None
    if form is None:
        return frozenset({"unknown-command"})
    match = re.fullmatch(form.rest, rest.strip(), re.DOTALL)
    if match is None:
        return form.refusals
    words = list(match.groups())
    if match.groupdict().get("text"):
        if form is FORMS["me"]:
            words[-1] = f"/me {words[-1]}"
        if refused := _untold(words[-1]):
            return refused
    return form.means(*words)


def _untold(text: str) -> frozenset[str]:
    """With which code a text is refused that may not travel; empty: it may."""
    if _FORBIDDEN.search(text):
        return frozenset({"bad-text"})
    return frozenset({"too-long"} if len(text.encode("unicode_escape")) > _MOST_TEXT else ())
