"""The command line: arguments → calls. Flags before environment before file before defaults.

One definition, the dataclasses of `triochat.config`, gives all four. An unknown key is an error
wherever it stands: a setting that is silently ignored is worse than a server that doesn't start.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import cyclopts
from cyclopts.config import Dict, Env

from triochat import usage
from triochat.address import find_address, parse_address
from triochat.cli_output import App, exit_code_of, write
from triochat.config import (
    DEFAULT_HOST,
    ClientConfig,
    ConfigError,
    HostConfig,
    ScreenConfig,
    SendConfig,
    ServerConfig,
    TailConfig,
    data_path,
)
from triochat.config_file import SECTIONS, Tables, default_file, find_server, named_servers, read_tables
from triochat.help_page import HelpPage, shown

if TYPE_CHECKING:
    from triochat.client.terminal import Screen

ENVIRONMENT = "TRIOCHAT_"

ConfigFile = Annotated[Path | None, cyclopts.Parameter(name="--config")]
"""A TOML file with a table [server], [client], [send], [tail], or several of them."""

ON_THE_FILE = ("export", "import", "backup")
"""Commands that work on a server's file: of its settings they take where that is, and no others."""
OF_A_PERSON = ("client", "host", "send", "tail")
"""Commands for which there is a file by default."""
ELSEWHERE = (
    "Each option can also be set in the environment, as {} for --{}, or in the table {} of the file of"
    " --config, with _ for -."
)
"""What stands below the options, so that it need not stand beside each of them."""
FOLDER = " On Linux the folder for settings is ~/.config/triochat."
ServersData = Annotated[Path | None, cyclopts.Parameter(name="--data", env_var="TRIOCHAT_SERVER_DATA")]
ServersConfigFile = Annotated[
    Path | None, cyclopts.Parameter(name="--config", env_var="TRIOCHAT_SERVER_CONFIG")
]


def main() -> None:
    """Run what the command line says; see `triochat.__main__`."""
    sys.exit(exit_code_of(app))


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


def _take_typed_room(
    app: cyclopts.App, commands: tuple[str, ...], arguments: cyclopts.ArgumentCollection
) -> None:
    """A room in an address that was typed counts more than the environment, as the flag for it does."""
    for argument in arguments:
        if argument.name == "ADDRESS" and argument.tokens and "://" in argument.tokens[-1].value:
            room = parse_address(argument.tokens[-1].value).room
            Dict({commands[-1]: {"room": room} if room else {}}, source="address")(app, commands, arguments)


def _read_file(app: cyclopts.App, commands: tuple[str, ...], arguments: cyclopts.ArgumentCollection) -> None:
    """Take the settings in the file that the flag or the environment names; a person has one by default."""
    [*_, command] = commands
    given = {argument.name: argument.tokens[-1].value for argument in arguments if argument.tokens}
    path = Path(given["--config"]) if "--config" in given else None
    if path is None and command in OF_A_PERSON:
        path = default_file()
    tables = read_tables(path) if path else {}
    if "ADDRESS" in given:  # what is said of one server counts more than what is said of all
        place = find_address(given["ADDRESS"], named_servers(tables, path) if path else {})
        of_it = {key: value for key in ("nick", "room") if (value := getattr(place, key)) is not None}
        Dict({command: of_it}, source=given["ADDRESS"])(app, commands, arguments)
    Dict({command: _settings(command, tables)}, source=str(path))(app, commands, arguments)


def _settings(command: str, tables: Tables) -> dict[str, Any]:
    """What is for this command in the tables of a file."""
    of_server, of_client = tables.get("server", {}), tables.get("client", {})
    if command in ON_THE_FILE:
        return {key: value for key, value in of_server.items() if key == "data"}
    if command == "host":
        of_the_host = {"nick", "room", *(field.name for field in fields(ScreenConfig))}
        shared = {key: value for key, value in of_client.items() if key.replace("-", "_") in of_the_host}
        return {**of_server, **shared}
    return tables.get(command, {})


# They have no settings of their own; those of the server name their variables themselves.
ON_THE_FILE_CONFIG = [_check_environment, _read_file]
# It has those of both, under their names.
HOST_CONFIG = [
    _check_environment,
    Env(f"{ENVIRONMENT}SERVER_", command=False, show=False),
    Env(f"{ENVIRONMENT}CLIENT_", command=False, show=False),
    _read_file,
]

app = App(
    name="triochat",
    help=usage.SUMMARY,
    version=usage.VERSION,
    config=[_check_environment, _take_typed_room, Env(ENVIRONMENT, show=False), _read_file],
    default_parameter=cyclopts.Parameter(show_default=shown),
    group_parameters=cyclopts.Group.create_default_parameters("Options"),
    result_action="return_value",
    help_format="plaintext",
    help_formatter=HelpPage(),
    exit_on_error=False,
    print_error=False,
)


