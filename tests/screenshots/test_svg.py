"""Escape sequences in, a picture out."""

import re
from xml.etree import ElementTree

import pytest
from screenshots.svg import BASE, EDGE, HIGH, WIDE, Look, draw, read, restyle

SVG = "{http://www.w3.org/2000/svg}"


def drawn(captured: str, width: int = 20, cursor: tuple[int, int] | None = None) -> ElementTree.Element:
    return ElementTree.fromstring(draw(read(captured), width, "a <picture>", cursor))


def spans(captured: str) -> list[tuple[str | None, float, float, str | None, str | None]]:
    """Text, column, columns, colour, classes of each run of letters."""
    return [
        (
            span.text,
            round((float(span.attrib["x"]) - EDGE) / WIDE, 1),
            round(float(span.attrib["textLength"]) / WIDE, 1),
            span.get("fill"),
            span.get("class"),
        )
        for span in drawn(captured).iter(f"{SVG}tspan")
    ]


def rectangles(captured: str) -> list[dict[str, str]]:
    return [rect.attrib for rect in drawn(captured).iter(f"{SVG}rect")][1:]  # the first is the paper


@pytest.mark.parametrize(
    ("parameters", "look"),
    [
        ("", Look()),
        ("0", Look()),
        ("1", Look(bold=True)),
        ("1;3;4", Look(bold=True, italic=True, under=True)),
        ("31", Look(ink="#cf222e")),
        ("97;41", Look(ink="#ffffff", paper="#cf222e")),
        ("38;5;160", Look(ink="#d70000")),
        ("38;5;243", Look(ink="#767676")),
        ("38;5;9", Look(ink="#e5534b")),
        ("48;5;24;1", Look(paper="#005f87", bold=True)),
        ("38;2;1;2;255", Look(ink="#0102ff")),
        ("1;22", Look()),
        ("31;39;44;49", Look()),
        ("7", Look(swapped=True)),
        ("1;0;3", Look(italic=True)),
        ("58;1000", Look()),
        ("38", Look()),
    ],
)
def test_sgr_says_how_letters_look(parameters: str, look: Look) -> None:
    assert restyle(Look(), parameters) == look


def test_a_look_goes_on_until_it_is_changed_also_on_the_next_row() -> None:
    [first, second] = read("a\x1b[1mb\nc\x1b[0md\n")

    assert [(cell.text, cell.look.bold) for cell in first] == [("a", False), ("b", True)]
    assert [(cell.text, cell.look.bold) for cell in second] == [("c", True), ("d", False)]


def test_other_sequences_and_control_characters_are_left_out() -> None:
    [row] = read("a\x1b[2Kb\x1b]8;;http://x\x1b\\c\x1b]0;title\x07d\x1b(Be\x0ef\x7f")

    assert "".join(cell.text for cell in row) == "abcdef"


def test_a_run_of_letters_has_a_place_and_a_length() -> None:
    assert spans("ab \x1b[38;5;160mcd  ef\x1b[39m  g") == [
        ("ab", 0, 2, None, "ink"),
        ("cd  ef", 3, 6, "#d70000", None),
        ("g", 11, 1, None, "ink"),
    ]


def test_wide_and_combining_characters_take_the_columns_that_they_take() -> None:
    places = [(text, at, wide) for text, at, wide, _, _ in spans("a日本e\u0301b")]

    assert places == [("a", 0, 1), ("日", 1, 2), ("本", 3, 2), ("e\u0301b", 5, 2)]


def test_rows_stand_below_each_other() -> None:
    ys = [float(text.attrib["y"]) for text in drawn("a\n\nb\n").iter(f"{SVG}text")]

    assert ys == [EDGE + BASE, EDGE + 2 * HIGH + BASE]


def test_a_background_is_one_rectangle_however_its_letters_look() -> None:
    [rect] = rectangles("ab\x1b[44mcd \x1b[1mef\x1b[0mg")

    assert rect["fill"] == "#0969da"
    assert float(rect["x"]) == pytest.approx(EDGE + 2 * WIDE)
    assert float(rect["width"]) == pytest.approx(5 * WIDE)


def test_swapped_colours_are_those_of_the_terminal_the_other_way_round() -> None:
    [rect] = rectangles("\x1b[7mab")

    assert rect["class"] == "ink"
    assert [it[3:] for it in spans("\x1b[7mab")] == [(None, "paper")]
    assert [it[3:] for it in spans("\x1b[7;31;42mab")] == [("#1a7f37", None)]


def test_boxes_are_lines_that_meet() -> None:
    svg = drawn("──┬\n  │\n")
    paths = [path.attrib["d"] for path in svg.iter(f"{SVG}path")]

    assert len(paths) == 3
    assert not list(svg.iter(f"{SVG}tspan"))
    start, across = map(float, re.fullmatch(r"M([\d.]+) [\d.]+h([\d.]+)", paths[0]).groups())  # type: ignore[union-attr]
    assert start + across == pytest.approx(EDGE + 2 * WIDE)


def test_spaces_are_drawn_only_where_something_is_below_them() -> None:
    assert not spans("   ")
    assert [(it[0], it[4]) for it in spans("\x1b[4m a ")] == [(" a ", "ink under")]


def test_text_is_escaped() -> None:
    assert spans("<a&b>")[0][0] == "<a&b>"
    assert drawn("x").attrib["aria-label"] == "a <picture>"


def test_the_cursor_is_a_box() -> None:
    boxes = list(drawn("ab", cursor=(2, 0)).iter(f"{SVG}rect"))

    assert len(boxes) == 2
    assert float(boxes[1].attrib["x"]) == pytest.approx(EDGE + 2 * WIDE)
