"""Taken while its reader sleeps or read by it: nobody may be able to tell which."""

import importlib
import random
import socket
import struct
import sys

import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.server.conftest import Server, Start
from tests.server.guests import REAL, Guest
from tests.server.test_cost import Counts, Journal
from tests.server.wires import CountedSocket, Wire
from triochat.chat import weight
from triochat.protocol import Connection
from triochat.protocol.framed import RUN_OCTETS
from triochat.server import direct
from triochat.server.peer import IN_FLIGHT

serve_module = importlib.import_module("triochat.server.serve")


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return Counts(monkeypatch)


needs_epoll = pytest.mark.skipif(sys.platform != "linux", reason="there is no epoll")

SCRIPT = [
    "@a MSG #dev :one",
    "@b MSG #dev :two",
    "@c PING",
    "MSG #dev :three",
    "@d MSG #dev :four",
    "@e MSG #DEV :the slow way",
    "@f NAMES #dev",
    "@g MSG #other :somewhere else",
    "@h MSG #nowhere :refused",
    "nonsense",
    "@i MSG #dev :five",
    "@j JOIN #third",
    "@k MSG #third :at once",
    "@l HISTORY #dev limit=2",
    r"@m MSG #dev :two\nlines",
    "@n MSG #dev :" + "x" * 8000,
    *[f"@o{number} MSG #dev :{number}" for number in range(300)],
    "@p TOPIC #dev :new",
    "@q MSG #dev :last",
]


def connect(server: Server, wire: Wire) -> Guest:
    ours, theirs = wire.pair()
    server.listener.hand_over(ours)
    return Guest(theirs, REAL)


async def enter(server: Server, wire: Wire, nick: str, *rooms: str, session: int | None = None) -> Guest:
    return await connect(server, wire).hello(nick, *rooms, session=session)


@pytest.mark.parametrize("seed", range(8))
async def test_however_it_is_cut_the_answers_are_the_same(start: Start, wire: Wire, seed: int) -> None:
    server = await start(rate_limit=0)
    wire_script = "".join(f"{line}\n" for line in SCRIPT).encode()
    choose = random.Random(seed)
    longest = choose.choice([1 if seed == 0 else 7, 40, 500, 20_000])
    async with await enter(server, wire, "alice", "#dev", "#other") as alice:
        answers: list[str] = []

        async def listen() -> None:
            answers.extend(await alice.until("@z PONG"))

        async with trio.open_nursery() as both:
            both.start_soon(listen)
            at = 0
            while at < len(wire_script):
                size = choose.randint(1, longest)
                await alice.send_bytes(wire_script[at : at + size])
                at += size
                if choose.random() < 0.2:
                    await wait_all_tasks_blocked()
            await alice.send("@z PING")
    order = [line.split(" ", 1)[0] for line in answers if line.startswith("@")]
    tags = [line[1:].split(" ")[0] for line in SCRIPT if line.startswith("@")]
    assert list(dict.fromkeys(order)) == [f"@{tag}" for tag in tags] + ["@z"]
    said = [line.split(" :", 1)[1] for line in answers if line.startswith("MSG #dev ")]
    expected = [line.split(" :", 1)[1] for line in SCRIPT if "MSG #dev" in line.replace("DEV", "dev")]
    assert said == expected
    kept = [int(line.split(" ")[2]) for line in answers if line.startswith(("MSG #dev ", "TOPIC #dev "))]
    assert kept == list(range(1, len(kept) + 1))
    assert [line for line in answers if "ERROR" in line] == [
        "@h ERROR not-in-room :you are not in this room; JOIN it first" if "#nowhere" in line else line
        for line in answers
        if "ERROR" in line
    ]
    assert sum("ERROR" in line for line in answers) == 2


async def test_a_reset_while_the_reader_sleeps_is_a_broken_connection(start: Start, wire: Wire) -> None:
    if wire.kind == "memory":
        pytest.skip("there is no reset that a socket would know")
    server = await start(grace=30)
    listener = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listener.getsockname())
    ours, _ = listener.accept()
    listener.close()
    ours.setblocking(False)
    theirs.setblocking(False)
    server.listener.hand_over(trio.SocketStream(trio.socket.from_stdlib_socket(ours)))
    alice = Guest(trio.SocketStream(trio.socket.from_stdlib_socket(theirs)), REAL)
    await alice.hello("alice", "#dev", session=1)
    await alice.ask("MSG #dev :hi")
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with structlog.testing.capture_logs() as logs:
        await alice.close()
        with trio.fail_after(REAL):
            while len(logs) < 2:
                await wait_all_tasks_blocked(0.001)
    assert [(entry["event"], entry.get("error")) for entry in logs] == [
        ("connection broke", "[Errno 104] Connection reset by peer"),
        ("gone", None),
    ]
    assert server.inside.hub.statistics()["held"] == 1


