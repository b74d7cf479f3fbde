"""What is played, and what is aimed at: data only.

*In flight* counts messages, over all senders of a room together: those handed to the kernel, less
the deliveries that have come back divided by the receivers of each. So *burst* keeps 64 messages on
their way in all, about six for each of its ten senders, and not 640. The senders take turns.
"""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["window", "flood", "idle", "join"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One situation.

    Attributes:
        name: what it is called in tables.
        summary: what happens, for people.
        mode: how the load is driven. "window": a message leaves when another has arrived everywhere.
            "flood": as fast as the server reads. "idle": not at all. "join": everybody enters at once.
        people: connections, evenly spread over the rooms.
        rooms: how many.
        senders: people of each room that send; the rest only read.
        window: messages in flight in each room.
        probe: one more person sends single messages, and only their latency is taken.
        slow: one more person stops to read when the measurement begins.
        size: octets of the text of each message.
        history: messages that the room has before anybody else joins.
        baseline: the scenario that this one is compared with.
    """

    name: str
    summary: str
    mode: Mode = "window"
    people: int
    rooms: int = 1
    senders: int = 1
    window: int = 1
    probe: bool = False
    slow: bool = False
    size: int = 64
    history: int = 0
    baseline: str | None = None


SCENARIOS = (
    Scenario(name="trickle", summary="200 members, one message in flight", people=200),
    Scenario(
        name="burst", summary="200 members, 10 senders, 64 in flight", people=200, senders=10, window=64
    ),
    Scenario(
        name="big", summary="1,000 members, 10 senders, 64 in flight", people=1000, senders=10, window=64
    ),
    Scenario(
        name="rooms",
        summary="500 people in 50 rooms, all sending, one message each in flight",
        people=500,
        rooms=50,
        senders=10,
        window=10,
    ),
    Scenario(name="tiny", summary="10 people, all sending, 100 in flight", people=10, senders=10, window=100),
    Scenario(name="idle", summary="9,000 connections, ten to a room", mode="idle", people=9000, rooms=900),
    Scenario(
        name="join",
        summary="1,000 people join one room at once, 100 messages of history each",
        mode="join",
        people=1000,
        history=100,
    ),
    Scenario(
        name="calm",
        summary="50 members, 10 senders, 64 in flight, 400 octets each",
        people=50,
        senders=10,
        window=64,
        size=400,
    ),
    Scenario(
        name="slow",
        summary="as calm, and one more who never reads",
        people=50,
        senders=10,
        window=64,
        size=400,
        slow=True,
        baseline="calm",
    ),
    Scenario(
        name="fair",
        summary="50 members, 10 senders at full speed, an eleventh's single messages",
        mode="flood",
        people=50,
        senders=10,
        probe=True,
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@dataclass(frozen=True, slots=True)
class Target:
    """A figure to reach.

    Attributes:
        scenario: where.
        key: of which figure; see `benchmarks.figures.Figures`.
        limit: the most it may be.
        unit: what the limit counts.
        against: the peer, or with "baseline" the scenario, that it is divided by; None: as it is.
    """

    scenario: str
    key: str
    limit: float
    unit: str = "×"  # noqa: RUF001 -- the sign for "times"
    against: str | None = None


TARGETS = (
    Target("trickle", "cpu", 0.9, against="ngircd"),
    Target("trickle", "cpu", 1.3, against="floor"),
    Target("trickle", "p99", 3000.0, "µs"),
    Target("burst", "cpu", 0.35, against="ngircd"),
    Target("burst", "cpu", 1.8, against="floor"),
    Target("big", "cpu", 0.25, against="ngircd"),
    Target("big", "cpu", 1.8, against="floor"),
    Target("rooms", "cpu", 1.0, against="ngircd"),
    Target("tiny", "cpu", 0.8, against="ngircd"),
    Target("tiny", "cpu", 2.0, against="floor"),
    Target("idle", "memory_each", 12.0, "KiB"),
    Target("slow", "p99", 1.2, against="baseline"),
    Target("fair", "p99", 50_000.0, "µs"),
)
