"""``triochat server``: what it prints, how it is configured, how it ends."""

import json
import re
import resource
import signal
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.process.conftest import Run, Serve
from tests.process.program import PATIENCE, PYTHON, TRIOCHAT
from tests.server.guests import Guest
from triochat.server.logs import PAUSE


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


# --- up and down ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_by_the_plan(serve: Serve, number: signal.Signals) -> None:
    server = await serve()
    async with await server.connect() as framed, await server.connect() as text:
        await framed.hello("framed", "#lobby")
        await text.text_hello("text")
        await framed.line()
        server.signal(number)
        assert await framed.rest() == ["BYE :the server shuts down"]
        assert await text.rest() == ["Goodbye! (the server shuts down)"]
    assert await server.exit_code() == 0
    assert await server.out.rest() == ""  # not a word but where it listened
    assert "Traceback" not in await server.err.rest()


async def test_a_second_signal_skips_to_the_end(serve: Serve) -> None:
    server = await serve("--shutdown-timeout", "1000", "--send-timeout", "1000", "--backlog", "100000000")
    async with await server.connect() as deaf, await server.connect() as speaker:
        await deaf.hello("deaf", "#dev")
        await speaker.hello("speaker", "#dev")
        for _ in range(1000):  # more than the kernel holds for who does not read
            await speaker.ask(f"MSG #dev :{'x' * 8000}")
        server.signal(signal.SIGTERM)
        assert (await speaker.rest())[-1] == "BYE :the server shuts down"
        server.signal(signal.SIGTERM)
        assert await server.exit_code() == 0
    assert "a second signal" in await server.err.rest()


async def test_one_line_for_each_listener_and_brackets_around_ipv6(run: Run) -> None:
    server = await run("server", "--host", "::1", "--port", "0")
    match = re.fullmatch(r"listening on \[::1\]:([1-9][0-9]*)", await server.out.line())
    assert match
    async with Guest(await trio.open_tcp_stream("::1", int(match[1])), PATIENCE) as guest:
        await guest.hello("alice")
    assert await server.stop() == 0


async def test_every_address_of_the_machine(run: Run) -> None:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as probe:
        port = probe.getsockname()[1]
    server = await run("server", "--host", "", "--port", str(port))
    lines = {await server.out.line(), await server.out.line()}
    assert lines == {f"listening on 0.0.0.0:{port}", f"listening on [::]:{port}"}
    assert await server.stop() == 0
    assert await server.out.rest() == ""


# --- what keeps it from starting ----------------------------------------------------------------------


async def test_a_busy_port_is_one_sentence(serve: Serve, run: Run) -> None:
    first = await serve()
    second = await run("server", "--port", str(first.port))
    assert await second.exit_code() == 1
    assert await second.out.rest() == ""
    assert await second.err.rest() == (
        f"triochat: 127.0.0.1:{first.port} is in use by another program;"
        " stop that one, or choose another --port\n"
    )


