"""The first half second of a command, which goes into importing, and how it is kept that short."""

from pathlib import Path

import pytest

import triochat
from tests.process.conftest import Run
from tests.process.program import PYTHON, TRIOCHAT
from triochat.usage import COMMANDS

INTERRUPTED = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
"""A module in whose import somebody presses Ctrl-C."""


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("cyclopts", ["client"]),
        ("trio", ["client"]),
        ("trio", ["send", "hello"]),
        ("structlog", ["server", "--port", "0"]),
        ("sqlite3", ["export"]),
    ],
)
async def test_ctrl_c_while_it_starts_is_no_traceback(
    run: Run, tmp_path: Path, module: str, arguments: list[str]
) -> None:
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / f"{module}.py").write_text(INTERRUPTED)
    path = f"{tmp_path / 'early'}:{Path(triochat.__file__).parents[1]}"
    program = await run(*arguments, env={"PYTHONPATH": path})
    assert await program.exit_code() == 130
    assert (program.out.text, program.err.text) == ("", "")


async def test_the_package_alone_imports_nothing_of_others(run: Run) -> None:
    script = "import sys, triochat, triochat.__main__; print(*sys.modules)"
    program = await run(command=[*PYTHON, "-c", script])
    assert await program.exit_code() == 0
    assert {"trio", "cyclopts", "sqlite3"}.isdisjoint(program.out.text.split())


async def test_importing_a_client_imports_no_server(run: Run) -> None:
    script = "import sys; from triochat import ChatClient, open_client; print(*sys.modules)"
    program = await run(command=[*PYTHON, "-c", script])
    assert await program.exit_code() == 0
    modules = program.out.text.split()
    assert "triochat.client.opening" in modules
    assert {"triochat.server", "triochat.journal", "structlog", "sqlite3"}.isdisjoint(modules)


IMPORTED = """
import sys
from triochat.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
EARLY = {"triochat", "triochat.__main__", "triochat.usage", "triochat.version"}
TO_PARSE = {
    "triochat.address",
    "triochat.cli",
    "triochat.cli_output",
    "triochat.null_device",
    "triochat.config",
    "triochat.config_file",
    "triochat.help_page",
}


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"], ["--version"]])
async def test_the_help_and_the_version_import_next_to_nothing(run: Run, arguments: list[str]) -> None:
    program = await run(
        *arguments, command=[*PYTHON, "-S", "-c", IMPORTED]
    )  # no site: its .pth files import more
    assert await program.exit_code() == 0
    modules = set((await program.err.rest()).split())
    assert {name for name in modules if name.startswith("triochat")} == EARLY
    assert modules.isdisjoint(
        {"cyclopts", "dataclasses", "importlib.metadata", "pathlib", "re", "trio", "typing"}
    )


@pytest.mark.parametrize("command", sorted(COMMANDS))
async def test_the_help_of_a_command_imports_nothing_that_only_runs_it(run: Run, command: str) -> None:
    program = await run(command, "--help", command=[*PYTHON, "-c", IMPORTED])
    assert await program.exit_code() == 0
    modules = set((await program.err.rest()).split())
    assert {name for name in modules if name.startswith("triochat")} == EARLY | TO_PARSE
    assert modules.isdisjoint({"trio", "structlog", "sqlite3", "ssl", "urwid", "platformdirs", "tomllib"})


async def test_the_version(run: Run) -> None:
    program = await run("--version")
    assert await program.exit_code() == 0
    assert await program.out.rest() == f"triochat {triochat.__version__}\n"


async def test_help_that_nobody_reads_is_no_traceback(run: Run) -> None:
    program = await run("--help", command=["sh", "-c", 'exec "$@" >&-', "sh", *TRIOCHAT])
    assert await program.exit_code() == 1
    assert await program.err.rest() == ""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["serve"], 'unknown command "serve". Did you mean "server"?'),
        (["chatter"], 'unknown command "chatter"; triochat --help lists them'),
        (["client", "--nosuch"], "unknown option: --nosuch"),
        (["client", "a", "b"], "there is nothing that 'b' could mean here"),
        (["host", "--port", "abc"], 'invalid value for --port: unable to convert "abc" into int'),
        (["tail", "--room"], 'command "tail" parameter --room requires an argument'),
        (["backup"], 'command "backup" parameter FILE requires an argument'),
        (["completion", "tcsh"], 'invalid value "tcsh" for SHELL. Choose from: "bash", "zsh", "fish"'),
    ],
)
async def test_what_can_not_be_parsed_is_one_sentence(run: Run, arguments: list[str], says: str) -> None:
    program = await run(*arguments)
    assert await program.exit_code() == 2
    err = await program.err.rest()
    assert err == f"triochat: {says}\n"
    assert program.out.text == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["completion", "bash"], ["tail", "--help"]])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
async def test_what_can_not_be_printed_is_one_sentence(run: Run, arguments: list[str], where: str) -> None:
    program = await run(*arguments, command=["sh", "-c", f'exec "$@" {where}', "sh", *TRIOCHAT])
    assert await program.exit_code() == 1
    err = await program.err.rest()
    assert err.startswith("triochat: the standard output can't be written")
    assert err.count("\n") == 1


async def test_a_completion_that_nobody_reads_ends_quietly(run: Run) -> None:
    pipe = '{ "$@"; echo $? >&2; } | true'  # which is long gone by the time there is something
    program = await run("completion", "bash", command=["bash", "-c", pipe, "bash", *TRIOCHAT])
    assert await program.exit_code() == 0
    assert await program.err.rest() == "141\n"


def test_all_that_is_public_is_there() -> None:
    for name in triochat.__all__:
        assert getattr(triochat, name).__name__ == name
    assert set(triochat.__all__) <= set(dir(triochat))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        triochat.nothing  # noqa: B018
