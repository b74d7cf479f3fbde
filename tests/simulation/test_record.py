from tests.simulation.record import Seen, Witness


def said(number: int) -> Seen:
    return Seen(number, "message", "bob", f"c1.{number}")


def test_who_has_heard_something_notices_that_the_log_is_another_one() -> None:
    witness = Witness("p1", attentive=True)
    witness.enter("#one", 1)
    witness.view("#one").append(said(2))
    witness.set_back({}, {})
    assert [(stay.after, stay.until) for stay in witness.stays["#one"]] == [(0, None)]


def test_who_has_heard_nothing_of_this_log_does_not_though_it_has_of_an_older_one() -> None:
    witness = Witness("p1", attentive=True)
    witness.enter("#one", 0)
    witness.view("#one").append(said(88))
    witness.leave("#one")
    witness.set_back({}, {})
    witness.enter("#one", 1)
    witness.set_back({}, {})
    assert witness.stays["#one"] == []
