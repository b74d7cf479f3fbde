"""The commands on the file: what they write, and how they end."""

import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from tests.archive.test_lines import LINE
from tests.journal.drafts import draft, fill
from triochat.archive.commands import CHUNK, run_backup, run_export, run_import
from triochat.archive.lines import MAX_LINE
from triochat.config import ConfigError
from triochat.journal import Draft, open_sqlite_journal

MORNING = 1_785_403_800_123


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "chat.db"
    said = [
        draft("hello", ms=MORNING),
        draft("caf\xe9", log="#ops", ms=MORNING + 3_600_000),
        draft("psst", log="@bob", target="@Bob", ms=MORNING),
    ]

    async def keep() -> None:
        async with open_sqlite_journal(path) as journal:
            await journal.append(said)

    trio.run(keep)
    return path


@contextmanager
def stdout_to(path: Path) -> Iterator[None]:
    """Have the standard output of this process in a file, for a moment."""
    kept = os.dup(1)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        os.dup2(descriptor, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(descriptor)
        os.close(kept)


def exported(path: Path, to: Path, *, private: bool = True) -> bytes:
    with stdout_to(to):
        assert run_export(path, (), None, "jsonl", private=private) == 0
    return to.read_bytes()


# --- export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rooms", "since", "private", "said"),
    [
        ([], None, False, ["hello", "caf\xe9", None]),
        ([], None, True, ["hello", "caf\xe9", "psst"]),
        (["#OPS"], None, False, ["caf\xe9"]),
        (["#ops", "#dev"], None, False, ["caf\xe9", "hello"]),
        (["@Bob"], None, False, ["psst"]),
        ([], "2026-07-30T09:30:00.123Z", False, ["hello", "caf\xe9", None]),
        ([], "2026-07-30T11:30:01+02:00", False, [None, "caf\xe9", None]),
        ([], "2026-08-01", False, [None, None, None]),
    ],
)
def test_export(
    path: Path,
    rooms: list[str],
    since: str | None,
    private: bool,
    said: list[str | None],
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    assert run_export(path, rooms, since, "jsonl", private=private) == 0
    out, err = capfdbinary.readouterr()
    assert [json.loads(line).get("text") for line in out.decode().splitlines()] == said
    assert err == b""


@pytest.mark.parametrize(("zone", "hour"), [("UTC", "09"), ("UTC-2", "11")])  # that is two hours ahead
def test_a_time_without_a_zone_is_that_of_this_machine(
    path: Path, zone: str, hour: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        for second, said in (("00", True), ("01", False)):
            assert run_export(path, ["#dev"], f"2026-07-30 {hour}:30:{second}", "jsonl", private=False) == 0
            assert ("hello" in capfd.readouterr().out) is said
    finally:
        monkeypatch.undo()
        time.tzset()


def test_export_as_text(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_export(path, ["#ops", "@bob"], None, "text", private=False) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "=== #ops ==="
    assert lines[2].endswith(" <alice> caf\xe9")
    assert lines[4] == "=== private messages to bob ==="


async def test_more_than_one_write(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_sqlite_journal(path) as journal:
        await journal.append([draft("x" * 1000, ms=number) for number in range(200)])
    data = exported(path, tmp_path / "out")
    assert len(data) > 3 * CHUNK
    assert data.count(b"\n") == 200


def test_a_write_may_take_less(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = exported(path, tmp_path / "everything")
    write = os.write
    monkeypatch.setattr("triochat.archive.commands.os.write", lambda where, data: write(where, data[:7]))
    assert exported(path, tmp_path / "by sevens") == everything


@pytest.mark.parametrize(
    ("rooms", "sentence"),
    [
        (["#none"], "there is no room '#none' in {path}"),
        (["dev"], "there is no room 'dev' in {path}; the name of a room begins with '#'"),
        (["#dev", "@Alice"], "no message to 'Alice' alone is kept in {path}"),
        (["\x1b[2J"], "there is no room '\\x1b[2J' in {path}; the name of a room begins with '#'"),
    ],
)
def test_a_room_that_there_is_not(
    path: Path, rooms: list[str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_export(path, rooms, None, "jsonl", private=False) == 1
    assert capfd.readouterr() == ("", f"triochat: {sentence.format(path=path)}\n")


@pytest.mark.parametrize("since", ["yesterday", "", "09:30", "2026-13-01", "0001-01-01"])
def test_no_time(path: Path, since: str) -> None:
    with pytest.raises(ConfigError, match="since is a date or a time"):
        run_export(path, [], since, "jsonl", private=False)


def test_rooms_or_all_that_is_private(path: Path) -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        run_export(path, ["#dev"], None, "jsonl", private=True)


def test_no_journal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_export(tmp_path / "none.db", [], None, "jsonl", private=False) == 1
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "there is no file" in err
    assert list(tmp_path.iterdir()) == []


# --- import ---------------------------------------------------------------------------------------


def test_import(path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = exported(path, tmp_path / "first.jsonl")
    assert run_import(tmp_path / "first.jsonl", tmp_path / "new" / "chat.db") == 0
    assert capfd.readouterr() == (f"imported 3 entries into {tmp_path / 'new' / 'chat.db'}\n", "")
    assert exported(tmp_path / "new" / "chat.db", tmp_path / "second.jsonl") == first


def test_blank_lines_and_a_last_line_without_an_end(path: Path, tmp_path: Path) -> None:
    first = exported(path, tmp_path / "first.jsonl")
    (tmp_path / "edited.jsonl").write_bytes(b"\n" + first.replace(b"\n", b"\r\n  \n").rstrip())
    assert run_import(tmp_path / "edited.jsonl", tmp_path / "new.db") == 0
    assert exported(tmp_path / "new.db", tmp_path / "second.jsonl") == first


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (f"{LINE}{LINE}", "line 2 of {file}: the id 7 of #dev can't come behind 7; nothing was imported"),
        (
            f"{LINE}\nnonsense\n",
            "line 3 of {file}: it is no JSON (Expecting value, column 1); nothing was imported",
        ),
        (
            f"{LINE}{' ' * MAX_LINE}{LINE}",
            "line 2 of {file}: it is longer than 65536 octets; nothing was imported",
        ),
    ],
)
def test_a_line_that_does_not_fit(
    tmp_path: Path, lines: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(lines)
    assert run_import(file, tmp_path / "chat.db") == 1
    assert capfd.readouterr() == ("", f"triochat: {sentence.format(file=file)}\n")
    assert exported(tmp_path / "chat.db", tmp_path / "out") == b""


def test_lines_that_are_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_import(tmp_path / "none", tmp_path / "chat.db") == 1
    assert "can't be read (No such file or directory); nothing was imported" in capfd.readouterr().err
    assert run_import(tmp_path, tmp_path / "chat.db") == 1
    assert "can't be read (Is a directory)" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_into_a_journal_that_has_something(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = exported(path, tmp_path / "first.jsonl")
    assert run_import(tmp_path / "first.jsonl", path) == 1
    error = capfd.readouterr().err
    assert error == f"triochat: there is something in {path} already; name a new file with --data\n"
    assert exported(path, tmp_path / "second.jsonl") == before


SAID = st.builds(
    draft,
    st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\u202e\u2028"), min_size=1),
    log=st.sampled_from(("#dev", "#ops", "@bob", "@al")),
    nick=st.sampled_from(("alice", "Bob")),
    ms=st.integers(0, 2**60),
)
TOPICS = st.builds(
    draft, st.text("ab \n\xe9"), log=st.just("#dev"), kind=st.just("topic"), ms=st.just(MORNING)
)


@given(st.lists(SAID | TOPICS, max_size=12), st.integers(1, 6))
async def test_there_and_back_is_the_same_to_the_octet(drafts: list[Draft], retention: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with open_sqlite_journal(folder / "a.db", durability="normal", retention=retention) as journal:
            await journal.append(drafts)
            while await journal.tidy(MORNING):
                pass
        first = exported(folder / "a.db", folder / "a.jsonl")
        with stdout_to(folder / "told"):
            assert run_import(folder / "a.jsonl", folder / "b.db") == 0
        assert exported(folder / "b.db", folder / "b.jsonl") == first


# --- backup ---------------------------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[None]:
    """Have the signals as they were, afterwards; a command has no afterwards."""
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
async def test_backup(path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_backup(path, tmp_path / "copy.db") == 0
    assert capfd.readouterr() == ("", ""), "so a job by night sends no mail"
    assert exported(tmp_path / "copy.db", tmp_path / "b") == exported(path, tmp_path / "a")
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    assert run_backup(path, tmp_path / "copy.db") == 1
    assert f"there is something at {tmp_path / 'copy.db'} already" in capfd.readouterr().err
    assert exported(tmp_path / "copy.db", tmp_path / "c") == (tmp_path / "b").read_bytes()


@pytest.mark.usefixtures("listening")
def test_ctrl_c_when_the_backup_has_its_name_comes_too_late(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def link_and_interrupt(source: Path, target: Path) -> None:
        link(source, target)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("os.link", link_and_interrupt)
    assert run_backup(path, tmp_path / "copy.db") == 0
    signal.raise_signal(signal.SIGINT)  # on the way to the end of the process
    assert exported(tmp_path / "copy.db", tmp_path / "b") == exported(path, tmp_path / "a")


def test_a_backup_of_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_backup(tmp_path / "none.db", tmp_path / "copy.db") == 1
    assert "there is no file" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []
