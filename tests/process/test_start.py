"""The first half second of a command, which goes into importing."""

from pathlib import Path

import pytest

import triochat
from tests.process.conftest import Run
from tests.process.program import PYTHON

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


@pytest.mark.parametrize("arguments", ["--help", "send --help", "tail --help"])
async def test_help_imports_no_front_end(run: Run, arguments: str) -> None:
    tell = "import sys, atexit; atexit.register(lambda: print(*sys.modules))"
    script = f"{tell}; from triochat.cli import main; main()"
    program = await run(*arguments.split(), command=[*PYTHON, "-c", script])
    assert await program.exit_code() == 0
    modules = program.out.text.splitlines()[-1].split()
    assert [name for name in modules if name.startswith("triochat.")] == ["triochat.config", "triochat.cli"]


async def test_importing_a_client_imports_no_server(run: Run) -> None:
    script = "import sys; from triochat import ChatClient, open_client; print(*sys.modules)"
    program = await run(command=[*PYTHON, "-c", script])
    assert await program.exit_code() == 0
    modules = program.out.text.split()
    assert "triochat.client.opening" in modules
    assert {"triochat.server", "triochat.journal", "structlog", "sqlite3"}.isdisjoint(modules)


def test_all_that_is_public_is_there() -> None:
    for name in triochat.__all__:
        assert getattr(triochat, name).__name__ == name
    assert set(triochat.__all__) <= set(dir(triochat))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        triochat.nothing  # noqa: B018
