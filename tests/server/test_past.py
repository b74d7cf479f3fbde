"""The past as it is given to one client: whole, in order, once, and at nobody else's expense."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Start
from tests.server.guests import Guest
from tests.server.journals import LateJournal
from tests.server.streams import BoundedStream
from triochat.protocol import Connection
from triochat.protocol import events as e
from triochat.server import past
from triochat.server.past import PIECE_FRAMES

LATE = [{"there": 0.05}, {"back": 0.05}, {"there": 0.02, "back": 0.03}, {}]
"""Where the time goes: before it is kept or read, behind that, or nowhere."""


@pytest.fixture(params=LATE, ids=["there", "back", "both", "at once"])
def journal(request: pytest.FixtureRequest) -> LateJournal:
    return LateJournal(**request.param)


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past, "FIRST_SLICE", 4)
    monkeypatch.setattr(past, "SLICE", 16)  # more than is said while one is read


def ids(lines: list[str], log: str = "#dev") -> list[int]:
    """The ids of the entries among some lines."""
    words = (line.split(" ") for line in lines)
    named = (some[1:] if some[0].startswith("@") else some for some in words)
    return [int(some[2]) for some in named if some[:2] == ["MSG", log]]


async def say(guest: Guest, first: int, last: int, target: str = "#dev") -> None:
    """Say some numbers, as fast as they are acknowledged ten at a time."""
    for start in range(first, last + 1, 10):
        end = min(start + 9, last)
        await guest.send(*(f"@s{number} MSG {target} :{number}" for number in range(start, end + 1)))
        await guest.until(f"@s{end} OK")


# --- a journal that takes its time ----------------------------------------------------------------


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("after", [0, 37, 60])
async def test_neither_hole_nor_repeat_however_late_the_journal_is(
    start: Start, autojump_clock: MockClock, journal: LateJournal, after: int
) -> None:
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker", "#dev")
    await say(speaker, 1, 60)
    guest = await server.enter("guest")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say, speaker, 61, 500)
        await guest.send(f"@j JOIN #dev after={after}")
        lines = await guest.until(" :500")
    assert ids(lines) == list(range(after + 1, 501))
    [ok] = [line for line in lines if line.startswith("@j OK ")]
    tagged = [line for line in lines if line.startswith("@j MSG")]
    assert int(ok.split()[2]) == after + len(tagged)
    assert not ids(lines[: lines.index(ok)]) or lines.index(tagged[-1]) < lines.index(ok)


async def test_an_id_that_there_is_not_yet(
    start: Start, autojump_clock: MockClock, journal: LateJournal
) -> None:
    server = await start(journal=journal)
    speaker = await server.enter("speaker", "#dev")
    await say(speaker, 1, 5)
    guest = await server.enter("guest")
    assert (await guest.ask("JOIN #dev after=99"))[2:] == ["OK 5"]
    await say(speaker, 6, 6)
    assert await guest.line() == "MSG #dev 6 MS speaker :6"


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("moment", [0.0, 0.03, 0.12, 0.3])
@pytest.mark.parametrize("way", ["replaced", "reset"])
async def test_a_session_that_returns_in_the_middle_of_a_replay(
    start: Start, autojump_clock: MockClock, journal: LateJournal, moment: float, way: str
) -> None:
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker", "#dev")
    await say(speaker, 1, 60)
    guest = await server.enter("guest", session=7)
    seen: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(say, speaker, 61, 300)
        await guest.send("@j JOIN #dev after=0")
        await trio.sleep(moment)
        if way == "reset":
            seen += await heard(guest)
            assert isinstance(guest.stream, BoundedStream)
            guest.stream.reset()
        again = await server.enter("whoever", session=7)
        if way == "replaced":
            seen += await guest.rest()
            assert seen[-1] == "BYE :replaced"
        last = max(ids(seen), default=0)
        await again.send(f"@k JOIN #dev after={last}")
        seen += await again.until("@k OK" if last == 300 else " :300")
    assert ids(seen) == list(range(1, 301))
    assert not [line for line in seen if "LEFT" in line]


async def heard(guest: Guest) -> list[str]:
    """The whole lines that have come until now."""
    await wait_all_tasks_blocked()
    lines: list[str] = []
    while True:
        with trio.move_on_after(0) as scope:
            lines.append(await guest.line())
        if scope.cancelled_caught:
            return lines


@pytest.mark.usefixtures("small_slices")
async def test_what_is_asked_behind_a_replay_is_answered_behind_it(
    start: Start, autojump_clock: MockClock, journal: LateJournal
) -> None:
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker", "#dev")
    await say(speaker, 1, 60)
    guest = await server.enter("guest")
    await guest.send("@j JOIN #dev after=0", "@n NICK bob", "@m MSG #dev :hi", "@p PART #dev", "@q QUIT")
    lines = await guest.rest()
    assert ids(lines) == list(range(1, 62))
    assert [line.split(" :")[0] for line in lines if " OK" in line or "BYE" in line] == [
        "@j OK 60",
        "@n OK",
        "@m OK 61",
        "@p OK",
        "@q BYE",
    ]
    assert await speaker.until("LEFT") == [
        "JOINED #dev guest",
        "RENAMED guest bob",
        "MSG #dev 61 MS bob :hi",
        "LEFT #dev bob",
    ]


async def test_nobody_is_dropped_for_what_takes_the_journal_long(
    start: Start, autojump_clock: MockClock
) -> None:
    """The hub waits for it, and everybody for the hub: who has spoken is neither silent nor unknown."""
    journal = LateJournal()
    server = await start(journal=journal, handshake_timeout=10)
    alice = await server.enter("alice", "#dev")
    journal.there = 25
    await alice.send("@a MSG #dev :hi")
    await wait_all_tasks_blocked()
    bob = server.connect()
    await bob.send("@b NICK bob triochat/1")
    assert await alice.lines(2) == ["MSG #dev 1 MS alice :hi", "@a OK 1"]
    assert await bob.lines(2) == ["@b WELCOME bob triochat", "@b OK"]
    await bob.send("@h HISTORY #dev")
    assert await bob.lines(2) == ["@h MSG #dev 1 MS alice :hi", "@h OK"]


async def test_a_shutdown_answers_what_was_submitted(
    start: Start, autojump_clock: MockClock, journal: LateJournal
) -> None:
    server = await start(journal=journal, shutdown_timeout=5)
    guests = [await server.enter(f"guest{number}", "#dev") for number in range(5)]
    for guest in guests:
        await guest.ask("PING")
    for guest in guests:
        await guest.send("@a MSG #dev :one")
        await wait_all_tasks_blocked()
        await guest.send("@b MSG #dev :two")
    await wait_all_tasks_blocked()
    server.shutdown.set()
    for guest in guests:
        lines = await guest.rest()
        assert [line.split()[0] for line in lines if " OK" in line] == ["@a", "@b"]
        assert lines[-1] == "BYE :the server shuts down"
        await guest.close()
    await server.ended.wait()
    assert (await journal.heads())["#dev"].last == 10


# --- a journal that fails in the middle -----------------------------------------------------------


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("readable", [0, 1, 3])
async def test_a_replay_that_comes_to_a_stop_goes_on_from_there(
    start: Start, autojump_clock: MockClock, journal: LateJournal, readable: int
) -> None:
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker", "#dev")
    await say(speaker, 1, 60)
    guest = await server.enter("guest")
    journal.readable = readable
    seen = await guest.ask("JOIN #dev after=0")
    assert seen[-1].startswith("ERROR unavailable")
    assert ids(seen) == list(range(1, {0: 1, 1: 5, 3: 37}[readable]))
    await say(speaker, 61, 63)
    journal.readable = None
    seen += await guest.ask(f"JOIN #dev after={len(ids(seen))}")
    assert ids(seen) == list(range(1, 64))


@pytest.mark.usefixtures("small_slices")
@pytest.mark.parametrize("readable", [0, 1, 3])
async def test_what_was_missed_alone_is_neither_lost_nor_given_twice(
    start: Start, autojump_clock: MockClock, journal: LateJournal, readable: int
) -> None:
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker")
    guest = await server.enter("guest", session=7)
    await guest.close()
    await wait_all_tasks_blocked()
    await say(speaker, 1, 60, "@guest")
    journal.readable = readable
    guest = await server.enter("guest", session=7)
    seen = await guest.rest()
    assert seen[-1] == "BYE :what you missed can't be read now"
    journal.readable = None
    guest = await server.enter("guest", session=7)
    seen += await guest.until(" :60")
    assert ids(seen, "@guest") == list(range(1, 61))


async def test_a_person_loses_nothing_of_what_is_said_while_the_past_can_not_be_read(
    start: Start, autojump_clock: MockClock
) -> None:
    journal = LateJournal(there=0.5)
    server = await start(journal=journal)
    alice = await server.enter("alice", "#lobby")
    await alice.ask("MSG #lobby :before")
    journal.readable = 0
    bob = await server.enter_as_text("bob")
    for text in ("one", "two"):
        await alice.ask(f"MSG #lobby :{text}")
    assert await bob.lines(3) == ["The past can't be read now; ask again.", "alice: one", "alice: two"]
    await alice.ask("MSG #lobby :three")
    assert await bob.line() == "alice: three"


@pytest.mark.parametrize("request_", ["HISTORY #dev", "HISTORY #dev after=0", "SEARCH #dev :x"])
async def test_what_can_not_be_looked_up_is_refused(
    start: Start, autojump_clock: MockClock, request_: str
) -> None:
    journal = LateJournal()
    server = await start(journal=journal)
    alice = await server.enter("alice", "#dev")
    journal.readable = 0
    assert [line.split(" :")[0] for line in await alice.ask(request_)] == ["ERROR unavailable"]
    assert await alice.ask("PING") == ["PONG"]


# --- at nobody's expense --------------------------------------------------------------------------


@pytest.mark.parametrize("late", [0.0, 0.05])
async def test_no_replay_gets_its_reader_cut_off(
    start: Start, autojump_clock: MockClock, late: float
) -> None:
    """It reads slowly but steadily, its backlog is the smallest, and both its rooms are busy."""
    journal = LateJournal(there=late)
    server = await start(journal=journal, rate_limit=0, backlog=65536)
    speaker = await server.enter("speaker", "#dev", "#ops")
    text = "x" * 1000
    for number in range(1, 401):
        await speaker.send(f"MSG #dev :{number} {text}")
        await speaker.until(f" {number} MS")
    guest = await server.enter("guest", "#ops", limit=1000)
    done = trio.Event()

    async def keep_talking() -> None:
        while not done.is_set():
            await speaker.send(f"@a MSG #dev :{text}", f"@b MSG #ops :{text}")
            await speaker.until("@b OK")
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_talking)
        await guest.send("@j JOIN #dev after=0")
        lines: list[str] = []
        while not (lines and lines[-1].startswith("@j OK")):
            lines.append(await guest.line())
            await trio.sleep(0.002)
        lines += [await guest.line() for _ in range(200)]
        done.set()
    assert ids(lines)[:400] == list(range(1, 401))
    assert ids(lines) == list(range(1, len(ids(lines)) + 1))
    own = ids(lines, "#ops")
    assert own == list(range(own[0], own[0] + len(own)))
    assert server.inside.broadcast.statistics().evicted == 0


async def test_others_have_their_turn_within_a_slice(
    start: Start, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start(rate_limit=0)
    speaker = await server.enter("speaker", "#dev")
    await say(speaker, 1, 3000)
    guest = await server.enter("guest")
    built = 0
    send = Connection.send

    def count(connection: Connection, frame: e.Frame) -> bytes:
        nonlocal built
        built += 1
        return send(connection, frame)

    monkeypatch.setattr(Connection, "send", count)
    longest = 0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = built
            await trio.lowlevel.checkpoint()
            longest = max(longest, built - before)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        lines = await guest.ask("JOIN #dev after=0")
        nursery.cancel_scope.cancel()
    assert ids(lines) == list(range(1, 3001))
    assert longest <= 2 * PIECE_FRAMES


# --- slices and pieces ----------------------------------------------------------------------------


async def test_slices_of_long_texts_have_fewer_entries(
    start: Start, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Asked(LateJournal):
        async def read_after(self, log: str, after: int, limit: int):  # type: ignore[no-untyped-def] # noqa: ANN202
            asked.append(limit)
            return await super().read_after(log, after, limit)

    server = await start(journal=Asked(), rate_limit=0)
    speaker = await server.enter("speaker", "#dev", "#long")
    await say(speaker, 1, 3000)
    for number in range(1, 401):
        await speaker.send(f"MSG #long :{number} {'x' * 4000}")
        await speaker.until(f" {number} MS")
    guest = await server.enter("guest")
    assert ids(await guest.ask("JOIN #dev after=0")) == list(range(1, 3001))
    assert asked == [256, 2048, 2048]
    asked.clear()
    assert ids(await guest.ask("JOIN #long after=0"), "#long") == list(range(1, 401))
    assert asked[0] == 256
    assert all(60 <= limit <= 70 for limit in asked[1:])


async def test_what_is_found_is_given_to_programs_and_to_people(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    alice = await server.enter("alice", "#lobby")
    await alice.ask("MSG #lobby :lunch at noon")
    await alice.ask("TOPIC #lobby :noon")
    bob = await server.enter_as_text("bob")
    await bob.lines(2)
    await alice.line()
    assert await alice.ask("SEARCH #lobby :NOON") == [
        "TOPIC #lobby 2 MS alice :noon",
        "MSG #lobby 1 MS alice :lunch at noon",
        "OK",
    ]
    await bob.send("/search noon", "/search nothing of that", "/search !")
    lines = await bob.lines(4)
    assert [line.partition("] ")[2] or line for line in lines] == [
        "alice: lunch at noon",
        "alice set the topic: noon",
        "Nothing was found.",
        "There is no word in this; name one or more, of letters and digits.",
    ]
    assert lines[0].startswith("[history ")


async def test_a_2019_client_searches_behind_its_prefix(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    alice = await server.enter("alice", "#lobby")
    for number in range(20):
        await alice.ask(f"MSG #lobby :word {number} {'x' * 100}")
    guest = server.connect()
    assert await guest.read() == b"NICK"
    await guest.send_bytes(b"bob")
    await trio.sleep(1)
    await guest.read()
    await guest.send_bytes(b"bob: /search word")
    data = await guest.read()
    assert len(data) <= 1024
    assert data.splitlines()[-1].endswith(b"alice: word 19 " + b"x" * 100)


async def test_a_private_message_that_was_under_way_can_be_asked_for(
    start: Start, autojump_clock: MockClock
) -> None:
    """It was written to a connection that nobody read any more."""
    server = await start()
    alice = await server.enter("alice")
    bob = await server.enter("bob", session=7)
    await alice.ask("MSG @bob :one")
    assert await bob.line() == "MSG @bob 1 MS alice :one"
    await alice.ask("MSG @bob :two")
    assert isinstance(bob.stream, BoundedStream)
    bob.stream.reset()
    again = await server.enter("bob", session=7)
    await alice.ask("MSG @bob :three")
    assert await again.line() == "MSG @bob 3 MS alice :three"
    assert await again.ask("HISTORY @bob after=1") == [
        "MSG @bob 2 MS alice :two",
        "MSG @bob 3 MS alice :three",
        "OK",
    ]
