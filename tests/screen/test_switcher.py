from hypothesis import given
from hypothesis import strategies as st

from tests.screen.seen import text
from triochat.screen.paste import Paste
from triochat.screen.switcher import Place, Switcher, matching

PLACES = [Place("#lobby"), Place("#dev"), Place("#design", 4), Place("@Bob", 1, 1), Place("@deb")]
SIZE = (20, 5)


class Desk:
    def __init__(self) -> None:
        self.chosen: list[str] = []
        self.closed = 0
        self.switcher = Switcher(PLACES, self.chosen.append, self._close)

    def _close(self) -> None:
        self.closed += 1

    def type(self, *keys: str) -> list[str]:
        return [key for key in keys if self.switcher.keypress(SIZE, key) is not None]


def names(part: str) -> list[str]:
    return [place.name for place in matching(PLACES, part)]


def test_what_a_part_of_a_name_may_mean() -> None:
    assert names("") == ["@Bob", "#design", "#lobby", "#dev", "@deb"]
    assert names("de") == ["#design", "#dev", "@deb"]
    assert names("#de") == ["#design", "#dev"]
    assert names("OB") == ["@Bob", "#lobby"]
    assert names("b") == ["@Bob", "#lobby", "@deb"]
    assert names("zz") == []


def test_typing_narrows_the_list_and_enter_goes() -> None:
    desk = Desk()
    assert text(desk.switcher, SIZE) == [
        "Go to:",
        " @Bob           @1 1",
        " #design           4",
        " #lobby",
        " #dev",
    ]
    desk.type("d", "e")
    assert text(desk.switcher, SIZE) == ["Go to: de", " #design           4", " #dev", " @deb", ""]
    assert desk.switcher.get_cursor_coords(SIZE) == (9, 0)
    desk.type("down", "enter")
    assert desk.chosen == ["#dev"]


def test_with_nothing_found_enter_does_nothing_and_esc_closes() -> None:
    desk = Desk()
    desk.type("z", "enter", "down")
    assert desk.chosen == []
    desk.type("backspace", "enter")
    assert desk.chosen == ["@Bob"]
    desk.type("esc")
    assert desk.closed == 1


def test_the_list_ends_where_it_ends_and_other_keys_come_back() -> None:
    desk = Desk()
    desk.type("up", "up", *["down"] * 9, "enter")
    assert desk.chosen == ["@deb"]
    assert desk.type("ctrl k", "f1") == ["ctrl k", "f1"]


def test_a_paste_is_a_name_and_ctrl_u_begins_again() -> None:
    desk = Desk()
    desk.type(Paste("lob\nby"))
    assert text(desk.switcher, SIZE)[:2] == ["Go to: lob", " #lobby"]
    desk.type("ctrl u", "d", "e", "v", "enter")
    assert desk.chosen == ["#dev"]


def test_a_click_goes_there() -> None:
    desk = Desk()
    desk.switcher.render(SIZE)
    assert desk.switcher.mouse_event(SIZE, "mouse press", 1, 2, 2, True)
    assert not desk.switcher.mouse_event(SIZE, "mouse press", 1, 2, 0, True)
    assert desk.chosen == ["#design"]


@given(st.text(max_size=30), st.integers(8, 60), st.integers(1, 6))
def test_whatever_is_typed_it_fits(typed: str, width: int, height: int) -> None:
    desk = Desk()
    for char in typed:
        desk.switcher.keypress((width, height), char)
    text(desk.switcher, (width, height))
