import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.screen.completion import Candidates, Completion

HERE = Candidates(nicks=["carol", "alice", "Albert"], rooms=["#lobby", "#dev", "#design"])


def steps(text: str, *, cursor: int | None = None, by: int = 1, times: int = 1) -> list[str]:
    """What Tab makes of the text, the cursor written as |."""
    completion = Completion(text, len(text) if cursor is None else cursor, HERE)
    results = [completion.step(by) for _ in range(times)]
    return [f"{it[0][: it[1]]}|{it[0][it[1] :]}" for it in results if it is not None]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("al", "alice: |"),
        ("AL", "alice: |"),
        ("", "carol: |"),
        ("so al", "so alice |"),
        ("one\nal", "one\nalice |"),
        ("hi @al", "hi @alice |"),
        ("/msg al", "/msg @alice |"),
        ("/msg @al", "/msg @alice |"),
        ("/query alb", "/query @Albert |"),
        ("/msg ", "/msg @carol |"),
        ("/msg alice al", "/msg alice alice |"),
        ("/j", "/join |"),
        ("/SE", "/search |"),
        ("/join de", "/join #dev |"),
        ("/join ", "/join #lobby |"),
        ("see #des", "see #design |"),
        (":smil", "😄|"),
        ("well :tad", "well 🎉|"),
        ("(:tad", "(🎉|"),
    ],
)
def test_the_first_choice(text: str, result: str) -> None:
    assert steps(text) == [result]


@pytest.mark.parametrize("text", ["zz", "so ", "/zz", "#zz", "12:30", "a::b", "::", ":", "//j", "http://al"])
def test_nothing_to_choose_from(text: str) -> None:
    assert steps(text) == []
    assert len(Completion(text, len(text), HERE)) == 0


def test_tab_goes_round_by_way_of_what_was_typed() -> None:
    assert steps("al", times=4) == ["alice: |", "Albert: |", "al|", "alice: |"]
    assert steps("al", by=-1, times=3) == ["Albert: |", "alice: |", "al|"]


def test_a_single_choice_stays() -> None:
    assert steps("ali", times=3) == ["alice: |"] * 3


def test_what_stands_behind_the_cursor_stays_and_a_space_is_not_doubled() -> None:
    assert steps("al, look", cursor=2) == ["alice: |, look"]
    assert steps("hi al there", cursor=5) == ["hi alice |there"]


@given(st.text(alphabet="al:/#@ \n", max_size=12), st.integers(0, 12), st.sampled_from([1, -1]))
def test_the_cursor_is_in_the_text_and_the_rest_is_kept(text: str, cursor: int, by: int) -> None:
    cursor = min(cursor, len(text))
    completion = Completion(text, cursor, HERE)
    for _ in range(len(completion) + 1):
        step = completion.step(by)
        if step is not None:
            new, at = step
            assert 0 <= at <= len(new)
            assert new.endswith(text[cursor:])
