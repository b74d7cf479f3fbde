import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.protocol.escape import check_text
from triochat.screen.emoji import EMOJI, expand


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (":tada:", "🎉"),
        (":+1: and :-1:", "👍 and 👎"),
        ("done :tada::tada:!", "done 🎉🎉!"),
        ("(:smile:)", "(😄)"),
        ("no such :thing_as_this:", "no such :thing_as_this:"),
        (":nothing::tada:", ":nothing:🎉"),
        ("at 12:30:45", "at 12:30:45"),
        ("std::x::y", "std::x::y"),
        ("a:x:b", "a:x:b"),
        ("`:tada:` is :tada:", "`:tada:` is 🎉"),
        ("```\n:tada:\n``` :tada:", "```\n:tada:\n``` 🎉"),
        ("```\n:tada:", "```\n:tada:"),
        ("a ` alone :tada:", "a ` alone 🎉"),
        ("https://example.org/:x:/:tada: :x:", "https://example.org/:x:/:tada: ❌"),
        ("no colon", "no colon"),
        ("two:\n:fire:", "two:\n🔥"),
    ],
)
def test_what_is_sent(typed: str, sent: str) -> None:
    assert expand(typed) == sent


def test_there_are_the_usual_ones() -> None:
    assert len(EMOJI) > 200
    for name, character in EMOJI.items():
        assert re.fullmatch("[a-z0-9_+-]+", name)
        assert not character.isascii()
        assert len(character) <= 5
        check_text(character)


@given(st.text(alphabet=":tad+1x `\n/"))
def test_what_is_not_a_name_is_left_alone(text: str) -> None:
    kept = expand(text)
    for name, character in EMOJI.items():
        kept = kept.replace(character, f":{name}:")
    assert len(kept) >= len(text)  # two names may have one character


def test_a_long_text_takes_no_long_time() -> None:
    for text in (":" * 50_000, ":a" * 25_000, "`" * 50_000, ":x:" * 20_000 + "a", "a" * 50_000 + ":"):
        expand(text)
