"""How each server is started, and how one talks to it."""

import importlib.util
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from importlib.metadata import version
from pathlib import Path

from benchmarks.plan import Speech
from benchmarks.processes import BenchmarkError, Compiler, Process
from benchmarks.scenarios import Scenario

HERE = Path(__file__).parent
START_TIMEOUT = 15.0

LINES = Speech(join=("JOIN #b{r}", "joined"))
"""The plain servers: no login, the first line names the room."""


class Peer(ABC):
    """A server that can be measured.

    Attributes:
        name: what it is called on the command line and in tables.
        summary: what it is, for people.
        speech: how one talks to it.
        rooms: whether it has any; without, everybody hears everything.
        announces_to_all: whether everybody is told of everybody who comes, so that filling it takes the
            square of their number.
        talks: whether it prints where it listens.
    """

    name: str
    summary: str
    speech: Speech
    rooms = True
    announces_to_all = False
    talks = True

    def __init__(self, folder: Path, compiler: Compiler) -> None:
        self._folder = folder
        self._compiler = compiler
        self.process: Process | None = None
        self.port = 0

    def missing(self) -> str | None:
        """What this machine lacks to run it, or None."""
        return None

    def unfit(self, scenario: Scenario) -> str | None:
        """Why it can't play this one, or None."""
        if scenario.rooms > 1 and not self.rooms and scenario.mode != "idle":
            return "it has no rooms"
        if scenario.mode == "idle" and self.announces_to_all:
            return "it tells everybody of everybody who comes: 81 million deliveries to fill it"
        if scenario.mode == "join" and not self.speech.join[1]:
            return "there is nothing to join"
        return None

    @abstractmethod
    def command(self) -> list[str]:
        """Program and arguments."""

    def start(self, core: int | None) -> Process:
        """Start it; once this returns, it accepts connections on `port`."""
        self.process = Process(
            self.command(),
            core=core,
            log=self._folder / f"{self.name}.log",
            env=self.environment(),
            talks=self.talks,
        )
        self.port = self._wait_for_port(self.process)
        return self.process

    def environment(self) -> dict[str, str]:
        """What its environment has beside ours."""
        return {}

    def version(self) -> str:
        """Of what is measured, as far as it has one."""
        return ""

    def stop(self) -> None:
        """End it, if it was started."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _wait_for_port(self, process: Process) -> int:
        line = process.read_line(START_TIMEOUT)
        if found := re.fullmatch(r"listening on .*:(\d+)", line.strip()):
            return int(found[1])
        raise BenchmarkError(f"{self.name} said {line!r}, not where it listens")


class Triochat(Peer):
    """This project, in its own protocol; every message is tagged and acknowledged."""

    name = "triochat"
    summary = "this project, framed dialect, memory journal, each message acknowledged"
    speech = Speech(
        login=(("@n NICK m{n} triochat/1 session={secret}", "@n OK"),),
        join=("@j JOIN #b{r}", "@j OK"),
        say="MSG #b{r} :",
        tagged=True,
        seed=("@s{i} MSG #b0 :{text}", "@s{i} OK"),
        catch_up=("@j JOIN #b{r} after=0", "@j OK"),
    )

    def command(self) -> list[str]:  # noqa: D102
        return [sys.executable, "-m", "triochat", "server", "--rate-limit", "0", "--memory", "--port", "0"]

    def environment(self) -> dict[str, str]:
        """The server of this checkout, whatever is installed."""
        return {"PYTHONPATH": str(HERE.parent / "src")}

    def version(self) -> str:  # noqa: D102
        return f"trio {version('trio')}"


class TriochatSqlite(Triochat):
    """The same as its users have it, with a file."""

    name = "triochat-sqlite"
    summary = "the same with a file, each message on the disk before it is acknowledged"

    def command(self) -> list[str]:  # noqa: D102
        data = Path(tempfile.mkdtemp(dir=self._folder), "chat.db")  # a new one for each start
        command = [argument for argument in super().command() if argument != "--memory"]
        return [*command, "--data", str(data)]


class TriochatUntagged(Triochat):
    """The same without tags, so that nothing is acknowledged."""

    name = "triochat-untagged"
    summary = "the same, without tags and acknowledgements"
    speech = Speech(
        login=Triochat.speech.login,
        join=Triochat.speech.join,
        say=Triochat.speech.say,
        seed=Triochat.speech.seed,
        catch_up=Triochat.speech.catch_up,
    )


class TriochatText(Triochat):
    """The same in the dialect of netcat."""

    name = "triochat-text"
    summary = "the same, text dialect (everybody in the lobby, so: one room)"
    rooms = False
    announces_to_all = True
    speech = Speech(join=("m{n}", "Connected to server!"))


class Ngircd(Peer):
    """The IRC daemon, with everything off that would limit it or that only costs."""

    name = "ngircd"
    summary = "ngircd, an IRC daemon in C, flood limits off"
    speech = Speech(
        login=(("NICK m{n}", ""), ("USER m{n} 0 * :m{n}", " 001 ")),
        join=("JOIN #b{r}", " 366 "),
        say="PRIVMSG #b{r} :",
        echo=False,
    )
    talks = False
    configuration = """
