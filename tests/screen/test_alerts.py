"""What asks for attention, on terminals of all kinds."""

import io

import pytest
import urwid

from triochat.screen.alerts import PAUSE, Alerts


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("encoding", "seen"),
    [
        ("utf-8", "caf\xe9 \u4f60\u597d"),
        ("latin-1", "caf\xe9 ??"),
        ("iso8859-15", "caf\xe9 ??"),
        ("ascii", "caf? ??"),
    ],
)
def test_what_the_terminal_has_no_character_for(encoding: str, seen: str) -> None:
    octets = io.BytesIO()
    output = io.TextIOWrapper(octets, encoding=encoding)
    screen = urwid.display.raw.Screen(output=output)
    Alerts(screen, bell=True, notify="osc9", encoding=encoding, now=Clock()).ring(
        "bob", "caf\xe9 \u4f60\u597d"
    )
    assert octets.getvalue().decode(encoding) == f"\a\x1b]9;bob: {seen}\a"


def test_it_is_quiet_for_a_moment_behind_a_ring() -> None:
    octets, clock = io.BytesIO(), Clock()
    screen = urwid.display.raw.Screen(output=io.TextIOWrapper(octets, encoding="utf-8"))
    alerts = Alerts(screen, bell=True, notify="off", now=clock)
    for _ in range(100):
        alerts.ring("bob", "alice!")
    assert octets.getvalue() == b"\a"
    clock.seconds = PAUSE
    alerts.ring("bob", "alice!")
    assert octets.getvalue() == b"\a\a"


def test_what_rings_nothing_makes_nothing_quiet() -> None:
    octets = io.BytesIO()
    screen = urwid.display.raw.Screen(output=io.TextIOWrapper(octets, encoding="utf-8"))
    alerts = Alerts(screen, bell=False, notify="off", now=Clock())
    alerts.ring("bob", "alice!")
    alerts.bell = True
    alerts.ring("bob", "alice!")
    assert octets.getvalue() == b"\a"
