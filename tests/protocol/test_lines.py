"""Bytes to lines, bounded and linear."""

from hypothesis import given
from hypothesis import strategies as st

from triochat.protocol.lines import LineBuffer, Overlong


def drain(buffer: LineBuffer) -> list[bytes | Overlong]:
    got = []
    while (line := buffer.next_line()) is not None:
        got.append(line)
    return got


def test_lines_come_out_without_their_ends() -> None:
    buffer = LineBuffer(limit=16)
    buffer.feed(b"one\ntwo\r\n\nthr")
    assert drain(buffer) == [b"one", b"two", b""]
    buffer.feed(b"ee\r")
    assert drain(buffer) == []
    buffer.feed(b"\n")
    assert drain(buffer) == [b"three"]


def test_a_carriage_return_inside_a_line_stays_there() -> None:
    buffer = LineBuffer(limit=16)
    buffer.feed(b"a\rb\n")
    assert drain(buffer) == [b"a\rb"]
    buffer.feed(b"a\r\r\n")
    assert drain(buffer) == [b"a\r"]


def test_the_limit_counts_the_line_end() -> None:
    buffer = LineBuffer(limit=8)
    buffer.feed(b"1234567\n")
    buffer.feed(b"12345678\n")
    buffer.feed(b"123456\r\n")
    buffer.feed(b"1234567\r\n")
    assert drain(buffer) == [b"1234567", Overlong(b"12345678"), b"123456", Overlong(b"1234567\r")]


def test_a_long_line_is_reported_at_once_skipped_to_its_end_and_not_kept() -> None:
    buffer = LineBuffer(limit=8)
    buffer.feed(b"@tag ")
    for _ in range(100_000):
        buffer.feed(b"xxxxxxxxxx")
    assert buffer.size <= 8 + 10
    (overlong,) = drain(buffer)
    assert isinstance(overlong, Overlong)
    assert overlong.head.startswith(b"@tag x")
    assert len(overlong.head) <= 64
    buffer.feed(b"the end\nnext\n")
    assert drain(buffer) == [b"next"]


def test_a_long_line_in_one_piece() -> None:
    buffer = LineBuffer(limit=8)
    buffer.feed(b"x" * 100 + b"\nok\n" + b"y" * 100)
    first, second, third = drain(buffer)
    assert isinstance(first, Overlong)
    assert second == b"ok"
    assert isinstance(third, Overlong)
    buffer.feed(b"\n")
    assert drain(buffer) == []


def test_the_rest_is_what_has_no_end_yet() -> None:
    buffer = LineBuffer(limit=8)
    buffer.feed(b"a\nbc")
    buffer.feed(b"d")
    assert drain(buffer) == [b"a"]
    assert buffer.take_rest() == b"bcd"
    assert buffer.take_rest() == b""
    buffer.feed(b"x" * 20)
    drain(buffer)
    assert buffer.take_rest() == b""


def test_a_megabyte_octet_by_octet_is_never_held() -> None:
    buffer = LineBuffer(limit=8192)
    for _ in range(1_000_000):
        buffer.feed(b"x")
        assert buffer.size < 8192
    assert len(drain(buffer)) == 1


def test_lines_are_held_until_they_are_taken() -> None:
    buffer = LineBuffer(limit=16)
    buffer.feed(b"one\r\ntwo\nthr")
    assert buffer.size == 9
    drain(buffer)
    assert buffer.size == 3


@given(st.lists(st.binary(max_size=12), max_size=30))
def test_how_the_bytes_are_cut_does_not_matter(pieces: list[bytes]) -> None:
    whole, cut = LineBuffer(limit=10), LineBuffer(limit=10)
    whole.feed(b"".join(pieces))
    for piece in pieces:
        cut.feed(piece)

    def shape(buffer: LineBuffer) -> list[bytes | None]:
        return [None if isinstance(line, Overlong) else line for line in drain(buffer)]

    assert shape(whole) == shape(cut)
    assert whole.take_rest() == cut.take_rest()
