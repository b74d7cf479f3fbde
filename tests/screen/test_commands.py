from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.client.commands import HELP as PLAIN_HELP
from triochat.client.commands import Command, CommandError
from triochat.protocol import events as e
from triochat.screen.commands import (
    COMMANDS,
    HELP,
    SCREEN_ONLY,
    Bell,
    Clear,
    Close,
    Query,
    ScreenRequest,
    parse,
    reference,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("hello", e.Say(None, "hello")),
        ("two\nlines", e.Say(None, "two\nlines")),
        ("/join dev", e.Join("#dev")),
        ("/search two words", e.Search(None, "two words")),
        ("/query bob", Query("bob")),
        ("/QUERY @Bob ", Query("Bob")),
        ("/close", Close()),
        ("/clear", Clear()),
        ("/bell", Bell(None)),
        ("/bell ON", Bell(True)),
        ("/bell off", Bell(False)),
        ("//close", e.Say(None, "/close")),
        ("", None),
    ],
)
def test_what_a_line_means(line: str, request_: e.Request | ScreenRequest | None) -> None:
    assert parse(line) == request_


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("/query", "/query name"),
        ("/query 9lives", "/query name"),
        ("/bell loud", "/bell on"),
        ("/close it", "/close"),
        ("/clear all", "/clear"),
        ("/dance", "/help lists them"),
        ("/msg bob", "/msg name"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(line: str, part: str) -> None:
    with pytest.raises(CommandError, match=part):
        parse(line)


@given(st.text() | st.sampled_from(COMMANDS).flatmap(lambda it: st.text().map(f"/{it.name} ".__add__)))
def test_whatever_is_typed_is_understood_or_refused(line: str) -> None:
    with suppress(CommandError):
        parse(line)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_of_the_table_is_one(command: Command) -> None:
    assert f"\n{command.form} " in HELP
    try:
        parse(f"/{command.name}")
    except CommandError as error:
        refusal = str(error)
    else:
        refusal = ""
    assert "no such command" not in refusal


def test_the_plain_client_is_not_told_of_what_it_can_not_do() -> None:
    assert not [command for command in SCREEN_ONLY if command.form in PLAIN_HELP]


def test_no_two_commands_have_one_name() -> None:
    assert len({command.name for command in COMMANDS}) == len(COMMANDS)


def test_the_page_has_the_table() -> None:
    assert reference() in PAGE.read_text("utf-8"), "copy in what reference() gives"
