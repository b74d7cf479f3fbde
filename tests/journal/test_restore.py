"""A journal filled with what another one had."""

# ruff: noqa: ASYNC240 -- nothing else runs here that a look at a file could delay

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journal.drafts import draft, fill, run
from tests.journal.older import make_first_version
from triochat.journal import Draft, Entry, Head, JournalUnusable, Kept, Page, open_sqlite_journal
from triochat.journal.interface import Kind
from triochat.journal.restore import MAX_ID, Restoration, Unfit, open_restoration
from triochat.journal.snapshot import INBOXES, Gap, Item, open_snapshot


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def restore(path: Path, items: Sequence[Item]) -> None:
    with open_restoration(path) as restoration:
        for item in items:
            restoration.add(item)


def items(path: Path) -> list[Item]:
    with open_snapshot(path) as snapshot:
        return list(snapshot.items(inboxes=True))


def entry(number: int, log: str = "#dev", text: str = "hello") -> Entry:
    return draft(text, log=log).entry(number)


def topic(number: int, text: str = "topic") -> Entry:
    return draft(text, kind="topic").entry(number)


# --- a journal like any other -----------------------------------------------------------------------


async def test_a_server_goes_on_with_it(path: Path) -> None:
    private = draft("hi", log="@bob", target="@Bob").entry(1)
    restore(path, [entry(1, text="one word"), topic(2), entry(3), private, Gap(INBOXES, 7)])
    async with open_sqlite_journal(path) as journal:
        assert await journal.heads() == {"#dev": Head(3, topic(2)), "@bob": Head(1, None)}
        assert await journal.read_after("#dev", 0, 9) == Page(
            (entry(1, text="one word"), topic(2), entry(3)), 1, 3
        )
        assert await journal.read_after("@bob", 0, 9) == Page((private,), 1, 1)
        assert [found.id for found in await journal.search("#dev", ["word"], 9)] == [1]
        outcomes = await journal.append([draft(), draft(log="#new"), draft(log="@bob"), draft(log="@al")])
        assert outcomes == [Kept(4), Kept(1), Kept(2), Kept(8)], "no id comes again"
        while await journal.tidy(1000):
            pass
        assert [found.id for found in await journal.search("#dev", ["hello"], 9)] == [4, 3]


async def test_a_log_may_begin_late(path: Path) -> None:
    restore(path, [Gap("#dev", 499), topic(20, "kept"), entry(500), Gap("#ops", 30), entry(7, log="#old")])
    async with open_sqlite_journal(path, retention=1) as journal:
        assert await journal.read_after("#dev", 0, 9) == Page((entry(500),), 500, 500)
        assert await journal.read_after("#ops", 0, 9) == Page((), 31, 30)
        assert (await journal.read_after("#old", 0, 9)).first == 7
        assert (await journal.heads())["#dev"] == Head(500, topic(20, "kept"))
        assert [found.id for found in await journal.search("#dev", ["hello"], 9)] == [500]
        assert await journal.append([draft(), draft(log="#ops")]) == [Kept(501), Kept(31)]
        while await journal.tidy(1000):
            pass
        assert (await journal.read_after("#dev", 0, 9)).first == 501


async def test_the_inbox_that_got_something_last_is_let_go_last(path: Path) -> None:
    restore(path, [entry(1, log) for log in ("@c", "@a", "@b")])
    async with open_sqlite_journal(path, max_inboxes=3) as journal:
        await fill(journal, 1, log="@d")
        assert set(await journal.heads()) == {"@a", "@b", "@d"}


async def test_logs_may_be_mixed(path: Path) -> None:
    restore(path, [entry(1), entry(1, "#ops"), entry(2), entry(2, "#ops")])
    assert items(path) == [entry(1), entry(2), entry(1, "#ops"), entry(2, "#ops")]


async def test_many(path: Path) -> None:
    restore(path, [entry(number) for number in range(1, 2501)])
    assert items(path) == [entry(number) for number in range(1, 2501)]


