"""What counts as a word, for whoever searches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.journal.words import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \t\n", []),
        ("hello", ["hello"]),
        ("Hello, WORLD!", ["hello", "world"]),
        ("two\nlines", ["two", "lines"]),
        ("a-b_c.d/e", ["a", "b", "c", "d", "e"]),
        ("don't", ["don", "t"]),
        ("again and again", ["again", "and", "again"]),
        ("trio 0.35", ["trio", "0", "35"]),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", ["cafe"]),
        ("cafe\N{COMBINING ACUTE ACCENT}", ["cafe"]),
        ("\N{COMBINING ACUTE ACCENT}", []),
        ("Stra\N{LATIN SMALL LETTER SHARP S}e", ["strasse"]),
        ("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}zmir", ["izmir"]),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}\N{SUPERSCRIPT TWO}", ["a2"]),
        ("\N{BLACK-LETTER CAPITAL H}i", ["hi"]),
        ("\N{GREEK CAPITAL LETTER SIGMA}\N{GREEK SMALL LETTER FINAL SIGMA}", ["\u03c3\u03c3"]),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", ["\u0928\u092e\u0938\u0924"]),  # its vowel signs are marks
        ("\N{SNOWMAN}\U0001f642", []),
    ],
)
def test_examples(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_stay_what_they_are(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert all(word.isalnum() for word in found)


@given(st.text())
def test_case_does_not_count(text: str) -> None:
    assert words(text.casefold()) == words(text)


@given(st.lists(st.text(min_size=1)))
def test_a_line_end_is_a_border(texts: list[str]) -> None:
    assert words("\n".join(texts)) == [word for text in texts for word in words(text)]
