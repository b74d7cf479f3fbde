"""Clients that break a promise; see `tests.simulation.mutants`."""

import dataclasses
import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from triochat.client.calling import Caller
from triochat.client.happenings import RoomState
from triochat.client.link import Link
from triochat.client.memberships import Memberships, Roll
from triochat.client.state_file import State, StateFile
from triochat.protocol import events as e


@contextmanager
def forgets_what_it_had_to_say(_: random.Random) -> Iterator[None]:
    """A client that does not say what it finds in its file."""
    load = StateFile._load

    def ignore(file: StateFile) -> State | None:
        state = load(file)
        return None if state is None else dataclasses.replace(state, unsent=())

    with patch.object(StateFile, "_load", ignore):
        yield


@contextmanager
def forgets_how_far_it_had_come(_: random.Random) -> Iterator[None]:
    """A client that reads all again, whatever its file says."""
    load = StateFile._load

    def ignore(file: StateFile) -> State | None:
        state = load(file)
        return None if state is None else dataclasses.replace(state, rooms=dict.fromkeys(state.rooms, 0))

    with patch.object(StateFile, "_load", ignore):
        yield


@contextmanager
def tells_nobody_who_came_meanwhile(_: random.Random) -> Iterator[None]:
    """A client that does not say who came and went while it was away."""
    compare = Memberships.compare

    def silent(memberships: Memberships, state: RoomState, me: str) -> list[e.Event | RoomState]:
        compare(memberships, state, me)
        return [state]

    with patch.object(Memberships, "compare", silent):
        yield


@contextmanager
def fights_for_its_place(_: random.Random) -> Iterator[None]:
    """A client that takes its place back from another program that uses its session."""
    call = Caller.call

    async def take(caller: Caller, nick: str, *, takeover: bool = True) -> tuple[Link, e.Welcome]:
        return await call(caller, nick)

    with patch.object(Caller, "call", take):
        yield


@contextmanager
def tells_too_early_who_came(_: random.Random) -> Iterator[None]:
    """A client that says who comes into a room of which it has not said yet who is there."""
    note = Memberships._note

    def tell(memberships: Memberships, room: str, key: str, nick: str | None) -> bool:
        note(memberships, room, key, nick)
        return True

    with patch.object(Memberships, "_note", tell):
        yield


@contextmanager
def says_once_who_is_there(_: random.Random) -> Iterator[None]:
    """A client that does not say anew who is in a room when it is back."""
    compare = Memberships.compare

    def once(memberships: Memberships, state: RoomState, me: str) -> list[e.Event | RoomState]:
        told = compare(memberships, state, me)
        return [event for event in told if event != state or state.room not in memberships]

    with patch.object(Memberships, "compare", once):
        yield


@contextmanager
def forgets_the_topic(_: random.Random) -> Iterator[None]:
    """A client that says who is in a room, and not what it is about."""
    add = Roll.add

    def forget(roll: Roll, event: e.Event) -> RoomState | None:
        state = add(roll, event)
        return None if state is None else dataclasses.replace(state, topic="")

    with patch.object(Roll, "add", forget):
        yield
