import pytest
import urwid
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.seen import styles
from triochat.protocol.escape import MAX_TEXT, wire_length
from triochat.screen.completion import Candidates
from triochat.screen.entry import MOST_ROWS, Entry
from triochat.screen.keys import ACTIONS, Keys
from triochat.screen.paste import Paste

SIZE = (40,)
PRESSED = [key for action in ACTIONS for key in action.keys if key != "enter"]


class Desk:
    """Somebody who types, and what was sent."""

    def __init__(self, keys: Keys | None = None) -> None:
        self.sent: list[str] = []
        self.changes = 0
        self.entry = Entry(keys or Keys(), self.sent.append, self._here, self._changed)
        self.entry.show("#lobby", "")

    def _here(self) -> Candidates:
        return Candidates(["alice", "albert"], ["#lobby", "#dev"])

    def _changed(self) -> None:
        self.changes += 1

    def type(self, *keys: str) -> list[str]:
        """Returns the keys that came back. A text of several characters is typed one by one."""
        known = {key for action in ACTIONS for key in action.keys} | {
            "backspace",
            "esc",
            "left",
            "f9",
            "paste",
        }
        single = [it for key in keys for it in ([key] if key in known else key)]
        return [it for it in single if self.entry.keypress(SIZE, it) is not None]

    def seen(self, width: int = 40) -> list[str]:
        canvas = self.entry.render((width,), focus=True)
        assert canvas.rows() == self.entry.rows((width,), focus=True)
        return [row.decode().rstrip() for row in canvas.text]

    def cursor(self) -> int:
        return len(self.entry.text.partition("|")[0])


def test_a_line_is_sent_with_enter_and_the_prompt_names_the_room() -> None:
    desk = Desk()
    desk.type("hello")
    assert desk.seen() == ["#lobby> hello"]
    desk.type("enter")
    assert desk.sent == ["hello"]
    assert desk.seen() == ["#lobby>"]
    assert desk.changes == 6


def test_prompt_and_text_have_their_styles() -> None:
    desk = Desk()
    desk.type("hello")
    found = styles(desk.entry, SIZE)
    assert found == {"#lobby>": "prompt", "hello": "input"}


def test_nothing_is_sent_of_blanks() -> None:
    desk = Desk()
    desk.type("enter", "  ", "enter")
    assert desk.sent == []


def test_emoji_are_sent_as_characters_and_come_back_as_they_were_typed() -> None:
    desk = Desk()
    desk.type("done :tada:", "enter", "up")
    assert desk.sent == ["done 🎉"]
    assert desk.entry.text == "done :tada:"


def test_alt_enter_begins_another_line_and_the_input_grows_to_five_rows() -> None:
    desk = Desk()
    desk.type("one", "meta enter", "two")
    assert desk.seen() == ["#lobby> one", "        two"]
    for n in range(3, 9):
        desk.type("meta enter", f"row {n}")
    assert desk.seen() == ["#lobby> row 4", *(f"        row {n}" for n in range(5, 9))]
    assert len(desk.seen()) == MOST_ROWS
    desk.type(*["up"] * 7)
    assert desk.seen()[0] == "#lobby> one"
    desk.type("ctrl e", "enter")
    assert desk.sent == ["one\ntwo\nrow 3\nrow 4\nrow 5\nrow 6\nrow 7\nrow 8"]


def test_up_and_down_move_in_several_rows_and_beyond_them_in_what_was_typed() -> None:
    desk = Desk()
    desk.type("older", "enter", "one", "meta enter", "two", "up", "X")
    assert desk.entry.text == "oneX\ntwo"
    desk.type("up")
    assert desk.entry.text == "older"
    desk.type("up")
    assert desk.entry.text == "older"
    desk.type("down")
    assert desk.entry.text == "oneX\ntwo"


