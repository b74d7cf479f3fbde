"""One client: it is served, it goes, it is cut off; whatever it does, the others notice nothing."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Start
from tests.server.guests import REAL, Guest
from tests.server.streams import BoundedStream, bounded_stream_pair
from triochat.chat import Submission
from triochat.config import ServerConfig
from triochat.journal import Draft, MemoryJournal, Outcome, Page
from triochat.protocol import Connection, Need
from triochat.protocol import events as e
from triochat.protocol.connection import MAX_MALFORMED
from triochat.protocol.runs import OkRun
from triochat.server.broadcast import Broadcast
from triochat.server.past import PIECE
from triochat.server.peer import IN_FLIGHT, TURN, House, Peer


def number_of_tasks() -> int:
    """How many tasks there are in this run."""
    root = trio.lowlevel.current_root_task()
    assert root is not None
    waiting, number = [root], 0
    while waiting:
        task = waiting.pop()
        number += 1
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return number


class SlowJournal(MemoryJournal):
    """Takes so many seconds for a batch, as a disk does."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        await trio.sleep(self._seconds)
        return await super().append(drafts)


async def nothing_more(guest: Guest) -> None:
    """Nothing has been sent to it that it hasn't read."""
    assert (await guest.ask("PING")) == ["PONG"]


# --- the exchanges --------------------------------------------------------------------------------


