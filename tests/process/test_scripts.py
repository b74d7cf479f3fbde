"""``triochat send`` and ``triochat tail`` in scripts: real pipes, servers that are killed, signals."""

# ruff: noqa: ASYNC240 -- nothing else runs here that a look at a file could delay

import json
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest
import trio

from tests.process.conftest import Run, Serve, ServerProgram
from tests.process.program import PATIENCE, TRIOCHAT, Program

SHELL = ["bash", "-c"]
SCRIPT = f'set -o pipefail; triochat() {{ {shlex.join(TRIOCHAT)} "$@"; }}; '
"""What makes ``triochat`` in a script the one that is tested."""


def at(server: ServerProgram) -> dict[str, str]:
    """An environment in which scripts find a server."""
    address = f"127.0.0.1:{server.port}"
    return {"TRIOCHAT_SEND_SERVER": address, "TRIOCHAT_TAIL_SERVER": address}


async def shell(run: Run, script: str, server: ServerProgram) -> tuple[int, str, str]:
    """Run a script to its end: the exit code, and what it wrote."""
    program = await run(SCRIPT + script, command=SHELL, env=at(server))
    await program.close_stdin()
    out, err = await program.out.rest(), await program.err.rest()
    return await program.exit_code(), out, err


def ids(text: str) -> list[int]:
    return [json.loads(line)["id"] for line in text.splitlines()]


async def test_make_into_send_and_tail_into_jq(run: Run, serve: Serve) -> None:
    server = await serve("--memory")
    make = r"printf 'cc main.c\n\033[31merror:\033[0m no\n' 2>&1"
    assert await shell(run, f"{make} | triochat send --nick ci --room '#ci'", server) == (0, "", "")
    program = "import sys, json; [print(json.loads(line)['text']) for line in sys.stdin]"
    jq = "jq -r .text" if shutil.which("jq") else shlex.join([sys.executable, "-c", program])
    script = f"triochat tail --room '#ci' --json | {jq}"
    assert await shell(run, script, server) == (0, "cc main.c\nerror: no\n", "")
    assert (await shell(run, "triochat send --whole --room ci < /etc/hostname", server))[0] == 0
    code, out, _ = await shell(run, "triochat tail --room ci -n 1", server)
    assert (code, len(out.splitlines())) == (0, 1)


async def test_what_is_no_usage_and_what_makes_no_sense(run: Run, serve: Serve) -> None:
    server = await serve("--memory")
    assert (await shell(run, "triochat send --rooom x y", server))[0] == 2
    assert (await shell(run, "triochat tail --lines many", server))[0] == 2
    code, out, err = await shell(run, "triochat send --room a --to b hello", server)
    assert (code, out) == (1, "")
    assert err == "triochat: room and to exclude each other: leave one of them out\n"


async def test_head_ends_tail_quietly(run: Run, serve: Serve) -> None:
    server = await serve("--memory")
    script = (
        "seq 3000 | triochat send; triochat tail --since 0 --json | head -1; echo ${PIPESTATUS[0]};"
        "triochat tail -n 1 -f --json | head -1; echo ${PIPESTATUS[0]}"  # nothing is written behind it
    )
    code, out, err = await shell(run, script, server)
    first, broken, last, broken_too = out.splitlines()
    assert (code, err) == (0, "")
    assert (ids(first), broken) == ([1], "141")
    assert (ids(last), broken_too) == ([3000], "141")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_signals_end_both_quietly(run: Run, serve: Serve, number: signal.Signals, code: int) -> None:
    server = await serve("--memory")
    async with await server.connect() as witness:
        await witness.hello("witness", "#lobby")
        tail = await run("tail", "--follow", "--json", "--nick", "tail", env=at(server))
        assert await witness.line() == "JOINED #lobby tail"
        send = await run("send", "--nick", "send", env=at(server))
        assert await witness.line() == "JOINED #lobby send"
        await send.type("hello")
        assert ids(await tail.out.line()) == [1]
        for program in (send, tail):
            program.signal(number)
            assert await program.exit_code() == code
            assert await program.err.rest() == ""
        assert await witness.line() == "MSG #lobby 1 MS send :hello"
        assert await witness.line() == "LEFT #lobby send"
        assert await witness.line() == "LEFT #lobby tail"


async def test_a_signal_while_nobody_answers(run: Run, serve: Serve) -> None:
    server = await serve("--memory")
    assert await server.stop() == 0
    send = await run("send", "hello", env=at(server))
    assert "trying for 30 seconds" in await send.err.line()
    send.signal(signal.SIGINT)
    assert await send.exit_code() == 130
    assert await send.err.rest() == ""


async def test_a_server_that_is_killed_in_the_middle(run: Run, serve: Serve, tmp_path: Path) -> None:
    data = str(tmp_path / "chat.db")
    server = await serve("--data", data, "--rate-limit", "0")
    tail = await run("tail", "-f", "--since", "0", "--json", env=at(server))
    send = await run("send", env=at(server))
    for part in range(2):
        await send.type(*(f"line {part * 500 + number}" for number in range(500)))
        await tail.out.until(f'"line {part * 500 + 250}"')
        server.signal(signal.SIGKILL)
        await server.exit_code()
        server = await serve("--data", data, "--rate-limit", "0", port=server.port)
    await send.close_stdin()
    assert await send.exit_code() == 0
    await tail.out.until('"line 999"')
    assert await tail.stop() == 143
    said = [json.loads(line) for line in tail.out.text.splitlines()]
    assert [one["id"] for one in said] == list(range(1, 1001))
    assert [one["text"] for one in said] == [f"line {number}" for number in range(1000)]
    for program in (send, tail):
        assert program.err.text.count("connected again\n") >= 1


