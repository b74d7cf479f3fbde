from pathlib import Path

import pytest

from triochat.config import ConfigError
from triochat.screen.keys import ACTIONS, Keys, label, load_keys, reference


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_defaults() -> None:
    keys = Keys()
    assert keys.action("ctrl k") == "switch.find"
    assert keys.action("meta 9") == "switch.9"
    assert keys.action("meta enter") == "newline"
    assert keys.action("x") is None
    assert keys.keys("edit.start") == ("ctrl a", "home")


def test_by_default_no_key_does_two_things_and_a_file_may_name_each() -> None:
    every = [key for action in ACTIONS for key in action.keys]
    assert len(set(every)) == len(every)
    Keys({action.name: action.keys for action in ACTIONS})


def test_a_file_gives_an_action_other_keys(tmp_path: Path) -> None:
    keys = load_keys(
        written(tmp_path, '"switch.find" = ["ctrl g", "F5"]\nswitch.next = "alt ."\nquit = []\n')
    )
    assert keys.keys("switch.find") == ("ctrl g", "f5")
    assert keys.action("ctrl k") is None
    assert keys.action("meta .") == "switch.next"
    assert keys.action("ctrl d") is None
    assert keys.action("meta left") == "switch.previous"


def test_a_key_is_taken_from_the_action_that_had_it(tmp_path: Path) -> None:
    keys = load_keys(written(tmp_path, 'members = "ctrl k"'))
    assert keys.action("ctrl k") == "members"
    assert keys.keys("switch.find") == ()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('dance = "f3"', "there is no action dance; there are switch.1"),
        ('quit = "x"', "no key 'x'"),
        ('quit = "hyper x"', "no key 'hyper x'"),
        ('quit = "ctrl i"', "it is tab"),
        ('quit = ""', "no key ''"),
        ("quit = 3", "quit is a key, or a list of keys"),
        ("quit = [3]", "quit is a key, or a list of keys"),
        ('quit = "f3"\nhelp = "f3"', "f3 can't be both quit and help"),
        ("quit = ", "keys.toml"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence_that_names_the_file(
    tmp_path: Path, text: str, part: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_keys(path)
    assert part in str(caught.value)
    assert str(path) in str(caught.value)
    assert str(caught.value).count(str(path)) == 1


def test_a_file_that_is_named_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_keys(tmp_path / "none.toml")
    with pytest.raises(ConfigError):
        load_keys(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes(b"\xe4 = 1")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_keys(path)


def test_the_file_of_the_user_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)
    assert load_keys().action("ctrl k") == "switch.find"
    written(tmp_path, 'retry = "f9"')
    assert load_keys().action("f9") == "retry"


@pytest.mark.parametrize(
    ("key", "people"),
    [
        ("ctrl k", "Ctrl+K"),
        ("meta enter", "Alt+Enter"),
        ("meta a", "Alt+A"),
        ("meta A", "Alt+Shift+A"),
        ("shift tab", "Shift+Tab"),
        ("page up", "PageUp"),
        ("meta <", "Alt+<"),
        ("f1", "F1"),
        ("shift ctrl page up", "Shift+Ctrl+PageUp"),
    ],
)
def test_keys_as_people_write_them(key: str, people: str) -> None:
    assert label(key) == people


def test_help_has_the_nine_in_one_line_unless_somebody_moved_one() -> None:
    told = "\n".join(Keys().help())
    assert "Alt+1…9" in told
    assert "Alt+3" not in told
    assert "Ctrl+K" in told
    moved = "\n".join(Keys({"switch.3": ("f3",)}).help())
    assert "Alt+2 " in moved
    assert "F3 " in moved


def test_the_page_has_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "screen.md"
    assert reference() in page.read_text("utf-8"), "copy in what reference() gives"
