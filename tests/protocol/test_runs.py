"""Many messages at once: the faster way says what the slow one says, and never costs much more."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.protocol.pair import (
    Refused,
    calls,
    client,
    cut,
    drain,
    drain_runs,
    hear,
    octets,
    server,
)
from tests.protocol.samples import COUNTS, NICKS, REQUESTS, SAID, TARGETS
from triochat.protocol import Connection, Dialect, Encoding, LocalProtocolError, Role, State, encode, framed
from triochat.protocol import events as e
from triochat.protocol.escape import MAX_TEXT, SHORTEST_ESCAPE, escape, is_plain, unescape
from triochat.protocol.framed import LONGEST_RUN, RUN_OCTETS, build, build_messages, build_oks, parse_says
from triochat.protocol.grammar import MAX_FRAME, MAX_ID
from triochat.protocol.runs import MessageRun, OkRun, PlainTexts, SayRun

# --- the promise ---------------------------------------------------------------------------------

TAG_HEADS = [
    b"",
    b"",
    b"@1 ",
    b"@2 ",
    b"@a.-_Z9 ",
    b"@" + b"t" * 32 + b" ",
    b"@" + b"t" * 33 + b" ",
    b"@! ",
    b"@ ",
]
PLACES = [
    *(b"#dev", b"#dev", b"#dev", b"#a", b"#d_e-v9", b"#" + b"r" * 32),
    *(b"#DEV", b"#deV", b"@bob", b"@dev", b"#", b"#" + b"r" * 33, b"dev", b"#dev #a", b""),
]
SEPARATORS = [b" :", b" :", b" :", b" :", b"  :", b" ", b":"]
WIRES = [
    *(
        b"x",
        b"hello, world",
        b" ",
        b"a :b",
        b": x",
        b"MSG #dev :x",
        b"@1 MSG #dev :x",
        b"@1 MSG #a :y z",
        b"",
    ),
    *(rb"caf\xe9", rb"\u03A9 \U0001f642", rb"two\nlines\ttabs", rb"C:\\new", rb"\\", rb"\\\\q"),
    *(rb"\x41", rb"\u0041", rb"\U000000e9", rb"\x0a"),
    *(
        rb"\q",
        b"\\",
        rb"\\\ ",
        rb"\x4",
        rb"\x1b[31m",
        rb"\x80",
        rb"\ud800",
        rb"\U00110000",
        rb"\u009b",
        rb"\x7f",
    ),
    *(b"a\tb", b"a\rb", b"\x1b[31m", b"\x00", b"\x7f", b"\x0b\x0c\x1c\x85", b"caf\xc3\xa9", b"\xff"),
    *(b"x" * n for n in (100, 500, 1000, 1010, 1024, 4000, MAX_TEXT - 1, MAX_TEXT, MAX_TEXT + 1)),
    *(b"x" * n for n in (MAX_FRAME - 12, MAX_FRAME - 11, MAX_FRAME - 10, MAX_FRAME, 2 * MAX_FRAME)),
    *(rb"\xe9" * (MAX_TEXT // 4), rb"\xe9" * (MAX_TEXT // 4) + b"x", rb"\x41" * (MAX_TEXT // 4 + 5)),
]
ENDS = [b"\n", b"\n", b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n"]

PLAIN = st.builds(
    b"".join,
    st.tuples(
        st.sampled_from([b"", b"@1 ", b"@tag "]),
        st.just(b"MSG "),
        st.sampled_from([b"#dev", b"#a"]),
        st.just(b" :"),
        st.sampled_from([wire for wire in WIRES if 0 < len(wire) < 200]) | SAID.map(escape).map(str.encode),
        st.just(b"\n"),
    ),
)
ODD = st.builds(
    b"".join,
    st.tuples(
        st.sampled_from(TAG_HEADS),
        st.sampled_from([b"MSG ", b"MSG ", b"MSG ", b"msg ", b"PING "]),
        st.sampled_from(PLACES),
        st.sampled_from(SEPARATORS),
        st.sampled_from(WIRES) | st.binary(max_size=20),
        st.sampled_from(ENDS),
    ),
)
OTHERS = st.sampled_from(
    [wire for _, wire in REQUESTS]
    + [b"\n", b"\r\n", b"broken\n", b"@9 " + b"x" * MAX_FRAME + b"\n", b"NOPE\n"]
)
LINES = st.one_of(
    PLAIN,
    PLAIN,
    ODD,
    OTHERS,
    st.binary(max_size=20),
    st.builds(lambda line, times: line * times, PLAIN | st.just(b"MSG #dev :x\n"), st.integers(2, 200)),
    st.builds(lambda line, times: line * times, ODD.filter(lambda line: len(line) < 100), st.integers(2, 30)),
)
STREAMS = st.lists(LINES, max_size=12).map(b"".join)
PLACES_TO_CUT = st.lists(st.integers(0, 30_000) | st.integers(0, 300), max_size=12)


def assert_the_promise(data: bytes, pieces: list[bytes]) -> None:
    fast, slow, whole = server(), server(), server()
    everything = hear(whole, data) if data else []
    together = []
    for piece in pieces:
        fast.receive_data(piece)
        heard, runs = drain_runs(fast)
        assert heard == hear(slow, piece)
        for run in runs:
            assert 0 < run.octets <= RUN_OCTETS
            assert len(run.texts) <= LONGEST_RUN
            assert isinstance(run.texts, PlainTexts) == all(map(is_plain, run.texts))
            told = MessageRun(run.room, 7, 5, "al", run.texts)
            assert build_messages(told) == b"".join(map(build, told.frames()))
        assert fast._malformed == slow._malformed
        assert fast._lines.size == slow._lines.size
        assert fast.state is slow.state is State.CHATTING
        together += heard
    assert together == everything
    for connection in (fast, slow):
        connection.receive_data(b"")
    assert drain_runs(fast) == (drain(slow), [])


@given(STREAMS, PLACES_TO_CUT)
@example(b"MSG #dev :x\n" * 2000, [])
@example(b"broken\n" * 19 + b"MSG #dev :x\n" + b"broken\n" * 20, [])
@example(b"@1 MSG #dev :\\q\n" * 20 + b"MSG #dev :x\n", [10])
def test_the_faster_way_says_what_the_slow_one_says(data: bytes, places: list[int]) -> None:
    assert_the_promise(data, cut(data, places) if data else [])


@given(st.lists(PLAIN | ODD.filter(lambda line: len(line) < 60), max_size=6).map(b"".join))
def test_octet_by_octet(data: bytes) -> None:
    assert_the_promise(data, octets(data))


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: repr(wire)[:30])
@pytest.mark.parametrize("tag", TAG_HEADS)
def test_every_text_between_others(wire: bytes, tag: bytes) -> None:
    line = tag + b"MSG #dev :"
    data = line + b"x\n" + line + wire + b"\n" + line + b"y\n"
    assert_the_promise(data, [data])


@given(
    st.from_regex(r"\\(?:[a-z\\]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00[01][0-9a-fA-F]{5})", fullmatch=True)
    | st.integers(0, 0x10FFFF).map(lambda c: escape(chr(c)) if c > 0x7F else f"\\x{c:02X}")
    | st.sampled_from(
        [rf"\u{c:04x}" for c in (0x7F, 0x9F, 0xA0, 0xFF, 0x100, 0xD7FF, 0xD800, 0xDFFF, 0xE000)]
    )
    | st.sampled_from([rf"\U{c:08x}" for c in (0xFFFF, 0x10000, 0xFFFFF, 0x100000, 0x10FFFF, 0x110000)])
)
def test_the_pattern_of_an_escape_is_what_building_gives(wire: str) -> None:
    try:
        shortest = escape(unescape(wire)) == wire[:2] + wire[2:].lower()
    except LocalProtocolError:
        shortest = False
    assert (re.fullmatch(SHORTEST_ESCAPE, wire) is not None) == shortest


# --- what is a run -------------------------------------------------------------------------------


def test_messages_to_one_room_are_one_run() -> None:
    block = b"PING\nMSG #dev :one\nMSG #dev :two \\u03a9\nMSG #a :three\n@1 MSG #a :four\n@2 MSG #a :five\n"
    first = parse_says(block, 5)
    assert first == SayRun("#dev", ["one", "two Ω"], None, 35)
    second = parse_says(block, 40)
    assert second == SayRun("#a", ("three",), None, 14)
    third = parse_says(block, 54)
    assert third is not None
    assert (third.room, list(third.texts), list(third.tags or ())) == ("#a", ["four", "five"], ["1", "2"])
    assert list(third.frames()) == [e.Say("#a", "four", tag="1"), e.Say("#a", "five", tag="2")]
    assert 54 + third.octets == len(block)
    assert parse_says(block, 0) is None


WRONG = [rb"\q", rb"\x1b", rb"\ud800", b"\x07", b"\xff", b"cr\r", rb"\x41", b"a\tb"]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("before", [1, 2, 50, 200, 256])
@pytest.mark.parametrize("head", [b"", b"@7 "])
def test_a_run_ends_in_front_of_the_first_text_that_is_unusual(
    wrong: bytes, before: int, head: bytes
) -> None:
    good = (head + b"MSG #dev :ok\\n\n") * before
    run = parse_says(good + head + b"MSG #dev :" + wrong + b"\n" + good, 0)
    assert run is not None
    assert run.octets == len(good)
    assert list(run.texts) == ["ok\n"] * before
    assert parse_says(head + b"MSG #dev :" + wrong + b"\n" + good, 0) is None


@pytest.mark.parametrize("size", [1, 2, 50, 500, 501, 502, 503, 600, 1000, 1013, 1014, 1015, 4000, MAX_TEXT])
@pytest.mark.parametrize("head", [b"MSG #r :", b"@t MSG #r :"])
def test_a_run_reaches_as_far_as_it_may(head: bytes, size: int) -> None:
    line = head + b"x" * size + b"\n"
    run = parse_says(b"MSG #r :skipped\n" + line * LONGEST_RUN, 16)
    assert run is not None
    count = min(RUN_OCTETS // len(line), LONGEST_RUN)
    assert (len(run.texts), run.octets) == (count, count * len(line))
    assert len(parse_says(line, 0).texts) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "behind", [b"@bcd PING\n", b"@b MSG #other :y\n", b"@b JOIN #r\n", b"@bcd MSG #r :\n"]
)
def test_a_run_ends_with_a_line(behind: bytes) -> None:
    """CPython before 3.11.5 lets a possessive group end in the middle of what it may not take."""
    first = b"@a MSG #r :x\n"
    run = parse_says(first + behind, 0)
    assert run is not None
    assert run.octets == len(first)
    assert_the_promise(first + behind, [first + behind])


@pytest.mark.parametrize("head", [b"MSG #r :", b"@t.1 MSG #r :"])
@pytest.mark.parametrize("text", [b"x", rb"caf\xe9", b"100 % : @t MSG #r :x"])
@pytest.mark.parametrize("count", [1, 2, 10, 100])
def test_a_read_that_holds_nothing_else_is_taken_as_a_whole(
    count: int, text: bytes, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(framed, "_reach")  # is not needed
    block = (head + text + b"\n") * count
    run = parse_says(block, 0)
    assert run is not None
    assert run.room == "#r"
    assert list(run.texts) == [unescape(text.decode())] * count
    assert run.tags is None if head.startswith(b"M") else list(run.tags or ()) == ["t.1"] * count
    assert run.octets == len(block)


SOUND = [b"@a MSG #r :x\n", b"MSG #r :x\n"]


@pytest.mark.parametrize("sound", SOUND)
@pytest.mark.parametrize(
    "odd",
    [
        *(b"PING\n", b"x", b"@", b"@a ", b"@a MSG #r :\n", b"MSG #r :\n", b"\n", b" ", b"@a MSG #R :x\n"),
        *(b"@a MSG #other :x\n", b"MSG #other :x\n", *SOUND),
    ],
)
def test_nothing_is_passed_over(sound: bytes, odd: bytes) -> None:
    for count in (1, 2, 3):
        sounds = sound * count
        for data in (
            odd + sounds,
            sounds + odd + sound,
            sounds + odd.rstrip(b"\n") + b"\n",
            odd + sounds + odd,
        ):
            assert_the_promise(data, [data])


def test_the_longest_run() -> None:
    run = parse_says(b"MSG #r :x\n" * 2000, 0)
    assert run is not None
    assert len(run.texts) == LONGEST_RUN
    assert RUN_OCTETS == MAX_FRAME


def test_a_text_over_the_limit_is_no_run() -> None:
    for size in (MAX_TEXT + 1, MAX_FRAME - 9, MAX_FRAME):
        assert parse_says(b"MSG #r :" + b"x" * size + b"\n", 0) is None


# --- what it costs -------------------------------------------------------------------------------

UNITS = [
    pytest.param(b"MSG #r :x\n", id="plain"),
    pytest.param(b"MSG #r :" + b"x" * 2000 + b"\n", id="long"),
    pytest.param(b"MSG #r :x\nPING\n", id="other requests between"),
    pytest.param(b"MSG #r :x\nMSG #s :x\n", id="two rooms"),
    pytest.param(b"MSG #r :x\n@1 MSG #r :x\n", id="tagged and not"),
    pytest.param(b"MSG #r :x\r\n", id="CRLF"),
    pytest.param(b"MSG #r :\\xe9\n", id="escapes"),
    pytest.param(b"MSG #r :\\q\n", id="wrong escapes"),
    pytest.param(b"@1 MSG #r :\\q\n", id="wrong escapes, tagged"),
    pytest.param(b"MSG #r :x\nMSG #r :\\q\n", id="every other escape wrong"),
    pytest.param(b"MSG #r :x\nMSG #r :\xff\n", id="every other not ASCII"),
    pytest.param(b"MSG #r :x\n" * 800 + b"MSG #r :\\q\n", id="a wrong one now and then"),
]


class Looker:
    """A pattern that counts how many octets it has been over."""

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern
        self.octets = 0

    def match(self, block: bytes, *span: int) -> re.Match[bytes] | None:
        match = self.pattern.match(block, *span)
        if match is not None:
            self.octets += len(match[0])
        return match

    def fullmatch(self, block: bytes) -> re.Match[bytes] | None:
        self.octets += len(block)
        return self.pattern.fullmatch(block)


class Splitter:
    """The same of a pattern that splits."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.octets = 0

    def split(self, wire: str, most: int) -> list[str | None]:
        self.octets += len(wire)
        return self.pattern.split(wire, most)


