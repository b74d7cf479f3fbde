"""``triochat export``, ``import`` and ``backup`` beside a server that runs, or ran."""

# ruff: noqa: ASYNC240 -- nothing else runs here that a look at a file could delay

import json
import signal
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.process.conftest import Run, Serve, ServerProgram
from tests.process.program import PYTHON, TRIOCHAT


async def ended(
    run: Run, *arguments: str, command: list[str] = TRIOCHAT, env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a command to its end: the exit code, and what it wrote."""
    program = await run(*arguments, command=command, env=env)
    await program.close_stdin()
    out, err = await program.out.rest(), await program.err.rest()
    return await program.exit_code(), out, err


def entries(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def talk(server: ServerProgram) -> None:
    """Some conversation, private words and a topic."""
    async with await server.connect() as alice, await server.connect() as bob:
        await alice.hello("alice", "#dev", "#ops")
        await bob.hello("Bob", "#dev")
        assert (await alice.ask(r"MSG #dev :caf\xe9\ntwo lines"))[-1] == "OK 1"
        assert (await bob.ask("TOPIC #dev :about words"))[-1] == "OK 2"
        assert (await bob.ask("MSG #dev :good words"))[-1] == "OK 3"
        assert (await alice.ask("MSG #ops :alone"))[-1] == "OK 1"
        assert (await alice.ask("MSG @bob :psst"))[-1] == "OK 1"


async def test_out_of_a_running_server_and_into_another(serve: Serve, run: Run, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first.db"), str(tmp_path / "second.db")
    server = await serve("--data", first)
    await talk(server)
    code, out, err = await ended(run, "export", "--private", "--data", first)
    assert (code, err) == (0, "")
    said = entries(out)
    assert [(one["room"], one["id"], one["nick"], one["text"]) for one in said] == [
        ("#dev", 1, "alice", "caf\xe9\ntwo lines"),
        ("#dev", 2, "Bob", "about words"),
        ("#dev", 3, "Bob", "good words"),
        ("#ops", 1, "alice", "alone"),
        ("@bob", 1, "alice", "psst"),
    ]
    assert [one["kind"] for one in said] == ["message", "topic", "message", "message", "message"]
    code, told, err = await ended(run, "import", "-", "--data", first)
    assert (code, told, err.count("\n")) == (1, "", 1)
    assert f"there is something in {first} already" in err

    (tmp_path / "said.jsonl").write_text(out)
    assert await ended(run, "import", str(tmp_path / "said.jsonl"), "--data", second) == (
        0,
        f"imported 5 entries into {second}\n",
        "",
    )
    assert await ended(run, "export", "--private", "--data", second) == (0, out, "")
    async with await server.connect() as one:
        await one.hello("carol", "#dev")
        history = await one.ask("HISTORY #dev")
    assert await server.stop() == 0
    server = await serve("--data", second)
    async with await server.connect() as one:
        await one.hello("carol")
        assert (await one.ask("JOIN #dev"))[0] == "ROOM #dev 1 3 :about words"
        assert await one.ask("HISTORY #dev") == history
        assert [line.split(" :")[1] for line in (await one.ask("SEARCH #dev :WORDS"))[:-1]] == [
            "good words",
            "about words",
        ]
        assert (await one.ask("MSG #dev :on it goes"))[-1] == "OK 4"
        assert (await one.ask("HISTORY #dev after=3"))[0].endswith("carol :on it goes")
    assert await server.stop() == 0


async def test_a_room_or_two_for_people(serve: Serve, run: Run, tmp_path: Path) -> None:
    data = str(tmp_path / "chat.db")
    server = await serve("--data", data)
    await talk(server)
    everything = await ended(run, "export", "--data", data, "--room", "#OPS", "--room", "@bob")
    assert [one["text"] for one in entries(everything[1])] == ["alone", "psst"]
    code, out, _ = await ended(run, "export", "--data", data, "--format", "text", "--since", "2020-01-01")
    assert code == 0
    assert "=== #dev ===\n" in out
    assert " <alice> caf\xe9\n         two lines\n" in out
    assert "psst" not in out
    code, out, err = await ended(run, "export", "--data", data, "--room", "#none")
    assert (code, out, err) == (1, "", f"triochat: there is no room '#none' in {data}\n")
    assert await server.stop() == 0


async def test_what_a_killed_server_had_acknowledged(serve: Serve, run: Run, tmp_path: Path) -> None:
    data = str(tmp_path / "chat.db")
    server = await serve("--data", data)
    await talk(server)
    server.signal(signal.SIGKILL)
    await server.exit_code()
    before = (tmp_path / "chat.db").read_bytes(), (tmp_path / "chat.db-wal").read_bytes()
    code, out, _ = await ended(run, "export", "--data", data, "--private")
    assert (code, len(out.splitlines())) == (0, 5)
    assert ((tmp_path / "chat.db").read_bytes(), (tmp_path / "chat.db-wal").read_bytes()) == before
    assert await ended(run, "backup", str(tmp_path / "copy.db"), "--data", data) == (0, "", "")
    assert await ended(run, "export", "--data", str(tmp_path / "copy.db"), "--private") == (0, out, "")


async def test_a_backup_of_a_busy_server(serve: Serve, run: Run, tmp_path: Path) -> None:
    """All that was acknowledged before it began is in it, and of each room the beginning."""
    data, copy = str(tmp_path / "chat.db"), tmp_path / "copy.db"
    server = await serve("--data", data, "--rate-limit", "0")
    kept = dict.fromkeys(("#one", "#two", "#three"), 0)

    async def chatter(room: str, task_status: trio.TaskStatus[None]) -> None:
        async with await server.connect() as guest:
            await guest.hello(room[1:], room)
            while True:
                answer = await guest.ask(f"MSG {room} :{'x' * 4000} {kept[room] + 1}")
                kept[room] = int(answer[-1].removeprefix("OK "))
                if kept[room] == 50:
                    task_status.started()

    async with trio.open_nursery() as talking:
        for room in kept:
            await talking.start(chatter, room)
        before = dict(kept)
        assert await ended(run, "backup", str(copy), "--data", data) == (0, "", "")
        after = dict(kept)
        talking.cancel_scope.cancel()
    assert await server.stop() == 0
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    code, out, _ = await ended(run, "export", "--data", str(copy))
    assert code == 0
    for room, number in kept.items():
        ids = [one["id"] for one in entries(out) if one["room"] == room]
        assert ids == list(range(1, len(ids) + 1))
        assert before[room] <= len(ids) <= after[room] + 1, number
    server = await serve("--data", str(copy))
    async with await server.connect() as guest:
        await guest.hello("late", "#one")
    assert await server.stop() == 0


INTERRUPTED = """
import os, signal, sys
from triochat.__main__ import main
link = os.link
def interrupted(source, target):
    link(source, target)
    os.kill(os.getpid(), signal.SIGINT)
os.link = interrupted
sys.argv[0] = "triochat"
try:
    main()
finally:
    os.kill(os.getpid(), signal.SIGINT)
"""
"""A command that Ctrl-C meets in the moment in which a back-up has its name, and again on its way out."""


async def test_a_backup_that_is_there_was_made(serve: Serve, run: Run, tmp_path: Path) -> None:
    data, copy = str(tmp_path / "chat.db"), str(tmp_path / "copy.db")
    server = await serve("--data", data)
    await talk(server)
    command = [*PYTHON, "-c", INTERRUPTED]
    assert await ended(run, "backup", copy, "--data", data, command=command) == (0, "", "")
    assert await ended(run, "export", "--data", copy) == await ended(run, "export", "--data", data)
    assert await server.stop() == 0


# --- standard streams -----------------------------------------------------------------------------


@pytest.fixture
async def data(serve: Serve, tmp_path: Path) -> Path:
    """A journal with more than fits a pipe."""
    data = tmp_path / "chat.db"
    server = await serve("--data", str(data), "--rate-limit", "0")
    async with await server.connect() as guest:
        await guest.hello("alice", "#dev")
        await guest.send(*(f"MSG #dev :{number} {'x' * 2000}" for number in range(199)))
        assert (await guest.ask("MSG #dev :last"))[-1] == "OK 200"
    assert await server.stop() == 0
    return data


async def test_nobody_reads_it_to_its_end(run: Run, data: Path) -> None:
    shell = ["bash", "-c", 'set -o pipefail; "$@" | head -n 1', "bash", *TRIOCHAT]
    code, out, err = await ended(run, "export", "--data", str(data), command=shell)
    assert (code, out.count("\n"), err) == (141, 1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
async def test_what_cannot_be_written_is_told(run: Run, data: Path, where: str) -> None:
    shell = ["sh", "-c", f'exec "$@" {where}', "sh", *TRIOCHAT]
    code, _, err = await ended(run, "export", "--data", str(data), command=shell)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("triochat: the standard output can't be written (")
    assert "not complete" in err


async def test_through_a_pipe(run: Run, data: Path, tmp_path: Path) -> None:
    new = str(tmp_path / "new.db")
    line = 'from=$0 to=$1; shift; "$@" export --data "$from" | "$@" import - --data "$to"'
    shell = ["bash", "-c", f"set -o pipefail; {line}", str(data), new, *TRIOCHAT]
    assert await ended(run, command=shell) == (0, f"imported 200 entries into {new}\n", "")


async def test_ctrl_c_imports_nothing(run: Run, data: Path, tmp_path: Path) -> None:
    _, out, _ = await ended(run, "export", "--data", str(data))
    new = tmp_path / "new.db"
    importing = await run("import", "-", "--data", str(new))
    await importing.type(*out.splitlines())
    importing.signal(signal.SIGINT)
    assert await importing.exit_code() == 130
    assert "Traceback" not in await importing.err.rest()
    assert (await ended(run, "export", "--data", str(new)))[1] == ""


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("<&-", "the standard input can't be read (Bad file descriptor); nothing was imported"),
        ("</dev/zero", "line 1 of the standard input: it is longer than 65536 octets; nothing was imported"),
    ],
)
async def test_what_cannot_be_read_is_told(run: Run, tmp_path: Path, where: str, sentence: str) -> None:
    shell = ["sh", "-c", f'exec "$@" {where}', "sh", *TRIOCHAT]
    code, out, err = await ended(run, "import", "-", "--data", str(tmp_path / "chat.db"), command=shell)
    assert (code, out, err) == (1, "", f"triochat: {sentence}\n")


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000,) * 2)
from triochat.__main__ import main
main()
"""


async def test_an_endless_line_takes_no_memory(run: Run, tmp_path: Path) -> None:
    arguments = ("import", "/dev/zero", "--data", str(tmp_path / "chat.db"))
    code, out, err = await ended(run, *arguments, command=[*PYTHON, "-c", LIMITED])
    assert (code, out) == (1, "")
    assert err == "triochat: line 1 of /dev/zero: it is longer than 65536 octets; nothing was imported\n"


async def test_the_file_of_a_running_server_is_not_imported_into(
    serve: Serve, run: Run, tmp_path: Path
) -> None:
    data = str(tmp_path / "chat.db")
    server = await serve("--data", data)
    code, _, err = await ended(run, "import", "-", "--data", data)
    assert code == 1
    assert err == (
        f"triochat: {data} is in use by another server; stop that one, or choose another file with --data\n"
    )
    assert await server.stop() == 0


# --- which file -----------------------------------------------------------------------------------


async def test_it_is_the_servers_file_by_whatever_setting(serve: Serve, run: Run, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        f'[server]\ndata = "{tmp_path / "file.db"}"\nrate_limit = 0\n\n[client]\nnick = "bob"\n'
    )
    settings: list[tuple[list[str], dict[str, str]]] = [
        ([], {}),
        (["--config", str(config)], {}),
        (
            [],
            {"TRIOCHAT_SERVER_DATA": str(tmp_path / "environment.db"), "TRIOCHAT_SERVER_CONFIG": str(config)},
        ),
        (["--data", str(tmp_path / "flag.db")], {"TRIOCHAT_SERVER_DATA": str(tmp_path / "environment.db")}),
    ]
    for number, (arguments, env) in enumerate(settings):
        server = await serve(*arguments, env=env)
        async with await server.connect() as guest:
            await guest.hello("alice", "#dev")
            assert (await guest.ask(f"MSG #dev :{number}"))[-1] == "OK 1"
        assert await server.stop() == 0
    for number, (arguments, env) in enumerate(settings):
        _, out, err = await ended(run, "export", *arguments, env={"TRIOCHAT_SERVER_PORT": "1", **env})
        assert [one["text"] for one in entries(out)] == [str(number)], err
        copy = str(tmp_path / f"{number}.db")
        assert await ended(run, "backup", copy, *arguments, env=env) == (0, "", "")
        assert (await ended(run, "export", "--data", copy))[1] == out


@pytest.mark.parametrize(
    ("arguments", "env", "code", "word"),
    [
        (["export"], {"TRIOCHAT_EXPORT_ROOM": "#dev"}, 1, "TRIOCHAT_EXPORT_ROOM"),
        (["export"], {"TRIOCHAT_SERVER_DTA": "x"}, 1, "TRIOCHAT_SERVER_DTA"),
        (["export", "--since", "yesterday"], {}, 1, "since is a date"),
        (["export", "--format", "xml"], {}, 1, "xml"),
        (["export", "--room"], {}, 1, "--room"),
        (["import"], {}, 1, "FILE"),
        (["backup"], {}, 1, "FILE"),
        (["backup", "--version"], {}, 1, "--version"),
    ],
)
async def test_mistakes(
    run: Run, tmp_path: Path, arguments: list[str], env: dict[str, str], code: int, word: str
) -> None:
    found, out, err = await ended(run, *arguments, env=env)
    assert found != 0
    assert word in out + err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
