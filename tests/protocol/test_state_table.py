"""What may be said in which state, by whom: every pair, said and heard.

The expected table is written down here from docs/protocol.md; it does not come from the code.
"""

import re

import pytest

from tests.protocol.pair import Refused, client, hear, server
from tests.protocol.samples import EVENTS, REQUESTS
from triochat.protocol import CLOSED, PAUSED, Connection, Dialect, LocalProtocolError, Role, State, connection
from triochat.protocol import events as e

CHAT = {
    *(e.Rename, e.Join, e.Part, e.Say, e.GetTopic, e.SetTopic, e.ListNames, e.ListRooms),
    *(e.ReadHistory, e.Search, e.Help, e.Blank, e.Ping, e.Pong, e.Quit),
}
NEWS = {
    *(e.Ok, e.RoomInfo, e.NameList, e.Message, e.TopicSet, e.Joined, e.Left, e.Renamed, e.Gap),
    *(e.Ping, e.Pong),
}
SENTENCES = {e.Failure, e.Notice, e.Bye}

MAY_SAY: dict[Role, dict[State, set[type[e.Frame]]]] = {
    Role.CLIENT: {
        State.NAMING: {e.Hello, e.Blank, e.Quit},
        State.DECIDING: CHAT,
        State.CHATTING: CHAT,
        State.CLOSED: set(),
    },
    Role.SERVER: {
        State.SNIFFING: {e.Bye},
        State.NAMING: {e.Prompt, *SENTENCES},
        State.DECIDING: {e.Welcome, e.Prompt, e.Ping, e.Pong, *SENTENCES},
        State.CHATTING: {*NEWS, *SENTENCES},
        State.CLOSED: set(),
    },
}
LEADS_TO: dict[tuple[State, type[e.Frame]], State] = {
    (State.NAMING, e.Hello): State.DECIDING,
    (State.DECIDING, e.Welcome): State.CHATTING,
    (State.DECIDING, e.Prompt): State.NAMING,
    **{(state, e.Bye): State.CLOSED for state in State},
}
"""What changes the state; all else leaves it as it is."""

ONE_OF_EACH: dict[type[e.Frame], e.Frame] = {
    **{type(value): value for value, _ in [*REQUESTS, *EVENTS]},
    e.Help: e.Help(),
    e.Blank: e.Blank(),
    e.Notice: e.Notice("x"),
}
TEXT_ONLY = {e.Help, e.Blank}
"""What there is no frame for."""
WIRE = {type(value): wire for value, wire in [*REQUESTS, *EVENTS]}
PAIRS = [
    pytest.param(role, state, kind, id=f"{role.value}-{state.name}-{kind.__name__}")
    for role, states in MAY_SAY.items()
    for state in states
    for kind in ONE_OF_EACH
]


def brought_to(role: Role, state: State, dialect: Dialect = Dialect.FRAMED) -> Connection:
    return server(state, dialect) if role is Role.SERVER else client(state, dialect)


def why_not(speaker: Role, state: State, kind: type[e.Frame]) -> str:
    if not issubclass(kind, e.Request if speaker is Role.CLIENT else e.Event):
        return "not-allowed"
    if state is State.CLOSED or kind is e.Hello:
        return "not-allowed"
    return "hello-first" if speaker is Role.CLIENT else "bad-frame"


@pytest.mark.parametrize(("role", "state", "kind"), PAIRS)
def test_what_may_be_said(role: Role, state: State, kind: type[e.Frame]) -> None:
    dialect = Dialect.TEXT if (role, kind) == (Role.SERVER, e.Notice) else Dialect.FRAMED
    side = brought_to(role, state, dialect)
    if kind in MAY_SAY[role][state] - TEXT_ONLY:
        side.send(ONE_OF_EACH[kind])
        assert side.state is LEADS_TO.get((state, kind), state)
        return
    with pytest.raises(LocalProtocolError) as caught:
        side.send(ONE_OF_EACH[kind])
    unsayable = kind in TEXT_ONLY and kind in MAY_SAY[role][state]
    assert caught.value.code == ("bad-frame" if unsayable else why_not(role, state, kind))
    assert side.state is state


