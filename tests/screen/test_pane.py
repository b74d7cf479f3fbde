from datetime import UTC, datetime

import pytest
import urwid
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.screen.test_harmless import anything
from triochat.screen.buffer import MOST, Buffer, Line
from triochat.screen.pane import NICK_WIDTH, MessagePane
from triochat.screen.scroll import LEAST_NICKS

NOON = int(datetime(2026, 11, 24, 12, 0, tzinfo=UTC).timestamp() * 1000)
HOUR = 3_600_000
SIZE = (60, 10)


def say(number: int, text: str | None = None, *, nick: str = "alice") -> Line:
    return Line("message", text or f"line {number}", NOON + number * 1000, nick, id=number)


def filled(count: int, first: int = 1, *, complete: bool = True, detached: bool = False) -> Buffer:
    held = [say(number) for number in range(first, first + count)]
    return Buffer("#lobby", held, complete=complete, detached=detached)


def pane_of(buffer: Buffer, **options: object) -> MessagePane:
    return MessagePane(buffer, nick_width=6, retry="F5", zone=UTC, **options)  # type: ignore[arg-type]


def drawn(pane: MessagePane, size: tuple[int, int] = SIZE) -> list[str]:
    pane.refresh()
    canvas = pane.render(size)
    assert (canvas.cols(), canvas.rows()) == size
    return [row.rstrip() for row in canvas.decoded_text]


def said(pane: MessagePane, size: tuple[int, int] = SIZE) -> list[str]:
    """What is behind the column of nicks."""
    return [row.partition("│ ")[2] for row in drawn(pane, size)]


def lines(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last + 1)]


def style(pane: MessagePane, text: str, size: tuple[int, int] = SIZE) -> object:
    (found,) = {
        style for row in pane.render(size).content() for style, _, part in row if text.encode() in part
    }
    return found


# --- the column of nicks ------------------------------------------------------------------------


def rules(pane: MessagePane) -> set[int]:
    """Where the rule behind the nicks stands."""
    return {row.index("│") for row in drawn(pane, (60, 6)) if "│" in row}


def test_nicks_take_the_columns_that_they_need_and_shrink_only_when_somebody_comes_back() -> None:
    buffer, other = Buffer("#dev"), Buffer("#ops")
    pane = MessagePane(buffer, zone=UTC)
    least = len("12:34 ") + LEAST_NICKS + 1
    for nick, rule in [
        ("al", least),
        ("alice", least),
        ("elisabeth", least + 3),
        ("al", least + 3),
        ("a-nick-of-sixteen", least + NICK_WIDTH - LEAST_NICKS),
    ]:
        buffer.append(Line("message", "word", 0, nick), looked_at=True)
        assert rules(pane) == {rule}
    for _ in range(10):
        buffer.append(Line("message", "word", 0, "bob"), looked_at=True)
    assert rules(pane) == {least + NICK_WIDTH - LEAST_NICKS}, "nothing moves because somebody is quiet"
    pane.show(other)
    pane.show(buffer)
    assert rules(pane) == {least}
    pane.to_top()
    assert rules(pane) == {least + NICK_WIDTH - LEAST_NICKS}


# --- at the end ---------------------------------------------------------------------------------


def test_it_looks_at_the_end() -> None:
    pane = pane_of(filled(100))
    assert said(pane) == lines(91, 100)
    assert pane.at_end
    assert pane.at_bottom


def test_it_follows_the_end() -> None:
    pane = pane_of(filled(100))
    drawn(pane)
    pane.buffer.append(say(101), looked_at=pane.at_end)
    assert said(pane) == lines(92, 101)
    assert pane.at_end


def test_what_does_not_fill_it_stands_at_the_bottom() -> None:
    assert drawn(pane_of(filled(2))) == [
        *[""] * 7,
        "──────────────── Tuesday, 24 November 2026 ─────────────────",
        "12:00  alice │ line 1",
        "12:00  alice │ line 2",
    ]


def test_nothing_at_all() -> None:
    assert "Nothing was said in #lobby yet. Type a line and press Enter." in drawn(pane_of(filled(0)))[5]
    assert "Say something to @bob" in drawn(pane_of(Buffer("@bob")))[5]
    assert "/join #lobby" in drawn(pane_of(Buffer("")))[5]
    pane = pane_of(filled(0))
    pane.scroll(-1)
    pane.page(1)
    pane.to_top()
    pane.to_end()
    assert pane.at_end
    pane.buffer.append(say(1), looked_at=True)
    assert said(pane)[-1] == "line 1"


# --- scrolling ----------------------------------------------------------------------------------


