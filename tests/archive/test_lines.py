"""An entry as a line of JSON, and back."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triochat.archive.lines import MAX_LINE, BadLine, item_of, line_of
from triochat.journal import Entry
from triochat.journal.interface import Kind
from triochat.journal.snapshot import Gap, Item
from triochat.protocol.escape import FORBIDDEN
from triochat.protocol.grammar import MAX_ID

ENTRY = Entry("#dev", 7, "message", "#dev", "alice", "hello", 1_785_403_800_123)
LINE = '{"room": "#dev", "id": 7, "time": "2026-07-30T09:30:00.123Z", "kind": "message", "nick": "alice", "text": "hello"}\n'  # noqa: E501 -- it is one line

KINDS: tuple[Kind, ...] = ("message", "topic")
ENTRIES = st.builds(
    Entry,
    log=st.just("#dev"),
    id=st.integers(1, MAX_ID),
    kind=st.sampled_from(KINDS),
    target=st.sampled_from(("#dev", "#DEV")),
    nick=st.sampled_from(("alice", "Bob")),
    text=(st.text() | st.text('\n\t"\\\u202e\u2028é\U0001f642')).map(lambda text: FORBIDDEN.sub("x", text)),
    ms=st.integers(0, 3_000_000_000_000) | st.integers(0, MAX_ID),
)


@pytest.mark.parametrize(
    ("item", "line"),
    [
        (ENTRY, LINE),
        (ENTRY._replace(ms=0), LINE.replace("2026-07-30T09:30:00.123Z", "1970-01-01T00:00:00.000Z")),
        (ENTRY._replace(kind="topic"), LINE.replace('"message"', '"topic"')),
        (
            ENTRY._replace(log="@bob", target="@Bob"),
            LINE.replace("#dev", "@bob").replace('"nick"', '"target": "@Bob", "nick"'),
        ),
        (ENTRY._replace(text='one\n"two"\té'), LINE.replace("hello", r"one\n\"two\"\té")),
        (ENTRY._replace(text="a\u202eb\u2028"), LINE.replace("hello", r"a\u202eb\u2028")),
        (
            ENTRY._replace(ms=253_402_300_799_999),
            LINE.replace("2026-07-30T09:30:00.123Z", "9999-12-31T23:59:59.999Z"),
        ),
        (
            ENTRY._replace(ms=253_402_300_800_000),
            LINE.replace('"2026-07-30T09:30:00.123Z"', "253402300800000"),
        ),
        (Gap("#dev", 499), '{"room": "#dev", "kind": "gap", "from": 1, "to": 499}\n'),
        (Gap("@", 3), '{"room": "@", "kind": "gap", "from": 1, "to": 3}\n'),
    ],
)
def test_a_line(item: Item, line: str) -> None:
    assert line_of(item) == line
    assert item_of(line.encode()) == item


@given(ENTRIES)
def test_there_and_back(entry: Entry) -> None:
    line = line_of(entry)
    assert item_of(line.encode()) == entry
    assert line_of(item_of(line.encode())) == line
    assert line.splitlines(keepends=True) == [line], "one line, whoever splits it"
    assert json.loads(line)["text"] == entry.text


def test_the_longest_text_fits() -> None:
    for text in ("\U0001f642" * 800, "\u202e" * 1333, "\n" * 4000, "x" * 8000):
        octets = json.dumps({**json.loads(LINE), "text": text}).encode()  # all in escapes, as others write it
        assert len(octets) < MAX_LINE / 3
        assert item_of(octets) == ENTRY._replace(text=text)


@pytest.mark.parametrize(
    "time",
    [
        '"2026-07-30T09:30:00.123+00:00"',
        '"2026-07-30T11:30:00.123456+02:00"',
        '"2026-07-30 09:30:00.123Z"',
        "1785403800123",
    ],
)
def test_a_time_in_other_words(time: str) -> None:
    assert item_of(LINE.replace('"2026-07-30T09:30:00.123Z"', time).encode()) == ENTRY


def test_the_order_of_keys_does_not_matter() -> None:
    keys = json.loads(LINE)
    assert item_of(json.dumps(dict(reversed(keys.items()))).encode()) == ENTRY


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("alice: hello", "it is no JSON (Expecting value, column 1)"),
        (LINE[:30], "it is no JSON"),
        ("[" * 60_000, "it is no JSON"),
        ('{"id": ' + "1" * 5000 + "}", "it is no JSON"),
        ("[1]", "it is no JSON object"),
        ("{}", 'there is no "kind"'),
        ('{"kind": null}', '"kind" is "message", "topic" or "gap"'),
        (LINE.replace('"message"', '"joined"'), '"kind" is "message", "topic" or "gap"'),
        (LINE.replace('"message"', '["message"]'), '"kind" is "message", "topic" or "gap"'),
        (LINE.replace('"nick": "alice", ', ""), 'there is no "nick"'),
        (LINE.replace('"alice"', "null"), '"nick" is a string'),
        (LINE.replace("7", '"7"', 1), '"id" is a whole number'),
        (LINE.replace("7", "7.0", 1), '"id" is a whole number'),
        (LINE.replace("7", "true", 1), '"id" is a whole number'),
        (LINE.replace('"text"', '"target": 1, "text"'), '"target" is a string'),
        (LINE.replace('"text"', '"\\u001b[2J": 1, "text"'), "there is no key '\\x1b[2J' in such a line"),
        (LINE.replace('"time"', '"when"'), "there is no key 'when'"),
        (LINE.replace('"time": "2026-07-30T09:30:00.123Z", ', ""), '"time" is a time with its zone'),
        (LINE.replace("Z", ""), '"time" is a time with its zone'),
        (LINE.replace("2026", "soon"), '"time" is a time with its zone'),
        (LINE.replace('"2026-07-30T09:30:00.123Z"', "1.5"), '"time" is a time with its zone'),
        (LINE.replace("2026", "1969"), '"time" is not before 1970'),
        ('{"room": "#dev", "kind": "gap", "to": 4}', 'there is no "from"'),
        ('{"room": "#dev", "kind": "gap", "from": 2, "to": 4}', '"from" is 1'),
        ('{"room": "#dev", "kind": "gap", "from": 1, "to": "4"}', '"to" is a whole number'),
        ('{"room": "#dev", "kind": "gap", "from": 1, "to": 4, "id": 3}', "there is no key 'id'"),
    ],
)
def test_what_is_refused(line: str, sentence: str) -> None:
    with pytest.raises(BadLine) as caught:
        item_of(line.encode())
    assert sentence in str(caught.value)
    assert str(caught.value).isprintable()


def test_octets_that_are_no_text() -> None:
    with pytest.raises(BadLine, match="it is no JSON"):
        item_of(LINE.encode().replace(b"hello", b"caf\xe9"))


def test_the_examples_of_the_reference_are_true() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "archive.md").read_text("utf-8")
    lines = [
        line for block in re.findall("```json\n(.*?)```", page, re.DOTALL) for line in block.splitlines()
    ]
    assert len(lines) >= 3
    for line in lines:
        assert line_of(item_of(line.encode())) == f"{line}\n"


@given(st.binary() | st.text().map(str.encode))
def test_junk_is_refused(line: bytes) -> None:
    with pytest.raises(BadLine):
        item_of(line)
