"""The words of the protocol: nick, room, tag, id, and their limits (section 3 of docs/protocol.md)."""

import re

MAX_FRAME = 8192
"""Octets in a frame, its LF included."""
MAX_ID = 2**63 - 1
MAX_PAGE = 1000
"""Entries that one ``HISTORY`` may ask for."""
DEFAULT_PAGE = 20
MAX_WORD = 200
"""Octets in one parameter."""
PROTOCOL = "triochat/1"
LOBBY = "#lobby"
"""The room that a peer of the text dialect enters first."""

NICK = r"[A-Za-z][A-Za-z0-9_-]{0,31}"
ROOM = r"#[a-z0-9_-]{1,32}"
TAG = r"[A-Za-z0-9_.-]{1,32}"
WORD = rf"[!-9;-~][!-~]{{0,{MAX_WORD - 1}}}"
"""One parameter: printable ASCII that can't be taken for the beginning of the text."""

_nick = re.compile(NICK).fullmatch
_room = re.compile(ROOM).fullmatch
_tag = re.compile(TAG).fullmatch
_word = re.compile(WORD).fullmatch
_code = re.compile(r"(?=.{1,32}\Z)[a-z]+(?:-[a-z]+)*").fullmatch
_session = re.compile(r"[0-9a-fA-F]{32}").fullmatch


def is_nick(word: str) -> bool:
    """Whether `word` may be a nickname: a letter, then up to 31 of ``A-Z a-z 0-9 _ -``."""
    return _nick(word) is not None


def is_room(word: str) -> bool:
    """Whether `word` is a room's name in lower case, ``#`` included."""
    return _room(word) is not None


def is_tag(word: str) -> bool:
    """Whether `word` may mark a request and its answer."""
    return _tag(word) is not None


def is_word(word: str) -> bool:
    """Whether `word` may be one parameter of a frame."""
    return _word(word) is not None


def is_code(word: str) -> bool:
    """Whether `word` may say why a request failed."""
    return _code(word) is not None


def is_session(word: str) -> bool:
    """Whether `word` is a session: 128 bits in hex."""
    return _session(word) is not None


def is_target(word: str) -> bool:
    """Whether `word` names a room or, as ``@nick``, a person."""
    return is_room(word) or (word.startswith("@") and is_nick(word[1:]))


def fold(name: str) -> str:
    """The form in which names are compared: ``Alice`` and ``alice`` are one person.

    The alphabet of nicks and rooms is ASCII, so lower case is all there is to it. What is in no such
    alphabet stays as it is: the lower case of a Kelvin sign would be a ``k``.
    """
    return name.lower() if name.isascii() else name
