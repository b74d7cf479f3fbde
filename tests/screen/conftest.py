from collections.abc import Iterator

import pytest
import urwid


@pytest.fixture(autouse=True)
def utf8() -> Iterator[None]:
    """What urwid takes from the locale, which may be any where the tests run."""
    before = urwid.str_util.get_byte_encoding()
    urwid.set_encoding("utf-8")
    yield
    urwid.set_encoding({"utf8": "utf-8", "narrow": "ascii", "wide": "euc-jp"}[before])