@pytest.mark.parametrize(
    ("arguments", "env", "file", "word"),
    [
        pytest.param(["--bogus", "1"], {}, None, "--bogus", id="flag"),
        pytest.param(["extra"], {}, None, "extra", id="argument"),
        pytest.param(["--port", "x"], {}, None, "--port", id="flag's type"),
        pytest.param(["--port", "70000"], {}, None, "65535", id="flag's range"),
        pytest.param(["--rate-limit", "nan"], {}, None, "rate_limit", id="not a number"),
        pytest.param(["--send-timeout", "nan"], {}, None, "send_timeout", id="not a time"),
        pytest.param(["--host", "a..b"], {}, None, "a..b", id="not a host"),
        pytest.param([], {"TRIOCHAT_SERVER_PROT": "1"}, None, "TRIOCHAT_SERVER_PROT", id="variable"),
        pytest.param([], {"TRIOCHAT_SERVER_PORT": "x"}, None, "TRIOCHAT_SERVER_PORT", id="variable's type"),
        pytest.param([], {}, "[server]\nprot = 1\n", "prot", id="key"),
        pytest.param([], {}, "[server]\nport = 'x'\n", "port", id="key's type"),
        pytest.param([], {}, "[server]\nrate_limit = -1\n", "rate_limit", id="key's range"),
        pytest.param([], {}, "[servers]\nport = 0\n", "[servers]", id="table"),
        pytest.param([], {}, "port = 0\n", "port", id="key without a table"),
        pytest.param([], {}, "[server.more]\nport = 0\n", "more", id="table in a table"),
        pytest.param([], {}, "[server\n", "no TOML", id="no TOML"),
        pytest.param([], {}, "[client]\nnik = 'bob'\n", "nik", id="key of the other command"),
        pytest.param([], {}, "[server]\nport = 0.5\n", "port", id="a float for an integer"),
        pytest.param([], {}, "[server]\nport = 0.0\n", "port", id="a float that is whole"),
        pytest.param(["--config", "does-not-exist.toml"], {}, None, "does-not-exist", id="no file"),
        pytest.param(["--config", "/"], {}, None, "directory", id="a directory"),
        pytest.param(["--memory", "--data", "chat.db"], {}, None, "exclude", id="two places"),
        pytest.param(["--max-age", "-1"], {}, None, "max_age", id="an age below 0"),
        pytest.param(["--durability", "some"], {}, None, "durability", id="a durability there is not"),
    ],
)
async def test_what_it_does_not_know_is_an_error(
    run: Run, tmp_path: Path, arguments: list[str], env: dict[str, str], file: str | None, word: str
) -> None:
    if file is not None:
        path = tmp_path / "config.toml"
        path.write_text(file)
        arguments = [*arguments, "--config", str(path)]
    server = await run("server", *arguments, env=env)
    assert await server.exit_code() != 0
    assert await server.out.rest() == ""
    error = await server.err.rest()
    assert word in error
    assert "Traceback" not in error


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
async def test_it_serves_though_nobody_takes_its_output(run: Run, where: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    shell = ["sh", "-c", f'exec "$@" {where}', "sh"]
    server = await run("server", "--port", str(port), "--log", "json", command=[*shell, *TRIOCHAT])
    error = json.loads(await server.err.line())
    assert (error["level"], error["event"]) == ("warning", "the standard output can't be written")
    async with Guest(await trio.open_tcp_stream("127.0.0.1", port), PATIENCE) as guest:
        await guest.hello("alice")
    assert await server.stop() == 0
    assert "Exception" not in await server.err.rest()


async def test_flags_before_environment_before_file_before_defaults(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[server]\nname = "file"\nmax_rooms = 1\nrecent = 3\n\n[client]\nnick = "bob"\n')
    env = {"TRIOCHAT_SERVER_NAME": "environment", "TRIOCHAT_SERVER_MAX_ROOMS": "2"}
    server = await serve("--name", "flag", env={**env, "TRIOCHAT_SERVER_CONFIG": str(path)})
    async with await server.connect() as alice, await server.connect() as person:
        assert (await alice.ask("NICK alice triochat/1"))[0] == "WELCOME alice flag"
        for room in ("#one", "#two"):
            assert (await alice.ask(f"JOIN {room}"))[-1] == "OK 0"
        assert (await alice.ask("JOIN #three"))[-1].startswith("ERROR too-many-rooms")
        await alice.ask("JOIN #lobby")
        for number in range(5):
            await alice.ask(f"MSG #lobby :{number}")
        await person.text_hello("person")
        shown = [await person.line() for _ in range(3)]
        assert [line[-1] for line in shown] == ["2", "3", "4"]
    assert await server.stop() == 0


# --- what it keeps -------------------------------------------------------------------------------------


async def say(guest: Guest, tag: str, frame: str) -> str:
    """Send a frame under that tag; how its answer ends."""
    await guest.send(f"@{tag} {frame}")
    return (await guest.until(f"@{tag} "))[-1]


async def test_what_was_acknowledged_is_there_after_a_kill(serve: Serve, tmp_path: Path) -> None:
    data = str(tmp_path / "new" / "chat.db")
    server = await serve("--data", data)
    async with await server.connect() as alice:
        await alice.hello("alice", "#dev", session=1)
        assert await say(alice, "t1", "MSG #dev :hello") == "@t1 OK 1"
        assert await say(alice, "t2", "TOPIC #dev :about") == "@t2 OK 2"
        server.signal(signal.SIGKILL)
        await server.exit_code()
    server = await serve("--data", data)
    async with await server.connect() as alice:
        await alice.hello("alice", "#dev", session=1)
        assert await say(alice, "t1", "MSG #dev :hello") == "@t1 OK 1", "it has its id"
        assert await say(alice, "t3", "MSG #dev :again") == "@t3 OK 3"
        kept = [line.rpartition(":")[2] for line in (await alice.ask("HISTORY #dev"))[:-1]]
        assert kept == ["hello", "about", "again"]
    assert await server.stop() == 0


async def test_the_file_is_in_the_folder_of_the_platform_by_default(
    serve: Serve, home: dict[str, str]
) -> None:
    server = await serve()
    folders = [Path(folder) for folder in home.values()]
    files = [file for folder in folders for file in folder.rglob("chat.db")]
    assert len(files) == 1
    assert await server.stop() == 0


async def test_in_memory_there_is_no_file(serve: Serve, tmp_path: Path) -> None:
    server = await serve("--memory")
    assert await server.stop() == 0
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_a_second_server_on_the_same_file_is_one_sentence(
    serve: Serve, run: Run, tmp_path: Path
) -> None:
    data = tmp_path / "chat.db"
    server = await serve("--data", str(data))
    second = await run("server", "--port", "0", "--data", str(data))
    assert await second.exit_code() == 1
    assert await second.out.rest() == ""
    assert await second.err.rest() == (
        f"triochat: {data} is in use by another server; stop that one, or choose another file with --data\n"
    )
    async with await server.connect() as alice:
        await alice.hello("alice")
    assert await server.stop() == 0


async def test_a_file_that_is_none_of_ours_is_one_sentence(run: Run, tmp_path: Path) -> None:
    data = tmp_path / "letter.txt"
    data.write_text("Dear Bob,\n")
    server = await run("server", "--port", "0", "--data", str(data))
    assert await server.exit_code() == 1
    assert await server.out.rest() == ""
    error = await server.err.rest()
    assert f"{data} is no database" in error
    assert len(error.splitlines()) == 1
    assert data.read_text() == "Dear Bob,\n"


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
def make_room(*_):
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
signal.signal(signal.SIGUSR1, make_room)
from triochat.__main__ import main
main()
"""


async def test_a_full_disk_is_survived(run: Run, tmp_path: Path) -> None:
    """It takes back what it can't keep, serves on, and keeps again when there is room."""
    data = str(tmp_path / "chat.db")
    server = await run("500000", "server", "--port", "0", "--data", data, command=[*PYTHON, "-c", FULL])
    port = int((await server.out.line()).rpartition(":")[2])
    async with Guest(await trio.open_tcp_stream("127.0.0.1", port), PATIENCE) as alice:
        await alice.hello("alice", "#dev", session=1)
        said: list[str] = []
        for number in range(1000):
            answer = await say(alice, f"t{number}", f"MSG #dev :{number} {'x' * 5000}")
            if "OK" not in answer:
                break
            said.append(answer)
        assert answer.startswith(f"@t{len(said)} ERROR unavailable")
        assert await alice.ask("PING") == ["PONG"]
        server.signal(signal.SIGUSR1)
        answer = f"@t{len(said)} ERROR"
        while "ERROR" in answer:  # until the signal has come
            answer = await say(alice, f"t{len(said)}", f"MSG #dev :{len(said)} {'x' * 5000}")
        assert answer == f"@t{len(said)} OK {len(said) + 1}"
    assert await server.stop() == 0


# --- while it runs -------------------------------------------------------------------------------------


async def test_log_lines_as_json_are_on_stderr(serve: Serve) -> None:
    server = await serve("--log", "json")
    async with await server.connect() as alice:
        await alice.hello("alice", "#dev")
        await alice.send(*["BOGUS frame :"] * 3, *["junk"] * 20)
        await alice.rest()
    assert await server.stop() == 0
    lines = json_lines(await server.err.rest())
    assert [line["event"] for line in lines] == ["came", "refused", "gone", "shutting down", "shut down"]
    for line in lines[:3]:
        assert line["nick"] == "alice"
        assert re.fullmatch(r"127\.0\.0\.1 [0-9]+", line["address"])
    assert all({"timestamp", "level", "logger"} <= line.keys() for line in lines)


FAULT = """
import sys, structlog
from triochat.server.logs import configure_logs
configure_logs(sys.argv[1], "info")
def serve(session):
    raise ZeroDivisionError("slipped")
try:
    serve("".join(["se", "cret"]))
except Exception:
    structlog.get_logger("test").exception("serving failed")
"""


@pytest.mark.parametrize("style", ["console", "json"])
async def test_a_fault_is_logged_with_its_traceback_but_no_secrets(run: Run, style: str) -> None:
    program = await run(style, command=[*PYTHON, "-c", FAULT])
    assert await program.exit_code() == 0
    assert await program.out.rest() == ""
    error = await program.err.rest()
    for word in ("serving failed", "ZeroDivisionError", "slipped", "serve"):
        assert word in error
    assert "secret" not in error
    if style == "json":
        assert len(json_lines(error)) == 1


async def test_the_rate_limit(serve: Serve) -> None:
    server = await serve("--rate-limit", "20")
    async with await server.connect() as alice, await server.connect() as bob:
        await alice.hello("alice", "#dev")
        begin = trio.current_time()
        await alice.send(*(f"MSG #dev :{number}" for number in range(30)))
        await bob.hello("bob")
        assert trio.current_time() - begin < PATIENCE
        assert [line.rpartition(":")[2] for line in await alice.lines(30)] == list(map(str, range(30)))
        assert trio.current_time() - begin > 0.5  # the 20 of the first second, then 10 more, less the hello


def resident(pid: int) -> int:
    """Octets of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


async def test_an_endless_line_takes_no_memory(serve: Serve) -> None:
    server = await serve()
    async with await server.connect() as witness:
        await witness.hello("witness")
        before = resident(server.process.pid)
        for hello in (b"", b"text\n", b"NICK framed triochat/1\n"):
            async with await server.connect() as guest:
                await guest.send_bytes(hello)
                for _ in range(20):
                    await guest.send_bytes(b"x" * 1_000_000)
                await witness.ask("PING")
        assert resident(server.process.pid) - before < 10_000_000


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv.pop(1)),) * 2)
from triochat.__main__ import main
main()
"""


async def test_running_out_of_descriptors_is_survived(run: Run) -> None:
    server = await run("40", "server", "--port", "0", "--log", "json", command=[*PYTHON, "-c", LIMITED])
    port = int((await server.out.line()).rpartition(":")[2])
    guests = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(60)]
    begin = trio.current_time()
    await server.err.until('"logger": "trio.serve_listeners"')
    await trio.sleep(1)  # it is tried again ten times
    first = Guest(guests.pop(0), PATIENCE)
    await first.hello("alice")  # who was accepted is served
    for guest in guests:
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await guest.aclose()
    async with Guest(await trio.open_tcp_stream("127.0.0.1", port), PATIENCE) as late:
        await late.hello("bob")  # and when there is room again, so are the others
    assert await first.ask("PING") == ["PONG"]
    await first.close()
    assert await server.stop() == 0
    took = trio.current_time() - begin
    told = [line for line in json_lines(server.err.text) if line["logger"] == "trio.serve_listeners"]
    assert 1 <= len(told) <= 1 + took / PAUSE
    assert "Too many open files" in told[0]["event"]
    assert not {"exception", "exc_info"} & told[0].keys()


async def test_a_command_has_no_version_of_its_own(run: Run) -> None:
    """It would be that of the library that reads the command line."""
    program = await run("server", "--version")
    assert await program.exit_code() != 0
    assert "--version" in await program.err.rest() + await program.out.rest()
