"""``python -m benchmarks.client``: it measures what it says, mistakes nothing for it, and leaves nothing."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from benchmarks.client import command
from benchmarks.client.measure import lowest_number, ratio
from benchmarks.client.speaker import Answers, numbered
from benchmarks.client.table import NEARLY_ALL, Table
from benchmarks.client.terminal import Terminal, Typist
from benchmarks.journal.measure import Times
from benchmarks.processes import BenchmarkError, cpu, kept_by

import triochat

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PATIENCE = 60.0
TINY = command.Plan(
    rounds=1, memory_rounds=1, keys=2, rate=200, burst=200, idle=0.2, full=450, pages=2, more=150, lines=300
)

linux = pytest.mark.skipif(sys.platform != "linux", reason="it asks /proc what a client takes")


@pytest.fixture
def path() -> str:
    """Where the programs that are started find triochat, and the benchmarks."""
    return f"{ROOT}:{Path(triochat.__file__).parents[1]}"


# --- what is found in what was read -----------------------------------------------------------------


def test_answers_are_counted_wherever_they_are_cut() -> None:
    stream = b"NICK@n WELCOME ann server\n@n OK\n@j ROOM #a 1 0\n"
    stream += b"MSG #a 1 1 ann :@x OK\n@1 OK 1\nMSG #a 2 1 ann :MSG \n"
    for cut in range(len(stream)):
        answers = Answers()
        answers.feed(stream[:cut])
        answers.feed(stream[cut:])
        assert (answers.kept, answers.said) == (2, 2), cut


def test_half_an_answer_does_not_count() -> None:
    answers = Answers()
    answers.feed(b"@1 OK 1\n@2 OK 2")
    assert answers.kept == 1


@pytest.mark.parametrize("frame", [b"ERROR throttled :slowly\n", b"@7 ERROR throttled :slowly\n"])
def test_an_error_is_told(frame: bytes) -> None:
    with pytest.raises(BenchmarkError, match="throttled :slowly"):
        Answers().feed(b"MSG #a 1 1 ann :ERROR is what it says\n" + frame)


def test_the_lowest_message_on_a_screen() -> None:
    drawn = b"\x1b[3;1H 09:30 ann  " + numbered(120) + b"\x1b[K\x1b[4;1H 09:30 ann  " + numbered(99) + b"mess"
    assert lowest_number(drawn) == 99
    assert lowest_number(b"message 12 of") is None


@linux
def test_a_mark_is_found_though_reads_cut_it_and_what_follows_is_left() -> None:
    program = "import os, sys; [os.write(1, bytes([octet])) for octet in b'one two three']; sys.stdin.read()"
    with Terminal([sys.executable, "-c", program]) as terminal:
        terminal.look_for(b"o th")
        first = terminal.until(b"e tw", "the first did not come")
        second = terminal.until(b"three", "the second did not come")
        assert terminal.began < first <= second
        assert terminal.seen is not None
        assert terminal.octets == len("one two three")


@linux
def test_what_a_process_takes_is_known() -> None:
    ours = os.getpid()
    assert 0 < kept_by(ours) <= kept_by(ours, "VmHWM")
    before, began = cpu(ours), time.process_time()
    sum(range(1_000_000))
    assert cpu(ours) - before == pytest.approx(time.process_time() - began, rel=0.5)


@linux
def test_what_does_not_come_is_told_in_a_sentence() -> None:
    with (
        Terminal(["cat"]) as terminal,
        pytest.raises(BenchmarkError, match="cat: nothing was drawn within 0 s"),
    ):
        terminal.until(b"x", "nothing was drawn", 0.1)
    with Terminal(["true"]) as terminal, pytest.raises(BenchmarkError, match="true has ended too early"):
        terminal.until(b"x", "nothing was drawn")


@linux
def test_each_letter_is_found_that_a_terminal_echoes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Typist, "PAUSE", (0.0, 0.0))
    with Terminal(["cat"]) as terminal:
        taken = Typist(terminal).type(2 * len(Typist.LETTERS) + 1)
    assert len(taken) == 129
    assert min(taken) > 0
    assert len(set(Typist.LETTERS)) == 64


# --- what is made of it -----------------------------------------------------------------------------


def verdict(times: list[float], share: float = NEARLY_ALL) -> tuple[str, int]:
    table = Table()
    table.times("a key", Times(times), 10, share=share)
    return table.rows[0][-1], table.missed


def test_of_keys_99_of_100_must_be_fast() -> None:
    assert verdict([9.0] * 100, share=0.99) == ("kept", 0)
    assert verdict([9.0] * 99 + [10], share=0.99) == ("kept, but not always", 0)
    assert verdict([9.0] * 98 + [10, 10], share=0.99) == ("MISSED", 1)
    assert verdict([9.0] * 9 + [10]) == ("kept, but not always", 0)
    assert verdict([9.0] * 8 + [10, 10]) == ("MISSED", 1)


def test_memory_and_cpu_are_promises_too() -> None:
    table = Table()
    table.memory("paged", [2 << 20], ratio=1.5, most=1.5)
    table.memory("paged", [2 << 20], ratio=1.51, most=1.5)
    table.memory("paged", [2 << 20], ratio=9)
    table.seconds("idle", 0.04, 0.05)
    table.seconds("idle", 0.05, 0.05)
    assert [row[-1] for row in table.rows] == ["kept", "MISSED", "", "kept", "MISSED"]
    assert table.missed == 2


def test_ratios_are_of_neighbours() -> None:
    assert ratio([10, 40, 90], [10, 20, 30]) == 2


def test_a_missed_promise_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(folder: Path, plan: command.Plan, table: Table) -> None:
        assert os.environ["HOME"] == str(folder)
        assert plan.rounds == 3
        table.seconds("idle", 1, 0.05)

    monkeypatch.setattr(command, "_measure", measure)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    assert command.main(["--rounds", "3"]) == 1
    assert "1 of the promises missed" in capsys.readouterr().out


def test_what_can_not_be_measured_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(*_: object) -> None:
        raise BenchmarkError("the room was not shown")

    monkeypatch.setattr(command, "_measure", measure)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    before = dict(os.environ)
    assert command.main([]) == 2
    assert capsys.readouterr().err == "benchmarks: the room was not shown\n"
    assert dict(os.environ) == before
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    assert command.main([]) == 2
    assert "needs Linux" in capsys.readouterr().err


# --- the whole --------------------------------------------------------------------------------------


@linux
def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """Small and short: what it finds means little, but it finds all of it."""
    for name in ("HELP", "FRAME", "KEY", "SLOWEST", "IDLE", "PAGED"):
        monkeypatch.setattr(command, name, 60_000.0)
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("TRIOCHAT_CLIENT_PLAIN", "true")  # it has no meaning here
    assert command.main(["--docs", str(tmp_path)], TINY) == 0
    written = (tmp_path / command.PAGE_NAME).read_text(encoding="utf-8")
    told = capsys.readouterr().out
    assert told in written
    assert "None of the promises missed" in told
    for what in (
        "first frame",
        "beside 200 messages a second",
        "slowest key",
        "2 pages back",
        "tail --since 0",
    ):
        assert what in told


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_it(tmp_path: Path, path: str, number: signal.Signals) -> None:
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as child:
        try:
            assert child.stderr is not None
            assert child.stderr.readline() == "starting it\n"
            deadline = time.monotonic() + PATIENCE
            while len(started := children(child.pid)) < 2:  # a server, and the first client
                assert time.monotonic() < deadline, "it has not started a client"
            handles = [os.pidfd_open(pid) for pid in started]
        finally:
            child.send_signal(number)
        child.stderr.read()
    for handle in handles:
        assert select.select([handle], [], [], PATIENCE)[0], "it is still there"
        os.close(handle)
    assert child.returncode == {signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert number == signal.SIGKILL or not list(tmp_path.iterdir()), "it has tidied up"


def children(pid: int) -> list[int]:
    """Those of a process."""
    return [
        int(one)
        for tasks in Path(f"/proc/{pid}/task").glob("*/children")
        for one in tasks.read_text().split()
    ]


def test_the_page_takes_in_what_the_command_writes() -> None:
    assert "{include} " + command.PAGE_NAME in (DOCS / "performance.md").read_text(encoding="utf-8")
    assert (DOCS / command.PAGE_NAME).read_text(encoding="utf-8").startswith(command.WRITTEN)
