"""What can be set, once for flags, environment and file: see docs/reference/configuration.md.

These values are checked when they are built, so that a server never starts on nonsense.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 55555


class ConfigError(ValueError):
    """A setting makes no sense; the message says which one and what would."""


def data_path(data: Path | None) -> Path:
    """The file that keeps the rooms: the configured one, or one in the platform's folder for such."""
    return data or state_folder() / "chat.db"


def state_folder() -> Path:
    """The platform's folder for what programs keep; it need not be there."""
    import platformdirs  # not for those who only want help

    return platformdirs.user_state_path("triochat", appauthor=False)


def moment(since: str) -> int:
    """A date or time as Unix time in milliseconds; without a zone it is that of this machine.

    Raises:
        ConfigError: it is none.
    """
    try:
        return int(datetime.fromisoformat(since).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            "since is a date or a time, such as 2026-07-30, 2026-07-30T09:30 or 2026-07-30T09:30+02:00,"
            f" not {since!r}"
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Settings of a server. Times are in seconds, sizes in octets.

    Raises:
        ConfigError: a value is out of its range.
    """

    host: str = DEFAULT_HOST
    """Address or name to listen on; empty for every address of this machine."""
    port: int = DEFAULT_PORT
    """TCP port; 0 lets the system choose a free one."""
    data: Path | None = None
    """The file that keeps the rooms; by default chat.db in the state folder (on Linux
    ~/.local/state/triochat)."""
    memory: bool = False
    """Keep the rooms in memory instead: they end with the server."""
    durability: Literal["full", "normal"] = "full"
    """What is acknowledged is on the disk (full), or soon (normal): a power cut may take the last of it."""
    name: str = "triochat"
    """What the server calls itself: one ASCII word."""
    rate_limit: float = 1000.0
    """Requests a second, messages and all others, before a connection is read more slowly. 0: no limit."""
    retention: int = 0
    """Entries kept for each room. 0: all of them in a file, 10,000 in memory."""
    max_age: float = 0.0
    """Days for which an entry is kept. 0: no limit."""
    max_rooms: int = 10_000
    """Rooms that exist at once."""
    max_rooms_each: int = 100
    """Rooms that one person may be in."""
    recent: int = 20
    """Messages that a person with netcat or telnet is shown on entering a room."""
    backlog: int = 1024 * 1024
    """Octets that may wait for one slow reader before it is cut off."""
    grace: float = 30.0
    """Seconds for which a nick and its rooms are held for a client whose connection broke."""
    sniff_time: float = 0.3
    """Seconds to listen for the first words of a connection before asking for a nickname."""
    handshake_timeout: float = 60.0
    """Seconds that a connection may take to say who it is."""
    idle_timeout: float = 60.0
    """Seconds for which a client may be silent before it is asked, and again until it is dropped."""
    send_timeout: float = 30.0
    """Seconds that 64 KiB (65536 octets) may take to go out to one client."""
    shutdown_timeout: float = 5.0
    """Seconds that clients are given to read the rest when the server stops."""
    log: Literal["console", "json"] = "console"
    """How log lines look: for people (console), or one JSON object a line (json)."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important log lines that are shown."""

    def __post_init__(self) -> None:
        if self.memory and self.data is not None:
            raise ConfigError("memory and data exclude each other: leave one of them out")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port is 0 to 65535, not {self.port}")
        if not (0 < len(self.name) <= 64 and self.name.isascii() and self.name.isprintable()) or (
            " " in self.name or self.name.startswith(":")
        ):
            raise ConfigError("name is one ASCII word of up to 64 characters")
        for setting in ("rate_limit", "retention", "max_age", "grace", "recent", "shutdown_timeout"):
            if not getattr(self, setting) >= 0:  # which also is what NaN is not
                raise ConfigError(f"{setting} is 0 or more, not {getattr(self, setting)}")
        for setting in ("max_rooms", "max_rooms_each"):
            if getattr(self, setting) < 1:
                raise ConfigError(f"{setting} is 1 or more, not {getattr(self, setting)}")
        for setting in ("sniff_time", "handshake_timeout", "idle_timeout", "send_timeout"):
            if not getattr(self, setting) > 0:
                raise ConfigError(f"{setting} is more than 0 seconds, not {getattr(self, setting)}")
        if self.backlog < 65536:
            raise ConfigError(f"backlog is 65536 octets or more, not {self.backlog}")

    @property
    def max_age_seconds(self) -> float | None:
        """The same in seconds; None: no limit."""
        return self.max_age * 86_400 or None


@dataclass(frozen=True, kw_only=True)  # without slots, or it could not stand beside another that has some
class ScreenConfig:
    """Settings of what a person sees and hears."""

    plain: bool = False
    """One line an event, without drawing, also on a terminal: for screen readers, and for old terminals."""
    no_bell: bool = False
    """Do not ring the terminal's bell for a mention, or a message to you alone."""
    notify: Literal["off", "osc9", "osc777"] = "off"
    """Ask the terminal for a notification of these, in the way that it knows."""
    keys: Path | None = None
    """A TOML file that says which key does what; by default keys.toml in the folder for settings."""
    theme: Path | None = None
    """A TOML file that says how things look; by default theme.toml in the folder for settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostConfig(ScreenConfig, ServerConfig):
    """Settings of a server, and of the person in front of it: for ``triochat host``.

    It is there for others to come, so by default it listens on every address.
    """

    host: str = ""
    """Address or name to listen on; by default every address of this machine."""
    nick: str | None = None
    """The nickname; by default the login name."""
    room: str = "#lobby"
    """The room to enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig(ScreenConfig):
    """Settings of the terminal client."""

    nick: str | None = None
    """The nickname; by default the login name."""
    room: str = "#lobby"
    """The room to enter."""
    text: bool = False
    """Speak the text dialect, to a server of the 2019 tutorial."""
    state: Path | None = None
    """A file that keeps what is not sent yet, for the next client should this one be killed."""
    timeout: float = 0.0
    """Seconds for which to try to get a lost connection back. 0: for as long as it takes."""

    def __post_init__(self) -> None:
        _check_timeout(self.timeout)
        if self.text and self.state is not None:
            raise ConfigError("state makes no sense with text: such a server does not know who comes back")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendConfig:
    """Settings of ``triochat send``."""

    server: str = DEFAULT_HOST
    """The server: HOST, HOST:PORT, or NAME of a table [servers.NAME] in the file of settings."""
    nick: str | None = None
    """The nickname, or a variant of it if somebody else has it; by default the login name."""
    room: str | None = None
    """The room to say it in; by default #lobby."""
    to: str | None = None
    """Say it to this one person alone instead."""
    whole: bool = False
    """Send all of the input as one message, not each line as one."""
    state: Path | None = None
    """A file that keeps what is not sent yet, for the next one should this one be killed."""
    timeout: float = 30.0
    """Seconds for which to try to reach the server while something is to be sent. 0: as long as it takes."""

    def __post_init__(self) -> None:
        if self.room is not None and self.to is not None:
            raise ConfigError("room and to exclude each other: leave one of them out")
        _check_timeout(self.timeout)

    def at(self, nick: str | None, room: str | None) -> "SendConfig":
        """The same, with what the address says where nothing else does."""
        room = self.room or (room if self.to is None else None)
        return replace(self, nick=self.nick or nick, room=room)


@dataclass(frozen=True, slots=True, kw_only=True)
class TailConfig:
    """Settings of ``triochat tail``."""

    server: str = DEFAULT_HOST
    """The server: HOST, HOST:PORT, or NAME of a table [servers.NAME] in the file of settings."""
    nick: str | None = None
    """The nickname, or a variant of it if somebody else has it; by default the login name and -tail."""
    room: tuple[str, ...] = ()
    """A room; may be given several times; by default #lobby."""
    lines: int = 10
    """How many of the last entries of each room to begin with."""
    since: str | None = None
    """Begin with this id, or with what was said at this date or time, such as 2026-07-30T09:30."""
    follow: bool = False
    """Go on with what is said from now on."""
    json: bool = False
    """One JSON object a line."""
    cursor: Path | None = None
    """A file that keeps how far was printed, for the next one to go on from there."""
    timeout: float | None = None
    """Seconds for which to try to reach the server. 0: as long as it takes. By default 30, but as long
    as it takes once --follow has begun."""

    def __post_init__(self) -> None:
        if self.lines < 0:
            raise ConfigError(f"lines is 0 or more, not {self.lines}")
        if self.timeout is not None:
            _check_timeout(self.timeout)

    def at(self, nick: str | None, room: str | None) -> "TailConfig":
        """The same, with what the address says where nothing else does."""
        return replace(self, nick=self.nick or nick, room=self.room or ((room,) if room else ()))


def _check_timeout(timeout: float) -> None:
    if not timeout >= 0:  # which also is what NaN is not
        raise ConfigError(f"timeout is 0 or more seconds, not {timeout}")
