"""The framed dialect: ASCII lines of ``[@tag] VERB params… [:text]``, parsed and built.

Both directions are a table from the verb, or the type, to a few lines of code. Building is the
inverse of parsing: ``parse(build(value)) == value`` for every value that the dialect can say.

What a busy server does all day has a second, faster way beside the tables: see `parse_says`,
`build_messages` and `build_oks`, which say the same as the tables, only of many frames at once.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from triochat.protocol import events as e
from triochat.protocol.errors import LocalProtocolError, RemoteProtocolError
from triochat.protocol.escape import MAX_TEXT, PLAIN, SHORTEST_ESCAPE, escape, is_plain, unescape
from triochat.protocol.grammar import MAX_FRAME, PROTOCOL, ROOM, TAG, WORD, fold
from triochat.protocol.runs import MessageRun, OkRun, PlainTexts, SayRun

Params = Sequence[str]

_FRAME = re.compile(rf"(?:@({TAG}) )?([A-Z]{{1,16}})((?: {WORD})*)(?: :(.*))?")
_TAG_HEAD = re.compile(rf"@({TAG}) ".encode())
_DIGITS = re.compile("[0-9]{1,19}")


class _UsageError(Exception):
    """The parameters don't fit the verb; the table of usages says what would."""


def tag_of(head: bytes) -> str | None:
    """The tag at the beginning of a frame that can't be read any further."""
    match = _TAG_HEAD.match(head)
    return match[1].decode("ascii") if match else None


def parse_request(line: bytes) -> e.Request:
    """Parse a frame of a client.

    Args:
        line: the frame without its line end.

    Raises:
        RemoteProtocolError: with the tag, if there is one.
    """
    return _parse(line, _REQUESTS)


def parse_event(line: bytes) -> e.Event:
    """Parse a frame of a server; see `parse_request`."""
    return _parse(line, _EVENTS)


def build(frame: e.Frame) -> bytes:
    """Build a frame, its LF included.

    Raises:
        LocalProtocolError: the framed dialect can't say this, or not in one frame.
    """
    try:
        line = _BUILDERS[type(frame)](frame)
    except KeyError:
        raise _unsayable() from None
    if frame.tag is not None:
        line = f"@{frame.tag} {line}"
    if len(line) >= MAX_FRAME:
        raise LocalProtocolError("too-long", f"a frame is at most {MAX_FRAME} octets long")
    return line.encode("ascii") + b"\n"


# --- Runs ---------------------------------------------------------------------------------------

RUN_OCTETS = 8192
"""How far a run may reach: a frame of the greatest length fits."""
LONGEST_RUN = 256
"""Messages in a run."""

_FIRST_LOOK = 1024
"""How far to look first: if there is a mistake so near, to look any further would be in vain, each time."""


def _lines_to_one_room(head: str) -> re.Pattern[bytes]:
    """Up to `LONGEST_RUN` messages to one room, which is the group, each with this head."""
    text = rf":.{{1,{MAX_TEXT}}}+\n"
    # The group is not possessive: in CPython before 3.11.5 such a group may end in the middle of a line.
    return re.compile(rf"{head}MSG ({ROOM}) {text}(?:{head}MSG \1 {text}){{0,{LONGEST_RUN - 1}}}".encode())


_TAGGED = _lines_to_one_room(f"@{TAG} ")
_UNTAGGED = _lines_to_one_room("")
# These are looked for, not only matched. A mistake costs little more than its octets all the same: no tag
# holds an @, so none is read twice, and a text reaches to the end of its line, whatever is in it.
_TAGGED_LINE = re.compile(rf"@({TAG}) MSG ({ROOM}) :(.+)\n")
_UNTAGGED_LINE = re.compile(rf"MSG ({ROOM}) :(.+)\n")
_TO_PLAIN_LINES = bytes(octet if octet in PLAIN + b"\n" else ord("?") for octet in range(256))
"""A table that translates lines to themselves if all is plain: no cheaper way to see that is known."""
_VALID = re.compile(rb"(?:[\n -\[\]-~]++|%b)*" % SHORTEST_ESCAPE.encode())
"""Lines that hold only what a text may hold: no octet that is unprintable, no escape that is wrong."""