def test_a_draft_is_shown_and_another_buffer_has_its_own() -> None:
    desk = Desk()
    desk.type("half")
    desk.entry.show("@bob", "to bob")
    assert desk.seen() == ["@bob> to bob"]
    desk.type("!")
    assert desk.entry.text == "to bob!"


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (["one two", "ctrl w"], "one "),
        (["one two", "meta backspace", "ctrl y", "ctrl y"], "one twotwo"),
        (["one two", "ctrl w", "ctrl w", "ctrl y"], "one two"),
        (["one two", "ctrl a", "meta d", "meta d", "ctrl y", "!"], "one two!"),
        (["one two", "ctrl u"], ""),
        (["one", "meta enter", "two", "ctrl u"], ""),
        (["one two", "ctrl a", "meta k"], ""),
        (["one", "meta enter", "two", "ctrl a", "x"], "one\nxtwo"),
        (["one", "meta enter", "two", "up", "ctrl e", "meta k"], "onetwo"),
        (["one two", "meta b", "x"], "one xtwo"),
        (["one two", "ctrl a", "meta f", "x"], "onex two"),
        (["one two", "ctrl b", "ctrl b", "ctrl f", "x"], "one twxo"),
        (["one", "home", "ctrl d"], "ne"),
        (["one", "end", "ctrl d", "backspace"], "on"),
        (["ctrl y", "ctrl w", "ctrl u", "meta d", "meta k"], ""),
    ],
)
def test_keys_that_people_know(keys: list[str], result: str) -> None:
    desk = Desk()
    assert desk.type(*keys) == []
    assert desk.entry.text == result


def test_ctrl_d_of_an_empty_line_comes_back_and_so_does_what_is_for_others() -> None:
    desk = Desk()
    assert desk.type("ctrl d", "page up", "meta 3", "f1", "ctrl k", "f9") == [
        *("ctrl d", "page up", "meta 3", "f1", "ctrl k", "f9")
    ]
    desk.type("x")
    assert desk.type("ctrl d", "ctrl k") == ["ctrl k"]


def test_other_keys_may_be_set() -> None:
    desk = Desk(Keys({"send": ("meta enter",), "newline": ("enter",)}))
    desk.type("a", "enter", "b", "meta enter")
    assert desk.sent == ["a\nb"]


def test_tab_completes_and_goes_on_until_something_else_is_typed() -> None:
    desk = Desk()
    desk.type("al", "tab")
    assert desk.entry.text == "alice: "
    desk.type("tab")
    assert desk.entry.text == "albert: "
    desk.type("shift tab")
    assert desk.entry.text == "alice: "
    desk.type("hi al", "tab")
    assert desk.entry.text == "alice: hi alice "


# --- pastes -----------------------------------------------------------------------------------------


def test_a_paste_of_one_line_is_put_in() -> None:
    desk = Desk()
    desk.type("see ")
    desk.entry.keypress(SIZE, Paste("https://example.org\n"))
    assert desk.entry.text == "see https://example.org"
    assert not desk.entry.asking


def test_a_paste_of_many_lines_asks_and_enter_sends_it_as_one_message() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("one\n\ntwo\tx\nthree\n"))
    assert desk.entry.asking
    assert desk.seen(80)[0] == "Send 3 lines? Enter: as one message · L: line by line · Esc: edit"
    assert desk.seen()[1] == "#lobby> one"
    assert desk.sent == []
    assert desk.type("x", "ctrl k", "ctrl d") == ["ctrl k"]
    assert desk.entry.asking
    desk.type("enter")
    assert desk.sent == ["one\n\ntwo\tx\nthree"]
    assert not desk.entry.asking


def test_a_tab_that_was_pasted_is_sent_as_one_and_drawn_as_a_blank() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("if x:\n\treturn\x1b\n"))
    assert desk.seen()[1:] == ["#lobby> if x:", "         return�"]
    assert desk.entry.get_cursor_coords((40,)) == (16, 2)
    desk.type("left", "left", "ctrl u")
    desk.type("ctrl y", "enter")
    assert desk.sent == ["if x:\n\treturn�"]


def test_line_by_line_runs_no_commands() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("/quit\n\n/part\nthree"))
    desk.type("l")
    assert desk.sent == ["//quit", "//part", "three"]
    assert desk.entry.text == ""