async def test_of_several_gaps_of_inboxes_the_largest_counts(path: Path) -> None:
    restore(path, [Gap(INBOXES, 3), Gap(INBOXES, 7), Gap(INBOXES, 5)])
    async with open_sqlite_journal(path) as journal:
        assert await journal.append([draft(log="@al")]) == [Kept(8)]


async def test_behind_the_highest_id_there_is_room_for_more(path: Path) -> None:
    restore(path, [entry(MAX_ID), Gap("#ops", MAX_ID), entry(1, "#next"), Gap(INBOXES, MAX_ID)])
    async with open_sqlite_journal(path) as journal:
        assert await journal.append([draft(), draft(log="#ops"), draft(log="@bob")]) == [Kept(MAX_ID + 1)] * 3
        await fill(journal, 100)
        assert (await journal.read_after("#dev", 0, 1)).entries == (entry(MAX_ID),)
        assert (await journal.read_after("#dev", 0, 999)).last == MAX_ID + 101
        assert (await journal.read_after("#next", 0, 9)).entries == (entry(1, "#next"),)


# --- there and back ---------------------------------------------------------------------------------


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    log = draw(st.sampled_from(("#dev", "#ops", "@al", "@bob", "@carol")))
    kinds: tuple[Kind, ...] = ("message", "topic") if log.startswith("#") else ("message",)
    return Draft(
        log=log,
        kind=draw(st.sampled_from(kinds)),
        target=draw(st.sampled_from((log, log.title()))) if log.startswith("@") else log,
        nick=draw(st.sampled_from(("alice", "Bob"))),
        texts=draw(st.lists(st.text("a\n\té\U0001f642", min_size=1, max_size=3), min_size=1, max_size=4)),
        ms=draw(st.integers(0, 5000)),
    )


@given(st.lists(st.lists(drafts(), max_size=4), max_size=6), st.integers(1, 5), st.integers(0, 5))
async def test_a_restored_journal_tells_what_it_was_told(
    batches: list[list[Draft]], retention: int, age: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name) / "first.db", Path(name) / "second.db"
        async with open_sqlite_journal(
            first, durability="normal", retention=retention, max_age=age or None, max_inboxes=2
        ) as journal:
            for batch in batches:
                await journal.append(batch)
                while await journal.tidy(5000):
                    pass
            heads = await journal.heads()
        told = items(first)
        restore(second, told)
        assert items(second) == told
        async with open_sqlite_journal(second, durability="normal") as journal:
            assert await journal.heads() == heads


# --- what does not fit ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "item", "sentence"),
    [
        ([entry(1)], entry(4), "the ids 2 to 3 of #dev are missing"),
        ([entry(1)], entry(1), "the id 1 of #dev can't come behind 1"),
        ([entry(5), entry(6)], entry(4), "the id 4 of #dev can't come behind 6"),
        ([Gap("#dev", 4)], entry(3), "the id 3 of #dev can't come behind 4"),
        ([Gap("#dev", 4), topic(3)], topic(2), "the id 2 of #dev can't come behind 4"),
        ([Gap("#dev", 4), entry(5)], topic(3), "the id 3 of #dev can't come behind 5"),
        ([entry(1)], Gap("#dev", 4), "a gap of #dev can't come behind what else there is of it"),
        ([], Gap("#dev", 0), f"an id is 1 to {MAX_ID}"),
        ([], Gap("#dev", MAX_ID + 1), f"an id is 1 to {MAX_ID}, so that there are more for what is"),
        ([], Gap("@", MAX_ID + 1), f"an id is 1 to {MAX_ID}"),
        ([], entry(0), f"an id is 1 to {MAX_ID}"),
        ([], entry(MAX_ID + 1), f"an id is 1 to {MAX_ID}"),
        ([], Gap("#Dev", 1), "a room is '#'"),
        ([], entry(1, "#a b"), "a room is '#'"),
        ([], entry(1, "@Bob"), "a room is '#'"),
        ([], entry(1, "@"), "a room is '#'"),
        ([], entry(1)._replace(target="#ops"), "a target of #dev is that name"),
        ([], entry(1)._replace(nick="a b"), "a nick is a letter"),
        ([], entry(1)._replace(ms=-1), "a number here is 0 to"),
        ([], entry(1, text=""), "there is no text"),
        ([], entry(1, text="\x1b[2J"), "no control characters"),
        ([], entry(1, text="\ud800"), "no control characters"),
        ([], entry(1, text="x" * 8001), "8000 octets"),
        ([], topic(1)._replace(log="@bob", target="@bob"), "a room is '#'"),
    ],
)
def test_what_is_refused(path: Path, before: list[Item], item: Item, sentence: str) -> None:
    with open_restoration(path) as restoration:
        for one in before:
            restoration.add(one)
        with pytest.raises(Unfit) as caught:
            restoration.add(item)
    assert sentence in str(caught.value)
    assert [one for one in items(path) if isinstance(one, Entry)] == [
        one for one in before if isinstance(one, Entry)
    ]


