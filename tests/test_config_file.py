"""The TOML file of settings, above all its named servers."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from triochat.address import Address
from triochat.config import ConfigError
from triochat.config_file import MAX_OCTETS, default_file, named_servers, read_tables


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client.toml"


def test_named_servers(path: Path) -> None:
    path.write_text(
        '[servers.work]\naddress = "triochat://chat.example.org:5000/#dev"\nnick = "alice"\n'
        '[servers.home]\naddress = "::1"\nroom = "#family"\n'
        '[client]\nnick = "bob"\n'
    )
    tables = read_tables(path)
    assert tables["client"] == {"nick": "bob"}
    assert named_servers(tables, path) == {
        "work": Address("chat.example.org", 5000, "#dev", "alice"),
        "home": Address("::1", room="#family"),
    }


def test_there_need_be_none(path: Path) -> None:
    path.write_text("")
    assert named_servers(read_tables(path), path) == {}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[servers.work]\nadress = 'x'\n", "no setting adress"),
        ("[servers.work]\nnick = 'alice'\n", "address ="),
        ("[servers.work]\naddress = 5\n", "text in quotes"),
        ("[servers.work]\naddress = 'host:x'\n", r"\[servers.work\]: a port is"),
        ("[servers.work]\naddress = 'host'\nroom = 'no room'\n", "is no room"),
        ("[servers]\nwork = 'host'\n", r"write \[servers.work\]"),
        ("servers = 'host'\n", r"servers is no table; write \[servers.NAME\]"),
        ("client = 'host'\n", r"client is no table; write \[client\]"),
        ("[[client]]\nnick = 'bob'\n", r"client is no table; write \[client\]"),
        ("nick = 'bob'\n", r"nick stands in no table; .* \[client\], \[send\], \[tail\] or \[servers.NAME\]"),
        ("rate-limit = 5\n", r"rate-limit stands in no table; put it below a line \[server\]"),
        ("server = 'work'\n", r"server stands in no table; put it below a line \[send\] or \[tail\]"),
        ("nik = 'bob'\n", r"no setting nik; .*\[client\]"),
        ("nick.name = 'bob'\n", r"there is no table \[nick\]"),
        ("[serverz.work]\naddress = 'host'\n", "serverz"),
        ("[client]\nnik = 'bob'\n", "nik"),
        ("[server]\nport = 0.5\n", "whole number"),
        ("[", "no TOML"),
    ],
)
def test_what_means_nothing_is_an_error_that_names_the_file(path: Path, content: str, says: str) -> None:
    path.write_text(content)
    with pytest.raises(ConfigError, match=says) as raised:
        read_tables(path)
    assert str(path) in str(raised.value)


def test_a_file_may_be_a_pipe(path: Path) -> None:
    """Such as `<(…)` of a shell, which comes in pieces."""
    os.mkfifo(path)
    with ThreadPoolExecutor() as pool:
        writing = pool.submit(path.write_text, "[client]\nnick = 'bob'\n" + "# much more\n" * 20_000)
        for _ in range(2):  # a command looks at it more than once, and a pipe tells all it has the first time
            assert read_tables(path)["client"] == {"nick": "bob"}
        writing.result()


def test_no_more_is_read_than_a_file_of_settings_may_have(path: Path) -> None:
    """Where there is no end it is not waited for."""
    path.write_text("#" * MAX_OCTETS)
    assert read_tables(path) == {}
    path.write_text("#" * (MAX_OCTETS + 1))
    with pytest.raises(ConfigError, match=f"^{path} is no file of settings: it has more than 1 MiB"):
        read_tables(path)
    with pytest.raises(ConfigError, match=r"^/dev/zero is no file of settings: it has more than 1 MiB"):
        read_tables(Path("/dev/zero"))


def test_lists_in_lists_without_an_end(path: Path) -> None:
    path.write_text("[client]\nnick = " + "[" * 10_000)
    with pytest.raises(ConfigError, match=f"{path} is no TOML file: "):
        read_tables(path)


def test_a_mark_of_the_byte_order_in_front(path: Path) -> None:
    """As some editors write it; keys.toml and theme.toml may have it too."""
    path.write_text("[client]\nnick = 'bob'\n", "utf-8-sig")
    assert read_tables(path)["client"] == {"nick": "bob"}


def test_one_that_is_not_utf8(path: Path) -> None:
    path.write_bytes(b"[client]\nnick = '\xe9'\n")
    with pytest.raises(ConfigError, match=f"{path} is no TOML file: "):
        read_tables(path)


def test_a_file_that_is_not_there(path: Path) -> None:
    with pytest.raises(ConfigError, match=str(path)):
        read_tables(path)


def test_the_default_file_counts_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_file() is None
    import platformdirs

    folder = platformdirs.user_config_path("triochat", appauthor=False)
    folder.mkdir(parents=True)
    (folder / "client.toml").touch()
    assert default_file() == folder / "client.toml"
