"""Which Python a benchmark is started with is the first thing that goes wrong."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from benchmarks.machine import NEEDED

ROOT = Path(__file__).parents[2]


def test_what_the_server_needs_is_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    of_the_client = {"urwid"}
    assert {line.partition(">=")[0] for line in project["dependencies"]} - of_the_client == set(NEEDED)


@pytest.mark.parametrize("command", ["benchmarks", "benchmarks.journal", "benchmarks.client"])
def test_without_trio_it_says_so_in_a_sentence(command: str) -> None:
    done = subprocess.run(  # -S: without what is installed
        [sys.executable, "-S", "-m", command], cwd=ROOT, capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 2
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    assert "has no trio" in sentence
    assert "pip install" in sentence
