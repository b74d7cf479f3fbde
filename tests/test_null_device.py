import io
from pathlib import Path

import pytest

from triochat.null_device import discard


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_what_waits_for_a_full_disk_is_no_fault_any_more() -> None:
    with Path("/dev/full").open("w", encoding="ascii") as stream:
        stream.write("x")
        with pytest.raises(OSError, match="No space left"):
            stream.flush()
        discard(stream)
        stream.write("y")
        stream.flush()


def test_what_has_nothing_behind_it_is_left_alone(tmp_path: Path) -> None:
    stream = io.StringIO()
    discard(stream)
    discard(None)
    closed = (tmp_path / "file").open("w", encoding="ascii")
    closed.close()
    discard(closed)
    stream.write("x")
    assert stream.getvalue() == "x"
