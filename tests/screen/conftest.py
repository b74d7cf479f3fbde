from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeAlias

import pytest
import urwid
from trio.testing import MockClock

from tests.screen.sitting import MOMENT, Person, sitting

Sit: TypeAlias = Callable[..., AbstractAsyncContextManager[Person]]


@pytest.fixture(autouse=True)
def utf8() -> Iterator[None]:
    """What urwid takes from the locale, which may be any where the tests run."""
    before = urwid.str_util.get_byte_encoding()
    urwid.set_encoding("utf-8")
    yield
    urwid.set_encoding({"utf8": "utf-8", "narrow": "ascii", "wide": "euc-jp"}[before])


@pytest.fixture
def clock() -> MockClock:
    """A virtual clock that leaves urwid the time to draw before it jumps."""
    return MockClock(autojump_threshold=MOMENT)


@pytest.fixture
def sit(clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> Sit:
    """Begin a conversation; see `tests.screen.sitting.sitting`."""
    return partial(sitting, monkeypatch)
