"""What a person sees of a fault in the screen, when the terminal is theirs again."""

import sys

import pytest
import trio
import urwid

from triochat.screen import crash
from triochat.screen.crash import Report, told


class FaultError(Exception):
    """One on purpose."""


def pressed(key: str) -> None:
    raise FaultError(key)


async def nested(key: str, depth: int) -> None:
    async with trio.open_nursery():
        if depth:
            await nested(key, depth - 1)
        urwid.MainLoop(urwid.SolidFill(), unhandled_input=pressed).unhandled_input(key)  # type: ignore[arg-type]


def raised(depth: int = 4) -> BaseException:
    try:
        trio.run(nested, "x", depth)
    except BaseException as error:
        return error
    raise AssertionError


def test_of_a_group_only_the_fault_is_told_and_of_its_way_only_what_is_ours() -> None:
    lines = list(told(raised()))
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == f"{__name__}.FaultError: x"
    text = "\n".join(lines)
    assert text.count("Traceback") == 1
    assert "Group" not in text
    assert "in nested" in text
    assert "in pressed\n    raise FaultError(key)" in text
    assert "urwid/event_loop" not in text.replace("\\", "/")


def test_where_it_was_raised_is_told_wherever_that_is() -> None:
    try:
        trio.CapacityLimiter(-1)
    except ValueError as error:
        lines = list(told(error))
    place = [line for line in lines if line.startswith("  File")]
    assert "_sync.py" in place[-1]
    assert len(place) == 2


def test_each_fault_of_several_and_what_it_comes_from() -> None:
    first, second = FaultError("one"), FaultError("two")
    second.__cause__ = KeyError("three")
    text = "\n".join(told(ExceptionGroup("", [ExceptionGroup("", [first]), second])))
    assert text.index("FaultError: one") < text.index("KeyError: 'three'") < text.index("FaultError: two")


def test_what_was_said_cannot_command_the_terminal() -> None:
    text = "\n".join(told(FaultError("a\x1b[2Jb\x9b31m\nc")))
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert text.endswith("\nc")


def test_it_is_told_and_what_is_to_be_done(capsys: pytest.CaptureFixture[str]) -> None:
    error = raised()
    Report(sys.__excepthook__)(type(error), error, error.__traceback__)
    told_there = capsys.readouterr().err.splitlines()
    assert told_there[-2] == f"{__name__}.FaultError: x"
    assert told_there[-1] == crash.SENTENCE
    assert len(told_there) < 24


def test_what_is_no_fault_is_told_as_ever() -> None:
    seen: list[object] = []
    report = Report(lambda *raised: seen.append(raised))
    error = KeyboardInterrupt()
    report(KeyboardInterrupt, error, None)
    assert seen == [(KeyboardInterrupt, error, None)]