READS = [pytest.param(65_536, id="one read"), pytest.param(MAX_TEXT, id="reads that may be one run")]


def reads(unit: bytes, size: int) -> list[bytes]:
    """Whole lines, in reads of at most `size` or of one unit."""
    read = unit * max(size // len(unit), 1)
    return [read] * (65_536 // len(read))


@pytest.mark.parametrize("size", READS)
@pytest.mark.parametrize("unit", UNITS)
def test_no_octet_is_looked_at_again_and_again(
    unit: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake costs a glance more, however much stands behind it."""
    lookers = {name: Looker(getattr(framed, name)) for name in ("_TAGGED", "_UNTAGGED", "_VALID")}
    splitters = {name: Splitter(getattr(framed, name)) for name in ("_TAGGED_LINE", "_UNTAGGED_LINE")}
    spies: dict[str, Looker | Splitter] = {**lookers, **splitters}
    for name, spy in spies.items():
        monkeypatch.setattr(framed, name, spy)
    connection = server()
    for data in reads(unit, size):
        for spy in spies.values():
            spy.octets = 0
        connection.receive_data(data)
        heard, runs = drain_runs(connection)
        asked = len(heard) - sum(len(run.texts) for run in runs) + len(runs)
        assert sum(looker.octets for looker in lookers.values()) <= 5 * len(data) + 1024 * asked
        assert sum(splitter.octets for splitter in splitters.values()) <= 2 * len(data)


@pytest.mark.parametrize("size", READS)
@pytest.mark.parametrize("unit", UNITS)
def test_it_costs_at_most_twice_the_calls_of_one_by_one(unit: bytes, size: int) -> None:
    fast, slow = server(), server()
    for data in reads(unit, size):
        fast.receive_data(data)
        slow.receive_data(data)
        assert calls(lambda: drain_runs(fast)) <= 2 * calls(lambda: drain(slow))


# --- in which state, for whom --------------------------------------------------------------------

SAYS = b"MSG #dev :x\n"


@pytest.mark.parametrize("state", [state for state in State if state is not State.CHATTING])
def test_there_is_no_run_but_while_chatting(state: State) -> None:
    connection = server(state)
    connection.receive_data(SAYS)
    assert connection.next_says() is None


def test_messages_behind_a_hello_are_a_run_after_the_welcome() -> None:
    connection = Connection(Role.SERVER)
    connection.receive_data(b"NICK alice triochat/1\n" + SAYS + SAYS)
    assert connection.next_says() is None
    assert connection.next_event() == e.Hello("alice")
    assert connection.next_says() is None
    connection.send(e.Welcome("alice", "server"))
    assert connection.next_says() == SayRun("#dev", ("x", "x"), None, 24)
    assert connection.next_says() is None
    connection.receive_data(SAYS)
    connection.receive_data(b"")
    assert connection.next_says() == SayRun("#dev", ("x",), None, 12)


def test_what_came_before_the_end_is_not_said_behind_it() -> None:
    connection = server()
    connection.receive_data(SAYS)
    connection.send(e.Bye())
    assert connection.next_says() is None


def test_a_client_hears_no_run() -> None:
    connection = client()
    connection.receive_data(SAYS)
    assert connection.next_says() is None
    assert drain(connection) == [Refused("bad-frame")]


def test_a_person_says_no_run() -> None:
    connection = server(dialect=Dialect.TEXT)
    connection.receive_data(SAYS)
    assert connection.next_says() is None
    assert hear(connection, b"")[:1] == [e.Say(None, "MSG #dev :x")]


def test_a_run_makes_good_for_what_was_malformed() -> None:
    connection = server()
    for _ in range(3):
        connection.receive_data(b"broken\n" * 19 + SAYS)
        heard, runs = drain_runs(connection)
        assert heard == [Refused("bad-frame")] * 19 + [e.Say("#dev", "x")]
        assert len(runs) == 1


# --- building ------------------------------------------------------------------------------------

MESSAGE_RUNS = st.builds(
    MessageRun, TARGETS, st.integers(1, MAX_ID - 100), COUNTS, NICKS, st.lists(SAID, min_size=1, max_size=20)
)
TAGS = st.from_regex(r"[A-Za-z0-9_.-]{1,32}", fullmatch=True)
OK_RUNS = st.builds(OkRun, st.integers(0, MAX_ID - 100), st.lists(TAGS, min_size=1, max_size=20))


@given(MESSAGE_RUNS)
def test_messages_are_built_as_one_by_one(run: MessageRun) -> None:
    frames = list(run.frames())
    assert [frame.text for frame in frames] == run.texts
    assert [frame.id for frame in frames] == list(range(run.first, run.first + len(run.texts)))
    assert build_messages(run) == b"".join(build(frame) for frame in frames)


def test_what_is_known_to_be_plain_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(framed, "is_plain")
    run = parse_says(b"MSG #dev :100 %\nMSG #dev :b\n", 0)
    assert run is not None
    told = MessageRun("#dev", 7, 5, "al", run.texts)
    assert build_messages(told) == b"MSG #dev 7 5 al :100 %\nMSG #dev 8 5 al :b\n"


@given(MESSAGE_RUNS, st.sampled_from(Encoding))
def test_a_run_is_encoded_as_its_messages(run: MessageRun, encoding: Encoding) -> None:
    assert encode(run, encoding) == b"".join(encode(frame, encoding) for frame in run.frames())


def test_a_run_of_plain_messages_and_one_that_needs_escapes() -> None:
    assert (
        build_messages(MessageRun("#dev", 7, 5, "al", ["a", "b"]))
        == b"MSG #dev 7 5 al :a\nMSG #dev 8 5 al :b\n"
    )
    assert build_messages(MessageRun("@bob", 9, 5, "al", ["a", "é\n\\"])) == (
        b"MSG @bob 9 5 al :a\n"
        b"MSG @bob 10 5 al :\\xe9\\n\\\\\n"
    )  # fmt: skip


@given(OK_RUNS)
def test_acknowledgements_are_built_as_one_by_one(run: OkRun) -> None:
    connection = server()
    expected = b"".join(build(frame) for frame in run.frames())
    assert build_oks(run) == connection.send_oks(run) == expected
    assert [frame.tag for frame in run.frames()] == run.tags


@given(SAID | st.text())
def test_plain_is_what_needs_no_escape(text: str) -> None:
    assert is_plain(text) == (re.search(r"[^ -\[\]-~]", text) is None)
    assert escape(text) == text or not is_plain(text)


OKS = OkRun(1, ["a", "b"])


@pytest.mark.parametrize(
    ("connection", "code"),
    [
        pytest.param(client(), "not-allowed", id="a client"),
        pytest.param(server(dialect=Dialect.TEXT), "not-allowed", id="a person's server"),
        pytest.param(server(State.SNIFFING), "not-allowed", id="who sniffs"),
        pytest.param(server(State.NAMING), "bad-frame", id="naming"),
        pytest.param(server(State.DECIDING), "bad-frame", id="deciding"),
        pytest.param(server(State.CLOSED), "not-allowed", id="closed"),
    ],
)
def test_who_may_not_acknowledge(connection: Connection, code: str) -> None:
    state = connection.state
    with pytest.raises(LocalProtocolError) as caught:
        connection.send_oks(OKS)
    assert caught.value.code == code
    assert connection.state is state
