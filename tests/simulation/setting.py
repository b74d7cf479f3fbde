"""What is drawn once for a simulation: who is there, what network and disk are like, what goes wrong."""

import random
from dataclasses import dataclass, replace

from triochat.config import ServerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is drawn once for a simulation.

    Attributes:
        rooms: that people go to.
        people: with a program; see `Person`.
        chatters: who speak the protocol by hand.
        typists: with netcat, who end their lines.
        tutorials: clients of 2019, who don't.
        doubles: who begin a program while they have one that runs.
        steady: the server goes on all the time, so whom it holds it does not forget; and it holds them long.
        lagging: people take nothing for a while now and then, and their clients hold but few events. (Not
            where the server is set back: what they take late would be of a log that is there no more.)
        strangers: who send junk, never read, or go at once.
        seconds: for which faults are injected.
        pause: seconds between two faults, on average.
        leisure: how much slower everybody is than where it is busy.
        retention: entries that are kept of each log.
        max_age: seconds for which they are kept; None: no limit.
        on_file: the journal is the real one in a file, not that in memory.
        set_back: the server is now and then set back to a back-up. (What is in a state file has no times, so
            those who have one would miss what was said under an id that they have seen.)
        narrow: with bounds that are soon reached; see `NARROW`.
        latency, jitter: of the network, at most.
        torn: see `Conditions`.
        small: how likely it is that a connection has a small buffer.
        slow: seconds that the journal takes at most, in good times.
        config: of the server.
    """

    rooms: int
    people: int
    chatters: int
    typists: int
    tutorials: int
    doubles: int
    steady: bool
    lagging: bool
    strangers: int
    seconds: float
    pause: float
    leisure: float
    retention: int
    max_age: float | None
    on_file: bool
    set_back: bool
    narrow: bool
    latency: float
    jitter: float
    torn: float
    small: float
    slow: float
    config: ServerConfig

    @classmethod
    def draw(cls, choose: random.Random) -> "Setting":
        """One of the many that there are: mostly a busy minute, now and then an hour."""
        long = choose.random() < 0.02
        setting = cls(
            rooms=choose.randint(1, 4),
            people=choose.randint(1, 6),
            chatters=choose.randint(0, 4),
            typists=choose.randint(0, 2),
            tutorials=choose.randint(0, 2),
            strangers=choose.choice((0, 0, 1, 3)),
            seconds=3600.0 if long else choose.choice((5.0, 5.0, 10.0, 10.0, 20.0, 20.0, 60.0)),
            pause=choose.choice((0.3, 1.0, 3.0, 10.0)) * (60 if long else 1),
            leisure=60.0 if long else 1.0,
            retention=choose.choice((10_000, 10_000, 10_000, 50, 5)),
            max_age=choose.choice((None, None, None, None, 15.0)),
            on_file=choose.random() < 0.4,
            set_back=choose.random() < 0.1,
            narrow=choose.random() < 0.7,
            latency=choose.choice((0.0, 0.001, 0.03, 0.5)),
            jitter=choose.choice((0.0, 0.001, 0.1, 1.0)),
            torn=choose.choice((0.0, 0.1, 0.5)),
            small=choose.choice((0.0, 0.0, 0.3)),
            slow=choose.choice((0.0, 0.001, 0.02, 0.5)),
            config=ServerConfig(
                rate_limit=choose.choice((1000.0, 1000.0, 20.0, 0.0, 5.0, 1.0)),
                grace=choose.choice((30.0, 5.0, 1.0)),
                backlog=choose.choice((65536, 1024 * 1024)),
                recent=choose.choice((0, 3, 20)),
            ),
            doubles=choose.choice((0, 0, 1)),
            steady=choose.random() < 0.2,
            lagging=choose.random() < 0.1,
        )
        if setting.set_back:
            setting = replace(setting, lagging=False)
        if setting.steady:
            return replace(setting, config=replace(setting.config, grace=30.0))
        return setting
