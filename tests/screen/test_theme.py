from pathlib import Path

import pytest
import urwid

from triochat.config import ConfigError
from triochat.screen.theme import STYLES, Theme, load_theme, reference

BACKGROUNDS = [(0, 0, 0), (30, 30, 30), (255, 255, 255), (253, 246, 227)]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "theme.toml"
    path.write_text(text, "utf-8")
    return path


def luminance(rgb: tuple[int, int, int]) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (it / 255 for it in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """As WCAG 2 has it, from 1 to 21."""
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = urwid.AttrSpec(colour, "default", 256).get_rgb_values()[:3]
    assert red is not None
    assert green is not None
    assert blue is not None
    return red, green, blue


@pytest.mark.parametrize("name", STYLES)
def test_a_colour_of_256_can_be_read_on_light_and_dark(name: str) -> None:
    style = Theme().styles[name]
    if not style.foreground256:
        assert style.foreground.split(",")[0] == "default"  # whatever the terminal has
    elif style.background256:
        assert contrast(rgb(style.foreground256), rgb(style.background256)) >= 4.5
    else:
        for background in BACKGROUNDS:
            assert contrast(rgb(style.foreground256), background) >= 2.8


def test_of_the_16_colours_none_vanishes_on_light_or_dark() -> None:
    for style in Theme().styles.values():
        if style.background == "default":
            assert style.foreground.split(",")[0] not in (
                *("black", "white", "yellow", "light gray", "light green", "light cyan", "dark blue"),
            )


def test_the_twelve_nicks_differ() -> None:
    styles = Theme().styles
    for high in (False, True):
        looks = {
            styles[f"nick{n}"].foreground256 if high else styles[f"nick{n}"].foreground for n in range(12)
        }
        assert len(looks) == 12


def test_urwid_takes_the_palette_whatever_the_colours(tmp_path: Path) -> None:
    for entry in Theme().palette():
        name, foreground, background, mono, high, high_background = entry
        assert name in STYLES
        urwid.AttrSpec(foreground, background, 16)
        urwid.AttrSpec(mono, "default", 1)
        urwid.AttrSpec(high, high_background, 256)
    urwid.display.raw.Screen().register_palette(Theme().palette())


def test_a_file_changes_what_it_names(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [mention]
        foreground = "yellow,bold"
        mono = "underline"
        [list]
        background = "light gray"
        [list.current]
        foreground256 = "#fd0"
        ["status.alert"]
        background256 = "h52"
        """,
    )
    styles = load_theme(path).styles
    assert styles["mention"].foreground == "yellow,bold"
    assert styles["mention"].foreground256 == ""  # and not the red of the default
    assert styles["mention"].mono == "underline"
    assert styles["mention"].background == Theme().styles["mention"].background
    assert styles["list"].background == "light gray"
    assert styles["list.current"].foreground256 == "#fd0"
    assert styles["status.alert"].background256 == "h52"
    assert styles["time"] == Theme().styles["time"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[dance]\nforeground = 'brown'", "there is no style dance; there are time, nick0"),
        ("[list.dance]\nforeground = 'brown'", "there is no style list.dance"),
        ("[time]\ncolour = 'brown'", "time has no setting colour; there are foreground"),
        (
            "[time]\nforeground = 'pink'",
            "time.foreground: there is no 'pink'. The colours are default, black",
        ),
        ("[time]\nforeground = '#f00'", "time.foreground: there is no '#f00'"),
        ("[time]\nbackground = 'brown,bold'", "time.background"),
        ("[time]\nmono = 'brown'", "time.mono"),
        ("[time]\nforeground = 3", "time.foreground is a text"),
        ("foreground = 'brown'", "stands in no table"),
        ("[dance]", "there is no style dance"),
        ("[", "theme.toml"),
    ],
)
def test_what_makes_no_sense_gets_a_sentence_that_names_the_file(
    tmp_path: Path, text: str, part: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_theme(path)
    assert part in str(caught.value)
    assert str(caught.value).count(str(path)) == 1


def test_the_file_of_the_user_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)
    assert load_theme().styles == Theme().styles
    written(tmp_path, "[time]\nforeground = 'brown'")
    assert load_theme().styles["time"].foreground == "brown"


def test_the_page_has_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "screen.md"
    assert reference() in page.read_text("utf-8"), "copy in what reference() gives"
