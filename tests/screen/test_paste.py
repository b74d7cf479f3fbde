from hypothesis import given
from hypothesis import strategies as st

from triochat.screen.paste import Paste, PasteWatch

PARTS = ["a", "enter", "tab", "up", "begin paste", "end paste"]


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def told(keys: list[object]) -> list[object]:
    return [("paste", key.text) if isinstance(key, Paste) else key for key in keys]


def typed(text: str) -> list[str]:
    return ["enter" if it == "\n" else it for it in text]


def test_what_is_typed_passes() -> None:
    watch = PasteWatch(Clock())
    for keys in (["a"], ["enter"], typed("hello\n"), ["meta 1", *typed("hi\n"), "meta 2", *typed("yo\n")]):
        assert told(watch.filter(keys)) == keys
    mouse = ("mouse press", 1, 2, 3)
    assert watch.filter(["a", mouse, "up"]) == ["a", mouse, "up"]


def test_brackets_make_a_paste_even_across_reads() -> None:
    watch = PasteWatch(Clock())
    assert watch.filter(["x", "begin paste", *typed("a\nb")]) == ["x"]
    assert watch.filter([]) == []
    assert told(watch.filter([*typed("\nc"), "tab", "up", "end paste", "y"])) == [("paste", "a\nb\nc\t"), "y"]


def test_without_brackets_many_lines_in_one_read_are_a_paste() -> None:
    watch = PasteWatch(Clock())
    assert told(watch.filter(typed("one\ntwo\n"))) == [("paste", "one\ntwo\n")]


def test_one_line_end_with_text_behind_it_is_one_too() -> None:
    assert told(PasteWatch(Clock()).filter(typed("one\ntwo"))) == [("paste", "one\ntwo")]


def test_what_follows_at_once_is_the_rest_of_it_and_answers_nothing() -> None:
    clock = Clock()
    watch = PasteWatch(clock)
    watch.filter(typed("one\ntwo\nthr"))
    clock.seconds += 0.01
    assert told(watch.filter(typed("ee\n"))) == [("paste", "ee\n")]
    clock.seconds += 0.01
    assert told(watch.filter(["enter"])) == [("paste", "\n")]
    clock.seconds += 1
    assert told(watch.filter(["enter"])) == ["enter"]


def test_a_paste_whose_end_is_lost_does_not_take_the_keyboard_with_it() -> None:
    clock = Clock()
    watch = PasteWatch(clock)
    watch.filter(["begin paste", *typed("one\n")])
    clock.seconds += 2
    assert watch.filter(typed("two")) == []
    clock.seconds += 4
    assert told(watch.filter(["x"])) == [("paste", "one\ntwo"), "x"]


@given(st.lists(st.sampled_from(PARTS)), st.integers(0, 20))
def test_no_text_is_lost_however_it_is_cut(keys: list[str], cut: int) -> None:
    watch = PasteWatch(Clock())
    out = watch.filter(keys[:cut]) + watch.filter([*keys[cut:], "end paste"])
    text = "".join(
        it.text if isinstance(it, Paste) else {"enter": "\n", "tab": "\t"}.get(it, it) for it in out
    )
    wanted = "".join({"enter": "\n", "tab": "\t"}.get(it, it) for it in keys if "paste" not in it)
    assert text.replace("up", "") == wanted.replace("up", "")
    assert "begin paste" not in out
    assert "end paste" not in out