def test_scrolling() -> None:
    pane = pane_of(filled(100))
    drawn(pane)
    pane.scroll(-3)
    assert said(pane) == lines(88, 97)
    assert not pane.at_end
    pane.scroll(1)
    assert said(pane) == lines(89, 98)
    pane.page(-1)
    assert said(pane) == lines(81, 90)
    pane.page(1)
    pane.scroll(20)
    assert said(pane) == lines(91, 100)
    assert pane.at_end


def test_to_the_ends() -> None:
    pane = pane_of(filled(100))
    drawn(pane)
    pane.to_top()
    assert "Tuesday" in drawn(pane)[0]
    assert said(pane)[1:] == lines(1, 9)
    pane.scroll(-5)
    assert said(pane)[1:] == lines(1, 9)
    pane.to_end()
    assert said(pane) == lines(91, 100)


def test_scrolling_before_it_was_ever_drawn() -> None:
    pane = pane_of(filled(100))
    pane.page(-1)
    assert not pane.at_end
    assert said(pane, (60, 40)) == lines(55, 94)


def test_a_line_is_shown_with_what_was_before_it() -> None:
    buffer = filled(100)
    pane = pane_of(buffer)
    drawn(pane)
    assert pane.to_line(buffer.lines[49])
    assert said(pane) == lines(47, 56)
    assert pane.to_line(buffer.lines[98])
    assert said(pane) == lines(91, 100)
    assert pane.at_end
    assert pane.to_line(buffer.lines[0])
    assert said(pane)[1:] == lines(1, 9)
    assert not pane.to_line(say(5000))


def test_rows_of_a_line_are_scrolled_through() -> None:
    buffer = filled(20)
    buffer.append(say(21, "\n".join(f"row {number}" for number in range(30))), looked_at=True)
    pane = pane_of(buffer)
    assert said(pane) == [f"row {number}" for number in range(20, 30)]
    pane.scroll(-15)
    assert said(pane) == [f"row {number}" for number in range(5, 15)]
    pane.scroll(-7)
    assert said(pane) == ["line 19", "line 20", *(f"row {number}" for number in range(8))]


def test_the_wheel() -> None:
    pane = pane_of(filled(100))
    drawn(pane)
    assert pane.mouse_event(SIZE, "mouse press", 4, 5, 5, False)
    assert said(pane) == lines(88, 97)
    assert pane.mouse_event(SIZE, "mouse press", 5, 5, 5, False)
    assert pane.at_end
    assert not pane.mouse_event(SIZE, "mouse press", 1, 5, 9, False)
    assert not pane.mouse_event(SIZE, "mouse release", 0, 5, 5, False)


# --- it stays where it is -----------------------------------------------------------------------


def scrolled(count: int = 100, up: int = 30) -> MessagePane:
    pane = pane_of(filled(count))
    drawn(pane)
    pane.scroll(-up)
    drawn(pane)
    return pane


def test_when_something_is_said() -> None:
    pane = scrolled()
    for number in range(101, 120):
        pane.buffer.append(say(number), looked_at=pane.at_end)
    assert said(pane)[:9] == lines(61, 69)


def test_when_older_lines_are_read() -> None:
    pane = scrolled()
    pane.buffer.prepend([say(number) for number in range(-50, 1)], complete=True)
    assert said(pane) == lines(61, 70)
    pane.to_top()
    drawn(pane)
    # The day in the first row stands in front of what is then the oldest line.
    pane.buffer.prepend([say(number) for number in range(-100, -50)], complete=True)
    assert said(pane) == ["line -51", *lines(-50, -42)]


def test_when_a_pending_line_settles() -> None:
    pane = pane_of(filled(100))
    mine = Line("message", "mine", NOON, "bob", own=True, state="pending")
    pane.buffer.append(mine, looked_at=True)
    pane.buffer.append(say(101), looked_at=True)
    assert said(pane)[-2:] == ["line 101", "mine"]
    assert pane.buffer.echo(mine.kind, mine.text, 102, mine.ms)
    assert said(pane)[-2:] == ["line 101", "mine"]
    other = Line("message", "other", NOON, "bob", own=True, state="pending")
    pane.buffer.append(other, looked_at=True)
    drawn(pane)
    pane.scroll(-2)
    before = said(pane)
    assert pane.buffer.echo(other.kind, other.text, 103, other.ms)
    assert said(pane) == before


def test_when_a_line_that_is_seen_goes_away() -> None:
    pane = scrolled()
    pane.buffer.drop(pane.buffer.lines[60])  # the first on the screen
    assert said(pane) == ["line 60", *lines(62, 70)]


def test_when_a_line_fails() -> None:
    pane = pane_of(filled(100))
    mine = Line("message", "mine", NOON, "bob", own=True, state="pending")
    pane.buffer.append(mine, looked_at=True)
    drawn(pane)
    assert style(pane, "mine") == "pending"
    pane.buffer.fail(mine, "Too fast.")
    assert said(pane, (90, 10))[-2:] == ["mine", "not sent: Too fast — F5 sends it again"]
    assert style(pane, "mine", (90, 10)) == "failed"


