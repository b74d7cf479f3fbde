from triochat.client.backoff import LEAST, MOST, Backoff


def test_bounds_double_up_to_the_most_and_begin_anew() -> None:
    backoff = Backoff(lambda _, most: most)
    assert [backoff.next() for _ in range(10)][:4] == [LEAST, 2 * LEAST, 4 * LEAST, 8 * LEAST]
    assert backoff.next() == MOST
    backoff.reset()
    assert backoff.next() == LEAST


def test_delays_are_drawn_from_zero_on() -> None:
    assert len({Backoff().next() for _ in range(10)}) > 1
    assert all(0 <= Backoff().next() <= LEAST for _ in range(100))
