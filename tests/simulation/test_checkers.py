"""Each checker on a record that is made up: it finds what is wrong, and nothing else."""

from typing import Any

import pytest

from tests.simulation.checkers import broken
from tests.simulation.record import ANEW, Anew, Asked, Record, Restored, Seen, Skipped, Stay, Typed, Witness


@pytest.fixture
def record() -> Record:
    """Two people in one room, to whom nothing bad has happened."""
    log = [Seen(number, "message", "p1", f"p1.{number}") for number in range(1, 5)]
    record = Record(logs={"#one": log}, oldest={"#one": 1}, members={"#one": ("p1", "c1", "auditor")})
    for name in ("p1", "c1"):
        witness = Witness(name, nick=name, rooms=("#one",), stays={"#one": [Stay(1)]})
        witness.view("#one").extend(log[1:])
        record.witnesses.append(witness)
    speaker = record.witnesses[0]
    speaker.said = {entry.text: "#one" for entry in log}
    speaker.kept = {entry.text: ("#one", entry.id) for entry in log}
    record.witnesses[1].people = {"#one": {"p1", "c1"}}
    assert broken(record) == {}
    return record


def finds(record: Record, *checkers: str) -> None:
    assert set(broken(record)) == set(checkers)


def test_kept_twice(record: Record) -> None:
    record.logs["#two"] = [Seen(1, "message", "p1", "p1.3")]
    record.oldest["#two"] = 1
    finds(record, "kept_once")


def test_acknowledged_and_not_kept(record: Record) -> None:
    record.witnesses[0].said["p1.9"] = "#one"
    record.witnesses[0].kept["p1.9"] = "#one", 9
    finds(record, "kept_once")


def test_acknowledged_under_another_id(record: Record) -> None:
    record.witnesses[0].kept["p1.2"] = "#one", 3
    finds(record, "kept_once")


def test_refused_and_kept(record: Record) -> None:
    del record.witnesses[0].kept["p1.2"]
    record.witnesses[0].refused["p1.2"] = "not-in-room"
    finds(record, "kept_once")


def test_seen_otherwise(record: Record) -> None:
    record.witnesses[1].views["#one"][1] = Seen(3, "message", "p1", "p1.2")
    finds(record, "one_order")


def test_seen_twice(record: Record) -> None:
    view = record.witnesses[1].views["#one"]
    view.insert(1, view[0])
    finds(record, "one_order")
    view.insert(1, ANEW)
    finds(record)


def test_a_hole(record: Record) -> None:
    del record.witnesses[1].views["#one"][1]
    finds(record, "no_holes")
    record.witnesses[1].views["#one"].insert(1, Skipped(3, 3))
    finds(record, "no_holes")
    record.oldest["#one"] = 4
    del record.logs["#one"][:3]  # type: ignore[attr-defined]
    finds(record)


def test_missed_the_end(record: Record) -> None:
    del record.witnesses[1].views["#one"][-1]
    finds(record, "no_holes")
    record.witnesses[1].stays["#one"] = [Stay(1, until=3)]
    finds(record)


def test_said_to_one_alone_and_never_shown(record: Record) -> None:
    sender, to = record.witnesses
    to.attentive = True
    sender.said["p1.9"] = "@c1"
    sender.kept["p1.9"] = "@c1", 1
    sender.private["p1.9"] = 10.0
    record.logs["@c1"] = [Seen(1, "message", "p1", "p1.9")]
    record.oldest["@c1"] = 1
    finds(record, "private_arrives")
    record.gone["c1"] = 11.0
    finds(record)
    record.gone["c1"] = 9.0
    finds(record, "private_arrives")
    record.started = 11.0
    finds(record)
    record.started = 0.0
    to.view("@c1").extend(record.logs["@c1"])
    finds(record)


def test_told_to_have_left_though_it_came_back(record: Record) -> None:
    witness, other = record.witnesses
    record.grace = 30.0
    other.lefts[witness.name] = 1
    finds(record)
    witness.absent = 20.0
    finds(record, "held")
    witness.absent = 26.0
    finds(record)
    witness.absent = 0.0
    record.faults["restart"] = 1
    finds(record)


