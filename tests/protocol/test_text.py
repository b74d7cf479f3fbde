"""The text dialect: what a person types, and what a person reads."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import NICKS, ROOMS, SAID, TAGS
from triochat.protocol import RemoteProtocolError
from triochat.protocol import events as e
from triochat.protocol.text import HELP, as_sentence, likely_nick, parse, printable, render

# --- what is typed ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "request_"),
    [
        ("hello", e.Say(None, "hello")),
        ("hello, /join us", e.Say(None, "hello, /join us")),
        (" /join #dev", e.Say(None, " /join #dev")),
        ("NICK", e.Say(None, "NICK")),
        ("café\t🙂", e.Say(None, "café\t🙂")),
        ("/me waves", e.Say(None, "/me waves")),
        ("/ME  waves ", e.Say(None, "/me waves")),
        ("/join #dev", e.Join("#dev")),
        ("/join dev", e.Join("#dev")),
        ("/JOIN  #Dev ", e.Join("#dev")),
        ("/nick bob", e.Rename("bob")),
        ("/msg bob hi there", e.Say("@bob", "hi there")),
        ("/msg @Bob  hi", e.Say("@Bob", "hi")),
        ("/msg bob /me waves", e.Say("@bob", "/me waves")),
        ("/who", e.ListNames(None)),
        ("/who dev", e.ListNames("#dev")),
        ("/who #Dev", e.ListNames("#dev")),
        ("/rooms", e.ListRooms()),
        ("/topic", e.GetTopic(None)),
        ("/topic next: a release", e.SetTopic(None, "next: a release")),
        ("/history", e.ReadHistory(None)),
        ("/history 1000", e.ReadHistory(None, limit=1000)),
        ("/search two words", e.Search(None, "two words")),
        ("/help", e.Help()),
        ("/quit", e.Quit()),
        ("/quit good night", e.Quit("good night")),
        ("//join #dev", e.Say(None, "/join #dev")),
        ("//", e.Say(None, "/")),
        ("///", e.Say(None, "//")),
        ("//me waves", e.Say(None, "/me waves")),
        (" //", e.Say(None, " //")),
        ("", e.Blank()),
        ("  \t", e.Blank()),
    ],
)
def test_what_is_typed(line: str, request_: e.Request) -> None:
    assert parse(line) == request_


def understood(line: str) -> bool:
    """Whether `line` is a command, though perhaps one of another form."""
    try:
        parse(line)
    except RemoteProtocolError as error:
        return error.code != "unknown-command"
    return True


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("/join", "bad-frame"),
        ("/join #a #b", "bad-frame"),
        ("/join #a.b", "bad-room"),
        ("/nick", "bad-frame"),
        ("/nick bob jr", "bad-frame"),
        ("/nick 9lives", "bad-nick"),
        ("/msg", "bad-frame"),
        ("/msg bob", "bad-frame"),
        ("/msg bob  ", "bad-frame"),
        ("/msg 9lives hi", "bad-nick"),
        ("/me", "bad-frame"),
        ("/me  ", "bad-frame"),
        ("/who #a #b", "bad-frame"),
        ("/join \N{KELVIN SIGN}", "bad-room"),
        ("/who a.b", "bad-room"),
        ("/who \N{KELVIN SIGN}", "bad-room"),
        ("/history x", "bad-frame"),
        ("/history 0", "bad-frame"),
        ("/history 1001", "bad-frame"),
        ("/history 99999", "bad-frame"),
        ("/history ²", "bad-frame"),
        ("/search", "bad-frame"),
        ("/search  ", "bad-frame"),
        ("/topic \x1b", "bad-text"),
        ("/quit \x1b", "bad-text"),
        ("/", "unknown-command"),
        ("/ join", "unknown-command"),
        ("/kick bob", "unknown-command"),
        ("/etc/passwd", "unknown-command"),
        ("/nic\N{KELVIN SIGN} bob", "unknown-command"),
        ("beep\x07", "bad-text"),
        ("a\rb", "bad-text"),
        ("x" * 8001, "too-long"),
    ],
)
def test_what_cannot_be_done(line: str, code: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse(line)
    assert caught.value.code == code
    assert caught.value.tag is None
    assert caught.value.sentence.isprintable()


def test_who_types_an_unknown_command_is_told_what_to_do() -> None:
    with pytest.raises(RemoteProtocolError, match=r"/help.*begins with a slash, type two") as caught:
        parse("/kick bob")
    assert "bob" not in caught.value.sentence


def test_who_misses_the_form_is_told_it() -> None:
    with pytest.raises(RemoteProtocolError, match=r"^The form is: /nick name$"):
        parse("/nick")


def test_the_help_names_every_command() -> None:
    named = re.findall(r"^/(\w+)", HELP, re.MULTILINE)
    assert " ".join(named) == "join nick msg me who rooms topic history search help quit"
    assert all(understood(f"/{word} x") for word in named)


@given(st.text(max_size=40) | st.text(max_size=40).map("/{}".format))
def test_junk_is_refused_or_understood(line: str) -> None:
    understood(line)


@pytest.mark.parametrize(
    ("offered", "nick"),
    [
        ("alice", "alice"),
        (" al ice ", "alice"),
        ("josé", "jos"),
        ("9lives", "lives"),
        ("_-x", "x"),
        ("a" * 40, "a" * 32),
        ("\x1b[31mred", "mred"),
        ("", "guest"),
        ("123", "guest"),
        ("Ω", "guest"),
    ],
)
def test_a_likely_nick(offered: str, nick: str) -> None:
    assert likely_nick(offered) == nick


@given(st.text(max_size=60))
def test_a_likely_nick_is_a_nick(offered: str) -> None:
    nick = e.Hello(likely_nick(offered)).nick
    assert likely_nick(nick) == nick


@given(NICKS)
def test_a_nick_is_its_own_likely_one(nick: str) -> None:
    assert likely_nick(nick) == nick


def test_printable() -> None:
    assert printable("a\x1b[2J\x07\x85\r\ud800\n\té") == "a\ufffd[2J\ufffd\ufffd\ufffd\ufffd\n\té"


@given(st.text(st.characters(), max_size=40))
def test_what_is_printable_may_be_said(text: str) -> None:
    e.Notice(printable(text))


# --- what is read -------------------------------------------------------------------------------

HALF_PAST_NOON = 1_700_000_000_000 // 86_400_000 * 86_400_000 + (12 * 60 + 34) * 60_000 + 59_999


def message(text: str, *, target: str = "#dev", tag: str | None = None) -> e.Message:
    return e.Message(target=target, id=1, ms=HALF_PAST_NOON, nick="alice", text=text, tag=tag)


def topic(text: str, *, tag: str | None = None) -> e.TopicSet:
    return e.TopicSet(room="#dev", id=1, ms=HALF_PAST_NOON, nick="alice", text=text, tag=tag)


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (message("hello"), "alice: hello"),
        (message("hello\n\nworld"), "alice: hello\n  \n  world"),
        (message("NICK"), "alice: NICK"),
        (message("x\nNICK"), "alice: x\n  NICK"),
        (message("/me waves"), "* alice waves"),
        (message("/me waves\n/me bows"), "* alice waves\n  /me bows"),
        (message("/men"), "alice: /men"),
        (message("hello", target="@bob"), "(private) alice to bob: hello"),
        (message("a\nb", target="@bob"), "(private) alice to bob: a\n  b"),
        (message("/me waves", target="@bob"), "* (private) alice to bob waves"),
        (message("hello", tag="h"), "[history 12:34] alice: hello"),
        (message("a\nb", tag="h"), "[history 12:34] alice: a\n  b"),
        (message("/me waves", tag="h"), "[history 12:34] * alice waves"),
        (topic("a\nrelease"), "alice set the topic: a release"),
        (topic(""), "alice cleared the topic."),
        (topic("release", tag="h"), "[history 12:34] alice set the topic: release"),
        (topic("", tag="h"), "[history 12:34] alice cleared the topic."),
        (e.Joined("#dev", "alice"), "alice joined!"),
        (e.Left("#dev", "alice"), "alice left!"),
        (e.Left("#dev", "alice", "gone\nNICK"), "alice left! (gone NICK)"),
        (e.Renamed("alice", "bob"), "alice is now bob."),
        (e.RoomInfo("#dev", 1, 7), "#dev: 1 person"),
        (e.RoomInfo("#dev", 2, 7, "a\nrelease"), "#dev: 2 people, topic: a release"),
        (e.NameList("#dev", ("alice", "Bob")), "In #dev: alice, Bob"),
        (e.NameList("#dev", ()), "In #dev: nobody"),
        (e.Gap("#dev", 1, 41), "(The entries 1 to 41 are no longer kept.)"),
        (e.Failure("bad-nick", "no such luck"), "No such luck."),
        (e.Notice("Really?"), "Really?"),
        (e.Notice("NICK"), "NICK."),
        (e.Notice("NICK\nnick\nNICK"), "NICK.\nnick\nNICK."),
        (e.Notice(""), ""),
        (e.Welcome("alice", "server"), "Connected to server!"),
        (e.Bye(), "Goodbye!"),
        (e.Bye("idle\nNICK"), "Goodbye! (idle NICK)"),
        (e.Ok(1), ""),
        (e.Ping("x"), ""),
        (e.Pong("x"), ""),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_is_read(event: e.Event, lines: str) -> None:
    assert render(event) == lines


@pytest.mark.parametrize(("ms", "clock"), [(0, "00:00"), (86_399_999, "23:59"), (86_400_000, "00:00")])
def test_the_time_of_the_past_is_utc(ms: int, clock: str) -> None:
    event = e.Message(target="#dev", id=1, ms=ms, nick="alice", text="x", tag="h")
    assert render(event) == f"[history {clock}] alice: x"


@given(NICKS, ROOMS | NICKS.map("@{}".format), SAID, TAGS)
def test_no_further_line_can_pass_for_another_message(
    nick: str, target: str, text: str, tag: str | None
) -> None:
    event = e.Message(target=target, id=1, ms=0, nick=nick, text=text, tag=tag)
    lead = re.compile(
        ("" if tag is None else r"\[history 00:00\] ")
        + (r"\* " if text.startswith("/me ") else "")
        + (rf"\(private\) {nick} to {target[1:]}" if target.startswith("@") else nick)
        + (" " if text.startswith("/me ") else ": ")
    )
    first, *further = render(event).split("\n")
    assert lead.match(first)
    assert all(line.startswith("  ") for line in further)
    told = [lead.sub("", first, count=1), *(line[2:] for line in further)]
    assert told == text.removeprefix("/me ").split("\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("no", "No."),
        ("No.", "No."),
        ("why?", "Why?"),
        ("oh!", "Oh!"),
        ("", ""),
        ("éa", "Éa."),
        ("nICK", "NICK."),
    ],
)
def test_a_sentence(words: str, sentence: str) -> None:
    assert as_sentence(words) == sentence
