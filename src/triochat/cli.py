"""The command line: arguments → calls. Flags before environment before file before defaults.

One definition, the dataclasses of `triochat.config`, gives all four. An unknown key is an error
wherever it stands: a setting that is silently ignored is worse than a server that doesn't start.
"""

import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
import trio
from cyclopts.config import Dict, Env

from triochat.config import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    ClientConfig,
    ConfigError,
    SendConfig,
    ServerConfig,
    TailConfig,
    data_path,
)

ENVIRONMENT = "TRIOCHAT_"
SECTIONS = {"server": ServerConfig, "client": ClientConfig, "send": SendConfig, "tail": TailConfig}

ConfigFile = Annotated[Path | None, cyclopts.Parameter(name="--config")]
"""A TOML file with a table [server], [client], [send], [tail], or several of them."""

ON_THE_FILE = ("export", "import", "backup")
"""Commands that work on a server's file: of its settings they take where that is, and no others."""
ServersData = Annotated[Path | None, cyclopts.Parameter(name="--data", env_var="TRIOCHAT_SERVER_DATA")]
ServersConfigFile = Annotated[
    Path | None, cyclopts.Parameter(name="--config", env_var="TRIOCHAT_SERVER_CONFIG")
]


def main() -> None:
    """Run what the command line says; see `triochat.__main__`."""
    try:
        code = app()
    except ConfigError as error:
        sys.stderr.write(f"triochat: {error}\n")
        code = 1
    sys.exit(code)


def _check_environment(_: cyclopts.App, __: tuple[str, ...], ___: cyclopts.ArgumentCollection) -> None:
    known = {f"{ENVIRONMENT}{section}_{key}".upper() for section, key in _keys()}
    for name in os.environ:
        if name.startswith(ENVIRONMENT) and name not in known:
            raise ConfigError(f"the environment variable {name} is none of triochat's settings; unset it")


def _keys() -> Iterator[tuple[str, str]]:
    yield "client", "address"
    for section, settings in SECTIONS.items():
        yield section, "config"
        for field in fields(settings):
            yield section, field.name


def _read_file(app: cyclopts.App, commands: tuple[str, ...], arguments: cyclopts.ArgumentCollection) -> None:
    """Take the settings in the file that the flag or the environment names."""
    named = [argument for argument in arguments if argument.name == "--config"]
    if named and named[0].tokens:
        path = Path(named[0].tokens[-1].value)
        tables = _load(path)
        data = {key: value for key, value in tables.get("server", {}).items() if key == "data"}
        tables |= dict.fromkeys(ON_THE_FILE, data)
        Dict(tables, source=str(path))(app, commands, arguments)


def _load(path: Path) -> dict[str, Any]:
    """A file of settings, every key of it known, also those of the other command."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read the settings in {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is no TOML file: {error}") from None
    for table, settings in tables.items():
        if table not in SECTIONS or not isinstance(settings, dict):
            raise ConfigError(f"{path}: there is no table [{table}]; there are [{'], ['.join(SECTIONS)}]")
        known = {field.name: field.type for field in fields(SECTIONS[table])}
        for key, value in settings.items():
            if key.replace("-", "_") not in known:
                raise ConfigError(f"{path}: there is no setting {key} in [{table}]")
            if known[key.replace("-", "_")] is int and not isinstance(value, int):
                raise ConfigError(f"{path}: {key} in [{table}] is a whole number, not {value!r}")
    return tables


# They have no settings of their own; those of the server name their variables themselves.
ON_THE_FILE_CONFIG = [_check_environment, _read_file]

app = cyclopts.App(
    name="triochat",
    help="A chat for a small team, a class, a LAN: server and client.",
    config=[_check_environment, Env(ENVIRONMENT), _read_file],
    result_action="return_value",
    help_format="plaintext",
)


@app.command(version_flags=())
def server(
    *,
    settings: Annotated[ServerConfig, cyclopts.Parameter(name="*", negative="")] = ServerConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Serve the chat until SIGTERM or Ctrl-C.

    Args:
        settings: All settings of a server.
        config: A TOML file; its table [server] holds these settings, with _ for -.
    """
    del config  # it has been read: see _read_file
    from triochat.server.run import run_server

    return run_server(settings)