async def test_a_tail_that_is_killed_leaves_nothing_out(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = await serve("--memory", "--rate-limit", "0")
    cursor = tmp_path / "cursor"
    send = await run("send", env=at(server))
    seen: list[int] = []
    repeated = 0
    for part in range(2):
        tail = await follow(run, server, cursor)
        await send.type(*(f"{part}" for _ in range(700)))
        await tail.out.until(f'"id": {part * 700 + 400},')
        tail.signal(signal.SIGKILL)
        await tail.exit_code()
        await tail.out.rest()
        new = ids(tail.out.text[: tail.out.text.rindex("\n") + 1])
        repeated += len(set(seen) & set(new))
        assert new[0] <= (seen[-1] if seen else 0) + 1
        assert new == list(range(new[0], new[-1] + 1))
        seen.extend(new)
    await send.close_stdin()
    assert await send.exit_code() == 0
    code, out, _ = await shell(run, f"triochat tail --json --cursor {cursor}", server)
    assert code == 0
    assert sorted({*seen, *ids(out)}) == list(range(1, 1401))
    assert repeated < 1400


async def test_a_tail_that_ends_by_a_signal_goes_on_exactly(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = await serve("--memory", "--rate-limit", "0")
    send = await run("send", env=at(server))
    seen: list[int] = []
    for part in range(2):
        tail = await follow(run, server, tmp_path / "cursor")
        await send.type(*(f"{part}" for _ in range(700)))
        await tail.out.until(f'"id": {part * 700 + 400},')
        await tail.stop()
        await tail.out.rest()
        seen.extend(ids(tail.out.text))
    await send.close_stdin()
    assert await send.exit_code() == 0
    _, out, _ = await shell(run, f"triochat tail --json --cursor {tmp_path / 'cursor'}", server)
    assert [*seen, *ids(out)] == list(range(1, 1401))


async def follow(run: Run, server: ServerProgram, cursor: Path) -> Program:
    return await run("tail", "-f", "--json", "--since", "0", "--cursor", str(cursor), env=at(server))


async def test_a_send_that_is_killed_is_finished_by_the_next(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = await serve("--memory")
    state = str(tmp_path / "state")
    async with await server.connect() as witness:
        await witness.hello("witness", "#lobby")
        send = await run("send", "--nick", "send", "--state", state, env=at(server))
        assert await witness.line() == "JOINED #lobby send"
        await send.type("zero")
        assert await witness.line() == "MSG #lobby 1 MS send :zero"
        server.signal(signal.SIGSTOP)
        await send.type("one", "two")
        with trio.fail_after(PATIENCE):
            while '"two"' not in Path(state).read_text():  # noqa: ASYNC110
                await trio.sleep(0.02)  # another process writes it
        send.signal(signal.SIGKILL)
        await send.exit_code()
        server.signal(signal.SIGCONT)
        script = f"echo three | triochat send --nick send --state {state}"
        assert await shell(run, script, server) == (0, "", "")
        _, out, _ = await shell(run, "triochat tail --json", server)
        assert [json.loads(line)["text"] for line in out.splitlines()] == [
            "zero",
            "one",
            "two",
            "three",
        ]


async def test_an_output_that_is_full_or_closed(run: Run, serve: Serve) -> None:
    server = await serve("--memory")
    assert (await shell(run, "triochat send hello", server))[0] == 0
    code, _, err = await shell(run, "triochat tail > /dev/full", server)
    assert (code, err) == (1, "triochat: the output can't be written: No space left on device\n")
    code, _, err = await shell(run, "triochat tail >&-", server)
    assert (code, err) == (1, "triochat: the output can't be written: Bad file descriptor\n")
    assert (await shell(run, "triochat send <&-", server))[0] == 0
    assert (await shell(run, "triochat send >&- hello", server))[0] == 0
    assert (await shell(run, "triochat tail > /dev/null 2>&-", server))[0] == 0


async def test_a_named_server_says_who_and_where(run: Run, serve: Serve, tmp_path: Path) -> None:
    server = await serve("--memory")
    config = tmp_path / "settings.toml"
    address = f"triochat://127.0.0.1:{server.port}/#ci"
    config.write_text(
        f'[servers.work]\naddress = "{address}"\nnick = "builder"\n'
        '[tail]\nroom = ["#ci", "#dev"]\njson = true\n'
    )
    assert (await shell(run, f"triochat send --config {config} --server work hello", server))[0] == 0
    assert (await shell(run, f"triochat send --server '{address}' --room dev --nick bob hi", server))[0] == 0
    _, out, err = await shell(run, f"triochat tail --config {config} --server work", server)
    said = [json.loads(line) for line in out.splitlines()]
    assert [(one["room"], one["nick"], one["text"]) for one in said] == [
        ("#ci", "builder", "hello"),
        ("#dev", "bob", "hi"),
    ]
    assert err == ""
