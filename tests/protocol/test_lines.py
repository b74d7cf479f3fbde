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
    assert buffer.size == 12
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


# --- many at once --------------------------------------------------------------------------------


def test_a_block_is_what_came_together_from_the_next_line_on() -> None:
    buffer = LineBuffer(limit=16)
    assert (buffer.block, buffer.start) == (b"", 0)
    buffer.feed(b"one\ntwo\nthree\nfo")
    assert (buffer.block, buffer.start) == (b"one\ntwo\nthree\n", 0)
    assert buffer.next_line() == b"one"
    assert (buffer.block, buffer.start) == (b"one\ntwo\nthree\n", 4)
    buffer.skip(len(b"two\nthree\n"))
    assert (buffer.block, buffer.start) == (b"", 0)
    assert buffer.next_line() is None
    assert buffer.size == 2


def test_a_tail_comes_with_the_block_that_ends_it() -> None:
    buffer = LineBuffer(limit=16)
    for piece in (b"a\nfo", b"u", b"r\nfive\nsi"):
        buffer.feed(piece)
    assert (buffer.block, buffer.start) == (b"a\n", 0)
    buffer.skip(2)
    assert (buffer.block, buffer.start) == (b"four\nfive\n", 0)
    buffer.skip(5)
    assert buffer.size == len(b"five\nsi")
    assert drain(buffer) == [b"five"]
    buffer.feed(b"x\n")
    assert (buffer.block, buffer.start) == (b"six\n", 0)


def test_an_overlong_line_without_end_stands_between_two_blocks() -> None:
    buffer = LineBuffer(limit=8)
    buffer.feed(b"one\n12345678")
    buffer.feed(b"90")
    buffer.feed(b"\ntwo\n")
    buffer.skip(4)
    assert (buffer.block, buffer.start) == (b"", 0)
    assert buffer.next_line() == Overlong(b"12345678")
    assert (buffer.block, buffer.start) == (b"two\n", 0)
    buffer.feed(b"123456789")
    buffer.feed(b"\n")  # nothing but the end of what is skipped
    buffer.skip(4)
    assert drain(buffer) == [Overlong(b"123456789")]
    assert (buffer.block, buffer.start) == (b"", 0)


def test_an_overlong_line_with_its_end_is_part_of_its_block() -> None:
    buffer = LineBuffer(limit=8)
    buffer.feed(b"one\n12345678\ntwo\n")
    buffer.skip(4)
    assert (buffer.block, buffer.start) == (b"one\n12345678\ntwo\n", 4)
    assert buffer.next_line() == Overlong(b"12345678")
    assert buffer.start == 13
    assert drain(buffer) == [b"two"]


@given(st.lists(st.text("ab\n\r").map(str.encode), max_size=30), st.lists(st.booleans(), min_size=1))
def test_who_skips_misses_nothing(pieces: list[bytes], skips: list[bool]) -> None:
    """Lines taken by `skip`, wherever one can, are those that `next_line` would say."""
    plain, skipped = LineBuffer(limit=10), LineBuffer(limit=10)
    got: list[bytes | Overlong] = []
    for piece in pieces:
        plain.feed(piece)
        skipped.feed(piece)
    for skip in [*skips, *[False] * 500]:
        block, start = skipped.block, skipped.start
        end = block.find(b"\n", start)
        if skip and block and end - start < 10:
            skipped.skip(end + 1 - start)
            got.append(block[start:end].removesuffix(b"\r"))
        elif (line := skipped.next_line()) is not None:
            got.append(line)
    assert got + drain(skipped) == drain(plain)
    assert skipped.size == plain.size


def test_whether_there_is_something_complete() -> None:
    buffer = LineBuffer(10)
    complete = [buffer.complete]
    for data in (b"half", b" a\nline", b"x" * 10):
        buffer.feed(data)
        complete.append(buffer.complete)
        while buffer.next_line() is not None:
            complete.append(buffer.complete)
    assert complete == [False, False, True, False, True, False]
