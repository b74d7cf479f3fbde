"""``triochat completion``: the real shells, as far as they are here, and what they make of a TAB."""

import shutil
from pathlib import Path

import pytest

from tests.process.conftest import Run

BASH = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
[[ $(complete -p triochat) == *" -F _triochat "* ]] && _triochat
echo "${COMPREPLY[@]}"
"""
FISH = """
source $argv[1]
complete --do-complete (string join ' ' -- $argv[2..])
"""
# Completion of zsh works in its line editor only, so there is a terminal, and a key that tells the line.
ZSH = r"""
zmodload zsh/zpty
script=$1
shift
zpty shell zsh -f -i
zpty -w shell "PS1=; tell() { print -r -- \<\$BUFFER\>; BUFFER= }; zle -N tell; bindkey '^G' tell; $script"
zpty -w shell "echo ALL''SET"
zpty -r -m shell out '*ALLSET*'
for typed shown in "$@"; do
  zpty -w -n shell "triochat $typed"$'\t\C-g'
  zpty -r -m shell out "*<triochat $shown*>*" && echo $shown
done
"""


async def script(run: Run, shell: str, folder: Path) -> Path:
    program = await run("completion", shell)
    text = await program.out.rest()
    assert await program.exit_code() == 0
    assert await program.err.rest() == ""
    path = folder / "_triochat"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["cl"], {"client"}),
        (["client", "--ni"], {"--nick"}),
        (["host", "--po"], {"--port"}),
        (["server", "--durability", ""], {"full", "normal"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
    ],
)
@pytest.mark.parametrize(("shell", "how"), [("bash", BASH), ("fish", FISH)])
async def test_a_tab(
    run: Run, tmp_path: Path, shell: str, how: str, words: list[str], found: set[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    path = await script(run, shell, tmp_path)
    behind = [] if shell == "fish" else [shell]
    program = await run(
        "-c", how, *behind, str(path), "triochat", *words, command=[shell, *(["--norc"] if behind else [])]
    )
    out = await program.out.rest()
    assert await program.exit_code() == 0
    lines = out.splitlines() if shell == "fish" else out.split()
    assert {line.partition("\t")[0] for line in lines} == found
    assert await program.err.rest() == ""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
@pytest.mark.parametrize(
    "start", ["compinit -u -D; source {0}/_triochat", "fpath=({0} $fpath); compinit -u -D"]
)
async def test_a_tab_in_zsh(run: Run, tmp_path: Path, start: str) -> None:
    await script(run, "zsh", tmp_path)
    start = f"autoload -Uz compinit; {start.format(tmp_path)}"
    pairs = [
        "cl",
        "client",
        "server --po",
        "server --port",
        "server --durability n",
        "server --durability normal",
    ]
    program = await run("-f", "-c", ZSH, "zsh", start, *pairs, command=["zsh"])
    for shown in pairs[1::2]:
        assert await program.out.line() == shown
    assert await program.exit_code() == 0


async def test_a_shell_that_it_does_not_know(run: Run) -> None:
    program = await run("completion", "tcsh")
    assert await program.exit_code() == 2
    assert "bash" in await program.err.rest()
