"""Clients that break one promise each, to see that it is noticed: ``python client_mutants.py NAME client …``.

They are the real client but for one function around its state file.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from triochat.cli import main
from triochat.client import state_file
from triochat.client.state_file import State, StateFile
from triochat.client.state_keeping import StateKeeping


def hasty() -> None:
    """It sends at once, and writes to the file when there is time."""

    def call_now(keeping: StateKeeping, act: Callable[[], None]) -> None:
        act()
        keeping.touch()

    StateKeeping.call_when_safe = call_now  # type: ignore[assignment, method-assign]


def forgetful() -> None:
    """It does not remember under which tags it said what it finds in the file."""
    read = state_file._read
    numbers = count(time.time_ns())  # none of which one before it has used

    def forget(content: object) -> State:
        state = read(content)
        return replace(state, unsent=tuple(replace(one, tag=f"new{next(numbers)}") for one in state.unsent))

    state_file._read = forget


def idle() -> None:
    """It does not say what it finds in the file."""
    load = StateFile._load

    def ignore(file: StateFile) -> State | None:
        state = load(file)
        return None if state is None else replace(state, unsent=())

    StateFile._load = ignore  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    {"hasty": hasty, "forgetful": forgetful, "idle": idle}[sys.argv.pop(1)]()
    main()
