"""Where a program may keep something, and where not."""

from pathlib import Path

import pytest

from triochat.client.cursor_file import CursorError, CursorFile
from triochat.client.kept_file import KeptFile
from triochat.client.state_file import StateError, StateFile


@pytest.mark.parametrize("path", ["/", "", ".", ".."])
def test_a_folder_is_no_file(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(IsADirectoryError):
        KeptFile(path)
    with pytest.raises(StateError, match="directory"):
        StateFile(path)
    with pytest.raises(CursorError, match="directory"):
        CursorFile(path)
    assert not list(tmp_path.iterdir())
