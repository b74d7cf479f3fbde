from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.client.commands import HELP, CommandError, parse, room_name
from triochat.protocol import events as e


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("", None),
        ("   ", None),
        ("hello", e.Say(None, "hello")),
        ("  indented", e.Say(None, "  indented")),
        ("//join is a command", e.Say(None, "/join is a command")),
        ("/join #Dev", e.Join("#dev")),
        ("/JOIN dev", e.Join("#dev")),
        ("/part", e.Part(None)),
        ("/part #Dev", e.Part("#dev")),
        ("/part dev time for tea", e.Part("#dev", "time for tea")),
        ("/nick bob", e.Rename("bob")),
        ("/msg bob how are you?", e.Say("@bob", "how are you?")),
        ("/me waves", e.Say(None, "/me waves")),
        ("/who", e.ListNames(None)),
        ("/who #dev", e.ListNames("#dev")),
        ("/rooms", e.ListRooms()),
        ("/topic", e.GetTopic(None)),
        ("/topic lunch", e.SetTopic(None, "lunch")),
        ("/history", e.ReadHistory(None)),
        ("/history 5", e.ReadHistory(None, limit=5)),
        ("/search two  words", e.Search(None, "two  words")),
        ("/help", e.Help()),
        ("/quit", e.Quit()),
        ("/quit so long", e.Quit("so long")),
    ],
)
def test_what_a_line_means(line: str, request_: e.Request | None) -> None:
    assert parse(line) == request_


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("/dance", "/help lists them"),
        ("/", "/help lists them"),
        ("/join", "/join #room"),
        ("/join #a b", "/join #room"),
        ("/join #so/what", "a room is"),
        ("/part #so/what", "a room is"),
        ("/nick 9lives", "a nick is"),
        ("/msg bob", "/msg name"),
        ("/history many", "/history n"),
        ("/search", "/search words"),
        ("/search  ", "/search words"),
        ("\x1b[2J", "control characters"),
        ("//\x1b[2J", "control characters"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence(line: str, part: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse(line)
    assert part in str(caught.value)


@given(st.text() | st.text().map("/".__add__))
def test_whatever_is_typed_is_understood_or_refused(line: str) -> None:
    with suppress(CommandError):
        parse(line)


def test_the_help_names_every_command() -> None:
    for word in (
        "join",
        "part",
        "nick",
        "msg",
        "me",
        "who",
        "rooms",
        "topic",
        "history",
        "search",
        "help",
        "quit",
    ):
        assert f"/{word} " in HELP


def test_a_room_gets_its_hash() -> None:
    assert room_name("Lobby") == room_name("#lobby") == "#lobby"
