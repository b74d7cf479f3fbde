"""What is measured of the screen: its start, its answer to a key, what it costs to do nothing, memory."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.client.speaker import NUMBER, Speaker, new_nick, numbered
from benchmarks.client.terminal import FRAME, PATIENCE, Terminal, Typist
from benchmarks.journal.measure import Times
from benchmarks.processes import BenchmarkError, cpu, kept_by
from triochat.screen.desk import PAGE

_INSTALLED = Path(sys.executable).with_name("triochat")
TRIOCHAT: Final = [str(_INSTALLED)] if _INSTALLED.exists() else [sys.executable, "-m", "triochat"]
"""The command that a user has."""
BARE: Final = [sys.executable, "-c", "pass"]
"""What no program in Python can be faster than."""
TOP: Final = b"\x1b<"
END: Final = b"\x1b>"
"""Alt+< and Alt+>: the oldest message that is here, and the newest one."""
_STEP: Final = 1000
"""Messages that come at once where no flood is meant."""
_AGAIN: Final = 0.02
"""Seconds after which a key is pressed again that came before what it asks for."""


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """How many times as much, round by round: rounds are neighbours in time. The median."""
    return median(one / other for one, other in zip(some, others, strict=True))


@contextmanager
def client(port: int, room: str, shown: bytes) -> Iterator[Terminal]:
    """A screen in a room, in which `shown` can be read by now."""
    with Terminal(screen_command(port, room)) as terminal:
        terminal.until(FRAME, "nothing was drawn")
        terminal.until(shown, "the room was not shown")
        terminal.settle()
        yield terminal


def screen_command(port: int, room: str) -> list[str]:
    """What starts a screen."""
    return [*TRIOCHAT, "client", f"127.0.0.1:{port}", "--nick", new_nick(), "--room", room]


# --- starting ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class Starts:
    """Milliseconds of each round, from the start of a process.

    Attributes:
        bare: to the end of a Python that does nothing.
        help: to the end of ``triochat --help``.
        frame: to the first frame that ``triochat client`` has drawn.
        room: to what was said in the room.
    """

    bare: list[float] = field(default_factory=list)
    help: list[float] = field(default_factory=list)
    frame: list[float] = field(default_factory=list)
    room: list[float] = field(default_factory=list)


def starts(port: int, rounds: int) -> Starts:
    """Start each in turns."""
    told = b"somebody was here"
    with Speaker(port, "#start") as speaker:
        speaker.say([told])
    found = Starts()
    with client(port, "#start", told):
        pass  # so all of it has been compiled, and lies in memory
    for _ in range(rounds):
        found.bare.append(_run(BARE, b""))
        found.help.append(_run([*TRIOCHAT, "--help"], b"COMMAND"))
        with Terminal(screen_command(port, "#start")) as terminal:
            found.frame.append((terminal.until(FRAME, "nothing was drawn") - terminal.began) * 1e3)
            found.room.append((terminal.until(told, "the room was not shown") - terminal.began) * 1e3)
    return found


def _run(command: Sequence[str], says: bytes) -> float:
    began = time.perf_counter()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"{command[-1]} did not end within {PATIENCE:.0f} s") from None
    taken = (time.perf_counter() - began) * 1e3
    if done.returncode or says not in done.stdout:
        raise BenchmarkError(f"{' '.join(command)} did not say {says.decode()}, and ended {done.returncode}")
    return taken


# --- keys -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Keys:
    """Milliseconds from a key to its letter on the terminal.

    Attributes:
        idle: in each round, when nothing else happened.
        flood: beside a flood.
        slowest: the slowest one while very many messages came at once.
        shown: milliseconds until the last of these was on the screen.
        rates: messages a second in the flood, as they came back to who said them.
    """

    idle: list[list[float]] = field(default_factory=list)
    flood: list[list[float]] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """What the flood makes of a key."""
        return ratio(list(map(median, self.flood)), list(map(median, self.idle)))


def keys(port: int, rounds: int, each: int, rate: float, burst: int) -> Keys:
    """Type `each` keys, beside nothing and beside a flood, and as many as there is time for in a burst."""
    found = Keys()
    with Speaker(port, "#keys") as speaker, ThreadPoolExecutor(1) as beside:
        speaker.say([b"all are here"])
        with client(port, "#keys", b"all are here") as terminal:
            typist = Typist(terminal)
            for number in range(rounds):
                found.idle.append(typist.type(each))
                stop = threading.Event()
                flood = beside.submit(speaker.flood, rate, stop)
                try:
                    terminal.rest(0.2)  # by then it is under way
                    found.flood.append(typist.type(each))
                finally:
                    stop.set()
                found.rates.append(flood.result(PATIENCE))
                _rest(terminal, typist, speaker, b"flood %d is over" % number)
                last = b"burst %d is over" % number
                texts = [numbered(one) for one in range(burst - 1)]
                terminal.look_for(last)
                began = time.monotonic()
                coming = beside.submit(speaker.say, [*texts, last])
                slowest = 0.0
                while terminal.seen is None:
                    slowest = max(slowest, typist.key())
                    typist.pause()
                    if time.monotonic() > began + PATIENCE:
                        raise BenchmarkError(f"the last of {burst} messages was not shown")
                coming.result(PATIENCE)
                found.slowest.append(slowest)
                found.shown.append((terminal.seen - began) * 1e3)
                _rest(terminal, typist, speaker, b"round %d is over" % number)
    return found


def _rest(terminal: Terminal, typist: Typist, speaker: Speaker, last: bytes) -> None:
    """Have everything drawn that is still under way."""
    typist.wipe()
    terminal.look_for(last)
    speaker.say([last])
    if terminal.seen is None:
        terminal.until(last, "what was said last was not shown")
    terminal.settle()


# --- doing nothing ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Idle:
    """What it costs to do nothing: seconds of CPU, and octets to the terminal."""

    cpu: float
    octets: int


def idle(port: int, seconds: float) -> Idle:
    """Look for so many seconds at a room in which nothing happens."""
    with Speaker(port, "#idle") as speaker:
        speaker.say([b"good night"])
        with client(port, "#idle", b"good night") as terminal:
            terminal.rest(1)
            before, octets = cpu(terminal.pid), terminal.octets
            terminal.rest(seconds)
            return Idle(cpu(terminal.pid) - before, terminal.octets - octets)


# --- memory -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Memory:
    """Resident octets of each round.

    Attributes:
        entered: when the room was shown.
        paged: when somebody had paged back.
        more: when they were at the end again, and many more messages had come.
    """

    entered: list[float] = field(default_factory=list)
    paged: list[float] = field(default_factory=list)
    more: list[float] = field(default_factory=list)


def memory(port: int, rounds: int, *, full: int, pages: int, more: int) -> Memory:
    """Page back in a room with at least `full` messages, and let `more` come; a fresh client each time."""
    found = Memory()
    with Speaker(port, "#deep") as speaker:
        last = _tell(speaker, 0, full)
        for _ in range(rounds):
            with client(port, "#deep", numbered(last)) as terminal:
                found.entered.append(kept_by(terminal.pid))
                _page_back(terminal, last - pages * PAGE)
                terminal.settle()
                found.paged.append(kept_by(terminal.pid))
                terminal.press(END)
                terminal.until(numbered(last), "the newest message was not shown again")
                last = _tell(speaker, last, more, terminal)
                terminal.settle()
                found.more.append(kept_by(terminal.pid))
    return found


def _tell(speaker: Speaker, last: int, more: int, terminal: Terminal | None = None) -> int:
    """Say so many more, and have them shown as they come; the number of the last."""
    end = last + more
    while last < end:
        step = min(_STEP, end - last)
        texts = [numbered(number) for number in range(last + 1, last + step + 1)]
        last += step
        if terminal is not None:
            terminal.look_for(numbered(last))
        speaker.say(texts)
        if terminal is not None and terminal.seen is None:
            terminal.until(numbered(last), f"the last of {step} messages was not shown")
    return last


def _page_back(terminal: Terminal, to: int) -> None:
    """Go to the oldest message that is there, and to what the server then has of older ones, up to `to`."""
    lowest, tail = sys.maxsize, b""
    deadline = time.monotonic() + PATIENCE * 3
    while lowest > to:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"nobody could page back to message {to} in three minutes, only to {lowest}")
        terminal.press(TOP)
        before, until = lowest, time.monotonic() + _AGAIN
        while lowest == before and (left := until - time.monotonic()) > 0:
            tail += terminal.read(left)
            lowest = min(lowest, lowest_number(tail) or lowest)
            tail = tail[-len(numbered(0)) :]


def lowest_number(drawn: bytes) -> int | None:
    """The lowest number of a message in what was drawn; None if there is none."""
    return min(map(int, NUMBER.findall(drawn)), default=None)


def times(rounds: Sequence[Sequence[float]]) -> Times:
    """Those of all rounds together."""
    return Times([one for each in rounds for one in each])
