from pathlib import Path

import pytest

from triochat.client.cursor_file import UNREAD, CursorError, CursorFile, Place, Progress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cursor"


def test_what_is_saved_is_there_again_and_other_rooms_stay(path: Path) -> None:
    file = CursorFile(path)
    assert file.places == {}
    file.save({"#dev": Place(3, 1000)})
    file.save({"#ops": Place(1, 7)})
    file.close()
    file = CursorFile(path)
    assert file.places == {"#dev": Place(3, 1000), "#ops": Place(1, 7)}
    file.close()


def test_an_empty_one_is_as_good_as_none(path: Path) -> None:
    path.touch()
    file = CursorFile(path)
    assert file.places == {}
    file.close()


def test_nothing_new_is_not_written(path: Path) -> None:
    file = CursorFile(path)
    file.save({"#dev": Place(3, 1000)})
    path.unlink()
    file.save({"#dev": Place(3, 1000)})
    assert not path.exists()
    file.close()


def test_two_can_not_use_it_at_once(path: Path) -> None:
    file = CursorFile(path)
    with pytest.raises(CursorError, match="another tail uses"):
        CursorFile(path)
    file.close()
    CursorFile(path).close()


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"triochat-client": 1}',
        '{"triochat-cursor": 2, "rooms": {}}',
        '{"triochat-cursor": 1, "rooms": []}',
        '{"triochat-cursor": 1, "rooms": {"#dev": {"id": -1, "ms": 0}}}',
        '{"triochat-cursor": 1, "rooms": {"#dev": {"id": true, "ms": 0}}}',
        '{"triochat-cursor": 1, "rooms": {"dev": {"id": 1, "ms": 0}}}',
        '{"triochat-cursor": 1, "rooms": {"#dev": {"id": 1}}}',
    ],
)
def test_what_is_something_else_is_left_as_it_is(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(CursorError, match="left as it is"):
        CursorFile(path)
    assert path.read_text() == content
    path.unlink()
    CursorFile(path).close()  # the lock was let go


def test_a_place_where_there_can_be_none(tmp_path: Path) -> None:
    with pytest.raises(CursorError, match="can't be used"):
        CursorFile(tmp_path / "nowhere" / "cursor")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CursorError, match="can't be used"):
        CursorFile(tmp_path / "folder")


def test_progress_follows_the_octets_and_can_be_set_back() -> None:
    progress = Progress()
    progress.start("#dev", Place(4))
    progress.add(100, "#dev", Place(5, 50))
    progress.add(200, "#ops", Place(1, 51))
    progress.add(300, "#dev", Place(6, 52))
    assert progress.at(99) == {"#dev": Place(4)}
    assert progress.at(300) == {"#dev": Place(6, 52), "#ops": Place(1, 51)}
    assert progress.at(299) == {"#dev": Place(5, 50), "#ops": Place(1, 51)}


def test_progress_forgets_what_no_pipe_can_hold() -> None:
    progress = Progress()
    for number in range(1, 5):
        progress.add(number * UNREAD, "#dev", Place(number))
    assert progress.at(4 * UNREAD) == {"#dev": Place(4)}
    assert progress.at(0) == {"#dev": Place(3)}
