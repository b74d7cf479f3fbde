import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from triochat.protocol.escape import HARMFUL
from triochat.screen import harmless as module
from triochat.screen.harmless import columns, fit, harmless, split, units

AWKWARD = (
    "\x1b\x07\x9b\u202e\u2066\u200d\u200c\u200b\ufe0f\u0301\u0e49\u093f\u094d\u0915\u0937\u1039\u1019\u1100\u1161"
    "\u11a8\u115f\u3164\u0600\u06dd\xad\u4e2d\ud800\U0001f468\U0001f3fd\U0001f1e9\U0001f1ea\U000e0041\u20e3\U0001193f"
    "\U00011930\ufdfa\u05d0\u0627 a1\n\t"
)
anything = st.text(st.one_of(st.sampled_from(AWKWARD), st.characters(codec=None)))


@given(anything)
@example("\u0301")
@example("a" + "\u0301" * 50)
@example("\ue000\U000e01ef\uffff\ufdd0\U0010ffff")
@example("\u0930\u094d\u0924\u094d\u0938\u094d\u0928\u094d\u092f")
def test_whatever_the_text_its_width_is_that_of_its_units(text: str) -> None:
    safe = harmless(text)
    assert HARMFUL.search(safe) is None
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in safe)
    assert not any(ord(char) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(char) <= 0xFDEF for char in safe)
    assert {char for char in safe if unicodedata.category(char) == "Cf"} <= {module.APART}
    pieces = list(units(safe))
    assert "".join(pieces) == safe
    assert all(columns(unit) in (1, 2) for unit in pieces)
    assert all(len(unit) <= 2 + module.MOST_MARKS for unit in pieces)
    assert columns(safe) == sum(columns(unit) for unit in pieces)
    # As a part of a row it is as wide as alone.
    assert columns(f"│ {safe}│{safe}") == 3 + 2 * columns(safe)
    assert harmless(safe) == safe


@given(anything, st.integers(1, 30))
def test_it_is_cut_where_it_can_be(text: str, width: int) -> None:
    safe = harmless(text)
    first, rest = split(safe, width)
    assert first + rest == safe
    assert columns(first) <= width
    assert not rest or columns(first) + columns(next(units(rest))) > width
    assert columns(fit(safe, width)) <= width


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain text", "plain text"),
        ("naïve Füße, Привет, 中文, 한국어, かな ☺", "naïve Füße, Привет, 中文, 한국어, かな ☺"),
        ("one\ntwo\tthree", "one⏎two    three"),
        ("\x1b[31mred\x07 \x9b2J", "�[31mred� �2J"),
        ("left \u202eright", "left �right"),
        ("e\u0301", "é"),
        ("\u0301x", "◌\u0301x"),
        ("Z" + "\u0334" * 50 + "algo", "Z" + "\u0334" * 4 + "algo"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\U0001f469\U0001f467"),
        ("\U0001f44d\U0001f3fd ok", "\U0001f44d ok"),
        ("I \u2764\ufe0f it", "I \u2764 it"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 \U0001f1fa", "[DE][FR] U"),
        ("soft\xadhyphen zero\u200bwidth", "softhyphen zerowidth"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\u0915\u094d\u0937", "\u0915\u094d\u200c\u0937"),
        ("\u0e01\u0e49\u0e33", "\u0e01\u0e49\u0e33"),
        ("\u1112\u1161\u11ab", "\ud55c"),
        ("\u200c\u200cx", "x"),
        ("\u06dd1", "�1"),
        ("", ""),
    ],
)
def test_what_becomes_of_it(text: str, expected: str) -> None:
    assert harmless(text) == expected


def test_what_is_taken_as_it_is_has_nothing_to_do_with_its_neighbours() -> None:
    agreed = [char for char in map(chr, range(0x110000)) if module._AGREED.fullmatch(char)]
    assert len(agreed) > 30000
    for char in agreed:
        assert module._apart(module._bounded(char)) == char
        assert not re.search(module._INVISIBLE, char)
        assert not module._FLAG.match(char)


def test_it_is_fitted() -> None:
    assert fit("alice", 5) == "alice"
    assert fit("alice", 4) == "ali…"
    assert fit("中文字", 6) == "中文字"
    assert fit("中文字", 5) == "中文…"
    assert fit("中文字", 4) == "中…"
    assert fit("中文字", 1) == "…"
