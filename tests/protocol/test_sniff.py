"""Which dialect do the first bytes speak?"""

import pytest

from triochat.protocol.sniff import Dialect, sniff

SESSION = b"session=" + b"0123456789abcdef" * 2
HELLO = b"NICK alice triochat/1 " + SESSION


@pytest.mark.parametrize(
    "first",
    [
        HELLO + b"\n",
        HELLO + b"\r\n",
        b"@1 " + HELLO + b"\n",
        b"@" + b"a.-_" * 8 + b" " + HELLO + b"\n",
        HELLO + b"\n@2 JOIN #lobby\n",
        b"NICK alice triochat/1\n",
        b"NICK triochat/1\n",  # broken, but meant for us: it deserves an ERROR, not a sentence
        b"NICK jos\xc3\xa9 triochat/1\n",
    ],
)
def test_a_nick_frame_that_names_the_protocol_is_framed(first: bytes) -> None:
    assert sniff(first) is Dialect.FRAMED


@pytest.mark.parametrize(
    "first",
    [
        b"alice\n",
        b"alice\r\n",
        b"\n",
        b"NICK\n",
        b"NICK alice\n",  # IRC, or a person who answers the prompt with its own word
        b"NICK alice triochat/2 session=1\n",
        b"NICK alice triochat/10\n",
        b"NICK alice nottriochat/1\n",
        b"nick alice triochat/1\n",
        b"GET / HTTP/1.1\r\n",
        b"GET /",
        b"\x16\x03\x01\x02\x00",
        b"alice",
        b"NICKY",
        b"@tag!",
        b"@" + b"t" * 33,
        b"@tag JOIN",
        b"\xff\xfe",
        b"NICK " + b"x" * 8192,  # longer than any frame may be
        b"NICK " + b"x" * 8192 + b" triochat/1\n",
        b"@ NICK ",  # no tag is that short
    ],
)
def test_anything_else_is_text(first: bytes) -> None:
    assert sniff(first) is Dialect.TEXT


@pytest.mark.parametrize("end", range(len(b"@tag " + HELLO) + 1))
def test_the_beginning_of_a_hello_decides_nothing(end: int) -> None:
    assert sniff((b"@tag " + HELLO)[:end]) is None


@pytest.mark.parametrize("end", range(len(b"@tag NICK ")))
def test_silence_after_what_could_be_anything_makes_it_text(end: int) -> None:
    assert sniff(b"@tag NICK "[:end], silent=True) is Dialect.TEXT


def test_silence_after_half_a_hello_still_waits_for_the_rest() -> None:
    assert sniff(b"NICK al", silent=True) is None
    assert sniff(b"@tag NICK ", silent=True) is None


def test_a_first_line_is_a_frame_up_to_the_limit_of_one() -> None:
    fits = b"NICK " + b"x" * 8175 + b" triochat/1\n"
    assert len(fits) == 8192
    assert sniff(fits) is Dialect.FRAMED
    assert sniff(b"NICK x" + fits[5:]) is Dialect.TEXT
