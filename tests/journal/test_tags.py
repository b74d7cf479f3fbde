"""Which tags are known, however they come: by counting, by lot, again."""

import pytest

from triochat.journal.tags import Tags


def use(tags: Tags, *run: str, session: str = "s", last: int = 100) -> bool:
    """Remember them if they are all new."""
    highest = tags.admit(session, run)
    if highest is not None:
        tags.remember(session, (last, "#dev", "message", run, tuple(map(hash, run))), highest)
    return highest is not None


def number(tags: Tags, tag: str, session: str = "s") -> int | None:
    return tags.number(session, tag, "#dev", "message", tag)


@pytest.mark.parametrize(
    "runs",
    [
        [("1",), ("2",), ("9",), ("10",), ("99",), ("100",)],
        [("8", "9", "10", "11"), ("12",)],
        [("m-1", "m-2"), ("m-10", "m-11"), ("n-10",)],
        [("10",), ("9",), ("8", "7"), ("11",)],
        [("b", "a", "c"), ("bb", "a1", "d")],
        [("1", "3"), ("2",), ("4",)],
        [("5",), ("4", "9"), ("8",)],
        [("2", "10", "3"), ("11",), ("4", "5")],
        [("",), ("0",)],
        [("z", ""), ("y",)],
    ],
    ids=["one", "runs", "words", "down", "lot", "between", "beyond", "up and down", "empty", "empty last"],
)
@pytest.mark.parametrize("limit", [1000, 6], ids=["one generation", "two"])
def test_every_new_tag_is_admitted_once(runs: list[tuple[str, ...]], limit: int) -> None:
    tags = Tags(limit)
    for before, run in enumerate(runs):
        assert use(tags, *run)
        for known in runs[: before + 1]:
            assert not use(tags, *known)
            for tag in known:
                assert not use(tags, tag)
                assert not use(tags, "new", tag)
                assert not use(tags, tag, "new")
                assert number(tags, tag) == 101 - len(known) + known.index(tag)
    assert len(tags) == sum(map(len, runs))


@pytest.mark.parametrize("run", [("a", "a"), ("a", "b", "a"), ("b", "a", "b"), ("a", "b", "b")])
def test_a_tag_twice_is_not_admitted(run: tuple[str, ...]) -> None:
    tags = Tags(1000)
    assert not use(tags, *run)
    assert len(tags) == 0
    assert use(tags, *dict.fromkeys(run)), "and has taken nothing"


def test_what_was_not_remembered_is_still_new() -> None:
    tags = Tags(1000)
    assert use(tags, "5")
    for run in (("6", "7"), ("4", "3"), ("6",), ("4",)):
        assert tags.admit("s", run) is not None
    assert use(tags, "6")
    assert use(tags, "4")


def test_sessions_do_not_know_of_each_other() -> None:
    tags = Tags(1000)
    assert use(tags, "5", session="s")
    assert use(tags, "5", session="t")
    assert use(tags, "3", session="t")
    assert use(tags, "6", session="s")


@pytest.mark.parametrize("order", [("1", "2", "3", "4"), ("4", "3", "2", "1"), ("2", "4", "1", "3")])
def test_who_counts_in_the_younger_generation_still_knows_the_elder(order: tuple[str, ...]) -> None:
    tags = Tags(4)
    for tag in order:
        assert use(tags, tag)
    for tag in order:
        assert not use(tags, tag)
    assert len(tags) == 4


def test_a_session_that_is_only_in_the_elder_generation_is_known() -> None:
    tags = Tags(6)
    assert use(tags, "1", "5")
    assert use(tags, "1", "5", session="t")
    assert (list(tags._elder), list(tags._young)) == (["s"], ["t"])
    for known in ("1", "5"):
        assert not use(tags, known)
    assert use(tags, "3")
    assert not use(tags, "3")
    assert not use(tags, "5")


def test_who_was_forgotten_begins_anew() -> None:
    tags = Tags(2)
    assert use(tags, "2")
    assert use(tags, "1")
    assert use(tags, "3", session="t")
    assert use(tags, "4", session="t")
    assert use(tags, "1"), "forgotten with all of its session"
    assert not use(tags, "1")


def test_what_is_known_stands_for_its_text_and_place() -> None:
    tags = Tags(1000)
    use(tags, "a", "b", last=8)
    assert [number(tags, "a"), number(tags, "b")] == [7, 8]
    assert tags.number("s", "a", "#ops", "message", "a") is None
    assert tags.number("s", "a", "#dev", "topic", "a") is None
    assert tags.number("s", "a", "#dev", "message", "b") is None


def test_of_who_counts_no_tag_is_put_into_the_dictionary_until_one_comes_again() -> None:
    """It is what counting saves."""
    tags = Tags(1000)
    for first in range(1, 200, 10):
        assert use(tags, *(str(tag) for tag in range(first, first + 10)))
    used = tags._young["s"]
    assert (len(used._by_tag), len(used._listed)) == (0, 20)
    assert not use(tags, "7")
    assert (len(used._by_tag), len(used._listed)) == (200, 0)
    assert use(tags, "201")
    assert (len(used._by_tag), len(used._listed)) == (200, 1), "who sends one again goes on counting"