[Global]
    Name = irc.bench.test
    Info = benchmark
    Listen = 127.0.0.1
    Ports = {port}
    MotdPhrase = hello
    PidFile =
[Limits]
    MaxConnections = 0
    MaxConnectionsIP = 0
    MaxJoins = 0
    MaxNickLength = 30
    MaxPenaltyTime = 0
    PingTimeout = 36000
    PongTimeout = 36000
[Options]
    DNS = no
    Ident = no
    PAM = no
    IncludeDir =
"""

    def missing(self) -> str | None:  # noqa: D102
        return None if self._program() else "it is not installed (Debian: apt install ngircd)"

    def version(self) -> str:  # noqa: D102
        program = self._program()
        if program is None:
            return ""
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
        return (told.split("-")[0] or told).strip()

    def command(self) -> list[str]:  # noqa: D102
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        file = self._folder / "ngircd.conf"
        file.write_text(self.configuration.format(port=self.port))
        return [self._program() or "ngircd", "--nodaemon", "--config", str(file)]

    def _wait_for_port(self, process: Process) -> int:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and process.alive():
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return self.port
        raise BenchmarkError("ngircd does not listen")

    @staticmethod
    def _program() -> str | None:
        return shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin:/usr/local/sbin")


class Floor(Peer):
    """What no program can go below."""

    name = "floor"
    summary = "a minimal relay in C: epoll, one buffer, no parsing"
    speech = Speech(login=(("", "hello"),))
    rooms = False

    def missing(self) -> str | None:  # noqa: D102
        return None if self._compiler.build(HERE / "peers" / "floor.c") else "there is no C compiler"

    def unfit(self, scenario: Scenario) -> str | None:  # noqa: D102
        if scenario.slow:
            return "it waits for everybody"
        return super().unfit(scenario)

    def command(self) -> list[str]:  # noqa: D102
        return [str(self._compiler.build(HERE / "peers" / "floor.c"))]


class BareTrio(Peer):
    """What no trio program can go below."""

    name = "bare"
    summary = "the same relay in trio: what is left when a trio server does nothing else"
    speech = Floor.speech
    rooms = False

    def unfit(self, scenario: Scenario) -> str | None:  # noqa: D102
        if scenario.slow or scenario.mode == "flood":
            return "it loses what a full buffer does not take"
        return super().unfit(scenario)

    def command(self) -> list[str]:  # noqa: D102
        return [sys.executable, str(HERE / "peers" / "bare_trio.py")]


class NaiveTrio(Peer):
    """A memory channel and a writer task for each client."""

    name = "naive"
    summary = "trio with a memory channel and a writer task each, a send per message"
    speech = LINES

    def command(self) -> list[str]:  # noqa: D102
        return [sys.executable, str(HERE / "peers" / "naive_trio.py")]


class Asyncio(Peer):
    """Streams, as the documentation teaches them."""

    name = "asyncio"
    summary = "asyncio streams"
    speech = LINES

    def command(self) -> list[str]:  # noqa: D102
        return [sys.executable, str(HERE / "peers" / "asyncio_lines.py")]


class Uvloop(Asyncio):
    """The same on another loop."""

    name = "uvloop"
    summary = "the same on uvloop"

    def missing(self) -> str | None:  # noqa: D102
        return None if importlib.util.find_spec("uvloop") else "uvloop is not installed"

    def command(self) -> list[str]:  # noqa: D102
        return [*super().command(), "--uvloop"]

    def version(self) -> str:  # noqa: D102
        return version("uvloop")


class Tutorial(Peer):
    """How it all began."""

    name = "tutorial"
    summary = "the design of the 2019 tutorial: a thread for each client"
    speech = Speech(join=("m{n}", "Connected to server!"), say="m{n}: ")
    rooms = False
    announces_to_all = True

    def unfit(self, scenario: Scenario) -> str | None:  # noqa: D102
        if scenario.mode == "join":
            return "it lets nobody in while one whom it has asked has not answered"
        return super().unfit(scenario)

    def command(self) -> list[str]:  # noqa: D102
        return [sys.executable, str(HERE / "peers" / "tutorial.py")]


PEERS: tuple[type[Peer], ...] = (
    Triochat,
    TriochatSqlite,
    TriochatUntagged,
    TriochatText,
    Ngircd,
    Floor,
    BareTrio,
    NaiveTrio,
    Asyncio,
    Uvloop,
    Tutorial,
)
BY_NAME = {peer.name: peer for peer in PEERS}
NOT_USUAL = ("triochat-sqlite", "triochat-untagged", "triochat-text", "bare")
USUAL = tuple(name for name in BY_NAME if name not in NOT_USUAL)
"""Who is measured unless the command line says otherwise."""
