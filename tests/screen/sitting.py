"""Somebody in front of a whole full-screen client, and somebody else in the same rooms.

The server is a real one; network and terminal are in memory, and the clock is virtual. It jumps only when
nothing has happened for a moment of real time, since urwid does not draw before a wait that takes no time.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.client.network import Network, network
from tests.screen.terminal import Key, Terminal
from triochat.client import ChatClient, ConnectionLost
from triochat.client.opening import open_client_by
from triochat.config import ClientConfig
from triochat.journal.interface import Draft
from triochat.screen import app as app_module
from triochat.screen.app import App, converse
from triochat.screen.keys import Keys
from triochat.screen.theme import Theme

SESSION: Final = "ab" * 16
MOMENT: Final = 0.001
"""Real seconds in which nothing happens when there is nothing to do."""
NOON: Final = 1_789_992_000_000
"""Unix milliseconds of some moment, at which it is the same day in every time zone but the outermost."""


@dataclass
class Person:
    """Alice, at a terminal; and Bob.

    Attributes:
        farewell: what Alice left with; None while she is here.
        lost: why she had to.
        unsubmitted: lines that the connection never had then.
    """

    net: Network
    chat: ChatClient
    bob: ChatClient
    terminal: Terminal
    farewell: str | None = None
    lost: ConnectionLost | None = None
    unsubmitted: int | None = None
    apps: list[App] = field(default_factory=list)

    @property
    def app(self) -> App:
        """What she looks at."""
        return self.apps[-1]

    async def press(self, *keys: Key) -> None:
        """Press keys one after the other, and see what comes of each."""
        for key in keys:
            self.terminal.press(key)
            await settled()

    async def type(self, text: str, *, enter: bool = True) -> None:
        """Type this at the speed of a person, and send it."""
        for key in text:
            self.terminal.press(key)
        await settled()
        if enter:
            await self.press("enter")

    async def resize(self, columns: int, rows: int) -> None:
        self.terminal.resize(columns, rows)
        await settled()

    async def until(self, part: str) -> None:
        """Let virtual time pass until this is to be seen."""
        with trio.fail_after(60):
            while part not in self.text:
                await trio.sleep(1)
                await settled()

    def unsent(self) -> int:
        """Lines that are not known to be kept, when she has left."""
        assert self.unsubmitted is not None
        return self.unsubmitted + self.chat.statistics().unkept

    def reason(self) -> str | None:
        """Why she had to leave; None if she did not."""
        return None if self.lost is None else self.lost.reason

    @property
    def text(self) -> str:
        return self.terminal.text

    def sees(self, *parts: str) -> bool:
        return all(part in self.text for part in parts)


async def settled() -> None:
    """All that was under way has arrived, and is drawn; no virtual time passes."""
    await wait_all_tasks_blocked(MOMENT)


@asynccontextmanager
async def sitting(
    monkeypatch: pytest.MonkeyPatch,
    *,
    size: tuple[int, int] = (100, 24),
    config: ClientConfig | None = None,
    past: dict[str, list[str]] | None = None,
    apart: int = 1,
    keys: Keys | None = None,
) -> AsyncIterator[Person]:
    """A conversation in #dev, or where `config` says. Carol said this in the past, every `apart` ms."""
    apps: list[App] = []

    class Known(App):
        def __init__(self, *args: object) -> None:
            super().__init__(*args)  # type: ignore[arg-type]
            apps.append(self)

    monkeypatch.setattr(app_module, "App", Known)
    terminal = Terminal(*size)
    async with network() as net:
        if past:
            await net.stop(gently=True)
            for room, texts in past.items():
                for number, text in enumerate(texts):
                    await net.journal.append(
                        [Draft(room, "message", room, "carol", (text,), NOON + number * apart)]
                    )
            await net.start()
        async with (
            open_client_by(net.dial, nick="bob", jitter=lambda _, high: high) as bob,
            open_client_by(net.dial, nick="alice", session=SESSION, jitter=lambda _, high: high) as chat,
            trio.open_nursery() as nursery,
        ):
            person = Person(net, chat, bob, terminal, apps=apps)

            def note(count: int) -> None:
                person.unsubmitted = count

            async def run() -> None:
                try:
                    person.farewell = await converse(
                        chat,
                        config or ClientConfig(room="#dev"),
                        tell_unsent=note,
                        keys=keys or Keys(),
                        theme=Theme(),
                        screen=terminal,
                        now=lambda: NOON,
                    )
                except ConnectionLost as lost:
                    person.lost = lost

            nursery.start_soon(run)
            await settled()
            yield person
            nursery.cancel_scope.cancel()
