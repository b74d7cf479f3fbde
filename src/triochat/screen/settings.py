"""The files in TOML that say how the screen looks and which keys it has."""

import tomllib
from pathlib import Path

import platformdirs

from triochat.config import ConfigError


def config_path(name: str) -> Path:
    """A file in the platform's folder for what people set."""
    return platformdirs.user_config_path("triochat", appauthor=False) / name


def read_toml(path: Path, *, must_exist: bool) -> dict[str, object]:
    """What the file says; nothing if it is not there, and need not be.

    Raises:
        ConfigError: it can't be read, or is not TOML; the sentence names it.
    """
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"{path}: there is no such file") from None
        return {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: it is not UTF-8, as TOML has to be") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
