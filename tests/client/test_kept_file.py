"""Where a program may keep something, and where not."""

import os
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


def test_a_folder_gets_no_lock_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        KeptFile(folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_is_no_file_is_neither_opened_nor_replaced(tmp_path: Path) -> None:
    """Root may put a file in the place of /dev/null, and all other programs would find that one there."""
    pipe, link = tmp_path / "pipe", tmp_path / "null"
    os.mkfifo(pipe)
    link.symlink_to(os.devnull)  # so that nothing else is lost if this test fails
    for path in (pipe, link):
        with pytest.raises(OSError, match="not an ordinary file"):
            KeptFile(path)
        with pytest.raises(StateError, match=f"{path} can't be used: it is not an ordinary file"):
            StateFile(path)
        with pytest.raises(CursorError, match=f"{path} can't be used: it is not an ordinary file"):
            CursorFile(path)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, pipe]
