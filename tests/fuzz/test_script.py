"""What an input means."""

import pytest

from tests.fuzz.script import MOST, MOST_READS, Read, finely, read_script


def test_what_has_no_nul_comes_octet_by_octet() -> None:
    assert read_script(b"hey") == (b"hey", [Read(b"h"), Read(b"e"), Read(b"y")])
    assert read_script(b"") == (b"", [])


def test_lots_say_how_long_reads_are_and_when_there_is_silence() -> None:
    assert read_script(b"hello\0\x02\x01").reads == [
        Read(b"he"),
        Read(b"l", silence=True),
        Read(b"lo"),
    ]


def test_a_nul_can_be_sent() -> None:
    assert read_script(b"a\0b\0\xff") == (b"a\0b", [Read(b"a\0b", silence=True)])


@pytest.mark.parametrize(("lot", "octets"), [(0, 1), (126, 64), (128, 256), (130, 512), (254, 16384)])
def test_how_long_a_read_is(lot: int, octets: int) -> None:
    assert len(read_script(b"\x02x" * 20 + b"\0" + bytes([lot])).reads[0].data) == octets


def test_limits_are_within_reach() -> None:
    assert read_script(b"\x02x" * 8 + b"\x03\n" * 3).sent == b"x" * 8000 + b"\n" * 192
    assert read_script(b"x\x02").sent == b"x\x02"


def test_an_input_is_no_endless_work() -> None:
    sent, reads = read_script(b"\x02x" * 1000)
    assert sent == b"x" * MOST
    assert len(reads) == MOST_READS + 1
    assert b"".join(read.data for read in reads) == sent


def test_fine_pieces_are_all_of_it() -> None:
    for size in (0, 1, 64, 65, 1000):
        pieces = finely(b"x" * size)
        assert b"".join(pieces) == b"x" * size
        assert all(pieces)
        assert len(pieces) == min(size, 65)