def test_when_the_terminal_changes_its_size() -> None:
    buffer = filled(50)
    buffer.lines += [say(number, f"{number} " + "long " * 40) for number in range(51, 101)]
    pane = pane_of(buffer)
    drawn(pane)
    pane.to_line(buffer.lines[70])
    first = next(row for row in said(pane) if row)
    for size in ((40, 10), (120, 10), (21, 5), (60, 30), SIZE):
        drawn(pane, size)
    assert said(pane)[0] == first
    assert not pane.at_end


def test_when_the_oldest_lines_are_let_go_of() -> None:
    pane = pane_of(filled(MOST + MOST // 10))
    drawn(pane)
    pane.to_top()
    drawn(pane)
    pane.buffer.append(say(9999), looked_at=pane.at_end)
    assert len(pane.buffer.lines) == MOST
    assert said(pane)[1] == pane.buffer.lines[0].text
    assert not pane.at_end


def test_when_the_same_lines_are_read_anew() -> None:
    pane = scrolled()
    pane.buffer.replace([say(number) for number in range(1, 101)], complete=True, attached=True)
    assert said(pane) == lines(61, 70)


def test_each_buffer_is_found_as_it_was_left() -> None:
    pane = scrolled()
    lobby, tea = pane.buffer, filled(50, first=1001)
    pane.show(tea)
    assert said(pane) == lines(1041, 1050)
    pane.show(lobby)
    pane.show(lobby)
    assert said(pane) == lines(61, 70)
    pane.show(tea)
    assert pane.at_end
    pane.forget(lobby)
    pane.show(lobby)
    assert said(pane) == lines(91, 100)


# --- what stands between the lines --------------------------------------------------------------


def test_a_new_day() -> None:
    buffer = filled(2)
    buffer.lines.append(Line("gap", "the messages 3 to 4 are no longer kept", NOON + 90 * 24 * HOUR, id=4))
    buffer.lines.append(Line("message", "night", NOON + 13 * HOUR, "bob", id=5))
    shown = drawn(pane_of(buffer))
    assert "── Tuesday, 24 November 2026 ──" in shown[4]
    assert shown[7].endswith("the messages 3 to 4 are no longer kept")
    assert "── Wednesday, 25 November 2026 ──" in shown[8]
    assert shown[9] == "01:00    bob │ night"


def test_the_unread_line() -> None:
    buffer = filled(5)
    buffer.append(say(6), looked_at=False)
    buffer.append(say(7), looked_at=False)
    pane = pane_of(buffer)
    assert "── new ──" in drawn(pane)[-3]
    assert style(pane, "── new ──") == "unread"
    assert said(pane)[-2:] == lines(6, 7)


def test_what_is_new_below() -> None:
    pane = scrolled()
    assert "▼" not in drawn(pane)[-1]
    pane.buffer.append(say(101), looked_at=pane.at_end)
    assert "▼ 1 new message below" in drawn(pane)[-1]
    assert style(pane, "▼") == "below"
    pane.buffer.append(Line("presence", "bob came in", NOON), looked_at=pane.at_end)
    pane.buffer.append(say(102), looked_at=pane.at_end)
    assert "▼ 2 new messages below" in drawn(pane)[-1]
    assert said(pane)[:9] == lines(61, 69)
    pane.scroll(31)  # so that one of them can be seen
    assert "▼ 1 new message below" in drawn(pane)[-1]
    assert pane.mouse_event(SIZE, "mouse press", 1, 5, 9, False)
    assert pane.at_end
    assert said(pane)[-1] == "line 102"


def test_what_is_new_where_the_newest_lines_were_let_go_of() -> None:
    pane = pane_of(filled(100, detached=True))
    assert "▼ newer messages below" in drawn(pane)[-1]
    assert pane.at_bottom
    assert not pane.at_end
    pane.buffer.append(say(5000), looked_at=pane.at_end)
    assert "▼ 1 new message below" in drawn(pane)[-1]


# --- whom it tells ------------------------------------------------------------------------------


def test_older_lines_are_asked_for_near_the_top() -> None:
    asked: list[int | None] = []
    buffer = filled(100, complete=False)
    pane = pane_of(buffer, on_top=lambda: asked.append(buffer.oldest))
    drawn(pane)
    pane.scroll(-50)
    drawn(pane)
    assert asked == []
    pane.scroll(-35)
    drawn(pane)
    drawn(pane)
    assert asked == [1]
    buffer.prepend([say(0)], complete=False)
    drawn(pane)
    assert asked == [1, 0]
    pane.scroll(-1)  # it may be that there was no answer
    drawn(pane)
    assert asked == [1, 0, 0]
    buffer.prepend([], complete=True)
    pane.to_top()
    drawn(pane)
    assert asked == [1, 0, 0]


def test_older_lines_that_come_at_once_are_drawn_at_once() -> None:
    buffer = filled(5, complete=False)
    older = [say(number) for number in range(-50, 1)]
    pane = pane_of(buffer, on_top=lambda: buffer.prepend(older, complete=True))
    assert said(pane) == lines(-4, 5)


def test_who_wants_to_know_is_told_whether_the_end_is_seen() -> None:
    ends: list[bool] = []
    pane = pane_of(filled(100), on_end=ends.append)
    drawn(pane)
    pane.scroll(-1)
    pane.scroll(-1)
    assert ends == [False]
    pane.scroll(2)
    assert ends == [False, True]
    pane.scroll(-80)
    drawn(pane, (60, 200))  # there is room for all of it
    assert ends == [False, True, False, True]


def test_who_scrolls_down_from_the_end_is_told_of() -> None:
    ends: list[bool] = []
    more: list[None] = []
    pane = pane_of(filled(100, detached=True), on_end=ends.append, on_more=lambda: more.append(None))
    drawn(pane)
    pane.scroll(1)
    assert (len(more), ends) == (1, [])
    pane.to_end()
    assert (len(more), ends) == (1, [True])


def test_who_reads_on_stays_where_they_are() -> None:
    buffer = filled(100, detached=True)
    pane = pane_of(buffer)
    before = drawn(pane)
    pane.hold()
    buffer.extend([say(number) for number in range(101, 150)], attached=True)
    assert drawn(pane)[:-1] == before[:-1]
    assert not pane.at_bottom
    pane.page(1)
    assert drawn(pane) != before


def test_a_buffer_that_is_shown_again_is_told_not_to_be_at_its_end() -> None:
    ends: list[bool] = []
    pane = pane_of(filled(100), on_end=ends.append)
    pane.page(-1)
    lobby = pane.buffer
    pane.show(filled(100))
    drawn(pane)
    pane.show(lobby)
    drawn(pane)
    assert ends == [False, False]


# --- what it costs ------------------------------------------------------------------------------


def test_it_lays_out_only_what_is_seen() -> None:
    buffer = filled(5000)
    pane = pane_of(buffer)
    drawn(pane, (80, 24))
    assert pane.laid_out <= 25
    for number in range(5001, 5101):
        buffer.append(say(number), looked_at=pane.at_end)
        drawn(pane, (80, 24))
    assert pane.laid_out <= 125
    pane.page(-1)
    drawn(pane, (80, 24))
    assert pane.laid_out <= 150
    pane.to_top()
    drawn(pane, (80, 24))
    assert pane.laid_out <= 180
    drawn(pane, (81, 24))
    assert pane.laid_out <= 240
    buffer.prepend([], complete=True)
    drawn(pane, (81, 24))
    assert pane.laid_out <= 240


def test_what_is_remembered_is_bounded() -> None:
    pane = pane_of(filled(5000))
    for _ in range(250):
        pane.page(-1)
        drawn(pane, (80, 24))
    assert len(pane._scroll._rows) <= 1024


# --- whatever is said ---------------------------------------------------------------------------


@settings(max_examples=50)
@given(
    st.lists(anything, min_size=1, max_size=20),
    st.lists(
        st.tuples(st.integers(1, 120), st.integers(1, 30), st.integers(-30, 30)), min_size=1, max_size=5
    ),
)
def test_any_texts_at_any_size(texts: list[str], moves: list[tuple[int, int, int]]) -> None:
    pane = pane_of(Buffer("#lobby", [say(number, text) for number, text in enumerate(texts)]))
    for width, height, by in moves:
        drawn(pane, (width, height))
        pane.scroll(by)
        drawn(pane, (width, height))


@pytest.mark.parametrize("encoding", ["ascii", "iso8859-1"])
def test_a_terminal_that_knows_few_characters(encoding: str) -> None:
    with urwid.util.set_temporary_encoding(encoding):
        pane = pane_of(Buffer("#lobby", [say(1, "中文 é 😄")], complete=True))
        assert drawn(pane)[-1].startswith("12:00  alice")


def test_scrolling_there_and_back_again() -> None:
    buffer = Buffer(
        "#lobby", [say(number, "word " * (number % 40)) for number in range(1, 300)], complete=True
    )
    pane = pane_of(buffer)
    end = drawn(pane)
    pane.scroll(-2000)
    top = drawn(pane)
    rows = top[:]
    while not pane.at_end:
        pane.scroll(1)
        rows.append(drawn(pane)[-1])
    assert rows[-10:] == end
    while rows[-10:] != top:
        pane.scroll(-1)
        rows.pop()
        assert drawn(pane) == rows[-10:]
