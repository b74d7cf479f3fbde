from datetime import UTC

import urwid
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.seen import styles, text
from triochat.screen.commands import COMMANDS
from triochat.screen.dialogs import Found, HelpScreen, Question, SearchResults, _wrapped, over
from triochat.screen.keys import Keys

NOON = 1_795_867_200_000  # 28 November 2026, 12:00 UTC
FOUND = [
    Found("#dev", NOON, "alice", "two words\nand more", 7),
    Found("#dev", NOON + 60_000, "bob", "two more words", 9),
]


class Desk:
    def __init__(self) -> None:
        self.jumps: list[int] = []
        self.closed = 0
        self.answers: list[bool] = []

    def jump(self, found: Found) -> None:
        self.jumps.append(found.id)

    def close(self) -> None:
        self.closed += 1

    def results(self, found: list[Found]) -> SearchResults:
        return SearchResults(found, lambda nick: f"nick{len(nick)}", self.jump, self.close, UTC)


def test_what_was_found_and_enter_goes_there() -> None:
    desk = Desk()
    results = desk.results(FOUND)
    assert text(results, (60, 3)) == [
        "2026-11-28 12:00 #dev alice: two words⏎and more",
        "2026-11-28 12:01 #dev bob: two more words",
        "",
    ]
    assert styles(results, (60, 3), 1)["bob"] == "nick3"
    assert text(results, (36, 2)) == ["28.11. alice: two words⏎and more", "28.11. bob: two more words"]
    results.keypress((60, 3), "down")
    results.keypress((60, 3), "enter")
    results.mouse_event((60, 3), "mouse press", 1, 0, 0, True)
    assert desk.jumps == [9, 7]
    for key in ("esc", "q"):
        results.keypress((60, 3), key)
    assert desk.closed == 2


def test_a_time_that_there_is_not() -> None:
    results = Desk().results([Found("#dev", 10**18, "bob", "words", 9)])
    assert text(results, (60, 1)) == ["--:-- #dev bob: words"]
    assert text(results, (36, 1)) == ["--:-- bob: words"]


def test_nothing_was_found() -> None:
    desk = Desk()
    results = desk.results([])
    assert text(results, (40, 2)) == ["No message holds these words.", ""]
    results.mouse_event((40, 2), "mouse press", 1, 0, 0, True)
    results.keypress((40, 2), "enter")
    assert desk.jumps == []
    assert desk.closed == 1


def test_the_help_has_every_command_and_the_keys_as_they_are_set() -> None:
    desk = Desk()
    shown = HelpScreen(Keys({"retry": ("f9",)}), desk.close)
    rows = "\n".join(text(shown, (90, shown.count())))
    for command in COMMANDS:
        assert command.form in rows
    assert "F9" in rows
    assert "Ctrl+R " not in rows


def test_on_few_columns_the_help_is_wrapped_and_nothing_of_it_is_lost() -> None:
    shown = HelpScreen(Keys(), lambda: None)
    text(shown, (34, 9))
    narrow = " ".join(" ".join(text(shown, (34, shown.count()))).split())
    text(shown, (120, 9))
    assert narrow == " ".join(" ".join(text(shown, (120, shown.count()))).split())
    assert "…" not in narrow.replace("Alt+1…9", "")


def test_what_is_wrapped_stays_in_its_column() -> None:
    assert _wrapped("Alt+A     go to the next one with something new", 30) == [
        "Alt+A     go to the next one",
        "          with something new",
    ]
    assert _wrapped("one that is long  and wide too", 20) == ["one that is long and", "  wide too"]


def test_the_help_scrolls_and_is_closed_by_the_key_that_opened_it() -> None:
    desk = Desk()
    shown = HelpScreen(Keys(), desk.close)
    assert text(shown, (40, 5))[0] == "Commands"
    shown.keypress((40, 5), "down")
    assert text(shown, (40, 5))[0].startswith("Type a line")
    shown.keypress((40, 5), "end")
    assert text(shown, (40, 5))[-1].startswith("Ctrl+Y")
    shown.keypress((40, 5), "page up")
    assert not text(shown, (40, 5))[-1].startswith("Ctrl+Y")
    for key in ("f1", "q", "esc", "enter"):
        shown.keypress((40, 5), key)
    assert desk.closed == 4


def test_a_question_takes_yes_and_no_and_nothing_by_accident() -> None:
    desk = Desk()
    question = Question("Leave #dev?\nYou can come back.", desk.answers.append)
    assert text(question, (30, 4)) == ["Leave #dev?", "You can come back.", "", "y: yes · n: no"]
    for key in ("enter", " ", "x", "up"):
        assert question.keypress((30, 4), key) is None
    assert desk.answers == []
    for key in ("y", "n", "esc", "Y"):
        question.keypress((30, 4), key)
    assert desk.answers == [True, False, False, True]
    assert question.keypress((30, 4), "f5") == "f5"


def test_a_dialog_lies_over_the_screen_with_a_title() -> None:
    screen = urwid.SolidFill(".")
    for size in ((80, 24), (40, 12)):
        rows = text(over(screen, HelpScreen(Keys(), lambda: None), "Help"), size)
        assert any("Help" in row for row in rows)
        assert rows[0].startswith("..")


@given(st.text(), st.text(), st.integers(1, 100))
def test_no_message_breaks_the_list(nick: str, said: str, width: int) -> None:
    urwid.set_encoding("utf-8")
    text(Desk().results([Found("#dev", NOON, nick, said, 1)]), (width, 2))
