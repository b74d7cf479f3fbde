"""What is answered before the command line is parsed is what parsing it would have told."""

import pytest

from triochat import usage
from triochat.cli import app


def test_it_tells_of_every_command_what_the_command_tells_of_itself() -> None:
    commands = app.resolved_commands()
    told = {name: command.help.partition("\n")[0] for name, command in commands.items() if name[0] != "-"}
    assert told == usage.COMMANDS
    assert list(usage.COMMANDS) == sorted(usage.COMMANDS)


def test_it_fits_into_a_terminal() -> None:
    lines = usage.help_text().splitlines()
    assert max(map(len, lines)) <= usage.WIDTH
    assert all(line == line.rstrip() and line.isascii() for line in lines)
    words = " ".join(usage.help_text().split())
    for name, sentence in usage.COMMANDS.items():
        assert f"{name} {sentence}" in words


@pytest.mark.parametrize("arguments", [["client"], ["--help", "client"], ["client", "--help"], ["--bogus"]])
def test_everything_else_is_parsed(arguments: list[str]) -> None:
    assert usage.quick_answer(arguments) is None