def test_nor_does_one_message_unless_the_slash_was_typed() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("/etc/hosts\nis a file"))
    desk.type("enter")
    assert desk.sent == ["//etc/hosts\nis a file"]
    desk.type("/msg bob ")
    desk.entry.keypress(SIZE, Paste("a\nb"))
    desk.type("enter")
    assert desk.sent[1:] == ["/msg bob a\nb"]


def test_a_slash_that_was_pasted_is_said_whatever_is_done_in_between() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("/quit\nnow"))
    desk.type("esc")
    draft = desk.entry.text
    desk.entry.show("#dev", "")
    desk.entry.show("#lobby", draft)
    desk.type("enter", "up", "enter")
    assert desk.sent == ["//quit\nnow", "//quit\nnow"]


def test_much_too_much_is_not_taken_nor_the_rest_of_it() -> None:
    desk = Desk()
    desk.type("hi ")
    for _ in range(60):
        desk.entry.keypress(SIZE, Paste("x" * 50 + "\n" + "y" * 999))
    assert desk.entry.text == "hi "
    assert not desk.entry.asking
    assert desk.seen(60)[0] == "Not pasted: it has more than 50000 characters"
    desk.type("x")
    assert desk.seen(60) == ["#lobby> hi x"]


def test_esc_leaves_it_to_be_edited_and_then_enter_sends() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("one\ntwo"))
    desk.type("esc")
    assert not desk.entry.asking
    assert desk.sent == []
    desk.type("!", "enter")
    assert desk.sent == ["one\ntwo!"]


def test_the_rest_of_a_paste_is_put_behind_it() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("one\ntw"))
    desk.entry.keypress(SIZE, Paste("o\n"))
    desk.entry.keypress(SIZE, Paste("three"))
    assert desk.entry.text == "one\ntwo\nthree"
    assert desk.entry.asking


def test_a_paste_cannot_command_the_terminal() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("a\x1b[2J\u202eb"))
    assert desk.entry.text == "a\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}b"
    desk.type("\u202e")
    assert "\u202e" not in desk.entry.text


# --- limits -----------------------------------------------------------------------------------------


def test_near_the_limit_it_says_how_much_is_left_and_too_much_is_not_sent() -> None:
    desk = Desk()
    desk.entry.set_text("x" * (MAX_TEXT - 300))
    assert "left" not in desk.seen()[0]
    desk.entry.set_text("x" * (MAX_TEXT - 20))
    assert desk.seen()[0].startswith("#lo… (20 left)> xx")
    desk.entry.set_text("ü" * MAX_TEXT)
    assert "too long)>" in desk.seen()[0]
    desk.type("enter")
    assert desk.sent == []
    assert desk.entry.text


def test_what_is_left_is_counted_as_it_goes_over_the_wire() -> None:
    desk = Desk()
    desk.entry.set_text(":tada: ü\n")
    assert desk.entry.left == MAX_TEXT - wire_length("🎉 ü\n")


def test_a_long_paste_can_be_sent_line_by_line_only() -> None:
    desk = Desk()
    desk.entry.keypress(SIZE, Paste("\n".join(["x" * 100] * 400)))
    assert "Too long for one message" in desk.seen(80)[0]
    desk.type("enter")
    assert desk.sent == []
    desk.type("L")
    assert len(desk.sent) == 400


@given(
    st.text(st.sampled_from("aé漢😄\u0301 \n:/"), max_size=200),
    st.integers(8, 90),
    st.lists(
        st.sampled_from([key for action in ACTIONS for key in action.keys if key != "enter"]), max_size=10
    ),
)
def test_it_is_as_wide_as_it_has_to_be_and_shows_the_cursor(text: str, width: int, keys: list[str]) -> None:
    urwid.set_encoding("utf-8")
    desk = Desk()
    desk.entry.show("@" + "n" * 32, text)
    for key in keys:
        desk.entry.keypress((width,), key)
    canvas = desk.entry.render((width,), focus=True)
    assert canvas.cols() == width
    assert canvas.rows() == desk.entry.rows((width,)) <= MOST_ROWS
    assert canvas.cursor is not None
    assert 0 <= canvas.cursor[0] < width
    assert 0 <= canvas.cursor[1] < canvas.rows()
    assert desk.entry.get_cursor_coords((width,)) == canvas.cursor
