"""One client: it is served, it goes, it is cut off; whatever it does, the others notice nothing."""

from collections.abc import Awaitable, Callable

import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Start
from tests.server.guests import Guest
from tests.server.streams import BoundedStream, bounded_stream_pair
from triochat.chat import Submission
from triochat.config import ServerConfig
from triochat.journal import MemoryJournal
from triochat.protocol import Connection
from triochat.protocol import events as e
from triochat.server.broadcast import Broadcast
from triochat.server.peer import House, Peer


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


async def test_an_error_does_not_overtake_the_answers_before_it(
    start: Start, autojump_clock: MockClock
) -> None:
    server = await start()
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
    assert [entry["event"] for entry in logs] == ["cut off: its backlog is full"]
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
    assert [entry["event"] for entry in logs] == ["cut off: it does not read"]
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


@pytest.mark.parametrize(("request_", "lines_each"), [("ROOMS", 90), ("NAMES #room-with-a-long-name-0", 1)])
async def test_lists_are_given_one_at_a_time(
    start: Start, autojump_clock: MockClock, request_: str, lines_each: int
) -> None:
    """A few octets ask for a list of thousands of rooms, or people."""
    server = await start(rate_limit=0, backlog=65536, send_timeout=1000, idle_timeout=1000)
    rooms = [f"#room-with-a-long-name-{number}" for number in range(90)]
    alice = await server.enter("alice", *rooms)
    for number in range(60):
        await server.enter(f"somebody-with-a-long-name-{number}", rooms[0])
    bob = await server.enter("bob", limit=10_000)
    await bob.send(*[request_] * 200, "@end PING")
    await trio.sleep(10)
    assert server.inside.broadcast.statistics().backlog < 65536
    assert (await alice.ask("PING"))[-1] == "PONG"
    lines = await bob.until("@end PONG")
    assert len(lines) == lines_each * 200 + 1


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
    [entry] = logs
    assert (entry["event"], entry["log_level"]) == ("serving this client failed", "error")
    assert entry["exc_info"]
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
    assert [entry["event"] for entry in logs] == ["serving this client failed"]
    await nothing_more(alice)


# --- a reader in a house of its own ---------------------------------------------------------------


class Alone:
    """A client without a hub: a test takes the submissions."""

    def __init__(self, nursery: trio.Nursery, waiting: int) -> None:
        to_hub, self.submissions = trio.open_memory_channel[Submission](waiting)
        self.broadcast: Broadcast[int] = Broadcast()
        config = ServerConfig(rate_limit=0)
        self.house = House(config, MemoryJournal(), to_hub, nursery, trio.Event(), self.broadcast, {})
        ours, theirs = bounded_stream_pair()
        self.guest = Guest(ours)
        self.peer = Peer(1, theirs, self.house)


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
        alone.broadcast.publish({1: [b"x" * 100_000]})
        await wait_all_tasks_blocked()
        assert alone.broadcast.statistics().backlog > 0
        client.cancel_scope.cancel()
    assert not alone.house.peers
    assert len(await alone.guest.rest_of_bytes()) == 65536


async def test_what_can_not_be_said_to_one_client_ends_that_client_alone(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """It would be a fault of ours, in the middle of a batch that is everybody's."""
    alone = Alone(nursery, waiting=10)
    nursery.start_soon(alone.peer.run)
    await wait_all_tasks_blocked()
    with structlog.testing.capture_logs() as logs:
        assert alone.peer.reply(e.Ok()) == b""
        assert await alone.guest.rest_of_bytes() == b""
    assert [(entry["log_level"], bool(entry["exc_info"])) for entry in logs] == [("error", True)]
    assert not alone.house.peers
