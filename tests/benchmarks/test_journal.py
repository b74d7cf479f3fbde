"""``python -m benchmarks.journal``: it measures what it says, and a broken promise is its exit code."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.journal import command
from benchmarks.journal.contents import EVERYWHERE, LEFT, RIGHT, Contents
from benchmarks.journal.measure import Times
from benchmarks.journal.table import Table

import triochat

DOCS = Path(__file__).parents[2] / "docs"


def verdict(times: Sequence[float], *, beside: Sequence[float] | None = None) -> tuple[str, int]:
    table = Table()
    table.times("a page", Times(times), 10, Times(beside) if beside else None)
    return table.rows[0][-1], table.missed


def test_a_promise_is_held_against_nine_times_in_ten() -> None:
    assert verdict([9.0] * 10) == ("kept", 0)
    assert verdict([9.0] * 9 + [10]) == ("kept, but not always", 0)
    assert verdict([9.0] * 8 + [10, 10]) == ("MISSED", 1)
    assert verdict([9.0] * 10, beside=[1] * 9 + [20]) == ("kept, but not always", 0)
    assert verdict([9.0] * 10, beside=[20] * 10) == ("MISSED", 1)


def test_a_share_is_a_promise_too() -> None:
    table = Table()
    table.share("read", 0.005, 0.01)
    table.share("read", 0.02, 0.01)
    assert [row[-1] for row in table.rows] == ["kept", "MISSED"]
    assert table.missed == 1


def test_the_contents_are_what_the_searches_suppose() -> None:
    contents = Contents(20_000, 50)
    rooms: dict[str, list[set[str]]] = {}
    tags: dict[str | None, list[str]] = {}
    for draft in contents.drafts():
        rooms.setdefault(draft.log, []).extend(set(text.split()) for text in draft.texts)
        tags.setdefault(draft.session, []).extend(draft.tags or ())
    assert sum(map(len, rooms.values())) == 20_000
    assert list(rooms)[-1] == contents.small
    assert max(rooms, key=lambda room: len(rooms[room])) == contents.huge
    for room, texts in rooms.items():
        assert sum(LEFT in text for text in texts) == (len(texts) + 1) // 2
        assert all((LEFT in text) != (RIGHT in text) for text in texts)
        assert all((EVERYWHERE in text) == (room != contents.quiet) for text in texts)
    assert all(some == [str(number + 1) for number in range(len(some))] for some in tags.values())
    assert list(contents.drafts())[:50] == list(contents.drafts())[:50]


@pytest.mark.skipif(sys.platform != "linux", reason="it asks /proc what was read")
@pytest.mark.parametrize("missed", [False, True])
def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missed: bool
) -> None:
    """Small and short: what it finds means little, but it finds all of it."""
    for name, value in {"OPENINGS": 1, "TRIES": 1, "PAGES": 20, "BURST": 1000, "HOUSEKEEPING": 0.1}.items():
        monkeypatch.setattr(command, name, value)
    for name in ("PAGE", "SEARCH", "OPEN"):
        monkeypatch.setattr(command, name, 60_000.0)
    if missed:
        monkeypatch.setattr(command, "PAGE", 0.0)
    monkeypatch.setattr(command, "READ", 1.0)
    monkeypatch.setenv("PYTHONPATH", f"{DOCS.parent}:{Path(triochat.__file__).parents[1]}")
    arguments = ["--entries", "20000", "--rooms", "50", "--folder", str(tmp_path), "--docs", str(tmp_path)]
    assert command.main(arguments) == int(missed)
    written = (tmp_path / command.PAGE_NAME).read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == [command.PAGE_NAME], "it has tidied up"
    told = capsys.readouterr().out
    assert told in written
    assert "MISSED" in told if missed else "None of the promises missed" in told
    for what in ("open, after kill -9", "page at a random depth", "two common words that never meet"):
        assert what in told


def test_the_page_takes_in_what_the_command_writes() -> None:
    assert "{include} " + command.PAGE_NAME in (DOCS / "performance.md").read_text(encoding="utf-8")
    assert (DOCS / command.PAGE_NAME).read_text(encoding="utf-8").startswith(command.WRITTEN)
