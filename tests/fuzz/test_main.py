"""The command: what it says, what it keeps, and its exit code."""

import re
from pathlib import Path

import pytest

from tests.fuzz.__main__ import main
from tests.fuzz.shrink import shrink
from tests.fuzz.targets import CORPUS

EVERY = str(CORPUS / "framed" / "every-request")


def test_one_input_can_be_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--target", "framed", "--input", EVERY]) == 0
    assert capsys.readouterr().out == "framed: all promises are kept\n"
    assert main(["--target", "framed", "--input", EVERY, "--mutant", "ends_a_run_too_late"]) == 1
    assert capsys.readouterr().out.startswith("framed: SayRun(")


@pytest.mark.parametrize(
    "argv",
    [
        ["--target", "telnet"],
        ["--input", EVERY],
        ["--mutant", "speaks_utf_8"],
        ["--target", "framed", "--mutant", "speaks_utf_8"],
    ],
)
def test_what_makes_no_sense_is_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(argv)
    assert ended.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_mutant_is_found_and_its_input_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("atheris", reason="atheris is not here")
    planted = ["--target", "text", "--mutant", "believes_every_prefix"]
    assert main([*planted, "--runs", "500", "--seconds", "60", "--found", str(tmp_path)]) == 1
    [kept] = tmp_path.iterdir()
    *_, is_heard, shown, where, again = capsys.readouterr().out.splitlines()
    assert is_heard.startswith("text: ")
    assert shown == f"the input: {kept.read_bytes()!r}"
    assert where == f"kept as: {kept}"
    assert again == f"again: python -m tests.fuzz {' '.join(planted)} --input {kept}"
    assert main([*planted, "--input", str(kept)]) == 1
    assert main(["--target", "text", "--input", str(kept)]) == 0


def test_the_same_is_tried_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("atheris", reason="atheris is not here")
    ways = []
    for _ in range(2):
        assert main(["--target", "sniffing", "--runs", "500", "--seconds", "60"]) == 0
        ways.append(re.sub(r" exec/s: .*", "", capsys.readouterr().out))
    assert "#500\tDONE" in ways[0]
    assert ways[0] == ways[1]


def test_an_input_that_fails_is_made_short() -> None:
    assert shrink(b"xx a xxxx b xxx", lambda data: b"a" in data and b"b" in data) == b"ab"
    assert shrink(b"x" * 1000, lambda data: len(data) >= 3) == b"xxx"
    assert shrink(b"x" * 1000, lambda _: True, tries=1) == b"x" * 500
    assert shrink(b"x", lambda _: False) == b"x"
    assert shrink(b"", lambda _: True) == b""
