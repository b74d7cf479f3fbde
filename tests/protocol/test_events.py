"""What can't be said can't be built."""

import dataclasses
import inspect
from collections.abc import Callable

import pytest

from tests.protocol.samples import CODES, EVENTS, REQUESTS, SESSION
from triochat.protocol import errors
from triochat.protocol import events as e
from triochat.protocol.errors import LocalProtocolError, ProtocolError, RemoteProtocolError

TYPES = [
    value
    for value in vars(e).values()
    if inspect.isclass(value) and issubclass(value, e.Frame) and value not in (e.Frame, e.Request, e.Event)
]
VALUES: list[e.Frame] = [*(value for value, _ in REQUESTS), *(value for value, _ in EVENTS), e.Notice("x")]


def message(**changes: object) -> e.Message:
    values = {"target": "#dev", "id": 1, "ms": 0, "nick": "alice", "text": "hi"} | changes
    return e.Message(**values)  # type: ignore[arg-type]  # mypy can't follow the keywords


def topic(**changes: object) -> e.TopicSet:
    values = {"room": "#dev", "id": 1, "ms": 0, "nick": "alice", "text": "hi"} | changes
    return e.TopicSet(**values)  # type: ignore[arg-type]  # mypy can't follow the keywords


BAD_TEXTS = ["\x00", "\x07", "\x1b[2J", "a\rb", "\x7f", "\x85", "\ud800"]
BAD_NICKS = ["", "9lives", "_x", "-x", "a" * 33, "josé", "a b", "a\n", "@alice", "#alice", "\u212a"]
BAD_ROOMS = ["", "#", "dev", "#Dev", "# dev", "#" + "d" * 33, "#dé", "#dev\n", "@dev", "##dev", "#a.b"]
BAD_TAGS = ["", " ", "a b", "a" * 33, "a@", "é", "a\n", ":"]

WITH_A_NICK: list[Callable[[str], e.Frame]] = [
    e.Hello,
    e.Rename,
    lambda nick: e.Welcome(nick, "server"),
    lambda nick: e.NameList("#dev", ("alice", nick)),
    lambda nick: message(nick=nick),
    lambda nick: topic(nick=nick),
    lambda nick: e.Joined("#dev", nick),
    lambda nick: e.Left("#dev", nick),
    lambda nick: e.Renamed(nick, "bob"),
    lambda nick: e.Renamed("bob", nick),
    lambda nick: e.Say("@" + nick, "x"),
    lambda nick: message(target="@" + nick),
    lambda nick: e.Gap("@" + nick, 1, 2),
]
WITH_A_ROOM: list[Callable[[str], e.Frame]] = [
    e.Join,
    e.Part,
    e.GetTopic,
    lambda room: e.SetTopic(room, "x"),
    e.ListNames,
    lambda room: e.Search(room, "x"),
    lambda room: e.RoomInfo(room, 1, 1),
    lambda room: e.NameList(room, ()),
    lambda room: topic(room=room),
    lambda room: e.Joined(room, "alice"),
    lambda room: e.Left(room, "alice"),
]
WITH_A_TARGET: list[Callable[[str], e.Frame]] = [
    lambda target: e.Say(target, "x"),
    e.ReadHistory,
    lambda target: message(target=target),
    lambda target: e.Gap(target, 1, 2),
]
WITH_SOMETHING_SAID: list[Callable[[str], e.Frame]] = [
    lambda text: e.Say("#dev", text),
    lambda text: e.Search("#dev", text),
    lambda text: message(text=text),
]
WITH_A_TEXT: list[Callable[[str], e.Frame]] = [
    *WITH_SOMETHING_SAID,
    lambda text: e.Part("#dev", text),
    lambda text: e.SetTopic("#dev", text),
    e.Quit,
    e.Ping,
    e.Pong,
    lambda text: e.Failure("bad-frame", text),
    e.Prompt,
    lambda text: e.RoomInfo("#dev", 1, 1, text),
    lambda text: topic(text=text),
    lambda text: e.Left("#dev", "alice", text),
    e.Bye,
    e.Notice,
]


def assert_refused(code: str, build: Callable[[], e.Frame]) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        build()
    assert caught.value.code == code
    assert caught.value.sentence == str(caught.value)
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize("nick", BAD_NICKS)
@pytest.mark.parametrize("build", WITH_A_NICK)
def test_a_bad_nick_is_refused_everywhere(build: Callable[[str], e.Frame], nick: str) -> None:
    assert_refused("bad-nick", lambda: build(nick))


@pytest.mark.parametrize("room", BAD_ROOMS)
@pytest.mark.parametrize("build", WITH_A_ROOM)
def test_a_bad_room_is_refused_everywhere(build: Callable[[str], e.Frame], room: str) -> None:
    assert_refused("bad-room", lambda: build(room))


@pytest.mark.parametrize("target", [room for room in BAD_ROOMS if not room.startswith("@")])
@pytest.mark.parametrize("build", WITH_A_TARGET)
def test_a_target_is_a_room_or_a_person(build: Callable[[str], e.Frame], target: str) -> None:
    assert_refused("bad-room", lambda: build(target))


@pytest.mark.parametrize("text", BAD_TEXTS)
@pytest.mark.parametrize("build", WITH_A_TEXT)
def test_control_characters_and_surrogates_are_refused(build: Callable[[str], e.Frame], text: str) -> None:
    assert_refused("bad-text", lambda: build(text))


