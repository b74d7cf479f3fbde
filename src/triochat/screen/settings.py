"""The files in TOML that say how the screen looks and which keys it has."""

import tomllib
from pathlib import Path

import platformdirs

from triochat.client.kept_file import refuse_what_is_no_file
from triochat.config import ConfigError
from triochat.config_file import MAX_OCTETS


def config_path(name: str) -> Path:
    """A file in the platform's folder for what people set."""
    return platformdirs.user_config_path("triochat", appauthor=False) / name


def read_toml(path: Path, *, must_exist: bool) -> dict[str, object]:
    """What the file says; nothing if it is not there, and need not be.

    Raises:
        ConfigError: it can't be read, is no file, has more than 1 MiB, or is not TOML; the sentence names it.
    """
    try:
        return tomllib.loads(_content(path).decode("utf-8-sig"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"{path}: there is no such file") from None
        return {}
    except OSError as error:
        hint = "" if isinstance(error, PermissionError) else "; name a file in TOML"
        raise ConfigError(f"{path}: {error.strerror or error}{hint}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8, as TOML has to be") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _content(path: Path) -> bytes:
    refuse_what_is_no_file(path)
    with path.open("rb") as file:
        data = file.read(MAX_OCTETS + 1)
    if len(data) > MAX_OCTETS:
        raise ConfigError(f"{path}: it has more than 1 MiB, so it is something else; name a file in TOML")
    return data
