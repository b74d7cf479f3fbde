import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.seen import styles, text
from triochat.protocol.escape import HARMFUL
from triochat.screen.buffer import Buffer
from triochat.screen.sidebar import BufferList, MemberList


def rooms() -> list[Buffer]:
    return [Buffer("#lobby"), Buffer("#dev", unread=12, mentions=2), Buffer("@bob", unread=3)]


def test_numbers_names_and_what_is_unread() -> None:
    shown = BufferList(lambda _: None)
    buffers = rooms()
    shown.show(buffers, buffers[0])
    assert text(shown, (16, 4)) == ["1 #lobby", "2 #dev     @2 12", "3 @bob         3", ""]
    assert styles(shown, (16, 4), 0) == {"1 #lobby": "list.current"}
    assert styles(shown, (16, 4), 1) == {
        "2": "list",
        "#dev": "list.mention",
        "@2": "list.mention",
        "12": "list.unread",
    }


def test_a_long_name_is_cut_and_the_counts_are_not() -> None:
    shown = BufferList(lambda _: None)
    shown.show([Buffer("#a-very-long-name", unread=5000)], None)
    assert text(shown, (14, 1)) == ["1 #a-ver… 999+"]


def test_the_current_one_is_seen_however_long_the_list() -> None:
    shown = BufferList(lambda _: None)
    buffers = [Buffer(f"#room{n}") for n in range(1, 31)]
    shown.show(buffers, buffers[19])
    assert text(shown, (12, 5))[-1] == "  #room20"
    shown.show(buffers, buffers[2])
    assert text(shown, (12, 5))[0] == "3 #room3"
    shown.show(buffers[:1], None)
    assert text(shown, (12, 5))[0] == "1 #room1"


def test_a_click_goes_there_and_one_below_the_list_does_not() -> None:
    there: list[str] = []
    shown = BufferList(there.append)
    shown.show(rooms(), None)
    shown.render((16, 9))
    assert shown.mouse_event((16, 9), "mouse press", 1, 3, 1, True)
    assert not shown.mouse_event((16, 9), "mouse press", 1, 3, 5, True)
    assert not shown.mouse_event((16, 9), "mouse release", 0, 3, 1, True)
    assert there == ["#dev"]


def members() -> tuple[MemberList, list[str]]:
    picked: list[str] = []
    return MemberList(lambda nick: f"nick{len(nick)}", picked.append), picked


def test_people_are_in_order_below_their_number() -> None:
    shown, picked = members()
    shown.show(["bob", "Alice", "carol"])
    assert text(shown, (10, 4)) == ["3 here", "Alice", "bob", "carol"]
    assert styles(shown, (10, 4), 2) == {"bob": "nick3"}
    shown.mouse_event((10, 4), "mouse press", 1, 0, 0, False)
    shown.mouse_event((10, 4), "mouse press", 1, 0, 3, False)
    assert picked == ["carol"]


def test_many_people_scroll_and_no_further_than_there_are() -> None:
    shown, _ = members()
    shown.show([f"p{n:02}" for n in range(20)])
    text(shown, (10, 5))
    shown.mouse_event((10, 5), "mouse press", 5, 0, 0, False)
    assert text(shown, (10, 5))[0] == "p02"
    for _ in range(9):
        shown.mouse_event((10, 5), "mouse press", 5, 0, 0, False)
    assert text(shown, (10, 5))[-1] == "p19"
    shown.keypress((10, 5), "home")
    assert text(shown, (10, 5))[0] == "20 here"
    shown.keypress((10, 5), "page down")
    assert text(shown, (10, 5))[0] == "p03"
    assert shown.keypress((10, 5), "x") == "x"


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (20, 30)])
@given(names=st.lists(st.text(min_size=1), max_size=6))
def test_no_name_breaks_the_column(size: tuple[int, int], names: list[str]) -> None:
    shown = BufferList(lambda _: None)
    shown.show([Buffer(name, unread=1) for name in names], None)
    text(shown, size)
    people, _ = members()
    people.show(names)
    rows = text(people, size)
    assert not HARMFUL.search("".join(rows))