def parse_says(block: bytes, start: int) -> SayRun | None:
    """Take as many messages as stand at `start`: alike, to one room, and without anything unusual.

    Mostly a read brings nothing else, so a block is first taken for one run from end to end: then no
    search for its end is needed. That is tried once for each block, at its beginning, so it can't be in
    vain again and again. If the block is something else, one expression finds out how far a run
    reaches. What it does not take is for `parse_request`: another request, a mistake, a room in upper
    case, an end with CR, an escape in a longer form than `build` gives it.

    Args:
        block: complete lines, each with its LF.
        start: where a line begins.

    Returns:
        The run, which reaches `SayRun.octets` far; None if there is none.
    """
    if (
        start == 0
        and len(block) <= MAX_TEXT  # so no text is too long
        and (block.translate(_TO_PLAIN_LINES) == block or _VALID.fullmatch(block) is not None)
        and (run := _take_apart(block)) is not None
    ):
        return run
    lines = _reach(block, start)
    return _take_apart(lines) if lines else None


def _take_apart(lines: bytes) -> SayRun | None:
    """What `lines` say, in which no octet is wrong and no text too long; None if they are not one run.

    To split leaves the words of each line in turn, and in front of them what lies between it and the
    line before: if that is not nothing, something was passed over.
    """
    wire = lines.decode("ascii")
    tagged = wire.startswith("@")
    parts = (_TAGGED_LINE if tagged else _UNTAGGED_LINE).split(wire, LONGEST_RUN)
    tags: Sequence[str] | None
    texts: Sequence[str]
    if tagged and len(parts) == 5:  # one message: the most frequent run
        before, tag, room, text, behind = parts
        if before or behind:
            return None
        tags, texts = (tag,), (text,)
    else:
        words = 4 if tagged else 3
        rooms, texts = parts[words - 2 :: words], parts[words - 1 :: words]
        if "".join(parts[::words]) or rooms.count(rooms[0]) != len(rooms):
            return None
        tags, room = parts[1::words] if tagged else None, rooms[0]
    texts = [unescape(text) for text in texts] if "\\" in wire else PlainTexts(texts)
    return SayRun(room, texts, tags, len(lines))


def _reach(block: bytes, start: int) -> bytes:
    """The lines at `start` that are a run; none if there is none."""
    pattern = _TAGGED if block.startswith(b"@", start) else _UNTAGGED
    match = pattern.match(block, start, start + _FIRST_LOOK)
    if len(block) - start > _FIRST_LOOK and (
        match is None or _FIRST_LOOK // 2 < len(match[0]) == _valid_octets(match[0])
    ):
        match = pattern.match(block, start, start + RUN_OCTETS)
    return b"" if match is None else match[0][: _valid_octets(match[0])]


def _valid_octets(lines: bytes) -> int:
    """How far the lines reach that stand in front of the first mistake in a text."""
    if lines.translate(_TO_PLAIN_LINES) == lines:
        return len(lines)
    valid = _VALID.match(lines)
    assert valid is not None  # it matches nothing, too
    return lines.rfind(b"\n", 0, valid.end()) + 1


def build_messages(run: MessageRun) -> bytes:
    """Build what `build` makes of the messages of `run`, one behind the other."""
    target, first, ms, nick, texts = run
    if type(texts) is not PlainTexts and not is_plain("".join(texts)):
        texts = [escape(text) for text in texts]
    if len(texts) == 1:
        return f"MSG {target} {first} {ms} {nick} :{texts[0]}\n".encode("ascii")
    head, middle = f"MSG {target} ", f" {ms} {nick} :"
    lines = [f"{head}{number}{middle}{text}\n" for number, text in enumerate(texts, first)]
    return "".join(lines).encode("ascii")


def build_oks(run: OkRun) -> bytes:
    """Build what `build` makes of the acknowledgements of `run`, one behind the other."""
    first, tags = run
    if len(tags) == 1:
        return f"@{tags[0]} OK {first}\n".encode("ascii")
    lines = "@" + " OK %d\n@".join(tags) + " OK %d\n"  # a tag holds no %, and one format is cheaper than many
    return (lines % tuple(range(first, first + len(tags)))).encode("ascii")


# --- Parsing ------------------------------------------------------------------------------------

_Parsed = TypeVar("_Parsed", bound=e.Frame)
_Parser = Callable[[Params, str | None, str | None], _Parsed]