@pytest.mark.parametrize("build", WITH_A_TEXT)
def test_a_text_that_is_too_long_is_refused_everywhere(build: Callable[[str], e.Frame]) -> None:
    build("x" * 8000)
    assert_refused("too-long", lambda: build("x" * 8001))


@pytest.mark.parametrize("build", WITH_SOMETHING_SAID)
def test_who_says_something_says_something(build: Callable[[str], e.Frame]) -> None:
    assert_refused("bad-text", lambda: build(""))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_bad_tag_is_refused_everywhere(value: e.Frame) -> None:
    for tag in BAD_TAGS:
        with pytest.raises(LocalProtocolError) as caught:
            dataclasses.replace(value, tag=tag)
        assert caught.value.code == "bad-frame"


@pytest.mark.parametrize(
    "build",
    [
        lambda: e.Hello("alice", SESSION[1:]),
        lambda: e.Hello("alice", SESSION + "0"),
        lambda: e.Hello("alice", "g" * 32),
        lambda: e.Hello("alice", ""),
        lambda: e.Hello("alice", takeover=False),
        lambda: e.Join("#dev", -1),
        lambda: e.Join("#dev", 2**63),
        lambda: e.ReadHistory("#dev", before=0),
        lambda: e.ReadHistory("#dev", after=-1),
        lambda: e.ReadHistory("#dev", before=2, after=1),
        lambda: e.ReadHistory("#dev", limit=0),
        lambda: e.ReadHistory("#dev", limit=1001),
        lambda: e.Search("#dev", "x", limit=0),
        lambda: e.Search("#dev", "x", limit=1001),
        lambda: e.Welcome("alice", ""),
        lambda: e.Welcome("alice", "two words"),
        lambda: e.Welcome("alice", ":server"),
        lambda: e.Welcome("alice", "bell\x07"),
        lambda: e.Welcome("alice", "line\n"),
        lambda: e.Welcome("alice", "sérver"),
        lambda: e.Welcome("alice", "s" * 201),
        lambda: e.Ok(-1),
        lambda: e.Ok(2**63),
        lambda: e.Failure("No-Code", "x"),
        lambda: e.Failure("-", "x"),
        lambda: e.Failure("a" * 33, "x"),
        lambda: e.RoomInfo("#dev", -1, 0),
        lambda: e.RoomInfo("#dev", 0, -1),
        lambda: message(id=0),
        lambda: message(id=2**63),
        lambda: message(ms=-1),
        lambda: topic(id=0),
        lambda: topic(ms=-1),
        lambda: e.Gap("#dev", 0, 1),
        lambda: e.Gap("#dev", 2, 1),
    ],
)
def test_other_values_out_of_their_range(build: Callable[[], e.Frame]) -> None:
    assert_refused("bad-frame", build)


def test_the_longest_words() -> None:
    nick, room, number = "a" * 32, "#" + "d" * 32, 2**63 - 1
    message(target=room, nick=nick, id=number, ms=number, tag="t" * 32)
    e.Welcome(nick, "s" * 200)
    e.Gap(room, number, number)


def test_where_no_room_is_named_it_is_the_one_that_the_peer_is_in() -> None:
    for build in (e.Part, e.GetTopic, e.ListNames):
        assert build(None).room is None
    assert e.ReadHistory(None).target is None
    assert e.SetTopic(None, "x").room is None
    assert e.Search(None, "x").room is None
    assert e.Say(None, "x").target is None


def test_what_the_limits_are_when_nothing_is_said() -> None:
    assert e.ReadHistory("#dev").limit == 20
    assert e.Search("#dev", "x").limit == 20
    assert e.Hello("alice").session is None
    assert not e.Hello("alice").adapt


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_small_immutable_and_equal_if_they_say_the_same(value: e.Frame) -> None:
    assert dataclasses.replace(value) == value
    assert hash(dataclasses.replace(value)) == hash(value)
    assert dataclasses.replace(value, tag="other") != value
    assert not hasattr(value, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.tag = "x"  # type: ignore[misc]  # that is the point


def test_every_type_has_its_example() -> None:
    assert {type(value) for value in VALUES} | {e.Help, e.Blank} == set(TYPES)


def test_requests_and_events_are_told_apart_and_pings_go_both_ways() -> None:
    both = {kind for kind in TYPES if issubclass(kind, e.Request) and issubclass(kind, e.Event)}
    assert both == {e.Ping, e.Pong}
    assert all(isinstance(value, e.Request) for value, _ in REQUESTS)
    assert all(isinstance(value, e.Event) for value, _ in EVENTS)


def test_the_verb_is_the_one_on_the_wire() -> None:
    for value, wire in [*REQUESTS, *EVENTS]:
        assert value.verb.encode() in wire.split()[:2]
    assert e.Help.verb == e.Blank.verb == e.Notice.verb == ""


def test_the_codes_are_those_of_the_protocol() -> None:
    assert errors.CODES == CODES
    assert errors.MALFORMED < CODES


def test_an_error_says_whose_fault_it_was_and_what_to_answer() -> None:
    error = RemoteProtocolError("bad-frame", "not so", tag="1", fatal=True)
    assert (error.code, error.sentence, error.tag, error.fatal) == ("bad-frame", "not so", "1", True)
    assert RemoteProtocolError("bad-frame", "not so").tag is None
    assert not RemoteProtocolError("bad-frame", "not so").fatal
    assert isinstance(error, ProtocolError)
    assert not isinstance(error, LocalProtocolError)
