"""The load generator again, for machines without a C compiler: same plan, same results, more CPU.

It does not look at lines: it counts marks (see generator.c) in what a bulk read has brought, and
takes the latency of the last message of a read. So a PING of the server is found only if a read
begins with it, which is so for whoever is silent long enough to be asked.
"""

import json
import os
import resource
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

READ = 262144
AT_ONCE = 8
"""How many come in at the same time; some servers' listening queue holds ten."""
EVENTS = 512
SETUP_PATIENCE = 30.0
Step = tuple[bytes, bytes]


class LoadError(Exception):
    """The server did not do what it must for a measurement."""


@dataclass(slots=True)
class Client:
    """One connection."""

    room: int
    sender: bool
    probe: bool
    slow: bool
    say: bytes = b""
    steps: list[Step] = field(default_factory=list)
    join: Step | None = None
    expect: bytes = b""
    heard: bytes = b""
    out: bytes = b""
    since: int = 0
    events: int = 0
    sock: socket.socket | None = None


@dataclass(slots=True)
class Room:
    """Who sends in it, and what is on its way."""

    senders: list[Client] = field(default_factory=list)
    turn: int = 0
    members: int = 0
    sent: int = 0
    delivered: int = 0


class Latencies:
    """A histogram with 64 buckets for each power of two, so within 1.6 %."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self.samples = 0
        self.slowest = 0

    def record(self, ns: int, times: int = 1) -> None:
        """Count a latency."""
        ns = max(ns, 0)
        shift = max(ns.bit_length() - 7, 0)
        self.counts[ns >> shift << shift] += times
        self.samples += times
        self.slowest = max(self.slowest, ns)

    def percentile(self, p: float) -> float:
        """In microseconds."""
        rank, seen = int(p * self.samples), 0
        for value in sorted(self.counts):
            seen += self.counts[value]
            if seen > rank:
                return value / 1e3
        return self.slowest / 1e3


class Generator:
    """Drives the clients of a plan."""

    def __init__(self, plan: Iterator[str]) -> None:
        self.settings: dict[str, str] = {"stall": "5", "gap": "0.005"}
        self.clients: list[Client] = []
        self._read(plan)
        number = {key: float(value) for key, value in self.settings.items() if key != "mode"}
        self.mode = self.settings["mode"]
        self.port, self.window, self.size = int(number["port"]), int(number["window"]), int(number["size"])
        self.sample = int(number["sample"])
        self.echo, self.tagged = bool(number["echo"]), bool(number["tagged"])
        self.warmup, self.seconds = number["warmup"], number["seconds"]
        self.stall, self.gap = number["stall"], number["gap"]
        self.rooms = [Room() for _ in range(int(number["rooms"]))]
        self.filler = b"x" * (self.size - 17)
        self.probe: Client | None = None
        self.slow: Client | None = None
        for client in self.clients:
            room = self.rooms[client.room]
            room.members += not client.slow
            if client.sender:
                room.senders.append(client)
            if client.probe:
                self.probe = client
            if client.slow:
                self.slow = client
        self.poll = select.epoll()
        self.by_fd: dict[int, Client] = {}
        self.latencies = Latencies()
        self.tags = self.sent = self.deliveries = self.lines = self.lost = self.joined = self.turn = 0
        self.probes = self.probe_missing = self.probe_at = self.probe_next = 0
        self.setting_up = self.measuring = False

    def _read(self, plan: Iterator[str]) -> None:
        for text in plan:
            key, _, value = text.rstrip("\n").partition(" ")
            if key == "end":
                return
            if key == "client":
                room, flags = value.split()
                self.clients.append(Client(int(room), "s" in flags, "p" in flags, "z" in flags))
            elif key == "say":
                self.clients[-1].say = value.encode()
            elif key in ("step", "join"):
                send, _, expect = value.partition("\t")
                step = send.encode(), expect.encode()
                if key == "step":
                    self.clients[-1].steps.append(step)
                else:
                    self.clients[-1].join = step
            else:
                self.settings[key] = value
        raise LoadError("the plan has no end")

    # --- connections ----------------------------------------------------------------------------

    def watch(self, client: Client, events: int) -> None:
        """Be told of these events, and of no others."""
        if client.sock is None or events == client.events:
            return
        if not client.events:
            self.poll.register(client.sock, events)
        elif events:
            self.poll.modify(client.sock, events)
        else:
            self.poll.unregister(client.sock)
        client.events = events

    def lose(self, client: Client) -> None:
        """The server has closed it."""
        if client.sock is None:
            return
        if self.setting_up:
            raise LoadError("the server closed a connection while the clients were joining")
        self.watch(client, 0)
        del self.by_fd[client.sock.fileno()]
        client.sock.close()
        client.sock = None
        self.lost += 1
        self.rooms[client.room].members -= 1

    def flush(self, client: Client) -> None:
        """Send what the kernel takes."""
        if client.sock is None or not client.out:
            return
        try:
            client.out = client.out[client.sock.send(client.out) :]
        except BlockingIOError:
            pass
        except OSError:
            self.lose(client)
            return
        self.watch(client, client.events & select.EPOLLIN | (select.EPOLLOUT if client.out else 0))

    def say(self, client: Client, now: int, mark: bytes = b"%") -> None:
        """Queue a message."""
        if self.tagged:
            self.tags += 1
            client.out += b"@%d " % self.tags
        client.out += b"%s%016x%s%s\n" % (client.say, now, self.filler, mark)
        self.sent += 1

    def take_step(self, client: Client) -> None:
        """Say the next thing; the last one done, it has joined."""
        while client.steps:
            send, client.expect = client.steps.pop(0)
            if send:
                client.out += send + b"\n"
            if client.expect:
                break
        else:
            client.expect = b""
            self.joined += 1
            if client.since:
                self.latencies.record(time.monotonic_ns() - client.since)
        self.flush(client)

    def readable(self, client: Client) -> None:
        """One bulk read."""
        assert client.sock is not None
        try:
            data = client.sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lose(client)
            return
        self.lines += data.count(b"\n")
        if client.expect:
            client.heard = client.heard[-256:] + data
            if client.expect in client.heard:
                client.heard = b""
                self.take_step(client)
        if data.startswith(b"PING"):
            client.out += b"PONG" + data[4 : data.find(b"\n") + 1]
            self.flush(client)
        plain, probed = data.count(b"%"), data.count(b"^") if self.probe is not None else 0
        if client.slow or not plain + probed:
            return
        self.deliveries += plain + probed
        self.rooms[client.room].delivered += plain + probed
        if self.measuring:
            self.take_latency(data, plain, probed)

    def take_latency(self, data: bytes, plain: int, probed: int) -> None:
        """Of the last message in `data`, for all those that a sample would have had."""
        now = time.monotonic_ns()
        if probed and self.stamp(data, b"^") in (self.probe_at, None):
            self.probe_missing -= 1
            self.latencies.record(now - self.probe_at)
        if self.mode == "window":
            self.turn += plain
            times, self.turn = divmod(self.turn, self.sample)
            if times and (stamp := self.stamp(data, b"%")) is not None:
                self.latencies.record(now - stamp, times)

    def stamp(self, data: bytes, mark: bytes) -> int | None:
        """When the last message of this kind in `data` was sent; None if its beginning came earlier."""
        start = data.rfind(mark) - (self.size - 1)
        if start < 0:
            return None
        try:
            return int(data[start : start + 16], 16)
        except ValueError:
            return None

    def look(self, seconds: float) -> int:
        """One round; returns how many connections had something to say."""
        ready = self.poll.poll(seconds, EVENTS)
        for fd, events in ready:
            client = self.by_fd.get(fd)
            if client is not None and events & ~select.EPOLLOUT:
                self.readable(client)
            if client is not None and events & select.EPOLLOUT:
                self.flush(client)
        return len(ready)

    # --- the phases -----------------------------------------------------------------------------

    def connect(self, client: Client) -> None:
        """Connect, and say the first thing."""
        client.sock = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sock.setblocking(False)
        self.by_fd[client.sock.fileno()] = client
        self.watch(client, select.EPOLLIN)
        self.take_step(client)

    def wait_for_quiet(self, limit: float) -> None:
        """Until nothing has come for a while."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and self.look(0.2):
            pass

    def set_up(self) -> None:
        """Everybody in."""
        self.setting_up = True
        started, progress = 0, time.monotonic()
        while self.joined < len(self.clients):
            while started < len(self.clients) and started - self.joined < AT_ONCE:
                self.connect(self.clients[started])
                started += 1
            if self.look(0.1):
                progress = time.monotonic()
            elif time.monotonic() - progress > SETUP_PATIENCE:
                raise LoadError("the server does not let everybody in")
        self.wait_for_quiet(10)
        self.setting_up = False

    def refill(self, room: Room) -> None:
        """As many new messages as have arrived."""
        receivers = room.members - (not self.echo)
        if receivers < 1 or not room.senders:
            return
        free = self.window - (room.sent - room.delivered // receivers)
        if free <= 0:
            return
        now = time.monotonic_ns()
        used = []
        for _ in range(free):
            client = room.senders[room.turn]
            room.turn = (room.turn + 1) % len(room.senders)
            if client.sock is not None:
                self.say(client, now)
                room.sent += 1
                used.append(client)
        for client in used[: len(room.senders)]:
            self.flush(client)

    def flood(self, client: Client) -> None:
        """As much as the kernel takes."""
        if client.sock is not None and len(client.out) <= 4096:
            now = time.monotonic_ns()
            for _ in range(64):
                self.say(client, now)
            self.flush(client)

    def send_probe(self, client: Client) -> None:
        """A single message, a little after the last one has arrived everywhere."""
        now = time.monotonic_ns()
        if self.probe_missing > 0 or now < self.probe_next or client.sock is None:
            return
        if self.probe_at:
            self.probe_at = 0
            self.probe_next = now + int(self.gap * 1e9)
            return
        self.probe_at = now
        self.probe_missing = self.rooms[0].members - (not self.echo)
        self.probes += 1
        self.say(client, now, b"^")
        self.flush(client)

    def drive(self, seconds: float) -> bool:
        """Drive the load; False if nothing has come for so long that nothing will."""
        now = time.monotonic()
        until, seen, seen_at = now + seconds, self.deliveries, now
        while now < until:
            if self.mode == "window":
                for room in self.rooms:
                    self.refill(room)
            elif self.mode == "flood":
                for client in self.rooms[0].senders:
                    self.flood(client)
                if self.probe is not None and self.measuring:
                    self.send_probe(self.probe)
            self.look(min(until - now, {"idle": 1.0, "flood": 0.001}.get(self.mode, 0.1)))
            now = time.monotonic()
            if self.deliveries != seen:
                seen, seen_at = self.deliveries, now
            elif self.mode != "idle" and now - seen_at > self.stall:
                return False
        return True

    def join_all(self) -> bool:
        """Everybody enters at once."""
        start = self.joined
        going = [client for client in self.clients if client.join is not None]
        for client in going:
            assert client.join is not None
            client.steps = [client.join]
            client.since = time.monotonic_ns()
            self.take_step(client)
        while self.joined - start < len(going):
            if not self.look(self.stall):
                return False
        return True

    def cut_off(self, client: Client) -> tuple[bool, int]:
        """Was the one that never reads cut off? Reads what the kernel kept for it."""
        octets, quiet_since = 0, time.monotonic()
        assert client.sock is not None
        while time.monotonic() - quiet_since < 1:
            if not select.select([client.sock], [], [], 0.1)[0]:
                continue
            try:
                data = client.sock.recv(READ)
            except OSError:
                data = b""
            if not data:
                return True, octets
            octets += len(data)
            quiet_since = time.monotonic()
        return False, octets

    def measure(self, pids: list[int]) -> dict[str, object]:
        """Warm up, measure, and say what came of it."""
        going = self.mode == "join" or not self.warmup or self.drive(self.warmup)
        if self.slow is not None:
            self.watch(self.slow, 0)
        before = [server_cpu(pids), time.process_time(), time.monotonic()]
        counts = [self.sent, self.deliveries, self.lines]
        self.measuring = True
        if self.mode == "join":
            going = self.join_all()
        elif going:
            going = self.drive(self.seconds)
        after = [server_cpu(pids), time.process_time(), time.monotonic()]
        server, own, seconds = (now - then for now, then in zip(after, before, strict=True))
        counts = [n - old for n, old in zip([self.sent, self.deliveries, self.lines], counts, strict=True)]
        self.measuring = False
        if self.mode == "flood" and self.probe_missing > 0:  # as late as this, at least
            self.latencies.record(time.monotonic_ns() - self.probe_at, self.probe_missing)
        if self.mode != "flood":
            self.wait_for_quiet(2 if going else 0)
        cut, unread = (False, 0) if self.slow is None else self.cut_off(self.slow)
        return {
            "seconds": seconds,
            "messages": counts[0],
            "deliveries": counts[1],
            "lines": counts[2],
            "server_cpu": server,
            "own_cpu": own,
            "p50": self.latencies.percentile(0.5),
            "p99": self.latencies.percentile(0.99),
            "max": self.latencies.slowest / 1e3,
            "samples": self.latencies.samples,
            "probes": self.probes,
            "lost": self.lost,
            "stalled": not going,
            "cut_off": cut,
            "unread": unread,
        }


def server_cpu(pids: list[int]) -> float:
    """Processor time of whole processes, all threads, in seconds."""
    return sum(time.clock_gettime(~pid << 3 | 2) for pid in pids)


def tell(text: str) -> None:
    """To the harness."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what the plan on stdin says."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        generator = Generator(iter(sys.stdin.readline, ""))
        generator.set_up()
        tell("ready")
        go = sys.stdin.readline().split()
        if go[:1] == ["go"]:
            tell("done " + json.dumps(generator.measure([int(pid) for pid in go[1:]])))
            sys.stdin.readline()  # the connections stay until the server's memory has been read
    except (LoadError, OSError) as error:
        tell(f"error {error}")
    os._exit(0)


if __name__ == "__main__":
    main()
