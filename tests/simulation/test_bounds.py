"""A client that queues more than it may is noticed."""

from tests.simulation.bounds import above_bounds
from triochat.client.statistics import ChatStatistics


def test_what_is_within_bounds_is_fine() -> None:
    assert above_bounds("p1", ChatStatistics(unanswered=256, unsent=256, unkept=0, unseen=10_000)) == []


def test_each_queue_has_a_bound() -> None:
    found = above_bounds("p1", ChatStatistics(unanswered=257, unsent=1000, unkept=0, unseen=10_001))
    assert found[0] == "p1 has 257 requests without an answer, of 256"
    assert len(found) == 3
