"""What a terminal shows, with its colours, as a picture: escape sequences in, SVG out.

`read` takes what ``tmux capture-pane -e -p -N`` prints, and obeys the sequences that say how letters look
(SGR); any other is left out. `draw` gives each run of letters that look alike a place and a length of its
own, since nobody knows which font there is: columns stand below each other in any. Lines of boxes are drawn
as lines, so that they meet. The picture has its own background, and follows the reader's choice of light or
dark.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

from triochat.screen.harmless import columns

WIDE: Final = 8.4
"""Of a column."""
HIGH: Final = 18.0
"""Of a row."""
BASE: Final = 13.5
"""From the top of a row to the line on which letters stand."""
EDGE: Final = 12.0
"""What is left free around it."""

CSS: Final = """
  text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre; }
  .bold { font-weight: 700; } .italic { font-style: italic; } .faint { opacity: 0.6; }
  .under { text-decoration: underline; } .struck { text-decoration: line-through; }
  path { fill: none; } rect { shape-rendering: crispEdges; } .edge { shape-rendering: auto; }
  .paper { fill: #ffffff; } .ink { fill: #24292f; } .line { stroke: #24292f; } .edge { stroke: #d0d7de; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #161b22; } .ink { fill: #e6edf3; } .line { stroke: #e6edf3; } .edge { stroke: #30363d; }
  }
"""

SIXTEEN: Final = (
    *("#24292f", "#cf222e", "#1a7f37", "#9a6700", "#0969da", "#8250df", "#1b7c83", "#d0d7de"),
    *("#6e7781", "#e5534b", "#2da44e", "#bf8700", "#4493f8", "#a475f9", "#3192aa", "#ffffff"),
)
"""Where a terminal has colours of its own, these."""
STEPS: Final = (0, 95, 135, 175, 215, 255)
"""Of each primary colour in the cube of 216."""

ARMS: Final = {"─": "lr", "│": "ud", "┌": "rd", "┐": "ld", "└": "ur", "┘": "ul"} | {
    "├": "urd",
    "┤": "uld",
    "┬": "lrd",
    "┴": "ulr",
    "┼": "ulrd",
}
"""Where the lines of a box go from the middle of its cell: up, down, left, right."""

_SEQUENCE: Final = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # any other with parameters
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # one with a text: a title, a link
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x1f\x7f]"
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a letter looks. A colour is one of SVG's, or empty for the terminal's own."""

    ink: str = ""
    paper: str = ""
    bold: bool = False
    faint: bool = False
    italic: bool = False
    under: bool = False
    struck: bool = False
    swapped: bool = False


class Cell(NamedTuple):
    """A character, with what combines with it, that is `wide` columns wide."""

    text: str
    wide: int
    look: Look


Row: TypeAlias = list[Cell]

_FLAGS: Final[Mapping[int, dict[str, Any]]] = {
    1: {"bold": True},
    2: {"faint": True},
    3: {"italic": True},
    4: {"under": True},
    7: {"swapped": True},
    9: {"struck": True},
    22: {"bold": False, "faint": False},
    23: {"italic": False},
    24: {"under": False},
    27: {"swapped": False},
    29: {"struck": False},
}


def read(captured: str) -> list[Row]:
    """The rows of a screen; how letters look goes on from row to row."""
    look = Look()
    rows: list[Row] = []
    for line in captured.removesuffix("\n").split("\n"):
        row: Row = []
        at = 0
        for match in _SEQUENCE.finditer(line):
            row.extend(_cells(line[at : match.start()], look))
            at = match.end()
            if match["sgr"] is not None:
                look = restyle(look, match["sgr"])
        row.extend(_cells(line[at:], look))
        rows.append(row)
    return rows


def _cells(text: str, look: Look) -> Iterator[Cell]:
    """A character that takes no column goes with the one in front of it."""
    piece = ""
    for character in text:
        if piece and columns(character):
            yield Cell(piece, columns(piece), look)
            piece = ""
        piece += character
    if piece:
        yield Cell(piece, columns(piece), look)


def restyle(look: Look, parameters: str) -> Look:
    """How letters look after an SGR sequence with these parameters; what it does not know changes nothing."""
    codes = iter([int(code or 0) for code in re.split("[;:]", parameters)])
    for code in codes:
        if code == 0:
            look = Look()
        elif code in _FLAGS:
            look = replace(look, **_FLAGS[code])
        elif 30 <= code <= 39:
            look = replace(look, ink=_colour(code - 30, codes))
        elif 40 <= code <= 49:
            look = replace(look, paper=_colour(code - 40, codes))
        elif 90 <= code <= 97:
            look = replace(look, ink=SIXTEEN[code - 82])
        elif 100 <= code <= 107:
            look = replace(look, paper=SIXTEEN[code - 92])
    return look


def _colour(digit: int, more: Iterator[int]) -> str:
    if digit == 9:
        return ""
    if digit < 8:
        return SIXTEEN[digit]
    match next(more, 0):
        case 5:
            return _of_256(next(more, 0))
        case 2:
            return "#" + "".join(f"{next(more, 0) & 255:02x}" for _ in "rgb")
        case _:
            return ""


