"""Processes: on which core, how much memory, with how many files, and what they print."""

import ctypes
import os
import resource
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PROC = Path("/proc")
KIB = 1024


class BenchmarkError(Exception):
    """A program of the benchmark did not do what it must; the message says which and what."""


def raise_file_limit() -> int:
    """Allow as many open files as we may. Returns how many; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 20_000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        with suppress(ValueError, OSError):  # only a privileged user may
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, wanted))
            hard = wanted
    limit = wanted if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit


def choose_cores() -> tuple[int | None, int | None]:
    """A core for the server and one for the load, not two halves of the same; None for no pinning."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    cores = sorted(os.sched_getaffinity(0))
    server = cores[-1]
    others = [core for core in cores if core not in _siblings(server)] or cores[:-1]
    return server, (others[-1] if others else None)


def _siblings(core: int) -> set[int]:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    siblings = {core}
    with suppress(OSError, ValueError):
        for part in path.read_text().strip().split(","):
            first, _, last = part.partition("-")
            siblings.update(range(int(first), int(last or first) + 1))
    return siblings


@contextmanager
def _on_core(core: int | None) -> Iterator[None]:
    """Children started in this block run on that core from their first instruction on."""
    if core is None:
        yield
        return
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, mine)


def _end_with_parent() -> None:
    """Ask the kernel for it, in the child."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def kept_by(pid: int, what: str = "VmRSS") -> int:
    """Memory of a process in octets, as /proc tells it: `VmRSS` is resident now, `VmHWM` at most so far.

    Raises:
        OSError: there is no such process.
    """
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) * KIB
    return 0  # it has ended, and nobody has taken note of it yet


def cpu(pid: int) -> float:
    """Seconds that a process has computed, all its threads together; the clock of Linux for that."""
    return time.clock_gettime(~pid << 3 | 2)


class Process:
    """A child process that is spoken to in lines.

    Args:
        command: program and arguments.
        core: where it runs; None for anywhere.
        log: where its standard error goes.
        env: what its environment has beside ours.
        talks: whether its output is for us; else it goes to the log too, since a program whose output
            nobody reads stops when the pipe is full.
        bound: the kernel kills it when we are gone, however that came about; on Linux only.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        core: int | None,
        log: Path,
        env: Mapping[str, str] | None = None,
        talks: bool = True,
        bound: bool = False,
    ) -> None:
        self.name = Path(command[0]).name if len(command) == 1 else " ".join(command[:4])
        self._log = log
        with _on_core(core), log.open("ab") as errors:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if talks else errors,
                stderr=errors,
                env={**os.environ, **(env or {})},
                preexec_fn=_end_with_parent if bound else None,
            )
        assert self._child.stdin is not None
        self._stdin: IO[bytes] = self._child.stdin
        self._stdout: IO[bytes] | None = self._child.stdout
        self._rest = b""

    def write(self, text: str) -> None:
        """Hand it text."""
        try:
            self._stdin.write(text.encode())
            self._stdin.flush()
        except BrokenPipeError:
            raise BenchmarkError(self._why("ended too early")) from None

    def read_line(self, seconds: float) -> str:
        """The next line of its output."""
        assert self._stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._stdout], [], [], left)[0]:
                raise BenchmarkError(self._why(f"has said nothing for {seconds:.0f} s"))
            data = os.read(self._stdout.fileno(), 65536)
            if not data:
                raise BenchmarkError(self._why("ended too early"))
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode(errors="replace")

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def family(self) -> list[int]:
        """Its process id and those of all its descendants."""
        pids = [self._child.pid]
        for pid in pids:
            with suppress(OSError):
                for children in (PROC / str(pid) / "task").glob("*/children"):
                    pids.extend(map(int, children.read_text().split()))
        return pids

    def memory(self) -> int:
        """Resident memory of the family, in octets."""
        total = 0
        for pid in self.family():
            with suppress(OSError):
                total += kept_by(pid)
        return total

    def stop(self) -> None:
        """End it, by force if it doesn't go by itself."""
        for stream in (self._stdin, self._stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        self._child.terminate()
        try:
            self._child.wait(3)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _why(self, what: str) -> str:
        with suppress(OSError):
            last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            if last:
                what += f" ({last[0][:200]})"
        return f"{self.name} {what}"


class Compiler:
    """Makes programs of C sources, if this machine has a compiler.

    Args:
        folder: where the programs go.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._command = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)

    def build(self, source: Path) -> Path | None:
        """The program, or None without a compiler that can make it."""
        program = self._folder / source.stem
        if self._command is None:
            return None
        if not program.exists():
            built = subprocess.run(
                [self._command, "-O2", "-o", str(program), str(source)], capture_output=True, check=False
            )
            if built.returncode:
                return None
        return program
