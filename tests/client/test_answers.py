import pytest

from triochat.client.answers import EnteredRoom, entered, entries, kept_id, nicks
from triochat.client.errors import ClientError
from triochat.client.happenings import untagged
from triochat.protocol import events as e


def message(number: int, tag: str | None = "t") -> e.Message:
    return e.Message(target="#dev", id=number, ms=0, nick="bob", text="x", tag=tag)


GAP = e.Gap("#dev", 1, 3, tag="t")
TOPIC = e.TopicSet(room="#dev", id=4, ms=0, nick="bob", text="lunch", tag="t")


def test_a_room_that_was_entered() -> None:
    answer = [
        e.RoomInfo("#dev", 3, 5, "lunch", tag="t"),
        e.NameList("#dev", ("alice", "bob"), tag="t"),
        e.NameList("#dev", ("carol",), tag="t"),
        GAP,
        TOPIC,
        message(5),
        e.Ok(5, tag="t"),
    ]
    assert entered("#dev", answer) == EnteredRoom(
        room="#dev",
        nicks=("alice", "bob", "carol"),
        last=5,
        topic="lunch",
        missed=(untagged(GAP), untagged(TOPIC), message(5, None)),
    )


def test_an_answer_that_lacks_what_should_be_in_it() -> None:
    room = entered("#dev", [e.Ok(0, tag="t")])
    assert (room.nicks, room.topic, room.missed) == ((), "", ())


def test_junk_between_the_frames_is_not_taken_for_entries_or_names() -> None:
    answer = [e.Joined("#dev", "bob"), e.Pong(tag="t"), message(1), e.Ok(1, tag="t")]
    assert entries(answer) == (message(1, None),), "as it is when it is told of"
    assert nicks(answer) == ()


@pytest.mark.parametrize("last", [e.Ok(tag="t"), e.Pong(tag="t"), message(7)])
def test_no_id_behind_ok(last: e.Event) -> None:
    with pytest.raises(ClientError, match="under which id"):
        kept_id([e.Ok(3, tag="t"), last])


def test_the_id_behind_ok() -> None:
    assert kept_id([message(1), e.Ok(7, tag="t")]) == 7