def _of_256(number: int) -> str:
    if number < 16:
        return SIXTEEN[number]
    if number < 232:
        cube = number - 16
        rgb = (STEPS[cube // 36 % 6], STEPS[cube // 6 % 6], STEPS[cube % 6])
    else:
        rgb = (8 + 10 * (min(number, 255) - 232),) * 3
    return "#{:02x}{:02x}{:02x}".format(*rgb)


# --- drawing ----------------------------------------------------------------------------------------


def draw(rows: Sequence[Row], width: int, label: str, cursor: tuple[int, int] | None = None) -> str:
    """The SVG document.

    Args:
        rows: see `read`.
        width: columns of the screen.
        label: what the picture shows, for those who can't see it.
        cursor: column and row of the cursor, from 0; None: it is not shown.
    """
    wide, high = width * WIDE + 2 * EDGE, len(rows) * HIGH + 2 * EDGE
    body = [part for y, row in enumerate(rows) for part in _row(row, y)]
    if cursor is not None:
        body.append(f'<rect class="ink faint" {_box(*cursor, 1)}/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" '
        f'height="{high:g}" role="img" aria-label="{escape(label)}">\n<style>{CSS}</style>\n'
        f'<rect class="paper edge" x="0.5" y="0.5" width="{wide - 1:g}" height="{high - 1:g}" rx="6"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _row(row: Row, y: int) -> Iterator[str]:
    letters: list[str] = []
    x = 0
    for paper, painted in groupby(row, lambda cell: _paper(cell.look)):
        wide = sum(cell.wide for cell in painted)
        if paper:
            yield f"<rect {_paint(paper)} {_box(x, y, wide)}/>"
        x += wide
    x = 0
    for look, cells in _runs(row):
        wide = sum(cell.wide for cell in cells)
        text = "".join(cell.text for cell in cells)
        if text[0] in ARMS:
            yield from _lines(text, x, y, look)
        elif text.strip() or look.under or look.struck:
            letters.append(_letters(text, x, wide, look))
        x += wide
    if letters:
        yield f'<text y="{EDGE + y * HIGH + BASE:g}">{"".join(letters)}</text>'


def _paper(look: Look) -> str:
    return look.ink or "ink" if look.swapped else look.paper


def _runs(row: Iterable[Cell]) -> Iterator[tuple[Look, list[Cell]]]:
    """Cells that look alike. A wide one stands alone: no font is sure to make it two columns wide."""

    def kind(numbered: tuple[int, Cell]) -> tuple[Look, str | int]:
        at, cell = numbered
        alone = at if cell.wide != 1 else -1
        return cell.look, cell.text if cell.text in ARMS else alone

    for (look, _), cells in groupby(enumerate(row), kind):
        yield look, [cell for _, cell in cells]


def _letters(text: str, x: int, wide: int, look: Look) -> str:
    """Spaces at its ends are left out: their place says as much."""
    if not (look.under or look.struck):
        before = len(text) - len(text.lstrip(" "))
        x, wide = x + before, wide - before - (len(text) - len(text.rstrip(" ")))
        text = text.strip(" ")
    ink = look.paper or "paper" if look.swapped else look.ink or "ink"
    looks = [name for name in ("bold", "italic", "faint", "under", "struck") if getattr(look, name)]
    return (
        f'<tspan {_paint(ink, looks)} x="{EDGE + x * WIDE:.1f}" textLength="{wide * WIDE:.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text, quote=False)}</tspan>'
    )


def _lines(text: str, x: int, y: int, look: Look) -> Iterator[str]:
    stroke = look.paper if look.swapped else look.ink
    paint = f'stroke="{stroke}"' if stroke else 'class="line"'
    across, down = EDGE + (x + 0.5) * WIDE, EDGE + (y + 0.5) * HIGH
    if text[0] == "─":
        yield f'<path {paint} d="M{across - WIDE / 2:.1f} {down:.1f}h{len(text) * WIDE:.1f}"/>'
        return
    moves = {"l": f"h{-WIDE / 2:g}", "r": f"h{WIDE / 2:g}", "u": f"v{-HIGH / 2:g}", "d": f"v{HIGH / 2:g}"}
    for at, box in enumerate(text):
        way = "".join(f"M{across + at * WIDE:.1f} {down:.1f}{moves[arm]}" for arm in ARMS[box])
        yield f'<path {paint} d="{way}"/>'


def _box(x: int, y: int, wide: int) -> str:
    return f'x="{EDGE + x * WIDE:.1f}" y="{EDGE + y * HIGH:g}" width="{wide * WIDE:.1f}" height="{HIGH:g}"'


def _paint(colour: str, classes: Iterable[str] = ()) -> str:
    """A class for the terminal's own colours, which are others in the dark; any other colour by itself."""
    names = [*classes] if colour.startswith("#") else [colour, *classes]
    fill = f'fill="{colour}"' if colour.startswith("#") else ""
    return " ".join(filter(None, (fill, f'class="{" ".join(names)}"' if names else "")))
