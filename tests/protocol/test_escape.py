"""Unicode over a 7-bit wire, and what may not travel at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.protocol.errors import LocalProtocolError
from triochat.protocol.escape import MAX_TEXT, check_text, clean, escape, unescape

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\\"),
    max_size=80,
)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("plain: text ~", "plain: text ~"),
        ("", ""),
        ("two\nlines", r"two\nlines"),
        ("a\ttab", r"a\ttab"),
        ("C:\\new", r"C:\\new"),
        ("café", r"caf\xe9"),
        ("Ω", r"\u03a9"),
        ("🙂", r"\U0001f642"),
        ("\u00a0", r"\xa0"),
        ("\uffff", r"\uffff"),
    ],
)
def test_both_ways(text: str, wire: str) -> None:
    assert escape(text) == wire
    assert unescape(wire) == text


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (r"caf\xE9", "café"),
        (r"caf\u00e9", "café"),
        (r"caf\U000000E9", "café"),
        (r"\x41", "A"),
        (r"\x0a\u0009", "\n\t"),
        ("raw\ttab", "raw\ttab"),
        (r"\\n", "\\n"),
    ],
)
def test_longer_forms_are_understood(wire: str, text: str) -> None:
    assert unescape(wire) == text


@pytest.mark.parametrize(
    "wire",
    [
        "\\",
        "ends\\",
        r"\q",
        r"\x4",
        r"\xg1",
        r"\u12",
        r"\U0001f6",
        r"\N{BELL}",
        r"\x07",
        r"\x1b[31m",
        r"\x9b31m",
        r"\x7f",
        r"\x00",
        r"\ud800",
        r"\U0000dfff",
        r"\U00110000",
        r"\Uffffffff",
        "\x07",
        "\x1b]0;title\x07",
        "\r",
        "\x7f",
        "\x00",
    ],
)
def test_what_is_refused(wire: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        unescape(wire)
    assert caught.value.code == "bad-text"


@pytest.mark.parametrize("text", ["\x07", "\x1b", "\x9b", "\x7f", "\x00", "\r", "\ud800", "ok\x85"])
def test_what_cannot_be_said(text: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        check_text(text)
    assert caught.value.code == "bad-text"


def test_the_length_is_that_on_the_wire() -> None:
    check_text("x" * MAX_TEXT)
    check_text("\u03a9" * (MAX_TEXT // 6))
    for text in ("x" * (MAX_TEXT + 1), "\u03a9" * (MAX_TEXT // 6 + 1)):
        with pytest.raises(LocalProtocolError) as caught:
            check_text(text)
        assert caught.value.code == "too-long"


@given(TEXT)
def test_unescape_undoes_escape(text: str) -> None:
    wire = escape(text)
    assert wire.isascii()
    assert wire.isprintable()
    assert unescape(wire) == text


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_junk_is_refused_or_understood(wire: str) -> None:
    try:
        text = unescape(wire)
    except LocalProtocolError:
        return
    assert unescape(escape(text)) == text


@pytest.mark.parametrize("acts", "\x00\n\r\x1b\x7f\x85\x9b\u061c\u200e\u200f\u2028\u2029\u202e\u2069\ud800")
def test_what_acts_on_a_terminal_does_not_get_there(acts: str) -> None:
    assert clean(f"a{acts}b") == "a\ufffdb"


def test_the_rest_does() -> None:
    assert clean("a\tcafé \u05d0\u200b\u202f~") == "a    café \u05d0\u200b\u202f~"