def test_said_to_the_one_who_had_the_nick_before(record: Record) -> None:
    sender, to = record.witnesses
    sender.said["p1.9"] = "@guest-1"
    sender.kept["p1.9"] = "@guest-1", 1
    sender.told["p1.9"] = 10.0
    record.logs["@guest-1"] = [Seen(1, "message", "p1", "p1.9")]
    record.oldest["@guest-1"] = 1
    to.view("@guest-1").extend(record.logs["@guest-1"])
    to.names["guest-1"] = 9.0
    finds(record)
    to.names["guest-1"] = 11.0
    finds(record, "private")


def test_left_in_a_file_and_never_sent(record: Record) -> None:
    record.witnesses[0].owed["p1.9"] = "#one"
    finds(record, "resent")
    record.witnesses[0].owed = {"p1.2": "#one"}
    finds(record)


def test_what_was_taken_back_was_another_log(record: Record) -> None:
    """Ids 3 and 4 were others' before the server was set back to 2."""
    view = record.witnesses[1].views["#one"]
    view[1:1] = [Seen(3, "message", "p2", "p2.1"), Seen(4, "message", "p2", "p2.2")]
    finds(record, "one_order")
    view.insert(3, Restored(kept=2, seen=2))
    finds(record)
    view.insert(4, view[0])
    finds(record, "one_order")


def test_what_was_heard_before_a_server_was_set_back_is_no_excuse_for_a_hole(record: Record) -> None:
    witness = record.witnesses[1]
    witness.attentive = True
    witness.set_back({"#one": 2}, {"#one": 1})
    assert [(stay.after, stay.until) for stay in witness.stays["#one"]] == [(2, None)]
    finds(record, "no_holes")
    witness.view("#one").extend(record.logs["#one"][2:])
    finds(record)


def test_read_twice_at_netcat(record: Record) -> None:
    view = _typist(record).view("#lobby")
    view.append(view[-1])
    finds(record, "once_at_netcat")
    view.insert(-1, ANEW)
    finds(record)


def test_read_as_somebody_elses(record: Record) -> None:
    _typist(record).view("#lobby")[0] = Seen(0, "message", "p2", "p1.2")
    finds(record, "once_at_netcat")


def test_a_line_that_nobody_read(record: Record) -> None:
    view = _typist(record).view("#lobby")
    del view[1]
    finds(record, "all_at_netcat")
    view.insert(1, ANEW)
    finds(record)
    view[1] = Skipped(3, 3)
    finds(record)


def test_the_last_line_that_nobody_read(record: Record) -> None:
    typist = _typist(record)
    del typist.view("#lobby")[-1]
    finds(record)
    typist.typed[-1].here = True
    finds(record, "all_at_netcat")
    typist.view("#lobby").append(ANEW)
    finds(record)


def test_typed_and_not_heard(record: Record) -> None:
    typist = _typist(record)
    typist.typed[-1].texts[:] = ["p1.1", "t1.9", "p1.3"]
    finds(record, "typed_is_kept")
    typist.typed[-1].refused = 1
    finds(record)
    typist.typed[-1] = Typed(["p1.1", "t1.9"])
    finds(record)
    typist.typed[-1].here = True
    finds(record, "typed_is_kept")
    typist.typed[-1].untold = True
    finds(record)


def _typist(record: Record) -> Witness:
    """Somebody who reads in the lobby what was said in room one."""
    record.logs["#lobby"], record.oldest["#lobby"] = record.logs.pop("#one"), record.oldest.pop("#one")
    record.members["#lobby"] = record.members.pop("#one")
    for witness in record.witnesses:
        witness.rooms = ("#lobby",)
        witness.kept = {text: ("#lobby", number) for text, (_, number) in witness.kept.items()}
        witness.views = {"#lobby": witness.view("#one")}
        witness.stays = {"#lobby": witness.stays["#one"]}
        if "#one" in witness.people:
            witness.people = {"#lobby": witness.people["#one"]}
    typist = Witness("t1", typed=[Typed()])
    typist.view("#lobby").extend(Seen(0, "message", "p1", f"p1.{number}") for number in range(2, 5))
    record.witnesses.append(typist)
    assert broken(record) == {}
    return typist


