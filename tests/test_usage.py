"""What is answered before the command line is parsed is what parsing it would have told."""

import os

import pytest

from triochat import usage
from triochat.cli import app


def test_it_tells_of_every_command_what_the_command_tells_of_itself() -> None:
    commands = app.resolved_commands()
    told = {name: command.help.partition("\n")[0] for name, command in commands.items() if name[0] != "-"}
    assert told == usage.COMMANDS


@pytest.mark.parametrize("width", [80, 60, 40, 24])
def test_it_fits_into_a_terminal(width: int) -> None:
    lines = usage.help_text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() and line.isascii() for line in lines)
    words = " ".join(usage.help_text(width).split())
    for name, sentence in usage.COMMANDS.items():
        assert f"{name} {sentence}" in words
    for sentence in usage.HINTS:
        assert sentence in words


def test_where_there_is_no_room_beside_a_name_its_text_stands_below_it() -> None:
    rows = [("--durability WORD", "What is kept, and when."), ("--memory", "None.")]
    assert usage.listed(rows, 46) == [
        "  --durability WORD  What is kept, and when.",
        "  --memory           None.",
    ]
    assert usage.listed(rows, 44) == [
        "  --durability WORD",
        "      What is kept, and when.",
        "  --memory",
        "      None.",
    ]


def test_a_word_that_fits_nowhere_has_a_line_of_its_own() -> None:
    assert usage.filled("see http://example.org now", 10, "- ", "  ") == [
        "- see",
        "  http://example.org",
        "  now",
    ]


@pytest.mark.parametrize(
    ("told", "there", "width"),
    [
        ("", 132, 80),
        ("", 40, 40),
        ("", 0, 80),  # as a terminal has it that nobody has told
        ("", None, 80),
        ("60", 40, 60),
        ("wide", 40, 40),
        ("3", 40, 80),
    ],
)
def test_it_is_as_wide_as_the_terminal_but_no_wider_than_can_be_read(
    monkeypatch: pytest.MonkeyPatch, told: str, there: int | None, width: int
) -> None:
    def size(fd: int) -> os.terminal_size:
        if there is None or fd == 1:  # the output is a pipe to what shows it page by page
            raise OSError
        return os.terminal_size((there, 24))

    monkeypatch.setenv("COLUMNS", told)
    monkeypatch.setattr(os, "get_terminal_size", size)
    assert usage.columns() == width


@pytest.mark.parametrize("arguments", [["client"], ["--help", "client"], ["client", "--help"], ["--bogus"]])
def test_everything_else_is_parsed(arguments: list[str]) -> None:
    assert usage.quick_answer(arguments) is None
