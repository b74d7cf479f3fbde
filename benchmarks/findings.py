"""What is promised, and what was found: a table for a terminal and for a page of Markdown alike."""

import datetime
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

KEPT: Final = "kept"


@dataclass(slots=True)
class Findings:
    """Rows below heads, and how many promises were missed.

    Attributes:
        heads: what stands above the columns.
        rows: cells for these.
        missed: how many promises.
    """

    heads: ClassVar[tuple[str, ...]]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    missed: int = 0

    def lines(self) -> Iterator[str]:
        """The first column and the last to the left, all others to the right."""
        widths = [max(4, *map(len, column)) for column in zip(self.heads, *self.rows, strict=True)]
        rule = tuple("-" * (width - 1) + ":" for width in widths)
        rule = ("-" * widths[0], *rule[1:-1], "-" * widths[-1])
        for row in (self.heads, rule, *self.rows):
            cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
            cells[0] = row[0].ljust(widths[0])
            cells[-1] = row[-1].ljust(widths[-1])
            yield f"| {' | '.join(cells)} |"

    def verdict(self, kept: bool, *, always: bool = True) -> str:
        """What is said of a promise that is kept or not, and if it is, perhaps not always."""
        self.missed += not kept
        if not kept:
            return "MISSED"
        return KEPT if always else "kept, but not always"

    def tell(self, machine: Mapping[str, str], fact: str) -> list[str]:
        """Write to the standard output what was found, on which machine, and a fact about it; the lines."""
        lines = [
            f"* Machine: {', '.join(f'{key} {value}' for key, value in machine.items())}.",
            f"* {fact}.",
            f"* Date: {datetime.datetime.now(datetime.UTC).date().isoformat()}.",
            "",
            *self.lines(),
            "",
            f"{self.missed or 'None'} of the promises missed.",
        ]
        sys.stdout.write("\n".join(lines) + "\n")
        return lines


def write_page(path: Path, written: str, module: str, arguments: Sequence[str], lines: Sequence[str]) -> None:
    """Write what a page of the documentation takes in.

    Args:
        path: the file.
        written: its first line, which says who writes it.
        module: the command.
        arguments: as they were given to it.
        lines: what it told.
    """
    command = shlex.join(["python", "-m", module, *arguments])
    page = [written, "", "```console", f"$ {command}", "```", "", *lines]
    path.write_text("\n".join(page) + "\n", encoding="utf-8")
