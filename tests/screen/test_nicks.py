import pytest

from triochat.screen.nicks import COLOURS, colour, mentions


def test_a_colour_is_the_same_everywhere_and_each_time() -> None:
    assert [colour(nick) for nick in ("alice", "Alice", "bob", "carol")] == [10, 10, 7, 6]


def test_all_colours_are_used_alike() -> None:
    many = [colour(f"nick{number}") for number in range(1200)]
    assert set(many) == set(range(COLOURS))
    assert max(map(many.count, range(COLOURS))) < 150


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "alice: are you there?",
        "hello ALICE",
        "hello, @alice!",
        "is that alice's?",
        "(alice)",
        "alice.",
        "bob,alice,carol",
        "look, alice: https://example.org/bob",
        "one\nalice\nthree",
        "爱alice爱 alice",
    ],
)
def test_it_is_named(text: str) -> None:
    assert mentions(text, "Alice")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "malice",
        "alices",
        "alice-2",
        "not-alice",
        "alice_",
        "wonderalice2",
        "alicé",
        "éalice",
        "see #alice",
        "write to alice@example.org",
        "or bob@alice.example",
        "https://example.org/alice",
        "www.alice.example/alice",
        "https://alice:secret@example.org/?user=alice.",
    ],
)
def test_it_is_not_named(text: str) -> None:
    assert not mentions(text, "alice")


def test_a_nick_is_not_a_pattern() -> None:
    assert mentions("hi a-b_c", "A-b_C")
    assert not mentions("hi abbc", "a-b_c")
