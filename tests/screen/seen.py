"""What a widget draws, as text, and in which styles."""

from typing import TypeAlias

import urwid

Size: TypeAlias = tuple[int] | tuple[int, int]


def text(widget: urwid.Widget, size: Size) -> list[str]:
    canvas = widget.render(size, focus=True)
    assert canvas.cols() == size[0]
    if len(size) == 2:
        assert canvas.rows() == size[1]
    return [row.decode().rstrip() for row in canvas.text]


def styles(widget: urwid.Widget, size: Size, row: int = 0) -> dict[str, str]:
    """Text → style in one row; blanks are left out."""
    found = {}
    for style, _, octets in list(widget.render(size, focus=True).content())[row]:
        if words := octets.decode().strip():
            found[words] = str(style)
    return found
