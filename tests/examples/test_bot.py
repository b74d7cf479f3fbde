"""The bot of docs/howto/bot.md, as it stands there, with a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.process.conftest import Run, Serve
from tests.process.program import PYTHON
from tests.server.guests import Guest

BOT = Path(__file__).parents[2] / "examples" / "bot.py"


@asynccontextmanager
async def room_of_the_bot(run: Run, serve: Serve) -> AsyncIterator[Guest]:
    """Alice, in a room into which the bot has come."""
    server = await serve("--memory")
    async with await server.connect() as alice:
        await alice.hello("alice", "#dev")
        bot = await run(str(BOT), "127.0.0.1", str(server.port), "#dev", command=PYTHON)
        assert await alice.line() == "JOINED #dev karma"
        yield alice
        bot.process.kill()


async def test_it_counts(run: Run, serve: Serve) -> None:
    async with room_of_the_bot(run, serve) as alice:
        for number, (said, answer) in enumerate(
            [("bob++", "bob has 1"), ("carol++", "carol has 1"), ("bob++", "bob has 2")]
        ):
            await alice.send(f"MSG #dev :{said}")
            assert await alice.line() == f"MSG #dev {2 * number + 1} MS alice :{said}"
            assert await alice.line() == f"MSG #dev {2 * number + 2} MS karma :{answer}"


async def test_nobody_can_end_it_by_a_text_whose_answer_would_be_too_long(run: Run, serve: Serve) -> None:
    async with room_of_the_bot(run, serve) as alice:
        for number, said in enumerate(["x" * 7998 + "++", "++", "bob++"], 1):
            await alice.send(f"MSG #dev :{said}")
            assert await alice.line() == f"MSG #dev {number} MS alice :{said}"
        assert await alice.line() == "MSG #dev 4 MS karma :bob has 1"


async def refused(run: Run, *arguments: str) -> tuple[int, str]:
    """The exit code of a bot that does not come to chat, and what it says."""
    bot = await run(str(BOT), *arguments, command=PYTHON)
    code, said = await bot.exit_code(), await bot.err.rest()
    assert "Traceback" not in said
    return code, said


async def test_what_it_can_not_do_is_a_sentence(run: Run, serve: Serve) -> None:
    server = await serve("--memory")
    place = ("127.0.0.1", str(server.port))
    async with await server.connect() as karma:
        await karma.hello("karma", "#lobby")
        assert await refused(run, *place) == (
            1,
            "bot.py: somebody has this nick; take another (nick-in-use)\n",
        )
    code, said = await refused(run, *place, "no room")
    assert (code, said[:17]) == (1, "bot.py: a room is")
    await server.stop()
    assert await refused(run, *place) == (1, f"bot.py: all attempts to connect to {':'.join(place)} failed\n")


async def test_what_makes_no_sense_is_a_mistake_in_its_use(run: Run) -> None:
    assert (await refused(run, "127.0.0.1", "port"))[0] == 2
    assert (await refused(run, "127.0.0.1", "1", "#dev", "more"))[0] == 2


def test_it_is_ten_lines() -> None:
    main = BOT.read_text().partition("async def main")[2].partition("\n\n")[0]
    assert len(main.splitlines()) <= 10
