import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.client.plain_text import plain_line, plain_text
from triochat.protocol.escape import FORBIDDEN


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("hello\tworld", "hello\tworld"),
        ("\x1b[1;31merror:\x1b[0m no such file", "error: no such file"),
        ("\x9b31mred\x9bm", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;https://a.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext\x1b7", "text"),
        (" 10%\r 50%\r100%", "100%"),
        ("done\r", "done"),
        ("bell\x07 and \x00 nul", "bell and  nul"),
        ("\x1b]0;without an end", "0;without an end"),
        ("mojibake \x9d stays", "mojibake  stays"),
        ("\x1b[31m\x1b[0m", ""),
    ],
)
def test_a_line(line: str, plain: str) -> None:
    assert plain_line(line) == plain


def test_a_text_of_several_lines() -> None:
    assert plain_text("\x1b[1mone\x1b[0m\n1%\r2%\n\nfour") == "one\n2%\n\nfour"


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\x1b[]0;m\\\x07\r\n\x9b\x9d")))
def test_what_comes_out_may_be_said(text: str) -> None:
    assert FORBIDDEN.search(plain_text(text)) is None


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_what_may_be_said_stays_as_it_is(text: str) -> None:
    assert plain_text(text) == text