@app.command(version_flags=(), help_epilogue=ELSEWHERE.format("TRIOCHAT_SERVER_PORT", "port", "[server]"))
def server(
    *,
    settings: Annotated[ServerConfig, cyclopts.Parameter(name="*", negative="")] = ServerConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Serve the chat until SIGTERM or Ctrl-C.

    Args:
        settings: All settings of a server.
        config: A TOML file with settings.
    """
    del config  # it has been read: see _read_file
    from triochat.server.run import run_server

    return run_server(settings)


@app.command(
    version_flags=(),
    usage="triochat client [OPTIONS] [ADDRESS]",
    help_epilogue=ELSEWHERE.format("TRIOCHAT_CLIENT_NICK", "nick", "[client]") + FOLDER,
)
def client(
    address: str = DEFAULT_HOST,
    /,
    *,
    settings: Annotated[ClientConfig, cyclopts.Parameter(name="*", negative="")] = ClientConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Chat at ADDRESS. With a pipe as input, send every line and end when all are kept.

    Args:
        address: The server: HOST, HOST:PORT, [IPV6]:PORT, triochat://HOST:PORT/#ROOM, or NAME of a table
            [servers.NAME] in the file of settings.
        settings: All settings of a client.
        config: A TOML file with settings; by default client.toml in the folder for settings.
    """
    place = find_server(address, config)
    import trio

    from triochat.client.terminal import run_terminal, screen_for

    screen = screen_for(settings, _screen)
    return trio.run(partial(run_terminal, place.host, place.port, settings, screen=screen))


@app.command(
    version_flags=(),
    config=HOST_CONFIG,
    help_epilogue=ELSEWHERE.format(
        "TRIOCHAT_SERVER_PORT for --port or TRIOCHAT_CLIENT_NICK", "nick", "[server] or [client]"
    )
    + FOLDER,
)
def host(
    *,
    settings: Annotated[HostConfig, cyclopts.Parameter(name="*", negative="")] = HostConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Serve the chat to others, and take part in it.

    Args:
        settings: All settings of a server, and a nickname and a room.
        config: A TOML file with settings; by default client.toml in the folder for settings.
    """
    del config
    from triochat.client.terminal import run_terminal, screen_for
    from triochat.host import run_host

    return run_host(settings, partial(run_terminal, screen=screen_for(settings, _screen)))


@app.command(
    version_flags=(),
    usage="triochat send [OPTIONS] [TEXT...]",
    help_epilogue=ELSEWHERE.format("TRIOCHAT_SEND_NICK", "nick", "[send]") + FOLDER,
)
def send(
    *text: str,
    settings: Annotated[SendConfig, cyclopts.Parameter(name="*", negative="")] = SendConfig(),  # noqa: B008 -- immutable
    config: ConfigFile = None,
) -> int:
    """Say TEXT, or each line of the standard input, and end when all is kept.

    Args:
        text: One message; without it each line of the standard input is one.
        settings: All settings.
        config: A TOML file with settings; by default client.toml in the folder for settings.
    """
    place = find_server(settings.server, config)
    import trio

    from triochat.client.send import run_send

    return trio.run(run_send, place.host, place.port, text, settings.at(place.nick, place.room))


@dataclass(frozen=True, slots=True, kw_only=True)
class _TailFlags(TailConfig):
    """The same, with the short flags of ``tail``."""

    lines: Annotated[int, cyclopts.Parameter(alias="-n")] = 10
    """How many of the last entries of each room to begin with."""
    follow: Annotated[bool, cyclopts.Parameter(alias="-f")] = False
    """Go on with what is said from now on."""


@app.command(
    version_flags=(), help_epilogue=ELSEWHERE.format("TRIOCHAT_TAIL_NICK", "nick", "[tail]") + FOLDER
)
def tail(
    *,
    settings: Annotated[_TailFlags, cyclopts.Parameter(name="*", negative="")] = _TailFlags(),
    config: ConfigFile = None,
) -> int:
    """Print the last of what was said in rooms, and with --follow what is said from now on.

    Args:
        settings: All settings.
        config: A TOML file with settings; by default client.toml in the folder for settings.
    """
    place = find_server(settings.server, config)
    import trio

    from triochat.client.tail import run_tail

    return trio.run(run_tail, place.host, place.port, settings.at(place.nick, place.room))


@app.command(version_flags=(), config=[_check_environment])
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print what makes a shell complete commands and options when Tab is pressed.

    Args:
        shell: The shell for which it is.
    """
    from triochat.completion import completion_script

    write(completion_script(app, shell))
    return 0


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
    """Write what was said to the standard output, whether the server runs or not.

    Args:
        room: Only this room; may be given several times. @NICK for what was said to NICK alone.
        since: Leave out what was said before this date or time, such as 2026-07-30 or 2026-07-30T09:30+02:00.
        form: One JSON object a line (jsonl), or text for people.
        private: Also what was said to one person alone.
        data: The server's file; by default chat.db in the state folder (on Linux ~/.local/state/triochat).
        config: The server's TOML file, for its setting data.
    """
    del config
    from triochat.archive.commands import run_export

    return run_export(data_path(data), room or (), since, form, private=private)


@app.command(name="import", version_flags=(), config=ON_THE_FILE_CONFIG)
def import_(
    file: Annotated[Path, cyclopts.Parameter(allow_leading_hyphen=True)],
    /,
    *,
    data: ServersData = None,
    config: ServersConfigFile = None,
) -> int:
    """Fill the file of a new server with what export wrote, all or nothing; ids and times stay.

    Args:
        file: What export wrote; - for the standard input.
        data: The file for the server; by default chat.db in the state folder (on Linux
            ~/.local/state/triochat).
        config: The server's TOML file, for its setting data.
    """
    del config
    from triochat.archive.commands import run_import

    return run_import(file, data_path(data))


@app.command(version_flags=(), config=ON_THE_FILE_CONFIG)
def backup(file: Path, /, *, data: ServersData = None, config: ServersConfigFile = None) -> int:
    """Copy the server's file to a new file, whether the server runs or not.

    Args:
        file: The new file. One that is there already is left as it is.
        data: The server's file; by default chat.db in the state folder (on Linux ~/.local/state/triochat).
        config: The server's TOML file, for its setting data.
    """
    del config
    from triochat.archive.commands import run_backup

    return run_backup(data_path(data), file)


def _screen(settings: ScreenConfig) -> "Screen":
    """The full screen, which is imported only where it has to be."""
    from triochat.screen.app import prepare

    return prepare(settings)
