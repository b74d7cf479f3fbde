"""``python -m tests.fuzz --seconds 60``: inputs that nobody wrote, for each parser; see docs/fuzzing.md.

The exit code is 1 if one of them showed that a promise is broken.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from tests.fuzz.mutants import MUTANTS
from tests.fuzz.shrink import shrink
from tests.fuzz.targets import TARGETS, check, corpus

ROOT: Final = Path(__file__).parents[2]
LONGEST: Final = 512
"""Octets of an input; what it stands for may be longer: see `tests.fuzz.script`."""
MEMORY: Final = 512
"""MiB that the process may take."""
PATIENCE: Final = 10
"""Seconds that one input may take."""
READABLE: Final = 500
"""Characters of what is said about an input: it may quote all of it."""
TAIL: Final = 30
"""Lines of the engine that are shown if it fails by itself."""


def say(text: str) -> None:
    """Write it now: who watches this wants to see it go on."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def fuzz(target: str, arguments: argparse.Namespace) -> bool:
    """Fuzz one target, in a process of its own; say what came of it, and return whether all is well."""
    with tempfile.TemporaryDirectory() as scratch:
        # The corpus is given as a list: its order is the same everywhere, and nothing is written to it.
        seeds = Path(scratch) / "seeds"
        seeds.write_text(",".join(str(path.relative_to(ROOT)) for path in corpus(target)), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "tests.fuzz.engine", target, arguments.mutant or ""),
            f"-seed_inputs=@{seeds}",
            "-dict=tests/fuzz/words.dict",
            f"-seed={arguments.seed}",
            f"-runs={arguments.runs}",
            f"-max_total_time={arguments.seconds}",
            f"-max_len={LONGEST}",
            f"-rss_limit_mb={MEMORY}",
            f"-timeout={PATIENCE}",
            f"-artifact_prefix={scratch}/",
            "-print_final_stats=1",
        ]
        lines = []
        done = 0
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": "0"},
            encoding="utf-8",
            errors="backslashreplace",
        ) as engine:
            assert engine.stderr is not None
            for line in engine.stderr:
                lines.append(line.rstrip("\n"))
                if progress := re.match(r"#(\d+)\s+(INITED|pulse|DONE)", line):
                    done = int(progress[1])
                    say(f"{target}: {lines[-1]}")
        if engine.returncode == 0:
            if done < arguments.runs:
                say(f"{target}: {done} of {arguments.runs} inputs, since the time was over")
            return True
        found = [path for path in Path(scratch).iterdir() if path != seeds]
        for path in found:
            report(target, path, arguments)
        if not any(path.name.startswith("crash-") for path in found):
            say("\n".join([f"{target}: the engine ended with {engine.returncode}:", *lines[-TAIL:]]))
        return False


def report(target: str, path: Path, arguments: argparse.Namespace) -> None:
    """Say what is wrong with an input that was found, keep it, and say how to try it again."""
    data = path.read_bytes()
    kind = path.name.partition("-")[0]
    if kind == "crash":  # nothing else is sure to end when it is tried in here
        data = shrink(data, lambda shorter: failure(target, shorter, arguments.mutant) is not None)
        say(f"{target}: {failure(target, data, arguments.mutant)}")
    else:
        say(f"{target}: {kind}")
    kept = arguments.found / f"{target}-{hashlib.sha256(data).hexdigest()[:12]}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(data)
    mutant = f" --mutant {arguments.mutant}" if arguments.mutant else ""
    say(f"the input: {data!r}")
    say(f"kept as: {kept}")
    say(f"again: python -m tests.fuzz --target {target}{mutant} --input {kept}")


def failure(target: str, data: bytes, mutant: str | None) -> str | None:
    """Which promise is broken by this input; None if none is."""
    with MUTANTS[target][mutant]() if mutant else nullcontext():
        try:
            check(target, data)
        except AssertionError as error:
            sentence = str(error) or "a promise is broken"
            return sentence if len(sentence) <= READABLE else f"{sentence[:READABLE]}…"
    return None


def repeat(target: str, arguments: argparse.Namespace) -> bool:
    """Try one input, and return whether all is well. It takes no engine."""
    broken = failure(target, arguments.input.read_bytes(), arguments.mutant)
    say(f"{target}: {broken or 'all promises are kept'}")
    return broken is None


def main(argv: Sequence[str] | None = None) -> int:
    """Fuzz as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--runs", type=int, default=-1, help="inputs for each target; -1: as many as it can")
    parser.add_argument("--seconds", type=int, default=15, help="for each target, at the most; 0: for ever")
    parser.add_argument("--seed", type=int, default=1, help="of the lots; another one finds other inputs")
    parser.add_argument("--found", type=Path, default=Path(".fuzz"), help="where to keep inputs that fail")
    parser.add_argument("--input", type=Path, help="try this one, and no other")
    parser.add_argument("--mutant", help="break the parser first: see tests/fuzz/mutants.py")
    arguments = parser.parse_args(argv)
    targets = [arguments.target] if arguments.target else list(TARGETS)
    if (arguments.input or arguments.mutant) and not arguments.target:
        parser.error("--input and --mutant want a --target")
    if arguments.mutant and arguments.mutant not in MUTANTS[arguments.target]:
        parser.error(f"the mutants of {arguments.target}: {', '.join(MUTANTS[arguments.target])}")
    if arguments.input is None and importlib.util.find_spec("atheris") is None:
        parser.error("atheris is not here: pip install --group fuzz")
    one = fuzz if arguments.input is None else repeat
    verdicts = [one(target, arguments) for target in targets]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # the way to end what may go on for ever
        sys.exit(130)
