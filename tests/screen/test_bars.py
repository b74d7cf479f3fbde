import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.screen.seen import styles, text
from triochat.screen.bars import Status, StatusLine, TopicLine


def status(**told: object) -> StatusLine:
    line = StatusLine()
    line.show(Status(**told))  # type: ignore[arg-type]
    return line


def test_the_topic_stands_behind_the_name_and_is_cut() -> None:
    line = TopicLine()
    line.show("#dev", "lunch at\nnoon")
    assert text(line, (40,)) == ["#dev  lunch at⏎noon"]
    assert text(line, (12,)) == ["#dev  lunch…"]
    line.show("@bob", "")
    assert text(line, (12,)) == ["@bob"]


def test_all_there_is_to_tell() -> None:
    line = status(
        state="online",
        rtt_ms=12,
        nick="alice",
        name="#lobby",
        elsewhere=[("#dev", 3, 0), ("@bob", 1, 1)],
        note="2 not sent",
    )
    assert text(line, (70,)) == [
        " online 12 ms  alice  #lobby  2 not sent               @bob 1  #dev 3",
    ]
    found = styles(line, (70,))
    assert found["@bob 1"] == found["2 not sent"] == "status.alert"
    assert found["#dev 3"] == "status"


def test_on_few_columns_the_connection_stays_and_mentions_do() -> None:
    elsewhere = [("#a", 1, 0), ("#b", 1, 0), ("#c", 1, 0), ("@bob", 2, 2), ("#d", 1, 0)]
    told = {"nick": "alice-with-a-long-name", "name": "#lobby", "elsewhere": elsewhere}
    online = status(state="online", rtt_ms=7, **told)
    assert text(online, (40,)) == [" online 7 ms  #lobby   @bob 2  #a 1  +3"]
    offline = status(state="offline", retry_s=3, **told)
    assert text(offline, (40,)) == [" no connection, again in 3 s         +5"]
    assert text(offline, (20,)) == [" no connection,… +5"]


@pytest.mark.parametrize(
    ("told", "part"),
    [
        ({"state": "connecting"}, "connecting…"),
        ({"state": "offline"}, "no connection "),
        ({"state": "offline", "retry_s": 5}, "again in 5 s"),
        ({"state": "online"}, "online  "),
    ],
)
def test_the_state_of_the_connection(told: dict[str, object], part: str) -> None:
    line = status(nick="alice", **told)
    assert part in text(line, (60,))[0]
    assert set(styles(line, (60,)).values()) <= {"status", "status.alert"}


def test_nothing_is_drawn_again_that_is_the_same() -> None:
    line = status(nick="alice")
    before = line.render((40,))
    line.show(Status(nick="alice"))
    assert line.render((40,)) is before
    line.show(Status(nick="bob"))
    assert line.render((40,)) is not before


@given(st.text(), st.text(), st.integers(1, 90), st.integers(0, 5))
def test_whatever_is_told_it_is_one_row_of_that_width(one: str, other: str, width: int, many: int) -> None:
    line = TopicLine()
    line.show(one, other)
    assert len(text(line, (width,))) == 1
    for state in ("online", "offline"):
        told = status(state=state, nick=one, name=other, elsewhere=[(one, 1, 1)] * many, note=other)
        assert len(text(told, (width,))) == 1
