"""What was said, as a line of JSON. What reads it back is tested in tests/archive/test_lines.py."""

from triochat.json_lines import entry_line, gap_line


def test_an_entry() -> None:
    line = entry_line(
        room="#dev", number=7, ms=1, kind="message", target="#dev", nick="alice", text="caf\xe9\u202e\n\x9b"
    )
    assert line == (
        '{"room": "#dev", "id": 7, "time": "1970-01-01T00:00:00.001Z", "kind": "message",'
        ' "nick": "alice", "text": "caf\xe9\\u202e\\n\\u009b"}\n'
    )


def test_a_gap() -> None:
    assert gap_line("#dev", 3, 5) == '{"room": "#dev", "kind": "gap", "from": 3, "to": 5}\n'
