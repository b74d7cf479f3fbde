"""An export for people."""

import re
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.archive.transcript import Transcript
from triochat.journal import Entry
from triochat.journal.interface import Kind
from triochat.journal.snapshot import Gap, Item
from triochat.protocol.escape import FORBIDDEN, HARMFUL
from triochat.protocol.grammar import MAX_ID

MORNING = 1_785_403_812_345  # 2026-07-30, 09:30:12
DAY = 86_400_000


def entry(
    text: str,
    *,
    log: str = "#dev",
    ms: int = MORNING,
    kind: Kind = "message",
    nick: str = "alice",
) -> Entry:
    return Entry(log, 1, kind, log, nick, text, ms)


def told(*items: Item) -> list[str]:
    transcript = Transcript(UTC)
    return [line for item in items for line in transcript.tell(item)]


def test_rooms_days_and_what_was_said() -> None:
    assert told(
        Gap("#dev", 40),
        entry("lunch\nat noon", kind="topic", ms=MORNING - DAY),
        entry("hello"),
        entry("a list:\none\n\ttwo", nick="bob"),
        entry("/me waves"),
        entry("", kind="topic"),
        entry("later", ms=MORNING + DAY),
        Gap("#empty", 9),
        entry("hi", log="#ops", ms=MORNING + DAY),
        Gap("@bob", 2),
        entry("psst", log="@bob"),
        Gap("@", 7),
    ) == [
        "=== #dev ===",
        "(The entries 1 to 40 are not here.)",
        "--- 2026-07-29 ---",
        "09:30:12 alice set the topic: lunch at noon",
        "--- 2026-07-30 ---",
        "09:30:12 <alice> hello",
        "09:30:12 <bob> a list:",
        "         one",
        "             two",
        "09:30:12 * alice waves",
        "09:30:12 alice cleared the topic",
        "--- 2026-07-31 ---",
        "09:30:12 <alice> later",
        "",
        "=== #ops ===",
        "--- 2026-07-31 ---",
        "09:30:12 <alice> hi",
        "",
        "=== private messages to bob ===",
        "(The entries 1 to 2 are not here.)",
        "--- 2026-07-30 ---",
        "09:30:12 <alice> psst",
    ]


def test_the_zone() -> None:
    [*_, day, line] = Transcript(timezone(timedelta(hours=15))).tell(entry("hello"))
    assert (day, line) == ("--- 2026-07-31 ---", "00:30:12 <alice> hello")
    assert re.fullmatch(r"\d\d:\d\d:\d\d <alice> hello", Transcript().tell(entry("hello"))[-1])


@pytest.mark.parametrize("ms", [253_402_300_800_000, MAX_ID])
def test_a_time_that_no_calendar_has(ms: int) -> None:
    assert told(entry("hello", ms=ms))[1:] == ["--- at an unknown time ---", "--:--:-- <alice> hello"]


@given(st.text("\n\t =-<>:09ab\u202e\u2028\u200fé", min_size=1).map(lambda text: FORBIDDEN.sub("x", text)))
def test_no_text_looks_like_anything_else(text: str) -> None:
    lines = told(entry(text))[2:]
    assert lines[0].startswith(("09:30:12 <alice> ", "09:30:12 * alice "))
    assert all(line.startswith("         ") for line in lines[1:])
    assert len(lines) == text.count("\n") + 1
    assert not any(HARMFUL.search(line) for line in lines)