async def test_what_finds_no_place_before_the_hub_waits_for_one(
    start: Start, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve_module, "WAITING", 1)
    journal = Journal()
    server = await start(journal=journal, rate_limit=0)
    guests = [await enter(server, wire, f"guest{number}", "#dev") for number in range(5)]
    journal.stop()
    for number, guest in enumerate(guests):
        await guest.send(f"@a MSG #dev :{number}", f"@b MSG #dev :{number}, still")
    await wait_all_tasks_blocked(0.01)
    assert server.inside.submissions.statistics().current_buffer_used == 1
    assert server.inside.submissions.statistics().tasks_waiting_send > 0
    journal.go_on()
    for guest in guests:
        lines = await guest.until("@b OK")
        while sum("MSG #dev" in line for line in lines) < 10:
            lines.append(await guest.line())
        assert sum("OK" in line for line in lines) == 2
    for guest in guests:
        await guest.close()


async def test_no_more_is_read_than_may_be_unanswered(start: Start, wire: Wire) -> None:
    journal = Journal()
    server = await start(journal=journal, rate_limit=0)
    async with await enter(server, wire, "alice", "#dev") as alice:
        journal.stop()
        for number in range(10):
            await alice.send(f"MSG #dev :{number}")
            await wait_all_tasks_blocked(0.001)
        waiting = server.inside.submissions.statistics().current_buffer_used
        assert 0 < waiting < 10 - IN_FLIGHT
        journal.go_on()
        assert (await alice.lines(10))[-1] == "MSG #dev 10 MS alice :9"


async def test_over_the_rate_limit_nothing_is_lost(start: Start, wire: Wire) -> None:
    server = await start(rate_limit=300)  # a second's worth may come at once, and runs may have 256
    async with await enter(server, wire, "alice", "#dev") as alice:
        begin = trio.current_time()
        await alice.send(*(f"MSG #dev :{number}" for number in range(320)))
        assert (await alice.lines(320))[-1] == "MSG #dev 320 MS alice :319"
        assert trio.current_time() - begin > 0.05


async def test_who_came_back_does_not_wait_for_its_first_words(start: Start, wire: Wire) -> None:
    """They may be there before the reader sleeps for the first time."""
    server = await start()
    async with connect(server, wire) as alice:
        await alice.send("NICK alice triochat/1", "@b JOIN #dev", "@c MSG #dev :hi")
        await alice.until("@c OK")
        await alice.send_bytes(b"@d MSG #dev :in two ")
        await wait_all_tasks_blocked(0.001)
        await alice.send_bytes(b"halves\n")
        assert await alice.lines(2) == ["MSG #dev 2 MS alice :in two halves", "@d OK 2"]