def _parse(line: bytes, parsers: dict[str, tuple[str, _Parser[_Parsed]]]) -> _Parsed:
    if not line.isascii():
        raise RemoteProtocolError(
            "not-ascii",
            r"a frame is 7-bit ASCII; write other characters as \xHH, \uHHHH or \UHHHHHHHH",
            tag=tag_of(line),
        )
    match = _FRAME.fullmatch(line.decode("ascii"))
    if match is None:
        raise RemoteProtocolError("bad-frame", "a frame is [@tag] VERB [param ...] [:text]", tag=tag_of(line))
    tag, verb, words, wire = match.groups()
    if verb not in parsers:
        raise RemoteProtocolError("unknown-command", "there is no such command", tag=tag)
    usage, parser = parsers[verb]
    try:
        return parser(words.split(" ")[1:], None if wire is None else unescape(wire), tag)
    except _UsageError:
        raise RemoteProtocolError("bad-frame", f"the form is: {usage}", tag=tag) from None
    except LocalProtocolError as error:
        raise RemoteProtocolError(error.code, error.sentence, tag=tag) from None


def _exactly(params: Params, count: int) -> Params:
    if len(params) != count:
        raise _UsageError
    return params


def _one(params: Params) -> str:
    return _exactly(params, 1)[0]


def _none(text: str | None) -> None:
    if text is not None:
        raise _UsageError


def _number(word: str) -> int:
    """A number, whose range is a matter of the value that it goes into."""
    if _DIGITS.fullmatch(word) is None:
        raise _UsageError
    return int(word)


def _options(params: Params, *names: str) -> dict[str, int]:
    """``key=number`` parameters, each at most once."""
    options: dict[str, int] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or name not in names or name in options:
            raise _UsageError
        options[name] = _number(value)
    return options


def _first(params: Params) -> str:
    if not params:
        raise _UsageError
    return params[0]


def _target(word: str) -> str:
    """A room, whose case does not matter, or a person, whose name is shown as typed."""
    return word if word.startswith("@") else fold(word)


def _parse_nick(params: Params, text: str | None, tag: str | None) -> e.Hello | e.Rename:
    _none(text)
    match params:
        case [nick] if nick != PROTOCOL:  # else somebody has left out the nick
            return e.Rename(nick, tag=tag)
        case [nick, protocol] if protocol == PROTOCOL:
            return e.Hello(nick, tag=tag)
        case [nick, protocol, option, *more] if protocol == PROTOCOL and option.startswith("session="):
            if more in ([], ["takeover=no"]):
                return e.Hello(nick, option.removeprefix("session="), takeover=not more, tag=tag)
    raise _UsageError


def _parse_join(params: Params, text: str | None, tag: str | None) -> e.Join:
    _none(text)
    room = fold(_first(params))
    return e.Join(room, **_options(params[1:], "after"), tag=tag)


def _parse_part(params: Params, text: str | None, tag: str | None) -> e.Part:
    return e.Part(fold(_one(params)), text or "", tag=tag)


def _parse_say(params: Params, text: str | None, tag: str | None) -> e.Say:
    target = _target(_one(params))
    if text is None:
        raise _UsageError
    return e.Say(target, text, tag=tag)


def _parse_topic(params: Params, text: str | None, tag: str | None) -> e.GetTopic | e.SetTopic:
    room = fold(_one(params))
    return e.GetTopic(room, tag=tag) if text is None else e.SetTopic(room, text, tag=tag)


def _parse_names(params: Params, text: str | None, tag: str | None) -> e.ListNames:
    _none(text)
    return e.ListNames(fold(_one(params)), tag=tag)


def _parse_rooms(params: Params, text: str | None, tag: str | None) -> e.ListRooms:
    _none(text)
    _exactly(params, 0)
    return e.ListRooms(tag=tag)


def _parse_history(params: Params, text: str | None, tag: str | None) -> e.ReadHistory:
    _none(text)
    target = _target(_first(params))
    return e.ReadHistory(target, **_options(params[1:], "before", "after", "limit"), tag=tag)


def _parse_search(params: Params, text: str | None, tag: str | None) -> e.Search:
    room = fold(_first(params))
    if text is None:
        raise _UsageError
    return e.Search(room, text, **_options(params[1:], "limit"), tag=tag)


def _parse_quit(params: Params, text: str | None, tag: str | None) -> e.Quit:
    _exactly(params, 0)
    return e.Quit(text or "", tag=tag)