@app.command(version_flags=())
def client(
    address: str = DEFAULT_HOST,
    /,
    *,
    settings: Annotated[ClientConfig, cyclopts.Parameter(name="*", negative="")] = ClientConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Chat at HOST[:PORT]. With a pipe as input, send every line and end when all are kept.

    Args:
        address: HOST, HOST:PORT or [IPV6]:PORT.
        settings: All settings of a client.
        config: A TOML file; its table [client] holds these settings, with _ for -.
    """
    del config
    host, port = _split(address)
    from triochat.client.terminal import run_terminal

    return trio.run(run_terminal, host, port, settings)


@app.command(version_flags=())
def send(
    *text: Annotated[str, cyclopts.Parameter(show_env_var=False)],
    settings: Annotated[SendConfig, cyclopts.Parameter(name="*", negative="")] = SendConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Say TEXT, or each line of the standard input, and end when all is kept.

    Args:
        text: One message; without it each line of the standard input is one.
        settings: All settings.
        config: A TOML file; its table [send] holds these settings, with _ for -.
    """
    del config
    host, port = _split(settings.server)
    from triochat.client.send import run_send

    return trio.run(run_send, host, port, text, settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TailFlags(TailConfig):
    """The same, with the short flags of ``tail``."""

    lines: Annotated[int, cyclopts.Parameter(alias="-n")] = 10
    """How many of the last entries of each room to begin with."""
    follow: Annotated[bool, cyclopts.Parameter(alias="-f")] = False
    """Go on with what is said from now on."""


@app.command(version_flags=())
def tail(
    *,
    settings: Annotated[_TailFlags, cyclopts.Parameter(name="*", negative="")] = _TailFlags(),
    config: ConfigFile = None,
) -> int:
    """Print what was said in rooms, and go on with what is said now if asked to.

    Args:
        settings: All settings.
        config: A TOML file; its table [tail] holds these settings, with _ for -.
    """
    del config
    host, port = _split(settings.server)
    from triochat.client.tail import run_tail

    return trio.run(run_tail, host, port, settings)


@app.command(version_flags=(), config=ON_THE_FILE_CONFIG)
def export(
    *,
    room: Annotated[list[str] | None, cyclopts.Parameter(negative="")] = None,
    since: str | None = None,
    form: Annotated[Literal["jsonl", "text"], cyclopts.Parameter(name="--format")] = "jsonl",
    private: Annotated[bool, cyclopts.Parameter(negative="")] = False,
    data: ServersData = None,
    config: ServersConfigFile = None,
) -> int:
    """Write what is kept to the standard output, whether the server runs or not.

    Args:
        room: Only this room; may be given several times. @NICK for what was said to NICK alone.
        since: Leave out what was said before this date or time, such as 2026-07-30 or 2026-07-30T09:30+02:00.
        form: One JSON object a line, or text for people.
        private: Also what was said to one person alone.
        data: The server's file; by default chat.db in the platform's folder for what programs keep.
        config: The server's TOML file, for its setting data.
    """
    del config
    from triochat.archive.commands import run_export

    return run_export(data_path(data), room or (), since, form, private=private)


@app.command(name="import", version_flags=(), config=ON_THE_FILE_CONFIG)
def import_(
    lines: Annotated[Path, cyclopts.Parameter(allow_leading_hyphen=True)],
    /,
    *,
    data: ServersData = None,
    config: ServersConfigFile = None,
) -> int:
    """Fill a new journal from JSON lines of export, all or nothing; ids and times stay as they were.

    Args:
        lines: The file with them; - for the standard input.
        data: The file for the server; by default chat.db in the platform's folder for what programs keep.
        config: The server's TOML file, for its setting data.
    """
    del config
    from triochat.archive.commands import run_import

    return run_import(lines, data_path(data))


@app.command(version_flags=(), config=ON_THE_FILE_CONFIG)
def backup(copy: Path, /, *, data: ServersData = None, config: ServersConfigFile = None) -> int:
    """Copy the server's file to a new file, whether the server runs or not.

    Args:
        copy: The new file.
        data: The server's file; by default chat.db in the platform's folder for what programs keep.
        config: The server's TOML file, for its setting data.
    """
    del config
    from triochat.archive.commands import run_backup

    return run_backup(data_path(data), copy)


def _split(address: str) -> tuple[str, int]:
    """``host:port``, ``[v6]:port``, or a host alone."""
    host, colon, digits = address.rpartition(":")
    if not colon or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        return address.strip("[]"), DEFAULT_PORT
    if not (digits.isascii() and digits.isdecimal() and 0 < int(digits) < 65536):
        raise ConfigError(f"a port is 1 to 65535, not {digits!r}: write the address as HOST:PORT")
    return host.strip("[]"), int(digits)
