import json
import stat
from pathlib import Path
from typing import Any

import pytest

from triochat.client import StateError
from triochat.client.inbox import Mark
from triochat.client.state_file import State, StateFile
from triochat.protocol import events as e

STATE = State(
    session="ab" * 16,
    rooms={"#dev": 7, "#ops": 0},
    inbox=Mark(nick="alice", id=3, ms=1_700_000_000_000),
    unsent=(
        e.Say("#dev", "zwei\nZeilen ☺", tag="t-1"),
        e.SetTopic("#dev", "", tag="t-2"),
        e.Say("@bob", "x", tag="t-3"),
    ),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot.state"


def test_what_is_saved_is_there_again(path: Path) -> None:
    with StateFile(path) as file:
        assert file.state is None
        assert not path.exists()
        file.save(STATE)
        file.save(STATE)
    with StateFile(path) as file:
        assert file.state == STATE
    assert {entry.name for entry in path.parent.iterdir()} == {"bot.state", "bot.state.lock"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_can_not_use_it_at_once(path: Path) -> None:
    with StateFile(path), pytest.raises(StateError, match="another client uses"):
        StateFile(path)
    StateFile(path).close()


GOOD: dict[str, Any] = {"triochat-client": 1, "session": "ab" * 16, "rooms": {}, "unsent": []}


CHANGES: list[dict[str, Any]] = [
    {"triochat-client": "x"},
    {"session": "secret"},
    {"session": 7},
    {"rooms": []},
    {"rooms": {"dev": 1}},
    {"rooms": {"#dev": "1"}},
    {"rooms": {"#dev": -1}},
    {"inbox": 7},
    {"inbox": {}},
    {"inbox": {"nick": "no nick", "id": 0, "ms": 0}},
    {"inbox": {"nick": "alice", "id": -1, "ms": 0}},
    {"inbox": {"nick": "alice", "id": 0, "ms": "0"}},
    {"unsent": 7},
    {"unsent": [{}]},
    {"unsent": [{"tag": "t", "to": None, "say": "x"}]},
    {"unsent": [{"tag": "t", "to": "#dev", "say": ""}]},
    {"unsent": [{"tag": "t", "to": "#dev", "say": 7}]},
    {"unsent": [{"tag": "no tag", "to": "#dev", "say": "x"}]},
    {"unsent": [{"tag": f"t{number}", "to": "#dev", "say": "x"} for number in range(257)]},
    {"unsent": [{"tag": "t", "to": "#dev", "say": "x"}] * 2},
]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[", b"[]", b"3", b"{}", b"[" * 100_000, json.dumps(GOOD).encode()[:-1]]
    + [json.dumps(GOOD | change).encode() for change in CHANGES],
)
def test_what_is_damaged_or_something_else_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StateError, match="no state file"):
        StateFile(path)
    assert path.read_bytes() == content
    path.unlink()
    StateFile(path).close()  # nobody holds it


@pytest.mark.parametrize("more", [{}, {"inbox": None}, {"something": "that a later version keeps"}])
def test_one_that_notes_no_inbox(path: Path, more: dict[str, Any]) -> None:
    path.write_text(json.dumps(GOOD | more))
    with StateFile(path) as file:
        assert file.state == State(session="ab" * 16)


def test_one_of_a_newer_version(path: Path) -> None:
    path.write_text(json.dumps(GOOD | {"triochat-client": 2}))
    with pytest.raises(StateError, match="newer"):
        StateFile(path)


def test_a_place_where_there_can_be_none(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file or directory"):
        StateFile(tmp_path / "nowhere" / "state")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateError, match="directory"):
        StateFile(tmp_path / "folder")


def test_what_lies_where_the_next_one_is_written_gets_no_secret(path: Path) -> None:
    new = path.with_name("bot.state.new")
    new.touch()
    new.chmod(0o666)
    reader = new.open()
    with StateFile(path) as file:
        file.save(STATE)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert reader.read() == "", "who had it open"
        reader.close()
        elsewhere = path.with_name("elsewhere")
        elsewhere.write_text("Dear Bob,\n")
        new.symlink_to(elsewhere)
        file.save(State(session="cd" * 16))
        assert elsewhere.read_text() == "Dear Bob,\n"
        assert not path.is_symlink()
    with StateFile(path) as file:
        assert file.state == State(session="cd" * 16)
    elsewhere.unlink()
    assert {entry.name for entry in path.parent.iterdir()} == {"bot.state", "bot.state.lock"}


def test_what_can_not_be_saved_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with StateFile(path) as file:
        file.save(STATE)
        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            file.save(State(session="cd" * 16))
    with StateFile(path) as file:
        assert file.state == STATE
    assert {entry.name for entry in path.parent.iterdir()} == {"bot.state", "bot.state.lock"}
