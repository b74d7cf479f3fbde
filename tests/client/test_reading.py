from triochat.client.cursor_file import Place
from triochat.client.reading import Reading
from triochat.protocol import events as e


def said(number: int, ms: int) -> e.Message:
    return e.Message(target="#dev", id=number, ms=ms, nick="alice", text=f"text {number}")


def test_a_place_is_that_of_the_last_entry() -> None:
    reading = Reading("#dev")
    assert reading.place == Place(0, 0)
    assert reading.advance(said(1, 100))
    assert reading.advance(e.TopicSet(room="#dev", id=2, ms=200, nick="alice", text="lunch"))
    assert reading.place == Place(2, 200)
    assert reading.advance(e.Gap("#dev", 3, 9))
    assert reading.place == Place(9, 0)


def test_of_a_log_that_was_set_back_only_what_is_new_counts() -> None:
    reading = Reading("#dev")
    for number in range(1, 5):
        reading.advance(said(number, number * 100))
    reading.begin_anew()
    assert [reading.advance(said(1, 100)), reading.advance(said(2, 200))] == [False, False]
    assert [reading.advance(said(3, 900)), reading.advance(said(4, 901))] == [True, True]
    assert reading.place == Place(4, 901)


def test_of_another_log_everything_is_new() -> None:
    reading = Reading("#dev")
    reading.go_to(Place(4, 400))
    reading.begin_anew()
    assert [reading.advance(said(1, 500)), reading.advance(said(2, 600))] == [True, True]


def test_a_gap_of_a_log_that_was_set_back_tells_nothing() -> None:
    reading = Reading("#dev")
    reading.go_to(Place(4, 400))
    reading.begin_anew()
    assert not reading.advance(e.Gap("#dev", 1, 2))
    assert not reading.advance(said(3, 300))
    assert reading.advance(said(4, 500))
