from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.test_harmless import anything
from triochat.protocol.escape import HARMFUL
from triochat.screen.buffer import Kind, Line, State
from triochat.screen.harmless import columns, harmless
from triochat.screen.layout import Row, day_of, day_row, rows, unread_row

MS = int(datetime(2026, 11, 24, 12, 34, tzinfo=UTC).timestamp() * 1000)


def say(text: str, nick: str = "alice") -> Line:
    return Line("message", text, MS, nick)


def drawn(line: Line, width: int = 60, nick_width: int = 8) -> list[str]:
    return [plain(row) for row in rows(line, width, nick_width=nick_width, zone=UTC)]


def plain(row: Row) -> str:
    return "".join(text for _, text in row)


def style(line: Line, text: str) -> str | None:
    """The style of the segment in which `text` is."""
    (found,) = {style for row in rows(line, 60, nick_width=8) for style, part in row if text in part}
    return found


# --- where things stand -------------------------------------------------------------------------


def test_nicks_have_a_column() -> None:
    assert drawn(say("hello")) == ["12:34    alice │ hello"]
    assert drawn(say("hello", "a-very-long-nick")) == ["12:34 a-very-… │ hello"]


def test_a_text_stays_in_its_column() -> None:
    assert drawn(say("one two three four five six seven eight nine ten")) == [
        "12:34    alice │ one two three four five six seven eight",
        "               │ nine ten",
    ]
    assert drawn(say("one\n  two\n\nthree")) == [
        "12:34    alice │ one",
        "               │   two",
        "               │ ",
        "               │ three",
    ]


def test_narrow() -> None:
    assert drawn(say("one two three four five"), 24) == ["12:34 alice: one two", "  three four five"]
    assert drawn(say("x" * 30), 24) == ["12:34 alice: " + "x" * 11, "  " + "x" * 19]
    assert drawn(say("one", "a-very-long-nick"), 24) == ["12:34 a-very-…: one"]
    assert drawn(say("wonderfully"), 22) == ["12:34 alice: ", "  wonderfully"]


def test_a_long_word_is_cut() -> None:
    assert drawn(say("see " + "x" * 80)) == [
        "12:34    alice │ see " + "x" * 39,
        "               │ " + "x" * 41,
    ]


def test_wide_characters_are_not_cut_in_two() -> None:
    assert drawn(say("a" + "中" * 30)) == ["12:34    alice │ a" + "中" * 21, "               │ " + "中" * 9]
    assert drawn(say(42 * "x" + " " + "中" * 30))[0] == "12:34    alice │ " + 42 * "x"


@pytest.mark.parametrize("state", ["kept", "pending"])
def test_a_link_is_left_in_one_piece(state: State) -> None:
    line = say("look at https://example.org/a/somewhat/long/one for that")
    line.state = state
    assert drawn(line) == [
        "12:34    alice │ look at",
        "               │ https://example.org/a/somewhat/long/one for",
        "               │ that",
    ]


def test_a_link_may_be_wider_than_the_texts() -> None:
    link = "https://example.org/" + "x" * 30
    assert drawn(say(f"{link} there")) == [
        "12:34    alice │ ",
        " " * 10 + link,
        "               │ there",
    ]
    assert drawn(say(f"at {link}")) == ["12:34    alice │ at", " " * 10 + link]


def test_a_link_that_fits_nowhere_is_cut() -> None:
    link = "https://example.org/" + "x" * 50
    first, second = drawn(say(link))
    assert first == "12:34    alice │ " + link[:43]
    assert second == "               │ " + link[43:]


def test_nobody_passes_for_somebody_else() -> None:
    fake = "12:35\xa0\xa0\xa0\xa0\xa0\xa0bob\xa0│\xa0" + "x" * 20 + "https://example.org/xyz"
    for row in drawn(say("hello " + fake))[1:]:
        assert row.startswith("               │ ")
    for row in drawn(say("hi\n12:36 bob: ho\n" + fake), 40)[1:]:
        assert row.startswith("  ")


# --- what it looks like -------------------------------------------------------------------------