async def test_a_framed_client_need_not_wait(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    guest = server.connect()
    begin = trio.current_time()
    await guest.send("@a NICK alice triochat/1", "@b JOIN #dev", "@c MSG #dev :hi", "@d QUIT")
    assert await guest.rest() == [
        "@a WELCOME alice triochat",
        "@a OK",
        "@b ROOM #dev 1 0",
        "@b NAMES #dev alice",
        "@b OK 0",
        "MSG #dev 1 MS alice :hi",
        "@c OK 1",
        "@d BYE :you quit",
    ]
    assert trio.current_time() - begin == 0


async def test_the_prompt_comes_after_the_sniff_time_and_nothing_behind_it(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(sniff_time=0.3)
    talker = await server.enter("talker", "#lobby")
    guest = server.connect()
    begin = trio.current_time()
    assert await guest.read() == b"NICK"
    assert trio.current_time() - begin == pytest.approx(0.3)
    await talker.ask("MSG #lobby :not for who has not said who it is")
    with trio.move_on_after(10):
        raise AssertionError(await guest.read())
    await guest.send_bytes(b"bob")
    assert await guest.lines(2) == ["bob joined!", "Connected to server!"]


async def test_twenty_silent_connections_delay_nobody(start: Start, autojump_clock: MockClock) -> None:
    server = await start(sniff_time=0.3)
    silent = [server.connect() for _ in range(20)]
    begin = trio.current_time()
    async with await server.enter("newcomer", "#elsewhere") as newcomer:
        assert (await newcomer.ask("MSG #elsewhere :hi"))[-1] == "OK 1"
    assert trio.current_time() == begin
    for guest in silent:
        assert await guest.read() == b"NICK"
        assert trio.current_time() - begin == pytest.approx(0.3)  # not one after the other


async def test_an_unframed_peers_reads_are_messages(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    guest = server.connect()
    assert await guest.read() == b"NICK"
    await guest.send_bytes(b"bob")
    await guest.until("Connected")
    await guest.send_bytes(b"bob: hello")
    assert await guest.line() == "bob: hello"
    await guest.send_bytes(b"bob: one\nbob: two")
    assert await guest.lines(2) == ["bob: one", "bob: two"]


async def test_half_closed_it_is_answered_to_the_end(start: Start, autojump_clock: MockClock) -> None:
    """As with `printf 'alice\\nhi\\n' | nc -N`."""
    server = await start()
    guest = server.connect()
    await guest.send_bytes(b"alice\nhi\nwithout an end")
    await guest.stream.send_eof()
    assert await guest.rest() == [
        "alice joined!",
        "Connected to server!",
        "alice: hi",
        "alice: without an end",
    ]


async def test_nothing_but_the_end(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    guest = server.connect()
    await guest.stream.send_eof()
    assert await guest.rest_of_bytes() == b""


async def test_quit_of_someone_whose_nick_was_refused(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    await server.enter("alice")
    guest = server.connect()
    await guest.send("@a NICK Alice triochat/1", "@b QUIT")
    answer = await guest.rest()
    assert [line.split(" :")[0] for line in answer] == ["@a ERROR nick-in-use", "NICK", "@b BYE"]


@pytest.mark.parametrize("name", [b"two words", b"\xff\xfe", b"caf\xc3\xa9", b"x" * 10_000, b"/quit"])
async def test_a_person_whose_name_does_not_do_is_asked_again(
    start: Start, autojump_clock: MockClock, name: bytes
) -> None:
    server = await start()
    guest = server.connect()
    await guest.send_bytes(name + b"\n")
    assert (await guest.read()).endswith(b"\nNICK")
    await guest.send("alice")
    assert await guest.line() == "alice joined!"


async def test_a_hello_with_a_session_that_is_none(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    guest = server.connect()
    await guest.send("@a NICK alice triochat/1 session=0123", "@b NICK alice triochat/1", "@c PING")
    lines = await guest.lines(5)
    assert lines[0].startswith("@a ERROR ")
    assert lines[1] == "NICK :" + lines[0].partition(" :")[2]  # asked again, and told why
    assert lines[2:] == ["@b WELCOME alice triochat", "@b OK", "@c PONG"]


async def test_octets_that_are_no_text_are_no_name_and_no_message(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    witness = await server.enter("witness", "#lobby")
    guest = server.connect()
    assert await guest.read() == b"NICK"
    for junk in (b"\xff\xfe\0junk", b"\x16\x03\x01\x02\0\x01\xfc"):
        await guest.send_bytes(junk)
        answer = await guest.read()
        assert answer.endswith(b".\nNICK"), answer
    await guest.send_bytes(b"guest")
    assert await guest.lines(2) == ["guest joined!", "Connected to server!"]
    await guest.send_bytes(b"guest: caf\xe9")
    assert await guest.line() == "That was not valid UTF-8, so it was not sent."
    await guest.send_bytes(b"guest: now well")
    assert await witness.lines(2) == ["JOINED #lobby guest", "MSG #lobby 1 MS guest :now well"]


async def test_five_tries(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    await server.enter("alice")
    guest = server.connect()
    await guest.send(*["alice"] * 6)
    lines = await guest.rest()
    assert lines == [
        "Somebody has this nick; take another.",
        *["NICKSomebody has this nick; take another."] * 4,
        "Goodbye! (too many names that did not do)",
    ]


async def test_twenty_malformed_frames_in_a_row_are_too_many(start: Start, autojump_clock: MockClock) -> None:
    server = await start()
    alice = await server.enter("alice")
    await alice.send(*["junk"] * 25)
    lines = await alice.rest()
    assert [line.split(" :")[0] for line in lines] == ["ERROR bad-frame"] * 20 + ["BYE"]


async def test_who_has_shown_that_it_reads_utf_8_gets_it_whatever_became_of_its_line(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    person = await server.enter_as_text("person")
    bob = await server.enter("bob", "#lobby")
    await bob.send(r"MSG #lobby :caf\xe9")
    assert (await person.until("caf"))[-1] == r"bob: caf\xe9"
    await person.send("/wörd")
    await person.until("/help")
    await bob.send(r"MSG #lobby :caf\xe9")
    assert (await person.until("caf"))[-1] == "bob: café"


async def test_an_error_does_not_overtake_the_answers_before_it(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(journal=SlowJournal(0.005))
    alice = await server.enter("alice", "#dev")
    await alice.send("@a MSG #dev :one", "@b BOGUS", "@c MSG #dev :two")
    answers = [line for line in await alice.until("@c OK") if line.startswith("@")]
    assert [line.split(" :")[0] for line in answers] == ["@a OK 1", "@b ERROR unknown-command", "@c OK 2"]


async def test_the_same_session_takes_the_place_of_the_old_connection(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    old = await server.enter("alice", "#dev", session=1)
    bob = await server.enter("bob", "#dev")
    new = await server.enter("alice", session=1)
    assert await old.rest() == ["JOINED #dev bob", "BYE :replaced"]
    await bob.send("MSG #dev :hi")
    assert await bob.line() == "MSG #dev 1 MS bob :hi"  # nobody was told of anything
    assert (await new.ask("JOIN #dev after=0"))[-2:] == ["MSG #dev 1 MS bob :hi", "OK 1"]
    await old.close()
    await wait_all_tasks_blocked()
    assert len(server.inside.peers) == 2


# --- the log ---------------------------------------------------------------------------------------


async def test_who_comes_and_goes_is_logged_with_address_and_name(
    start: Start, autojump_clock: MockClock
) -> None:
    with structlog.testing.capture_logs() as logs:
        server = await start()
        alice = await server.enter("alice")
        await alice.ask("BOGUS")
        await alice.close()
        silent = server.connect()
        await silent.close()
        mad = await server.enter("mad")
        await mad.send(*["junk"] * MAX_MALFORMED)
        await mad.rest()
        await mad.close()
        await trio.sleep(2)
    assert [
        (entry["peer"], entry["log_level"], entry["event"], entry.get("nick"), entry.get("code"))
        for entry in sorted(logs, key=lambda entry: int(entry["peer"]))
    ] == [
        (1, "debug", "connected", None, None),
        (1, "info", "came", "alice", None),
        (1, "debug", "refused", "alice", "unknown-command"),
        (1, "info", "gone", "alice", None),
        (2, "debug", "connected", None, None),
        (2, "debug", "gone", None, None),
        (3, "debug", "connected", None, None),
        (3, "info", "came", "mad", None),
        *[(3, "debug", "refused", "mad", "bad-frame")] * (MAX_MALFORMED - 1),
        (3, "info", "refused", "mad", "bad-frame"),
        (3, "info", "gone", "mad", None),
    ]
    assert {entry["address"] for entry in logs} == {"BoundedStream"}


# --- who does not read ----------------------------------------------------------------------------


async def test_who_never_reads_is_cut_off_and_everybody_else_gets_everything(
    start: Start, autojump_clock: MockClock
) -> None:
    backlog, messages, text = 65536, 200, "x" * 1000
    server = await start(backlog=backlog, rate_limit=0, send_timeout=1000)
    deaf = await server.enter("deaf", "#dev", limit=5000)
    readers: list[Guest] = [await server.enter(f"reader{number}", "#dev") for number in range(200)]
    speaker = await server.enter("speaker", "#dev")
    largest = 0

    async def read(guest: Guest) -> None:
        lines = await guest.until(f" {messages} ")
        assert "LEFT #dev deaf" in lines
        said = [line for line in lines if line.startswith("MSG")]
        assert said == [f"MSG #dev {number} MS speaker :{text}" for number in range(1, messages + 1)]

    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            for guest in [speaker, *readers]:
                nursery.start_soon(read, guest)
            for _ in range(messages // 10):
                await speaker.send(*[f"MSG #dev :{text}"] * 10)
                await wait_all_tasks_blocked()
                largest = max(largest, server.inside.broadcast.statistics().backlog)
    assert [entry["event"] for entry in logs] == ["cut off: its backlog is full", "gone"]
    assert largest <= backlog + 3 * 10 * 1100  # its backlog, and for each who reads next to nothing
    statistics = server.inside.broadcast.statistics()
    assert (statistics.subscribers, statistics.evicted) == (201, 1)
    names = [line for line in await speaker.ask("NAMES #dev") if line.startswith("NAMES")]
    assert sum(len(line.split()) - 2 for line in names) == 201
    assert "deaf" not in " ".join(names)
    await deaf.close()


async def test_who_takes_too_long_to_read_a_chunk_is_cut_off(start: Start, autojump_clock: MockClock) -> None:
    server = await start(send_timeout=7)
    deaf = await server.enter("deaf", "#dev", limit=500)
    alice = await server.enter("alice", "#dev")
    begin = trio.current_time()
    with structlog.testing.capture_logs() as logs:
        await alice.ask(f"MSG #dev :{'x' * 1000}")
        assert await alice.line() == "LEFT #dev deaf"
    assert trio.current_time() - begin == pytest.approx(7)
    assert [entry["event"] for entry in logs] == ["cut off: it does not read", "gone"]
    await deaf.close()


async def test_who_does_not_read_its_answers_is_not_read_either(
    start: Start, autojump_clock: MockClock
) -> None:
    """It asks for more and more, and costs no more memory than anybody else."""
    server = await start(rate_limit=0, backlog=65536, send_timeout=1000, idle_timeout=1000)
    alice = await server.enter("alice", limit=1000)
    with trio.move_on_after(100):
        while True:
            await alice.send(*["junk", "ROOMS", "@a PING"] * 1000)
    assert server.inside.broadcast.statistics().backlog <= 2 * 65536
    bob = await server.enter("bob")
    await nothing_more(bob)


@pytest.mark.parametrize("request_", ["ROOMS", "NAMES #dev", "TOPIC #dev", "HISTORY #dev", "/help", "/who"])
async def test_lists_are_given_one_at_a_time(start: Start, autojump_clock: MockClock, request_: str) -> None:
    """A few octets ask for a list of thousands of rooms, or people; however long the hub is busy."""
    journal = SlowJournal(10)
    server = await start(journal=journal, rate_limit=0)
    alice = await server.enter("alice", "#dev")
    bob = await (server.enter_as_text("bob") if request_.startswith("/") else server.enter("bob", "#dev"))
    await alice.send("MSG #dev :hi")
    await wait_all_tasks_blocked()
    waiting = server.inside.submissions.statistics
    await bob.send(*[request_] * 50)
    await wait_all_tasks_blocked()
    assert waiting().current_buffer_used == 1
    await bob.send("/nick bobby" if request_.startswith("/") else "NICK bobby")
    assert "bobby" in (await bob.until("bobby"))[-1]


async def test_few_submissions_of_one_client_wait_for_the_hub(
    start: Start, autojump_clock: MockClock
) -> None:
    """Their answers come all at once, and count against its backlog."""
    server = await start(journal=SlowJournal(10), rate_limit=0)
    alice = await server.enter("alice", "#dev")
    bob = await server.enter("bob")
    await alice.send("MSG #dev :hi")
    await wait_all_tasks_blocked()
    for number in range(20):
        await bob.send(f"@{number} PING")
        await wait_all_tasks_blocked()
    await bob.send(*["@20 PING"] * 5 * TURN)
    await wait_all_tasks_blocked()
    assert server.inside.submissions.statistics().current_buffer_used == IN_FLIGHT
    assert await bob.lines(21) == [f"@{number} PONG" for number in range(21)]


@pytest.mark.parametrize("request_", ["TOPIC #dev", "NAMES #dev", "ROOMS", "/topic", "/help", "/rooms"])
async def test_who_reads_all_the_time_is_not_cut_off_for_what_it_asks(
    start: Start, autojump_clock: MockClock, request_: str
) -> None:
    server = await start(journal=SlowJournal(0.005), rate_limit=0, backlog=65536)
    alice = await server.enter("alice", "#dev")
    await alice.ask(f"TOPIC #dev :{'x' * 8000}")
    person = request_.startswith("/")
    bob = await (server.enter_as_text("bob") if person else server.enter("bob"))
    if person:
        await bob.send("/join #dev")
    ended = trio.Event()

    async def keep_the_hub_busy() -> None:
        while not ended.is_set():
            await alice.ask("MSG #elsewhere :hi")

    await alice.ask("JOIN #elsewhere")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_the_hub_busy)
        await bob.send(*[request_] * 900)
        await bob.send("/nick bobby" if person else "NICK bobby")
        await bob.until("bobby")
        ended.set()


class Built:
    """Counts the frames that are built for everybody."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frames = 0
        send = Connection.send

        def count(connection: Connection, frame: e.Frame) -> bytes:
            self.frames += 1
            return send(connection, frame)

        monkeypatch.setattr(Connection, "send", count)


@pytest.mark.parametrize("request_", ["HISTORY #room0 limit=100", "ROOMS", "JOIN #room0 after=0"])
async def test_what_nobody_reads_is_not_even_built(
    start: Start, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, request_: str
) -> None:
    journal = MemoryJournal()
    length = 200 if request_ == "ROOMS" else 8000
    for number in range(1000):
        for log in (f"#room{number}", "#room0"):
            text = "x" * length
            draft = Draft(log=log, kind="topic", target=log, nick="alice", texts=[text], ms=0)
            await journal.append([draft])
    server = await start(journal=journal, backlog=1_000_000, send_timeout=1000, idle_timeout=1000)
    bob = await server.enter("bob", limit=1000)
    built = Built(monkeypatch)
    await bob.send(*[f"@a {request_}"] * 3)
    await wait_all_tasks_blocked()
    backlog = server.inside.broadcast.statistics().backlog
    assert 0 < backlog <= 2 * PIECE + 9000, "the rest of it is for what is said meanwhile"
    assert 0 < built.frames <= (backlog + 1000) // length + 1
    await bob.until("@a OK")  # and who reads on gets it all
    assert built.frames > 90


async def test_many_errors_in_one_read_do_not_cut_off_who_reads_them(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start(rate_limit=0, backlog=65536)
    carl = await server.enter_as_text("carl")
    await carl.send_bytes(b"/x\n" * 6_000)
    for _ in range(6_000):
        assert (await carl.line()).startswith("There is no such command")


async def test_catching_up_cuts_nobody_off(start: Start, autojump_clock: MockClock) -> None:
    server = await start(rate_limit=0, backlog=65536)
    alice = await server.enter("alice", "#dev")
    text = "x" * 5000
    for _ in range(100):
        await alice.ask(f"MSG #dev :{text}")
    bob = await server.enter("bob", limit=1000)
    answer = await bob.ask("JOIN #dev after=0")
    assert answer[2:] == [*(f"MSG #dev {number} MS alice :{text}" for number in range(1, 101)), "OK 100"]
    assert (await bob.ask("HISTORY #dev limit=100"))[:-1] == answer[2:-1]


async def test_the_past_is_never_more_than_a_2019_client_reads_at_once(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    alice = await server.enter_as_text("alice")
    for number in range(20):
        await alice.send(f"{number} {'x' * 100}")
        await alice.line()
    guest = server.connect()
    assert await guest.read() == b"NICK"
    await guest.send_bytes(b"bob")
    await trio.sleep(1)
    _, _, past = (await guest.read()).partition(b"Connected to server!\n")
    assert len(past) <= 1024
    assert past.splitlines()[-1].endswith(b"alice: 19 " + b"x" * 100)


async def test_join_after_during_heavy_traffic(start: Start, autojump_clock: MockClock) -> None:
    """Promise 4: neither a hole nor a repeat, then the live frames."""
    server = await start(rate_limit=0)
    total = 3000
    speaker = await server.enter("speaker", "#dev")
    for number in range(1, 601):
        await speaker.send(f"MSG #dev :{number}")
    await speaker.until(" 600 ")

    async def speak() -> None:
        for first in range(601, total + 1, 10):
            await speaker.send(*(f"MSG #dev :{number}" for number in range(first, first + 10)))
            await speaker.until(f" {first + 9} ")

    async def follow(nick: str, after: int, limit: int) -> None:
        guest = await server.enter(nick, limit=limit)
        await guest.send(f"@j JOIN #dev after={after}")
        lines = await guest.until(f" {total} ")
        entries = [line for line in lines if "MSG #dev" in line]
        assert [line.removeprefix("@j ") for line in entries] == [
            f"MSG #dev {number} MS speaker :{number}" for number in range(after + 1, total + 1)
        ]
        tagged = [line.startswith("@j ") for line in entries]
        assert tagged == sorted(tagged, reverse=True)  # first what was missed, then live
        [ok] = [line for line in lines if line.startswith("@j OK ")]
        assert int(ok.split()[2]) == after + sum(tagged)
        await guest.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(speak)
        for number, (after, limit) in enumerate([(0, 65536), (300, 65536), (599, 2000), (600, 65536)]):
            nursery.start_soon(follow, f"follower{number}", after, limit)


async def test_what_is_no_longer_kept_is_told_of(start: Start, autojump_clock: MockClock) -> None:
    server = await start(retention=5)
    alice = await server.enter("alice", "#dev")
    for number in range(1, 11):
        await alice.ask(f"MSG #dev :{number}")
    bob = await server.enter("bob")
    assert (await bob.ask("JOIN #dev after=2"))[2:] == [
        "GAP #dev 3 5",
        *(f"MSG #dev {number} MS alice :{number}" for number in range(6, 11)),
        "OK 10",
    ]


class AheadJournal(MemoryJournal):
    """Before and after each read `ahead` more entries are kept, until there are `end`."""

    def __init__(self, ahead: int, end: int) -> None:
        super().__init__()
        self.kept = 0
        self.ahead = ahead
        self._end = end
        self._changed = trio.lowlevel.ParkingLot()

    async def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        outcomes = await super().append(drafts)
        self.kept += len(drafts)
        self._changed.unpark_all()
        return outcomes

    async def read_after(self, log: str, after: int, limit: int) -> Page:
        await self._get_ahead()
        page = await super().read_after(log, after, limit)
        await self._get_ahead()
        return page

    async def _get_ahead(self) -> None:
        goal = min(self.kept + self.ahead, self._end)
        while self.kept < goal:
            await self._changed.park()


@pytest.mark.parametrize("person", [False, True])
async def test_a_follower_becomes_live_though_the_room_is_always_ahead(
    start: Start, autojump_clock: MockClock, person: bool
) -> None:
    total = 400
    journal = AheadJournal(0, total)
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker", "#lobby")
    for number in range(1, 101):
        await speaker.ask(f"MSG #lobby :{number}")
    journal.ahead = 7
    guest = server.connect() if person else await server.enter("guest")
    history: list[str] = []
    seen: list[int] = []
    ok: int | None = None

    async def speak() -> None:
        for number in range(101, total + 1):
            await speaker.ask(f"MSG #lobby :{number}")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(speak)
        await guest.send("guest" if person else "@a JOIN #lobby after=0")
        while total not in seen:
            line = await guest.line()
            if line.startswith("[history"):
                history.append(line)
            if "speaker: " in line or "MSG #lobby" in line:
                seen.append(int(line.rpartition(":")[2]))
            if line.startswith("@a OK"):
                ok = int(line.split()[2])
    assert seen == list(range(seen[0], total + 1))
    if person:
        assert len(history) == 20
    else:
        assert seen[0] == 1
        assert ok is not None
        assert ok < 150


async def test_a_person_is_shown_no_more_of_the_past_however_long_the_journal_takes(
    start: Start, autojump_clock: MockClock
) -> None:
    total = 2500  # more than a room remembers beside the journal
    journal = AheadJournal(0, total)
    server = await start(journal=journal, rate_limit=0)
    speaker = await server.enter("speaker", "#lobby")
    for number in range(1, 51):
        await speaker.ask(f"MSG #lobby :{number}")
    journal.ahead = total
    guest = server.connect()
    await guest.send("guest")
    await wait_all_tasks_blocked()
    for number in range(51, total + 1):
        await speaker.ask(f"MSG #lobby :{number}")
    lines = [line for line in await guest.until(f": {total}") if "speaker: " in line]
    assert [line.rpartition(" ")[2] for line in lines] == list(map(str, range(31, total + 1)))
    assert len([line for line in lines if line.startswith("[history")]) == 20


async def test_a_person_may_be_shown_nothing_of_the_past(start: Start, autojump_clock: MockClock) -> None:
    journal = AheadJournal(0, 30)
    server = await start(journal=journal, rate_limit=0, recent=0)
    speaker = await server.enter("speaker", "#lobby")
    for number in range(1, 11):
        await speaker.ask(f"MSG #lobby :{number}")
    journal.ahead = 5
    guest = server.connect()
    await guest.send("guest")
    await wait_all_tasks_blocked()
    for number in range(11, 31):
        await speaker.ask(f"MSG #lobby :{number}")
    lines = await guest.until(": 30")
    assert lines[2:] == [f"speaker: {number}" for number in range(11, 31)]


# --- who goes -------------------------------------------------------------------------------------


async def leave_by_quit(guest: Guest) -> None:
    await guest.send("QUIT")
    await guest.rest()


async def leave_by_closing(guest: Guest) -> None:
    await guest.close()


async def leave_by_reset(guest: Guest) -> None:
    assert isinstance(guest.stream, BoundedStream)
    guest.stream.reset()


async def leave_by_reset_in_the_middle_of_a_send(guest: Guest) -> None:
    for _ in range(3):
        await guest.send(*["HISTORY #dev"] * 20)  # more than its buffer holds
    await wait_all_tasks_blocked()
    assert isinstance(guest.stream, BoundedStream)
    guest.stream.reset()


async def leave_by_half_closing(guest: Guest) -> None:
    await guest.stream.send_eof()
    await guest.rest_of_bytes()


@pytest.mark.parametrize(
    "leave",
    [
        leave_by_quit,
        leave_by_closing,
        leave_by_reset,
        leave_by_reset_in_the_middle_of_a_send,
        leave_by_half_closing,
    ],
)
@pytest.mark.parametrize("session", [False, True])
async def test_nothing_is_left_of_who_has_gone(
    start: Start,
    autojump_clock: MockClock,
    leave: Callable[[Guest], Awaitable[None]],
    session: bool,
) -> None:
    server = await start(grace=30)
    tasks = number_of_tasks()
    guests = [
        await server.enter(f"guest{n}", "#dev", "#other", session=n if session else None, limit=2000)
        for n in range(1, 11)
    ]
    for guest in guests:
        await guest.send(*["MSG #dev :hello"] * 5)
    assert number_of_tasks() > tasks
    async with trio.open_nursery() as nursery:
        for guest in guests:
            nursery.start_soon(leave, guest)
    await trio.sleep(31)  # the grace time of those with a session
    assert server.inside.nothing_is_left()
    assert number_of_tasks() == tasks


async def test_who_leaves_before_it_says_anything_leaves_nothing(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
    tasks = number_of_tasks()
    for said in (b"", b"NICK ", b"NICK alice triochat/1", b"alice", b"\xff\xfe\n", b"GET / HTTP/1.1\r\n"):
        for reset in (False, True):
            guest = server.connect()
            await guest.send_bytes(said)
            if reset:
                await wait_all_tasks_blocked()
                await leave_by_reset(guest)
            else:
                await guest.close()
    await trio.sleep(2)
    assert server.inside.nothing_is_left()
    assert number_of_tasks() == tasks


@pytest.mark.parametrize("person", [False, True])
async def test_a_name_is_free_at_once_for_who_connects_behind_its_end(
    start: Start, autojump_clock: MockClock, person: bool
) -> None:
    server = await start()
    for _ in range(30):
        guest = await (server.enter_as_text("al") if person else server.enter("al", "#lobby"))
        await guest.close()
        other = server.connect()
        assert (await other.ask("NICK al triochat/1"))[-1] == "OK"
        await other.close()


async def test_the_grace_time(start: Start, autojump_clock: MockClock) -> None:
    server = await start(grace=30)
    bob = await server.enter("bob", "#dev")
    alice = await server.enter("alice", "#dev", session=1)
    await bob.line()
    begin = trio.current_time()
    await leave_by_reset(alice)
    assert await bob.line() == "LEFT #dev alice"
    assert trio.current_time() - begin == pytest.approx(30)


async def test_a_slow_goodbye_is_waited_for_but_not_long(start: Start, autojump_clock: MockClock) -> None:
    """It goes on sending behind its QUIT; closing on that at once would reset what it has not read."""
    server = await start()
    alice = await server.enter("alice")
    await alice.send("QUIT")
    await wait_all_tasks_blocked()
    await alice.send("PING", "PING")
    assert await alice.rest() == ["BYE :you quit"]
    await trio.sleep(2)
    with pytest.raises(trio.BrokenResourceError):
        await alice.send("PING")
    assert server.inside.nothing_is_left()


# --- faults ---------------------------------------------------------------------------------------


async def test_a_fault_in_serving_one_client_ends_that_client_alone(
    start: Start, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive_data = Connection.receive_data

    def stumble(self: Connection, data: bytes) -> None:
        if b"banana skin" in data:
            raise ZeroDivisionError("slipped")
        receive_data(self, data)

    monkeypatch.setattr(Connection, "receive_data", stumble)
    server = await start()
    alice = await server.enter("alice", "#dev")
    bob = await server.enter("bob", "#dev")
    await alice.line()
    with structlog.testing.capture_logs() as logs:
        await bob.send("MSG #dev :banana skin")
        assert await bob.rest_of_bytes() == b""
        assert await alice.line() == "LEFT #dev bob"
        await nothing_more(alice)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("serving this client failed", "error"),
        ("gone", "info"),
    ]
    assert logs[0]["exc_info"]
    assert len(server.inside.peers) == 1


async def test_a_stream_that_fails_in_its_own_way_ends_its_client_alone(
    start: Start, autojump_clock: MockClock
) -> None:
    class Odd(BoundedStream):
        async def send_all(self, _: object) -> None:
            raise RuntimeError("odd")

    server = await start()
    alice = await server.enter("alice", "#dev")
    ours, theirs = bounded_stream_pair()
    server.listener.hand_over(Odd(theirs._incoming, theirs._outgoing))
    with structlog.testing.capture_logs() as logs:
        await Guest(ours).send("NICK odd triochat/1")
        assert not await Guest(ours).rest_of_bytes()
    assert [entry["event"] for entry in logs] == ["connected", "came", "serving this client failed", "gone"]
    await nothing_more(alice)


# --- a reader in a house of its own ---------------------------------------------------------------


class Alone:
    """A client without a hub: a test takes the submissions."""

    def __init__(self, nursery: trio.Nursery, waiting: int) -> None:
        to_hub, self.submissions = trio.open_memory_channel[Submission](waiting)
        self.broadcast: Broadcast[int] = Broadcast()
        config = ServerConfig(rate_limit=0)
        self.house = House(
            config, MemoryJournal(), to_hub, nursery, trio.Event(), self.broadcast, {}, {}, None
        )
        ours, theirs = bounded_stream_pair()
        self.guest = Guest(ours)
        self.peer = Peer(1, theirs, self.house)


async def test_who_is_accepted_during_a_shutdown_is_let_go(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    alone = Alone(nursery, waiting=10)
    alone.house.shutdown.set()
    begin = trio.current_time()
    nursery.start_soon(alone.peer.run)
    assert await alone.guest.rest_of_bytes() == b""
    assert trio.current_time() == begin


@pytest.mark.parametrize("line", [b"\n", b"/x\n", b"hi\n"])
async def test_a_read_full_of_lines_does_not_hold_the_loop(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    alone = Alone(nursery, waiting=1000)
    taken = 0
    next_event = Connection.next_event

    def count(connection: Connection) -> e.Frame | Need:
        nonlocal taken
        taken += 1
        return next_event(connection)

    monkeypatch.setattr(Connection, "next_event", count)
    nursery.start_soon(alone.peer.run)
    await alone.guest.send("carl")
    await wait_all_tasks_blocked()
    alone.submissions.receive_nowait()
    alone.peer.reply(e.Welcome("carl", "test"))
    alone.peer.answered()
    number = 65536 // len(line)
    await alone.guest.send_bytes(line * number)
    longest = 0
    stream = alone.guest.stream
    assert isinstance(stream, BoundedStream)
    deadline = time.monotonic() + REAL
    while taken < number:  # each time round, everybody else has had a turn
        assert time.monotonic() < deadline
        before = taken
        await trio.lowlevel.checkpoint()
        longest = max(longest, taken - before)
        with suppress(trio.WouldBlock):
            alone.submissions.receive_nowait()
            alone.peer.answered()
        if stream.waiting:
            await alone.guest.read()
    assert longest <= 2 * TURN  # its turns at the end of one round and at the beginning of the next


async def test_a_full_channel_stops_the_reader(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    alone = Alone(nursery, waiting=0)
    nursery.start_soon(alone.peer.run)
    await alone.guest.send("NICK alice triochat/1")
    await wait_all_tasks_blocked()
    with trio.move_on_after(10) as scope:
        while True:
            await alone.guest.send_bytes(b"x" * 10_000)
    assert scope.cancelled_caught


@pytest.mark.parametrize("ending", ["cancelled", "stopped", "reset"])
async def test_a_reader_that_waits_for_the_hub_can_be_ended(
    nursery: trio.Nursery, autojump_clock: MockClock, ending: str
) -> None:
    alone = Alone(nursery, waiting=0)
    with trio.fail_after(10):
        async with trio.open_nursery() as client:
            client.start_soon(alone.peer.run)
            await alone.guest.send("NICK alice triochat/1")
            await wait_all_tasks_blocked()
            assert alone.submissions.statistics().tasks_waiting_send == 1
            if ending == "cancelled":
                client.cancel_scope.cancel()
            elif ending == "stopped":
                alone.peer.stop("so be it")
                assert await alone.guest.rest() == ["BYE :so be it"]
            else:
                await leave_by_reset(alone.guest)
                alone.peer.stop()  # which it finds out when it has something to read or to write
    assert not alone.house.peers
    assert not alone.broadcast.statistics().subscribers
    # The request was never handed over; that it was there must be said all the same, in vain or not.
    await wait_all_tasks_blocked()
    [request] = alone.submissions.receive_nowait().requests
    assert type(request).__name__ == "Departure"


async def test_cancelled_in_the_middle_of_a_send(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    alone = Alone(nursery, waiting=10)
    async with trio.open_nursery() as client:
        client.start_soon(alone.peer.run)
        await wait_all_tasks_blocked()
        alone.broadcast.publish({1: b"x" * 100_000})
        await wait_all_tasks_blocked()
        assert alone.broadcast.statistics().backlog > 0
        client.cancel_scope.cancel()
    assert not alone.house.peers
    assert len(await alone.guest.rest_of_bytes()) == 65536


@pytest.mark.parametrize("said", [e.Ok(), OkRun(1, ["a"])])
async def test_what_can_not_be_said_to_one_client_ends_that_client_alone(
    nursery: trio.Nursery, autojump_clock: MockClock, said: e.Event | OkRun
) -> None:
    """It would be a fault of ours, in the middle of a batch that is everybody's."""
    alone = Alone(nursery, waiting=10)
    nursery.start_soon(alone.peer.run)
    await wait_all_tasks_blocked()
    with structlog.testing.capture_logs() as logs:
        assert alone.peer.reply(said) == b""
        assert await alone.guest.rest_of_bytes() == b""
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("could not say this to a client", "error"),
        ("gone", "debug"),
    ]
    assert logs[0]["exc_info"]
    assert not alone.house.peers