def _parse_ping(params: Params, text: str | None, tag: str | None) -> e.Ping:
    _exactly(params, 0)
    return e.Ping(text or "", tag=tag)


def _parse_pong(params: Params, text: str | None, tag: str | None) -> e.Pong:
    _exactly(params, 0)
    return e.Pong(text or "", tag=tag)


_REQUESTS: dict[str, tuple[str, _Parser[e.Request]]] = {
    "NICK": (f"NICK nick {PROTOCOL} [session=HEX32 [takeover=no]], later NICK nick", _parse_nick),
    "JOIN": ("JOIN #room [after=id]", _parse_join),
    "PART": ("PART #room [:reason]", _parse_part),
    "MSG": ("MSG #room :text, or MSG @nick :text", _parse_say),
    "TOPIC": ("TOPIC #room [:text]", _parse_topic),
    "NAMES": ("NAMES #room", _parse_names),
    "ROOMS": ("ROOMS", _parse_rooms),
    "HISTORY": ("HISTORY #room|@own-nick [before=id|after=id] [limit=n]", _parse_history),
    "SEARCH": ("SEARCH #room [limit=n] :words", _parse_search),
    "QUIT": ("QUIT [:reason]", _parse_quit),
    "PING": ("PING [:token]", _parse_ping),
    "PONG": ("PONG [:token]", _parse_pong),
}


def _parse_welcome(params: Params, text: str | None, tag: str | None) -> e.Welcome:
    _none(text)
    nick, server = _exactly(params, 2)
    return e.Welcome(nick, server, tag=tag)


def _parse_ok(params: Params, text: str | None, tag: str | None) -> e.Ok:
    _none(text)
    return e.Ok(_number(_one(params)) if params else None, tag=tag)


def _parse_error(params: Params, text: str | None, tag: str | None) -> e.Failure:
    return e.Failure(_one(params), text or "", tag=tag)


def _parse_prompt(params: Params, text: str | None, tag: str | None) -> e.Prompt:
    _exactly(params, 0)
    return e.Prompt(text or "", tag=tag)


def _parse_room(params: Params, text: str | None, tag: str | None) -> e.RoomInfo:
    room, members, last = _exactly(params, 3)
    return e.RoomInfo(fold(room), _number(members), _number(last), text or "", tag=tag)


def _parse_name_list(params: Params, text: str | None, tag: str | None) -> e.NameList:
    _none(text)
    return e.NameList(fold(_first(params)), tuple(params[1:]), tag=tag)


def _parse_message(params: Params, text: str | None, tag: str | None) -> e.Message:
    target, number, ms, nick = _exactly(params, 4)
    if text is None:
        raise _UsageError
    return e.Message(
        target=_target(target), id=_number(number), ms=_number(ms), nick=nick, text=text, tag=tag
    )


def _parse_topic_set(params: Params, text: str | None, tag: str | None) -> e.TopicSet:
    room, number, ms, nick = _exactly(params, 4)
    return e.TopicSet(
        room=fold(room), id=_number(number), ms=_number(ms), nick=nick, text=text or "", tag=tag
    )


def _parse_joined(params: Params, text: str | None, tag: str | None) -> e.Joined:
    _none(text)
    room, nick = _exactly(params, 2)
    return e.Joined(fold(room), nick, tag=tag)


def _parse_left(params: Params, text: str | None, tag: str | None) -> e.Left:
    room, nick = _exactly(params, 2)
    return e.Left(fold(room), nick, text or "", tag=tag)


def _parse_renamed(params: Params, text: str | None, tag: str | None) -> e.Renamed:
    _none(text)
    old, new = _exactly(params, 2)
    return e.Renamed(old, new, tag=tag)


def _parse_gap(params: Params, text: str | None, tag: str | None) -> e.Gap:
    _none(text)
    target, first, last = _exactly(params, 3)
    return e.Gap(_target(target), _number(first), _number(last), tag=tag)


def _parse_bye(params: Params, text: str | None, tag: str | None) -> e.Bye:
    _exactly(params, 0)
    return e.Bye(text or "", tag=tag)


