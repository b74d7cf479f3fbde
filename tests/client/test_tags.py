import pytest

from triochat.client.tags import Tags
from triochat.protocol.grammar import is_tag


def test_tags_rise_and_are_tags() -> None:
    tags = Tags()
    drawn = [tags.next() for _ in range(1000)]
    assert all(map(is_tag, drawn))
    assert drawn == sorted(drawn, key=lambda tag: (len(tag), tag))
    assert len(set(drawn)) == 1000


def test_those_of_the_next_client_are_higher(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Tags()
    for _ in range(100_000):
        tag = before.next()
    monkeypatch.setattr("time.time", lambda: 4e9)
    after = Tags().next()
    assert len(after) == len(tag)
    assert after > tag


def test_two_that_start_in_the_same_second_draw_different_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert Tags().next() != Tags().next()