def test_shown_to_somebody_else(record: Record) -> None:
    record.logs["@p1"] = [Seen(1, "message", "p2", "psst")]
    record.oldest["@p1"] = 1
    record.witnesses[1].view("@p1").append(record.logs["@p1"][0])
    finds(record, "private")


def test_ids_with_holes(record: Record) -> None:
    record.logs["#two"] = [Seen(1, "message", "p1", "a"), Seen(3, "message", "p1", "b")]
    record.oldest["#two"] = 1
    finds(record, "ids_in_a_row")


def test_not_where_it_believes_to_be(record: Record) -> None:
    record.witnesses[0].rooms = ()
    finds(record, "presence")


def test_there_twice(record: Record) -> None:
    record.members["#one"] = ("p1", "c1", "P1")
    finds(record, "presence")


def test_knows_of_somebody_who_has_gone(record: Record) -> None:
    record.witnesses[1].people["#one"].add("p2")
    finds(record, "presence")


def test_two_under_one_nick(record: Record) -> None:
    record.witnesses.append(Witness("p2", nick="P1", rooms=("#one",)))
    finds(record, "presence")


@pytest.mark.parametrize(
    ("where", "checker"),
    [
        ("left_over", "nothing_left"),
        ("bounds", "within_bounds"),
        ("complaints", "no_complaints"),
        ("unfinished", "everything_ended"),
    ],
)
def test_what_the_world_noticed(record: Record, where: str, checker: str) -> None:
    getattr(record, where).append("something")
    finds(record, checker)


def test_what_a_witness_noticed(record: Record) -> None:
    record.witnesses[0].faults.append("something")
    finds(record, "said_by_witnesses")


def answer(*ids: int | Skipped, limit: int = 20, reach: int = 4, **bounds: Any) -> Asked:  # noqa: ANN401
    """These entries of room one."""
    entries = [Seen(one, "message", "p1", f"p1.{one}") if isinstance(one, int) else one for one in ids]
    return Asked("#one", entries, limit, reach, **bounds)


@pytest.mark.parametrize(
    "asked",
    [
        answer(limit=3, reach=4),
        answer(2, 3, limit=3, reach=3),
        answer(2, 4, limit=3, reach=3),
        answer(1, 2, limit=3, reach=4, before=4),
        answer(2, 3, 4, limit=3, reach=4, before=4),
        answer(3, 4, limit=3, reach=4, after=1),
        answer(2, 3, limit=3, reach=4, after=1),
        answer(Skipped(1, 1), 2, 3, 4, limit=4, reach=4),
        answer(4, 2, limit=3, reach=4, word="p1"),
        answer(3, 4, limit=2, reach=4, word="p1"),
        answer(4, 3, 2, 1, limit=4, reach=4, word="p2"),
    ],
)
def test_an_answer_that_is_not_whole(record: Record, asked: Asked) -> None:
    record.witnesses[1].asked.append(asked)
    finds(record, "answers_are_whole")


@pytest.mark.parametrize(
    "asked",
    [
        answer(2, 3, 4, limit=3, reach=3),
        answer(1, 2, 3, limit=20, reach=4, before=4),
        answer(1, limit=20, reach=1),
        answer(limit=20, reach=3, after=3),
        answer(4, 3, limit=2, reach=4, word="p1"),
        answer(limit=2, reach=4, word="p2"),
    ],
)
def test_an_answer_that_is_whole(record: Record, asked: Asked) -> None:
    record.witnesses[1].asked.append(asked)
    finds(record)


def test_an_answer_that_is_not_true(record: Record) -> None:
    entries = [record.logs["#one"][0], Seen(2, "message", "p1", "p1.9")]
    record.witnesses[1].asked.append(Asked("#one", entries, limit=2, reach=2, before=3))
    finds(record, "answers_are_whole")


def test_what_stands_in_its_file_is_not_shown_again(record: Record) -> None:
    view = record.witnesses[1].views["#one"]
    view.append(Anew(3))
    view.append(record.logs["#one"][3])
    finds(record)
    view.insert(-1, record.logs["#one"][2])
    finds(record, "one_order")
