"""One measurement: a fresh server, a fresh load generator, one scenario."""

import json
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.adapters import Peer
from benchmarks.figures import Figures, figures
from benchmarks.plan import write_plan
from benchmarks.processes import BenchmarkError, Compiler, Process
from benchmarks.scenarios import Scenario

SPARE_FILES = 100
"""Descriptors that a program needs for itself."""


class Bench:
    """What all measurements share.

    Args:
        folder: for programs and logs, empty at first.
        server_core: where servers run; None for anywhere.
        load_core: where the load runs.
        files: how many a process may have open.
        python_load: use the generator in Python even if there is a compiler.
        spin: the generator never sleeps, so that no server pays for waking it (only that in C can).
        warmup: seconds of load before each measurement.
        seconds: of each measurement.
    """

    def __init__(
        self,
        folder: Path,
        *,
        server_core: int | None,
        load_core: int | None,
        files: int,
        python_load: bool,
        spin: bool,
        warmup: float,
        seconds: float,
    ) -> None:
        self.folder = folder
        self.compiler = Compiler(folder)
        self.server_core = server_core
        self.load_core = load_core
        # Where both share a core, a generator that never sleeps would take it from the server.
        self.spin = spin and load_core is not None and load_core != server_core
        self._files = files
        self._warmup = warmup
        self._seconds = seconds
        source = Path(__file__).parent / "load" / "generator.c"
        program = None if python_load else self.compiler.build(source)
        self.load_language = "Python" if program is None else "C"
        self._load = [str(program)] if program else [sys.executable, str(source.with_suffix(".py"))]

    def fitted(self, scenario: Scenario, people: int | None = None) -> Scenario:
        """The scenario with no more people than we may open connections for, evenly over its rooms.

        Args:
            scenario: as it is meant.
            people: not more than these, either.
        """
        most = self._files - SPARE_FILES - scenario.probe - scenario.slow
        if people is not None:
            most = min(most, people)
        if scenario.people <= most:
            return scenario
        each = scenario.people // scenario.rooms
        rooms = max(1, min(scenario.rooms, most // each))
        people = min(rooms * each, most)
        return replace(scenario, people=people, rooms=rooms, senders=min(scenario.senders, people))

    def measure(self, peer: Peer, scenario: Scenario) -> Figures:
        """Play it once.

        Raises:
            BenchmarkError: the server or the load generator failed.
        """
        if not peer.rooms and scenario.rooms > 1:
            scenario = replace(scenario, rooms=1)
        load: Process | None = None
        try:
            server = peer.start(self.server_core)
            empty = server.memory()
            load = Process(self._load, core=self.load_core, log=self.folder / "load.log")
            load.write(
                write_plan(
                    scenario,
                    peer.speech,
                    port=peer.port,
                    warmup=self._warmup,
                    seconds=self._seconds,
                    spin=self.spin,
                )
            )
            self._expect(load, server, "ready", 300)
            full = server.memory()
            load.write("go " + " ".join(map(str, server.family())) + "\n")
            told = self._expect(load, server, "done", self._warmup + self._seconds + 120)
            end = server.memory()
            return figures(
                json.loads(told), mode=scenario.mode, people=scenario.people, empty=empty, full=full, end=end
            )
        finally:
            if load is not None:
                load.stop()
            peer.stop()

    def _expect(self, load: Process, server: Process, word: str, seconds: float) -> str:
        told, _, rest = load.read_line(seconds).partition(" ")
        if told == word:
            return rest
        if not server.alive():
            raise BenchmarkError("the server ended")
        raise BenchmarkError(rest or f"the load generator said {told!r} instead of {word!r}")
