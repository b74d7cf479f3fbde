import sys

from triochat.client.heard import MOST, Heard


def test_nothing_was_heard() -> None:
    assert Heard().last_ms == 0
    assert not Heard().has(1, 0)


def test_an_entry_is_known_by_its_id_and_its_time() -> None:
    log = Heard()
    for number in (8, 9, 10):
        log.add(number, 100 * number)
    assert log.last_ms == 1000
    assert [log.has(number, 900) for number in (8, 9, 10)] == [False, True, False]
    assert not log.has(11, 1000)


def test_what_was_there_before_we_came_nobody_can_tell() -> None:
    log = Heard()
    log.add(8, 800)
    assert log.first == 8
    assert not log.has(7, 700)
    assert [log.may_have(7, ms) for ms in (800, 801)] == [True, False]
    assert not Heard().may_have(1, 0)
    assert [log.contradicts(number, 800) for number in (7, 8, 9)] == [False, False, False]
    assert log.contradicts(8, 801)


def test_behind_a_hole_it_begins_anew() -> None:
    log = Heard()
    for number in (8, 9, 20):
        log.add(number, 100 * number)
    assert (log.first, log.has(20, 2000), log.has(9, 900)) == (20, True, False)


def test_it_is_bounded() -> None:
    log = Heard()
    for number in range(1, 10 * MOST):
        log.add(number, number)
        assert sys.getsizeof(log._times) < 2 * MOST * 8 * 1.2, "an array grows by an eighth"
    assert log.has(9 * MOST, 9 * MOST)
    assert not log.has(9 * MOST, 5)
