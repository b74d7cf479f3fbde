"""The process that fuzzes one target: ``python -m tests.fuzz.engine TARGET MUTANT FLAG…``.

The mutant may be empty; the flags are libFuzzer's. It is `tests.fuzz.__main__` that starts this, since
`atheris.Fuzz` does not return.
"""

import sys
from contextlib import nullcontext

import atheris

with atheris.instrument_imports(include=["triochat"]):  # whose branches are worth a new input
    from tests.fuzz.mutants import MUTANTS
    from tests.fuzz.targets import check


def main() -> None:
    """Fuzz until libFuzzer ends the process."""
    program, target, mutant, *flags = sys.argv
    with MUTANTS[target][mutant]() if mutant else nullcontext():
        atheris.Setup([program, *flags], lambda data: check(target, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
