"""All that a run has found, how the targets stand, and the same as JSON."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from benchmarks.figures import Figures, medians, spread
from benchmarks.scenarios import BY_NAME, TARGETS, Target

SUBJECT = "triochat"
REFERENCE = "ngircd"
FLOOR = "floor"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one target stands.

    Attributes:
        target: what is aimed at.
        value: the median; None if what it needs was not measured.
        best, worst: of all rounds.
    """

    target: Target
    value: float | None
    best: float = 0.0
    worst: float = 0.0

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if nobody knows: it lies between the rounds."""
        if self.value is None or self.best <= self.target.limit < self.worst:
            return None
        return self.value <= self.target.limit


@dataclass(slots=True)
class Results:
    """What has come of a run.

    Attributes:
        machine: what it ran on.
        command: how it was started.
        settings: rounds, seconds and the like.
        date: when, in UTC.
        versions: of the peers, where they have one.
        rounds: the figures by scenario, peer, round.
        failures: why a peer has none, or not all, by scenario and peer.
        people: how many were connected, by scenario, where the system did not allow all.
    """

    machine: dict[str, str]
    command: str
    settings: dict[str, str | int | float]
    date: str
    versions: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, dict[str, list[Figures]]] = field(default_factory=dict)
    failures: dict[str, dict[str, str]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)

    def add(self, scenario: str, peer: str, figures: Figures) -> None:
        """Keep the figures of one round."""
        self.rounds.setdefault(scenario, {}).setdefault(peer, []).append(figures)

    def fail(self, scenario: str, peer: str, why: str) -> None:
        """Keep why there are none."""
        self.failures.setdefault(scenario, {})[peer] = why

    def median(self, scenario: str, peer: str) -> Figures | None:
        """The medians over the rounds."""
        rounds = self.rounds.get(scenario, {}).get(peer)
        return medians(rounds) if rounds else None

    def spread(self, scenario: str, peer: str) -> float:
        """How far the rounds are apart in CPU per delivery, as a part of their median."""
        return spread(self.rounds[scenario][peer], "cpu")

    def ratio(self, scenario: str, peer: str, against: str) -> float | None:
        """CPU per delivery of one peer over that of another, round by round, and then the median.

        Rounds are interleaved, so both of a pair have met the same noise.
        """
        pairs = self._ratios(scenario, peer, against)
        return sorted(pairs)[len(pairs) // 2] if pairs else None

    def _ratios(self, scenario: str, peer: str, against: str) -> list[float]:
        ours = self.rounds.get(scenario, {}).get(peer, [])
        theirs = self.rounds.get(scenario, {}).get(against, [])
        return [
            a.cpu / b.cpu
            for a, b in zip(ours, theirs, strict=False)
            if b.cpu and not (a.stalled or b.stalled)
        ]

    def verdicts(self) -> Iterator[Verdict]:
        """How each target stands that belongs to a scenario of this run."""
        for target in TARGETS:
            if target.scenario in self.rounds:
                value = self._value(target)
                rounds = self._each(target) if value is not None else []
                yield Verdict(target, value, min(rounds, default=0.0), max(rounds, default=0.0))

    def _value(self, target: Target) -> float | None:
        mine = self.median(target.scenario, SUBJECT)
        if mine is None or mine.stalled:
            return None
        if target.against is None:
            return float(getattr(mine, target.key))
        if target.against == "baseline":
            other = self.median(BY_NAME[target.scenario].baseline or "", SUBJECT)
            if other is None:
                return None
            base = float(getattr(other, target.key))
            return float(getattr(mine, target.key)) / base if base else None
        return self.ratio(target.scenario, SUBJECT, target.against)

    def _each(self, target: Target) -> list[float]:
        """The same in each round."""
        mine = [float(getattr(one, target.key)) for one in self.rounds[target.scenario][SUBJECT]]
        if target.against is None:
            return mine
        if target.against == "baseline":
            others = self.rounds[BY_NAME[target.scenario].baseline or ""][SUBJECT]
            bases = [float(getattr(one, target.key)) for one in others]
            return [one / base for one, base in zip(mine, bases, strict=False) if base]
        return self._ratios(target.scenario, SUBJECT, target.against)

    def to_json(self) -> str:
        """Everything, the rounds too."""
        scenarios = {
            name: {
                "summary": BY_NAME[name].summary,
                "people": self.people.get(name, BY_NAME[name].people),
                "peers": {
                    peer: {
                        "median": asdict(medians(rounds)),
                        "against ngircd": self.ratio(name, peer, REFERENCE),
                        "against the floor": self.ratio(name, peer, FLOOR),
                        "rounds": [asdict(figures) for figures in rounds],
                    }
                    for peer, rounds in peers.items()
                },
                "without": self.failures.get(name, {}),
            }
            for name, peers in self.rounds.items()
        }
        targets = [
            {
                **asdict(verdict.target),
                "value": verdict.value,
                "best": verdict.best,
                "worst": verdict.worst,
                "met": verdict.met,
            }
            for verdict in self.verdicts()
        ]
        document = {
            "command": self.command,
            "date": self.date,
            "machine": self.machine,
            "settings": self.settings,
            "versions": self.versions,
            "scenarios": scenarios,
            "targets": targets,
        }
        return json.dumps(document, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` has written. Medians, ratios and verdicts are reckoned again.

        Raises:
            KeyError, TypeError, ValueError: it is something else, or knows scenarios that are no more.
        """
        document: dict[str, Any] = json.loads(text)
        results = cls(
            machine=document["machine"],
            command=document["command"],
            settings=document["settings"],
            date=document["date"],
            versions=document["versions"],
        )
        for name, scenario in document["scenarios"].items():
            results.rounds[name] = {
                peer: [Figures(**figures) for figures in kept["rounds"]]
                for peer, kept in scenario["peers"].items()
            }
            if scenario["without"]:
                results.failures[name] = scenario["without"]
            if scenario["people"] != BY_NAME[name].people:
                results.people[name] = scenario["people"]
        return results
