from triochat.screen.typed import Typed


def test_up_goes_back_and_down_comes_back_to_the_unfinished_line() -> None:
    typed = Typed()
    typed.sent("one")
    typed.sent("two")
    assert typed.older("half a li") == "two"
    assert typed.older("two") == "one"
    assert typed.older("one") is None
    assert typed.newer() == "two"
    assert typed.newer() == "half a li"
    assert typed.newer() is None


def test_nothing_was_sent() -> None:
    assert Typed().older("x") is None
    assert Typed().newer() is None


def test_what_is_sent_twice_is_kept_once_and_nothing_is_kept_of_blanks() -> None:
    typed = Typed()
    for line in ("a", "a", "  ", "a"):
        typed.sent(line)
    assert typed.older("") == "a"
    assert typed.older("a") is None


def test_sending_an_old_line_begins_at_the_newest_again() -> None:
    typed = Typed()
    typed.sent("one")
    typed.sent("two")
    typed.older("")
    typed.older("two")
    typed.sent("one")
    assert typed.older("") == "one"
    assert typed.older("one") == "two"


def test_another_draft_is_not_mixed_up_with_the_unfinished_line() -> None:
    typed = Typed()
    typed.sent("one")
    typed.older("draft of a room")
    typed.forget_place()
    assert typed.newer() is None
    assert typed.older("draft of another") == "one"
    assert typed.newer() == "draft of another"


def test_the_oldest_lines_go() -> None:
    typed = Typed(most=2)
    for line in "abc":
        typed.sent(line)
    assert [typed.older(""), typed.older("c"), typed.older("b")] == ["c", "b", None]
