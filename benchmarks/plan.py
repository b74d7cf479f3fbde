"""What the load generator is to do, as the lines that it reads on its standard input.

The generator knows no protocol. It is told what to send and what to wait for, so that one generator
serves every server: see the templates in `Speech`, where ``{n}`` stands for the number of a person,
``{r}`` for the number of a room, and ``{secret}`` for a session of the framed dialect.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.scenarios import Scenario

OFTEN = 17
"""One in so many deliveries has its latency taken, where there are millions; a prime hits all members."""

Step = tuple[str, str]
"""A line to send, or nothing, and what must have come before the next one; either may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """How to talk to a server.

    Attributes:
        login: what a person says to be known.
        join: what it says to enter a room.
        say: what stands in front of the text of a message.
        echo: whether a sender receives its own message.
        tagged: whether each message gets a tag and so an acknowledgement.
        seed: what to send and wait for to leave message ``{i}`` in the history; None if there is none.
        catch_up: what to say to enter and be given the history.
    """

    login: tuple[Step, ...] = ()
    join: Step = ("", "")
    say: str = ""
    echo: bool = True
    tagged: bool = False
    seed: Step | None = None
    catch_up: Step | None = None


def write_plan(
    scenario: Scenario, speech: Speech, *, port: int, warmup: float, seconds: float, spin: bool
) -> str:
    """The plan, from the first line to ``end``.

    Args:
        scenario: what happens.
        speech: how to say it.
        port: where the server listens.
        warmup: seconds of load before the measurement.
        seconds: of the measurement.
        spin: never sleep, so that no server pays for waking the generator.
    """
    settings = {
        "port": port,
        "mode": scenario.mode,
        "warmup": warmup,
        "seconds": seconds,
        "window": scenario.window,
        "echo": int(speech.echo),
        "tagged": int(speech.tagged),
        "rooms": scenario.rooms,
        "sample": 1 if scenario.window == 1 else OFTEN,
        "size": scenario.size,
        "spin": int(spin),
    }
    lines = [f"{key} {value}" for key, value in settings.items()]
    for n in range(scenario.people + scenario.probe + scenario.slow):
        lines.extend(_person(scenario, speech, n))
    return "\n".join([*lines, "end", ""])


def _person(scenario: Scenario, speech: Speech, n: int) -> Iterator[str]:
    r = n % scenario.rooms
    extra = n >= scenario.people
    flags = "s" if not extra and n // scenario.rooms < scenario.senders else "-"
    if extra:
        flags = "p" if scenario.probe else "z"
    names = {"n": n, "r": r, "secret": f"{n + 1:032x}"}
    yield f"client {r} {flags}"
    yield f"say {speech.say.format(**names)}"
    steps = [*speech.login]
    last = "join" if scenario.mode == "join" else "step"
    join = speech.join
    if last == "join" and speech.seed is not None and speech.catch_up is not None:
        if n == 0:
            steps.append(speech.join)
            steps.extend(_seed(speech.seed, scenario))
            last = ""
        join = speech.catch_up
    for send, expect in steps:
        yield f"step {send.format(**names)}\t{expect.format(**names)}"
    if last:
        yield f"{last} {join[0].format(**names)}\t{join[1].format(**names)}"


def _seed(step: Step, scenario: Scenario) -> Iterator[Step]:
    text = "0" * 16 + "x" * (scenario.size - 17) + "%"
    for i in range(scenario.history):
        yield step[0].format(i=i, text=text), step[1].format(i=i)
