"""The files of keys and colours: what is read of them, and how much."""

import os
from pathlib import Path

import pytest

from triochat.config import ConfigError
from triochat.config_file import MAX_OCTETS
from triochat.screen.settings import read_toml


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_toml(path, must_exist=False)
    return str(caught.value)


def test_no_more_is_read_than_such_a_file_may_have(path: Path) -> None:
    path.write_text("#" * MAX_OCTETS)
    assert read_toml(path, must_exist=True) == {}
    path.write_text("#" * (MAX_OCTETS + 1))
    assert refused(path) == f"{path}: it has more than 1 MiB, so it is something else; name a file in TOML"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_file_is_not_opened(path: Path) -> None:
    """Of some there is no end, and who opens a pipe waits for its other end."""
    os.mkfifo(path)
    for what in (path, Path("/dev/zero"), Path(os.devnull)):
        assert refused(what) == f"{what}: it is not an ordinary file; name a file in TOML"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path}: Is a directory; name a file in TOML"


def test_a_link_to_a_file_is_one(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text('quit = "f3"', "utf-8-sig")
    path.symlink_to(tmp_path / "elsewhere")
    assert read_toml(path, must_exist=True) == {"quit": "f3"}


def test_lists_in_lists_without_an_end(path: Path) -> None:
    path.write_text("quit = " + "[" * 10_000)
    assert refused(path).startswith(f"{path}: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_one_that_may_not_be_read_is_the_right_one(path: Path) -> None:
    path.write_text("")
    path.chmod(0)
    assert refused(path) == f"{path}: Permission denied"