def test_all_or_nothing(path: Path) -> None:
    with pytest.raises(Unfit):
        restore(path, [*(entry(number) for number in range(1, 2500)), entry(2501)])
    assert items(path) == []
    restore(path, [entry(1)])
    assert items(path) == [entry(1)]


def test_what_it_counts(path: Path) -> None:
    with open_restoration(path) as restoration:
        for item in (Gap("#dev", 3), topic(1), entry(4), entry(1, "@bob"), Gap(INBOXES, 3)):
            restoration.add(item)
        assert restoration.entries == 2


# --- where it does not go -----------------------------------------------------------------------------


async def test_a_journal_that_has_something_is_left_as_it_is(path: Path) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    before = path.read_bytes()
    with pytest.raises(JournalUnusable, match="there is something in"):
        restore(path, [entry(1)])
    assert path.read_bytes() == before


async def test_one_that_got_it_at_the_last_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_sqlite_journal(path) as journal:
        await fill(journal, 1)
    monkeypatch.setattr("triochat.journal.restore.os.path.getsize", lambda _: 0)
    with pytest.raises(JournalUnusable, match="there is something in"):
        restore(path, [entry(1)])
    assert items(path) == [draft("1").entry(1)]


async def test_one_in_which_only_inboxes_were(path: Path) -> None:
    restore(path, [Gap(INBOXES, 3)])
    with pytest.raises(JournalUnusable, match="there is something in"):
        restore(path, [entry(1)])


async def test_the_file_of_a_running_server(path: Path) -> None:
    async with open_sqlite_journal(path):
        with pytest.raises(JournalUnusable, match="in use by another server"):
            restore(path, [entry(1)])
    restore(path, [entry(1)])


async def test_no_server_gets_in_between(path: Path) -> None:
    with open_restoration(path) as restoration:
        restoration.add(entry(1))
        with pytest.raises(JournalUnusable, match="in use by another server"):
            async with open_sqlite_journal(path):
                pass
    assert items(path) == [entry(1)]


def test_an_older_file_that_has_something_is_not_brought_up_to_date(path: Path) -> None:
    make_first_version(path)
    before = path.read_bytes()
    with pytest.raises(JournalUnusable, match="there is something in"):
        restore(path, [entry(1)])
    assert path.read_bytes() == before


async def test_a_full_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by a limit on the pages of the file."""
    finish = Restoration.finish

    def limited(restoration: Restoration) -> None:
        restoration._connection.execute("PRAGMA max_page_count = 1")
        finish(restoration)

    monkeypatch.setattr(Restoration, "finish", limited)
    with pytest.raises(JournalUnusable, match="the disk is full"):
        restore(path, [entry(number, text="x" * 1000) for number in range(1, 500)])
    assert items(path) == []
    monkeypatch.undo()
    restore(path, [run("hello").entry(1)])
    assert len(items(path)) == 1