async def test_a_flood_on_a_socket_is_submitted_in_shares(start: Start, counts: Counts, wire: Wire) -> None:
    server = await start(rate_limit=0)
    async with await enter(server, wire, "mallory", "#dev") as mallory:
        for flood in (b"MSG #dev :x\n", b"MSG #dev :%s\n" % (b"y" * 3000)):
            counts.reset()

            async def send(flood: bytes = flood) -> None:
                await mallory.send_bytes(flood * (100_000 // len(flood)))
                await mallory.send("@end PING")

            async with trio.open_nursery() as both:
                both.start_soon(send)
                await mallory.until("@end PONG")
            submissions = [one for batch in counts.decided for one in batch]
            for one in submissions:
                weights = list(map(weight, one.requests))
                assert one.octets == sum(weights)
                assert one.octets - weights[-1] < RUN_OCTETS  # it ends with the one that goes over it
            if wire.kind == "socket":  # the others hold less than a share at a time
                assert max(one.octets for one in submissions) >= RUN_OCTETS


async def test_who_does_not_read_its_answers_is_not_read(start: Start, wire: Wire) -> None:
    """So it is never cut off: its own messages come back to it, and it takes none of them."""
    server = await start(rate_limit=0, backlog=65536)
    async with await enter(server, wire, "alice", "#dev") as alice:
        with trio.move_on_after(1):
            while True:
                await alice.stream.send_all(b"MSG #dev :%s\n" % (b"x" * 500))
                await wait_all_tasks_blocked(0.0001)
        statistics = server.inside.broadcast.statistics()
        assert (statistics.subscribers, statistics.evicted) == (1, 0)
        assert statistics.backlog > 65536 // 2


async def test_who_says_something_else_than_pong_is_there_all_the_same(
    start: Start, wire: Wire, mock_clock: MockClock
) -> None:
    mock_clock.rate = 1  # the kernel takes its time, and waits have deadlines
    server = await start(idle_timeout=60)
    async with await enter(server, wire, "alice", "#dev") as alice:
        await wait_all_tasks_blocked(0.001)  # until it is silent
        mock_clock.jump(75)  # the next sweep is no later
        assert await alice.line() == "PING"
        for number in range(1, 10):  # for longer than it would have to answer
            await alice.send(f"MSG #dev :{number}")
            await alice.until(f":{number}")
            mock_clock.jump(20)
        assert (await alice.ask("NAMES #dev"))[-1] == "OK"


@needs_epoll
async def test_a_fault_while_the_reader_sleeps_ends_that_client_alone(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire("socket", monkeypatch)
    server = await start()
    async with await enter(server, wire, "alice", "#dev") as alice, await enter(server, wire, "bob") as bob:
        next_says = Connection.next_says
        faulty = server.inside.peers[1].connection

        def fail(connection: Connection) -> object:
            if connection is faulty:
                raise ZeroDivisionError
            return next_says(connection)

        with monkeypatch.context() as patch, structlog.testing.capture_logs() as logs:
            patch.setattr(Connection, "next_says", fail)
            await alice.send("MSG #dev :hi")
            assert await alice.rest() == []
        assert [entry["event"] for entry in logs] == ["serving this client failed", "gone"]
        assert await bob.ask("PING") == ["PONG"]
        assert await bob.ask("JOIN #dev") == ["ROOM #dev 1 0", "NAMES #dev bob", "OK 0"]


class FickleSocket(CountedSocket):
    """Of which the system says that there is something to read, and takes it back, when `fickle` is set."""

    def __init__(self, plain: socket.socket) -> None:
        super().__init__(plain)
        self.fickle = False

    def recv(self, size: int) -> bytes:
        if self.fickle:
            self.fickle = False
            raise BlockingIOError
        return super().recv(size)


@needs_epoll
async def test_what_the_system_takes_back_is_read_later(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire("socket", monkeypatch)
    sockets: list[FickleSocket] = []
    take_over = direct.take_over

    def take_over_fickle(stream: trio.abc.Stream) -> tuple[trio.abc.Stream, FickleSocket]:
        ours, plain = take_over(stream)
        assert plain is not None
        sockets.append(FickleSocket(plain))
        return ours, sockets[-1]

    monkeypatch.setattr(direct, "take_over", take_over_fickle)
    server = await start()
    async with connect(server, wire) as alice:
        await wait_all_tasks_blocked()
        # The first is for the reader itself, the other is taken while it sleeps.
        for frame, answer in (("@a NICK alice triochat/1", "@a OK"), ("@b MSG #dev :hi", "@b OK 1")):
            sockets[-1].fickle = True
            await alice.send(frame)
            assert (await alice.until(answer))[-1] == answer
            assert not sockets[-1].fickle
            await alice.ask("JOIN #dev")
            await wait_all_tasks_blocked(0.001)


@needs_epoll
async def test_a_shutdown_answers_what_was_taken(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire("socket", monkeypatch)
    journal = Journal()
    server = await start(journal=journal)
    async with await enter(server, wire, "alice", "#dev") as alice:
        journal.stop()
        await alice.send("@a MSG #dev :taken")
        await wait_all_tasks_blocked(0.01)
        server.shutdown.set()
        await wait_all_tasks_blocked(0.01)
        await alice.send("@b MSG #dev :too late")
        await wait_all_tasks_blocked(0.01)
        journal.go_on()
        assert await alice.rest() == [
            "MSG #dev 1 MS alice :taken",
            "@a OK 1",
            "BYE :the server shuts down",
        ]
