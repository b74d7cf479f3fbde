"""The help of each command: what somebody reads who has never seen the program."""

import re
from collections.abc import Callable
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from triochat import usage
from triochat.cli import app
from triochat.config_file import SECTIONS
from triochat.help_page import shown

PAGES: Final = Path(__file__).parents[1] / "docs" / "reference"
UNITS: Final = ("Seconds ", "Days ", "Octets ", "Requests a second", "Entries ", "Messages ", "Rooms ")
"""With one of these begins what is said of a number that is a time, a size, a rate or a count."""
NO_UNIT: Final = ("port", "lines")

Help = dict[str, str]
"""Option → what is said of it, in one line."""


Page = Callable[[str, int], str]

_OPTION: Final = re.compile(r"^  ((?:-\w, )?--[\w-]+)(?: [A-Z]+)?\s+((?:.*\n)(?: {4,}.*\n)*)", re.MULTILINE)


@pytest.fixture(params=usage.COMMANDS)
def command(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def page(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Page:
    """The help of a command, on a terminal of so many columns."""

    def page(command: str, width: int) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        app([command, "--help"])
        return capfd.readouterr().out

    return page


def options(help_page: str) -> Help:
    rows = _OPTION.findall(help_page)
    return {name.split(", ")[-1]: " ".join(text.split()) for name, text in rows}


@pytest.mark.parametrize("width", [80, 40])
def test_it_can_be_read_on_any_terminal(page: Page, command: str, width: int) -> None:
    lines = page(command, width).splitlines()
    assert all(len(line) <= width and line == line.rstrip() and line.isascii() for line in lines)
    assert lines[0].startswith(f"Usage: triochat {command}")
    assert "" not in (lines[0], lines[-1])
    assert not any(line == following == "" for line, following in pairwise(lines))


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("client", "[OPTIONS] [ADDRESS]"),
        ("send", "[OPTIONS] [TEXT...]"),
        ("tail", "[OPTIONS]"),
        ("import", "[OPTIONS] FILE"),
        ("backup", "[OPTIONS] FILE"),
        ("completion", "SHELL"),
    ],
)
def test_what_stands_behind_a_command_has_a_name(page: Page, command: str, arguments: str) -> None:
    told = page(command, 80)
    assert told.startswith(f"Usage: triochat {command} {arguments}\n")
    for name in re.findall("[A-Z]{4,}", arguments.replace("[OPTIONS]", "")):
        assert re.search(f"^  {name} ", told, re.MULTILINE)


def test_a_number_has_a_unit(page: Page, command: str) -> None:
    told = page(command, 80)
    said = options(told)
    for name in re.findall(r"--([\w-]+) NUMBER", told):
        assert name in NO_UNIT or said[f"--{name}"].startswith(UNITS), said[f"--{name}"]


def test_it_names_all_settings_and_the_pages_name_them_too(page: Page, command: str) -> None:
    said = options(page(command, 80))
    if command in SECTIONS:
        assert {f"--{it.name}".replace("_", "-") for it in fields(SECTIONS[command])} < set(said)
    pages = (PAGES / "command-line.md").read_text("utf-8") + (PAGES / "configuration.md").read_text("utf-8")
    for name in said:
        assert f"`{name}`" in pages or f"`{name[2:].replace('-', '_')}`" in pages


def test_what_programmers_call_it_is_not_shown(page: Page, command: str) -> None:
    told = page(command, 80)
    assert not re.search(r"\b(STR|INT|FLOAT|PATH|ARGS|False|None)\b|\(\)|\"\"", told)


@pytest.mark.parametrize(
    ("default", "seen"),
    [(30.0, "30"), (0.3, "0.3"), (0, "0"), (1024, "1024"), ("#lobby", "#lobby")]
    + [(nothing, None) for nothing in ("", (), None, False)],
)
def test_a_default(default: object, seen: str | None) -> None:
    assert shown(default) == seen