_EVENTS: dict[str, tuple[str, _Parser[e.Event]]] = {
    "WELCOME": ("WELCOME nick server", _parse_welcome),
    "OK": ("OK [id]", _parse_ok),
    "ERROR": ("ERROR code :sentence", _parse_error),
    "NICK": ("NICK [:reason]", _parse_prompt),
    "ROOM": ("ROOM #room members last-id [:topic]", _parse_room),
    "NAMES": ("NAMES #room nick…", _parse_name_list),
    "MSG": ("MSG #room id ms nick :text", _parse_message),
    "TOPIC": ("TOPIC #room id ms nick :text", _parse_topic_set),
    "JOINED": ("JOINED #room nick", _parse_joined),
    "LEFT": ("LEFT #room nick [:reason]", _parse_left),
    "RENAMED": ("RENAMED old new", _parse_renamed),
    "GAP": ("GAP #room from to", _parse_gap),
    "PING": ("PING [:token]", _parse_ping),
    "PONG": ("PONG [:token]", _parse_pong),
    "BYE": ("BYE [:reason]", _parse_bye),
}


# --- Building -----------------------------------------------------------------------------------


def _unsayable() -> LocalProtocolError:
    return LocalProtocolError("bad-frame", "the framed dialect can't say this")


def _named(name: str | None) -> str:
    if name is None:
        raise LocalProtocolError("bad-frame", "the framed dialect names the room")
    return name


def _with_text(line: str, text: str) -> str:
    return f"{line} :{escape(text)}" if text else line


def _build_hello(frame: e.Hello) -> str:
    if frame.adapt:
        raise _unsayable()
    line = f"NICK {frame.nick} {PROTOCOL}"
    if frame.session is None:
        return line
    return f"{line} session={frame.session}{'' if frame.takeover else ' takeover=no'}"


def _build_join(frame: e.Join) -> str:
    after = "" if frame.after is None else f" after={frame.after}"
    return f"JOIN {frame.room}{after}"


def _build_history(frame: e.ReadHistory) -> str:
    before = "" if frame.before is None else f" before={frame.before}"
    after = "" if frame.after is None else f" after={frame.after}"
    return f"HISTORY {_named(frame.target)}{before}{after} limit={frame.limit}"


def _build_entry(frame: e.Message | e.TopicSet) -> str:
    place = frame.target if isinstance(frame, e.Message) else frame.room
    return f"{frame.verb} {place} {frame.id} {frame.ms} {frame.nick} :{escape(frame.text)}"


_BUILDERS: dict[type[e.Frame], Callable[[Any], str]] = {
    e.Hello: _build_hello,
    e.Rename: lambda f: f"NICK {f.nick}",
    e.Join: _build_join,
    e.Part: lambda f: _with_text(f"PART {_named(f.room)}", f.reason),
    e.Say: lambda f: f"MSG {_named(f.target)} :{escape(f.text)}",
    e.GetTopic: lambda f: f"TOPIC {_named(f.room)}",
    e.SetTopic: lambda f: f"TOPIC {_named(f.room)} :{escape(f.text)}",
    e.ListNames: lambda f: f"NAMES {_named(f.room)}",
    e.ListRooms: lambda _: "ROOMS",
    e.ReadHistory: _build_history,
    e.Search: lambda f: f"SEARCH {_named(f.room)} limit={f.limit} :{escape(f.text)}",
    e.Quit: lambda f: _with_text("QUIT", f.reason),
    e.Ping: lambda f: _with_text("PING", f.token),
    e.Pong: lambda f: _with_text("PONG", f.token),
    e.Welcome: lambda f: f"WELCOME {f.nick} {f.server}",
    e.Ok: lambda f: "OK" if f.id is None else f"OK {f.id}",
    e.Failure: lambda f: f"ERROR {f.code} :{escape(f.sentence)}",
    e.Prompt: lambda f: f"NICK :{escape(f.reason)}",
    e.RoomInfo: lambda f: _with_text(f"ROOM {f.room} {f.members} {f.last}", f.topic),
    e.NameList: lambda f: " ".join(("NAMES", f.room, *f.nicks)),
    e.Message: _build_entry,
    e.TopicSet: _build_entry,
    e.Joined: lambda f: f"JOINED {f.room} {f.nick}",
    e.Left: lambda f: _with_text(f"LEFT {f.room} {f.nick}", f.reason),
    e.Renamed: lambda f: f"RENAMED {f.old} {f.new}",
    e.Gap: lambda f: f"GAP {f.target} {f.first} {f.last}",
    e.Bye: lambda f: f"BYE :{escape(f.reason)}",
}
