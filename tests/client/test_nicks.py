from itertools import islice

import pytest

from triochat.client.nicks import login_nick, variants, with_ending
from triochat.protocol.grammar import is_nick


def test_the_first_is_the_nick_itself_and_none_comes_twice() -> None:
    names = list(islice(variants("bob"), 20))
    assert names[:3] == ["bob", "bob-2", "bob-3"]
    assert len(set(names)) == 20
    assert all(map(is_nick, names))


def test_a_long_one_stays_a_nick() -> None:
    assert with_ending("a" * 32, "tail") == "a" * 27 + "-tail"
    assert all(map(is_nick, islice(variants("a" * 32), 12)))


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert login_nick() == "guest"