@pytest.mark.parametrize(("role", "state", "kind"), PAIRS)
def test_what_may_be_heard(role: Role, state: State, kind: type[e.Frame]) -> None:
    """`role` is who speaks; the other side is brought to the state and hears it."""
    hearer = Role.CLIENT if role is Role.SERVER else Role.SERVER
    speaks = e.Request if role is Role.CLIENT else e.Event
    if kind not in WIRE or state is State.SNIFFING or not issubclass(kind, speaks):
        return  # can't be said in frames, or not by this side, or not before a hello
    side = brought_to(hearer, state)
    heard = hear(side, WIRE[kind])
    if state is State.CLOSED:
        assert heard == []
        assert side.next_event() is CLOSED
    elif state is State.DECIDING and hearer is Role.SERVER:
        assert heard == []
        assert side.next_event() is PAUSED
    elif kind in MAY_SAY[role][state]:
        assert heard == [ONE_OF_EACH[kind]]
        state = LEADS_TO.get((state, kind), state)
    else:
        assert heard == [Refused(why_not(role, state, kind), ONE_OF_EACH[kind].tag)]
    assert side.state is state


@pytest.mark.parametrize(
    "state", [State.SNIFFING, State.NAMING, State.DECIDING, State.CHATTING, State.CLOSED]
)
def test_an_empty_line_changes_nothing(state: State) -> None:
    """While a name is asked for it is an answer, unless the peer knows no lines; see test_connection_text."""
    side = server(state, Dialect.TEXT)
    heard = hear(side, b"\n")
    expected: dict[State, list[object]] = {
        State.SNIFFING: [Refused("bad-nick")],
        State.NAMING: [Refused("bad-nick")],
        State.CHATTING: [e.Blank()],
    }
    assert heard == expected.get(state, [])
    assert side.state is (State.NAMING if state is State.SNIFFING else state)
    if state is State.DECIDING:
        assert side.next_event() is PAUSED
        side.send(e.Welcome("alice", "server"))
        assert side.next_event() == e.Blank()
        assert side.state is State.CHATTING


@pytest.mark.parametrize("state", [State.NAMING, State.DECIDING, State.CHATTING])
def test_an_empty_frame_is_none(state: State) -> None:
    side = server(state)
    heard = hear(side, b"\n")
    assert heard == ([] if state is State.DECIDING else [Refused("bad-frame")])


def test_a_notice_is_for_people() -> None:
    for state in (State.NAMING, State.DECIDING, State.CHATTING):
        side = server(state)
        with pytest.raises(LocalProtocolError) as caught:
            side.send(e.Notice("x"))
        assert caught.value.code == "bad-frame"
        assert side.state is state


def test_what_could_not_be_said_leaves_the_state_as_it_was() -> None:
    side = client(State.NAMING)
    with pytest.raises(LocalProtocolError):
        side.send(e.Hello("alice", adapt=True))
    assert side.state is State.NAMING


def test_who_is_refused_is_told_why() -> None:
    with pytest.raises(LocalProtocolError, match=r"^a client does not say this$"):
        client().send(e.Ok())
    with pytest.raises(LocalProtocolError, match=r"^a server does not say this$"):
        server().send(e.ListRooms())
    with pytest.raises(LocalProtocolError, match=r"^say who you are first: NICK nick triochat/1$"):
        client(State.NAMING).send(e.Ping())
    with pytest.raises(LocalProtocolError, match=r"^this can't be said now$"):
        server(State.NAMING).send(e.Ping())
    with pytest.raises(LocalProtocolError, match=r"^you have said who you are"):
        client().send(e.Hello("alice"))


def test_the_picture_shows_the_table() -> None:
    picture = connection.__doc__
    assert picture is not None
    drawn = {
        (state, label, target)
        for line in picture.splitlines()
        for states, label, target in [
            *re.findall(r"([A-Z, ]+?) ── ([\w ]+) ──► (?=([A-Z]+))", line),
            *((a, label, b) for b, label, a in re.findall(r"([A-Z]+) ◄── ([\w ]+) ── ([A-Z]+)", line)),
        ]
        for state in re.findall("[A-Z]+", states)
    }
    run = {
        (state.name, kind.__name__, target.name)
        for state, row in connection.TRANSITIONS.items()
        for kind, target in row.items()
        if state is not target
    }
    assert drawn == run | {("SNIFFING", "first bytes", "NAMING")}