def test_the_nick_has_its_colour_and_ours_another() -> None:
    line = say("hello")
    assert style(line, "alice") == "nick10"
    assert style(line, "hello") is None
    line.own = True
    assert style(line, "alice") == "own"


def test_a_mention() -> None:
    line = say("bob: https://example.org please")
    line.mention = True
    assert style(line, "bob:") == style(line, "please") == "mention"
    assert style(line, "https://example.org") == "link"


def test_an_action() -> None:
    assert drawn(Line("action", "waves", MS, "alice")) == ["12:34          │ * alice waves"]
    assert drawn(Line("action", "waves", MS, "alice"), 40) == ["12:34 * alice waves"]
    assert style(Line("action", "waves", MS, "alice"), "waves") == "action"


def test_what_is_no_message() -> None:
    assert drawn(Line("topic", "set the topic: tea", MS, "bob")) == [
        "12:34        — │ bob set the topic: tea",
    ]
    assert drawn(Line("presence", "bob came in", MS), 40) == ["12:34 — bob came in"]
    assert drawn(Line("error", "There is no such room.", MS)) == ["12:34        ! │ There is no such room."]
    for kind in ("topic", "presence", "gap", "notice", "error"):
        assert style(Line(kind, "something", MS), "something") == kind


def test_pending() -> None:
    line = say("hello https://example.org")
    line.state = "pending"
    assert drawn(line) == ["12:34    alice │ hello https://example.org"]
    assert style(line, "hello https://example.org") == "pending"


def test_failed() -> None:
    line = say("hello")
    line.state, line.reason = "failed", "You were too fast."
    assert drawn(line) == ["12:34    alice │ hello", "               │ not sent: You were too fast"]
    assert style(line, "hello") == "failed"
    line.reason = ""
    hint = plain(rows(line, 80, nick_width=8, retry="Alt+R")[1])
    assert hint == "               │ not sent: it is not known why — Alt+R sends it again"


def test_a_time_that_there_is_not() -> None:
    line = Line("message", "hello", 2**62, "alice")
    assert drawn(line) == ["--:--    alice │ hello"]
    assert day_of(line.ms) is None


def test_days_and_the_unread_line() -> None:
    assert day_of(MS, UTC) == date(2026, 11, 24)
    assert "── Tuesday, 24 November 2026 ──" in plain(day_row(date(2026, 11, 24), 60))
    assert plain(day_row(date(2026, 11, 24), 20)) == "──── 2026-11-24 ────"
    assert plain(unread_row(20)) == "─────── new ────────"
    assert [style for style, _ in day_row(date(2026, 11, 24), 60) + unread_row(60)] == ["day", "unread"]


# --- whatever it is -----------------------------------------------------------------------------

pieces = st.one_of(
    anything, st.sampled_from(["http://x.org/", "https://example.org/" + "y" * 40, " ", "中中", "\n"])
)
texts = st.lists(pieces, max_size=12).map("".join)


@given(
    text=texts,
    nick=st.from_regex("[A-Za-z][A-Za-z0-9_-]{0,31}", fullmatch=True),
    kind=st.sampled_from(["message", "action", "topic", "presence", "error"]),
    state=st.sampled_from(["kept", "pending", "failed"]),
    width=st.integers(20, 120),
    nick_width=st.integers(1, 32),
)
def test_any_text_at_any_width(
    text: str, nick: str, kind: Kind, state: State, width: int, nick_width: int
) -> None:
    line = Line(kind, text, MS, nick, state=state, reason="because" if state == "failed" else "")
    shown = rows(line, width, nick_width=nick_width, zone=UTC)
    assert shown
    for row in shown:
        assert columns(plain(row)) == sum(columns(part) for _, part in row) <= width
        assert HARMFUL.search(plain(row)) is None
    # Everything is there but blanks, in its order.
    kept = "".join(part for row in shown for style, part in row if style != "time")
    expected = "".join(harmless(one) for one in text.split("\n"))
    assert "".join(expected.split()) in "".join(kept.split())
