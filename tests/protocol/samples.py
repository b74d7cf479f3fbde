"""What can be said, for tests: one example of each form with its bytes, and a strategy for each type.

The bytes are written down from section 3 of docs/protocol.md, not produced by the code.
"""

from hypothesis import strategies as st

from triochat.protocol import events as e

CODES = {
    "bad-frame",
    "not-ascii",
    "too-long",
    "bad-text",
    "unknown-command",
    "hello-first",
    "bad-nick",
    "nick-in-use",
    "bad-room",
    "no-such-room",
    "no-such-nick",
    "not-in-room",
    "too-many-rooms",
    "not-allowed",
    "throttled",
    "unavailable",
}

SESSION = "0123456789abcdefABCDEF0123456789"

REQUESTS: list[tuple[e.Request, bytes]] = [
    (e.Hello("alice", SESSION), b"NICK alice triochat/1 session=0123456789abcdefABCDEF0123456789\n"),
    (
        e.Hello("alice", SESSION, takeover=False),
        b"NICK alice triochat/1 session=0123456789abcdefABCDEF0123456789 takeover=no\n",
    ),
    (e.Hello("alice"), b"NICK alice triochat/1\n"),
    (e.Hello("A-z_9", tag="a.-_Z9"), b"@a.-_Z9 NICK A-z_9 triochat/1\n"),
    (e.Rename("bob", tag="1"), b"@1 NICK bob\n"),
    (e.Join("#dev"), b"JOIN #dev\n"),
    (e.Join("#dev", after=0), b"JOIN #dev after=0\n"),
    (e.Join("#d_e-v9", after=41, tag="2"), b"@2 JOIN #d_e-v9 after=41\n"),
    (e.Part("#dev"), b"PART #dev\n"),
    (e.Part("#dev", "lunch, back at 2"), b"PART #dev :lunch, back at 2\n"),
    (e.Say("#dev", "hello, world", tag="3"), b"@3 MSG #dev :hello, world\n"),
    (e.Say("@Bob", ": two\nlines\tC:\\n"), b"MSG @Bob :: two\\nlines\\tC:\\\\n\n"),
    (e.Say("#dev", " café Ω 🙂 "), b"MSG #dev : caf\\xe9 \\u03a9 \\U0001f642 \n"),
    (e.GetTopic("#dev"), b"TOPIC #dev\n"),
    (e.SetTopic("#dev", "release"), b"TOPIC #dev :release\n"),
    (e.SetTopic("#dev", ""), b"TOPIC #dev :\n"),
    (e.ListNames("#dev"), b"NAMES #dev\n"),
    (e.ListRooms(), b"ROOMS\n"),
    (e.ListRooms(tag="x"), b"@x ROOMS\n"),
    (e.ReadHistory("#dev"), b"HISTORY #dev limit=20\n"),
    (e.ReadHistory("#dev", before=7, limit=1000, tag="4"), b"@4 HISTORY #dev before=7 limit=1000\n"),
    (e.ReadHistory("#dev", after=0), b"HISTORY #dev after=0 limit=20\n"),
    (e.ReadHistory("@Bob", after=7, limit=1), b"HISTORY @Bob after=7 limit=1\n"),
    (e.Search("#dev", "old words", limit=5, tag="5"), b"@5 SEARCH #dev limit=5 :old words\n"),
    (e.Ping(), b"PING\n"),
    (e.Ping("tok en", tag="6"), b"@6 PING :tok en\n"),
    (e.Pong(), b"PONG\n"),
    (e.Pong("tok en"), b"PONG :tok en\n"),
    (e.Quit(), b"QUIT\n"),
    (e.Quit("good night"), b"QUIT :good night\n"),
]

EVENTS: list[tuple[e.Event, bytes]] = [
    (e.Welcome("alice", "chat.example.org", tag="1"), b"@1 WELCOME alice chat.example.org\n"),
    (e.Ok(), b"OK\n"),
    (e.Ok(tag="1"), b"@1 OK\n"),
    (e.Ok(0, tag="1"), b"@1 OK 0\n"),
    (e.Ok(42, tag="1"), b"@1 OK 42\n"),
    (e.Failure("bad-nick", "no such luck", tag="1"), b"@1 ERROR bad-nick :no such luck\n"),
    (e.Failure("throttled", "slower"), b"ERROR throttled :slower\n"),
    (e.Prompt(), b"NICK :\n"),
    (e.Prompt("taken"), b"NICK :taken\n"),
    (e.RoomInfo("#dev", 3, 42, tag="1"), b"@1 ROOM #dev 3 42\n"),
    (e.RoomInfo("#dev", 0, 0, "re: lease"), b"ROOM #dev 0 0 :re: lease\n"),
    (e.NameList("#dev", ("alice", "Bob"), tag="1"), b"@1 NAMES #dev alice Bob\n"),
    (e.NameList("#dev", ()), b"NAMES #dev\n"),
    (
        e.Message(target="#dev", id=1, ms=1700000000000, nick="alice", text="é\n:)"),
        b"MSG #dev 1 1700000000000 alice :\\xe9\\n:)\n",
    ),
    (
        e.Message(target="@Bob", id=9223372036854775807, ms=0, nick="alice", text="psst", tag="h"),
        b"@h MSG @Bob 9223372036854775807 0 alice :psst\n",
    ),
    (e.TopicSet(room="#dev", id=2, ms=5, nick="bob", text="release"), b"TOPIC #dev 2 5 bob :release\n"),
    (e.TopicSet(room="#dev", id=3, ms=5, nick="bob", text=""), b"TOPIC #dev 3 5 bob :\n"),
    (e.Joined("#dev", "alice"), b"JOINED #dev alice\n"),
    (e.Left("#dev", "alice"), b"LEFT #dev alice\n"),
    (e.Left("#dev", "alice", "lunch"), b"LEFT #dev alice :lunch\n"),
    (e.Renamed("alice", "Alice"), b"RENAMED alice Alice\n"),
    (e.Gap("#dev", 1, 41, tag="1"), b"@1 GAP #dev 1 41\n"),
    (e.Gap("@bob", 7, 7), b"GAP @bob 7 7\n"),
    (e.Ping("x"), b"PING :x\n"),
    (e.Pong("x"), b"PONG :x\n"),
    (e.Bye(), b"BYE :\n"),
    (e.Bye("replaced"), b"BYE :replaced\n"),
]

