"""The TOML file of settings: every key of it known, wherever it stands.

A setting that is silently ignored is worse than a command that doesn't start. So also the tables of the other
command are looked at, and a named server that nobody asked for.
"""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from triochat.address import Address, find_address, named_server
from triochat.config import ClientConfig, ConfigError, SendConfig, ServerConfig, TailConfig

SECTIONS: Final = {"server": ServerConfig, "client": ClientConfig, "send": SendConfig, "tail": TailConfig}
SERVERS: Final = "servers"
MAX_OCTETS: Final = 1024 * 1024
"""Far more than all settings need: what is larger, or has no end, is something else."""
_OF_A_SERVER: Final = ("address", "nick", "room")

_ALL: Final = {
    **{table: {field.name for field in fields(settings)} for table, settings in SECTIONS.items()},
    f"{SERVERS}.NAME": set(_OF_A_SERVER),
}
"""The settings of each table."""

_SAID: Final[dict[Path, bytes]] = {}
"""What was read that is no ordinary file: a second time there would be nothing, or no end of waiting."""

Tables = Mapping[str, dict[str, Any]]


def default_file() -> Path | None:
    """The file of a client that was told of none: ``client.toml`` in the platform's folder, or None."""
    import platformdirs

    path = platformdirs.user_config_path("triochat", appauthor=False) / "client.toml"
    try:
        return path if path.exists() else None
    except OSError:  # it can't be told: who reads it says why
        return path


def find_server(text: str, file: Path | None = None) -> Address:
    """Where a command finds the server that it was given: the name of one in the file, or an address.

    For every command that takes an address. The names come first: see `triochat.address.find_address`.

    Args:
        text: what was given: a name, or an address in one of the forms of `triochat.address.parse_address`.
        file: the file that ``--config`` names; None: that of `default_file`, if there is one.

    Returns:
        Host and port; and the room and the nickname if the name or the address says which. They count less
        than a flag and than a variable of the environment, and more than the table ``[client]``.

    Raises:
        ConfigError: there is no such thing, or the file can't be used.
    """
    path = file or default_file()
    return find_address(text, named_servers(read_tables(path), path) if path else {})


def read_tables(path: Path) -> Tables:
    """All tables of a file.

    Raises:
        ConfigError: the file can't be read, is no TOML, or holds a key that means nothing.
    """
    import tomllib

    try:
        data = _content(path)
    except OSError as error:
        raise ConfigError(f"can't read the settings in {path}: {error.strerror}") from None
    if len(data) > MAX_OCTETS:
        raise ConfigError(f"{path} is no file of settings: it has more than 1 MiB")
    try:
        tables = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path} is no TOML file: {error}") from None
    for table, settings in tables.items():
        if not isinstance(settings, dict):
            raise ConfigError(f"{path}: {_out_of_place(table)}")
        if table not in (*SECTIONS, SERVERS):
            raise ConfigError(f"{path}: there is no table [{table}]; there are {_listed(_ALL, 'and')}")
        if table in SECTIONS:
            _check_section(path, table, settings)
    named_servers(tables, path)
    return tables


def _content(path: Path) -> bytes:
    """What stands in a file, up to `MAX_OCTETS` and one; for a pipe, what it said the first time."""
    if (said := _SAID.get(path)) is not None:
        return said
    with path.open("rb") as file:
        data = file.read(MAX_OCTETS + 1)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            _SAID[path] = data
    return data


def named_servers(tables: Tables, path: Path) -> dict[str, Address]:
    """The servers that have a name, from the tables ``[servers.NAME]``.

    Args:
        tables: what `read_tables` gave.
        path: the file, for the sentence if something is wrong.

    Raises:
        ConfigError: a key means nothing, or a value is not of its kind.
    """
    servers = {}
    for name, keys in tables.get(SERVERS, {}).items():
        where = f"{path}: [{SERVERS}.{name}]"
        if not isinstance(keys, dict):
            raise ConfigError(f"{path}: {name} in [{SERVERS}] is no table; write [{SERVERS}.{name}]")
        for key, value in keys.items():
            if key not in _OF_A_SERVER:
                raise ConfigError(f"{where} has no setting {key}; it has address, nick and room")
            if not isinstance(value, str):
                raise ConfigError(f"{where}: {key} is a text in quotes, not {value!r}")
        if "address" not in keys:
            raise ConfigError(f'{where} says not where that is; write address = "HOST" into it')
        try:
            servers[name] = named_server(**keys)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
    return servers


def _out_of_place(key: str) -> str:
    """What to do about a key that stands in no table."""
    name = key.replace("-", "_")
    if belongs := [table for table, known in _ALL.items() if name in known]:
        return f"{key} stands in no table; put it below a line {_listed(belongs, 'or')}"
    if key in (*SECTIONS, SERVERS):
        return f"{key} is no table; write [{key if key in SECTIONS else f'{SERVERS}.NAME'}]"
    return f"there is no setting {key}; there are the tables {_listed(_ALL, 'and')}"


def _listed(tables: Iterable[str], word: str) -> str:
    *others, last = [f"[{table}]" for table in tables]
    return f"{', '.join(others)} {word} {last}" if others else last


def _check_section(path: Path, table: str, settings: dict[str, Any]) -> None:
    known = {field.name: field.type for field in fields(SECTIONS[table])}
    for key, value in settings.items():
        if key.replace("-", "_") not in known:
            raise ConfigError(f"{path}: there is no setting {key} in [{table}]")
        if known[key.replace("-", "_")] is int and not isinstance(value, int):
            raise ConfigError(f"{path}: {key} in [{table}] is a whole number, not {value!r}")
