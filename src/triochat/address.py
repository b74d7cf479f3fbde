"""Where a server is, as people write it; pure: `parse_address` reads nothing but its argument.

A room may stand behind the host, as in ``triochat://chat.example.org/#dev``. Shells that take a ``#`` for
something of their own, and programs that make links of addresses, are why ``/%23dev`` and ``/dev`` mean the
same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from triochat.config import DEFAULT_PORT, ConfigError

SCHEME = "triochat"

_scheme = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://").match
_percent = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and what is to be done there unless a setting says otherwise.

    Attributes:
        host: name or IP address, never empty; IPv6 without brackets.
        port: TCP port, 1 to 65535.
        room: the room to enter, as the protocol writes it; None: the address says nothing of it.
        nick: the nickname to take; None: likewise. Only a named server has one.
    """

    host: str
    port: int = DEFAULT_PORT
    room: str | None = None
    nick: str | None = None


def parse_address(text: str) -> Address:
    """The address that `text` is.

    It is ``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``, or an IPv6 address alone with or without its brackets;
    or one of these behind ``triochat://``, then also with ``/#ROOM``, ``/%23ROOM`` or ``/ROOM`` behind it.

    Raises:
        ConfigError: it is none; the sentence says how an address is written.
    """
    room = None
    place = text
    if scheme := _scheme(text):
        if scheme[1].lower() != SCHEME:
            raise ConfigError(f"{text!r} is no address of a chat; write it as {SCHEME}://HOST/#ROOM")
        place, room = _split_room(text[scheme.end() :])
    if "@" in place:
        raise ConfigError(
            f"an address holds no name: leave out what is up to the @ in {text!r}, and use --nick"
        )
    host, port = _split_port(place)
    if not host or any(not char.isprintable() or char.isspace() or char in "/#[]" for char in host):
        raise ConfigError(
            f"{text!r} names no host; write it as HOST, HOST:PORT, [IPV6]:PORT, or {SCHEME}://HOST:PORT/#ROOM"
        )
    return Address(host, port, room)


def find_address(text: str, servers: Mapping[str, Address]) -> Address:
    """The named server that `text` names, or else the address that it is.

    So if a host is called as a named server is, the name wins; ``triochat://HOST`` always is the host.

    Args:
        text: what was given as an address.
        servers: named servers, such as `triochat.config_file.named_servers` finds in a file.

    Raises:
        ConfigError: it is neither.
    """
    return servers[text] if text in servers else parse_address(text)


def named_server(address: str, *, room: str | None = None, nick: str | None = None) -> Address:
    """A named server of the configuration. Its own `room` wins over that in its address.

    Raises:
        ConfigError: the address is none, or the room is none.
    """
    place = parse_address(address)
    return replace(place, room=place.room if room is None else _room(room), nick=nick)


def _split_room(rest: str) -> tuple[str, str | None]:
    """What is behind ``triochat://``, as what is in front of the room, and the room."""
    place, slash, name = rest.partition("/")
    if not slash:  # the slash is left out more often than not
        place, slash, name = rest.partition("#")
    return place, _room(_percent.sub(lambda match: chr(int(match[1], 16)), name)) if name else None


def _room(word: str) -> str:
    from triochat.protocol.grammar import fold, is_room  # comes with all events, which nobody needs for help

    room = fold(word if word.startswith("#") else f"#{word}")
    if not is_room(room):
        raise ConfigError(f"{word!r} is no room: a room is up to 32 letters, digits, - and _ behind a #")
    return room


def _split_port(place: str) -> tuple[str, int]:
    """``host:port``, ``[v6]:port``, or a host alone."""
    host, colon, digits = place.rpartition(":")
    in_brackets = host.startswith("[") and host.endswith("]")
    if not colon or (":" in host and not in_brackets):
        return _without_brackets(place), DEFAULT_PORT
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10 and 0 < int(digits) < 65536):
        raise ConfigError(f"a port is 1 to 65535, not {digits!r}: write the address as HOST:PORT")
    return _without_brackets(host), int(digits)


def _without_brackets(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host