# --- strategies ---------------------------------------------------------------------------------

TAGS = st.none() | st.from_regex(r"[A-Za-z0-9_.-]{1,32}", fullmatch=True)
NICKS = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,31}", fullmatch=True) | st.just("NICK")
ROOMS = st.from_regex(r"#[a-z0-9_-]{1,32}", fullmatch=True)
TARGETS = ROOMS | NICKS.map("@{}".format)
IDS = st.integers(1, 2**63 - 1)
COUNTS = st.integers(0, 2**63 - 1)
PAGES = st.integers(1, 1000)
NASTY = ["NICK", "nICK", "NICK\nNICK", "a\nNICK", "NICK\na", "/me \nNICK", "/me NICK", "\n", " ", ":", "\\"]
TEXTS = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\\"), max_size=40)
    | st.sampled_from(NASTY)
    | st.lists(st.sampled_from(NASTY), max_size=4).map("\n".join)
)
SAID = TEXTS.filter(bool)
SERVERS = st.from_regex(r"[!-9;-~][!-~]{0,199}", fullmatch=True)
SESSIONS = st.none() | st.from_regex(r"[0-9a-fA-F]{32}", fullmatch=True)

REQUEST_STRATEGIES: dict[type[e.Request], st.SearchStrategy[e.Request]] = {
    e.Hello: st.builds(e.Hello, NICKS, SESSIONS, tag=TAGS),
    e.Rename: st.builds(e.Rename, NICKS, tag=TAGS),
    e.Join: st.builds(e.Join, ROOMS, st.none() | COUNTS, tag=TAGS),
    e.Part: st.builds(e.Part, ROOMS, TEXTS, tag=TAGS),
    e.Say: st.builds(e.Say, TARGETS, SAID, tag=TAGS),
    e.GetTopic: st.builds(e.GetTopic, ROOMS, tag=TAGS),
    e.SetTopic: st.builds(e.SetTopic, ROOMS, TEXTS, tag=TAGS),
    e.ListNames: st.builds(e.ListNames, ROOMS, tag=TAGS),
    e.ListRooms: st.builds(e.ListRooms, tag=TAGS),
    e.ReadHistory: st.builds(e.ReadHistory, TARGETS, st.none() | IDS, PAGES, tag=TAGS)
    | st.builds(e.ReadHistory, TARGETS, limit=PAGES, after=COUNTS, tag=TAGS),
    e.Search: st.builds(e.Search, ROOMS, SAID, PAGES, tag=TAGS),
    e.Quit: st.builds(e.Quit, TEXTS, tag=TAGS),
    e.Ping: st.builds(e.Ping, TEXTS, tag=TAGS),
    e.Pong: st.builds(e.Pong, TEXTS, tag=TAGS),
}
"""Every request that the framed dialect can say."""

EVENT_STRATEGIES: dict[type[e.Event], st.SearchStrategy[e.Event]] = {
    e.Welcome: st.builds(e.Welcome, NICKS, SERVERS, tag=TAGS),
    e.Ok: st.builds(e.Ok, st.none() | COUNTS, tag=TAGS),
    e.Failure: st.builds(e.Failure, st.sampled_from(sorted(CODES)), TEXTS, tag=TAGS),
    e.Prompt: st.builds(e.Prompt, TEXTS, tag=TAGS),
    e.RoomInfo: st.builds(e.RoomInfo, ROOMS, COUNTS, COUNTS, TEXTS, tag=TAGS),
    e.NameList: st.builds(e.NameList, ROOMS, st.lists(NICKS, max_size=8).map(tuple), tag=TAGS),
    e.Message: st.builds(e.Message, target=TARGETS, id=IDS, ms=COUNTS, nick=NICKS, text=SAID, tag=TAGS),
    e.TopicSet: st.builds(e.TopicSet, room=ROOMS, id=IDS, ms=COUNTS, nick=NICKS, text=TEXTS, tag=TAGS),
    e.Joined: st.builds(e.Joined, ROOMS, NICKS, tag=TAGS),
    e.Left: st.builds(e.Left, ROOMS, NICKS, TEXTS, tag=TAGS),
    e.Renamed: st.builds(e.Renamed, NICKS, NICKS, tag=TAGS),
    e.Gap: st.tuples(IDS, IDS).flatmap(
        lambda ids: st.builds(e.Gap, TARGETS, st.just(min(ids)), st.just(max(ids)), tag=TAGS)
    ),
    e.Ping: st.builds(e.Ping, TEXTS, tag=TAGS),
    e.Pong: st.builds(e.Pong, TEXTS, tag=TAGS),
    e.Bye: st.builds(e.Bye, TEXTS, tag=TAGS),
}
"""Every event that the framed dialect can say."""

NOTICES = st.builds(e.Notice, TEXTS)
ANY_REQUEST = st.one_of(list(REQUEST_STRATEGIES.values()))
ANY_EVENT = st.one_of(list(EVENT_STRATEGIES.values()))
