"""Entries as frames."""

import pytest

from triochat.journal import Entry, Journal, MemoryJournal
from triochat.protocol.events import Message, TopicSet


@pytest.mark.parametrize("tag", [None, "t1"])
def test_a_message_of_a_room(tag: str | None) -> None:
    entry = Entry(log="#dev", id=7, kind="message", target="#dev", nick="al", text="hi", ms=1000)
    assert entry.event(tag) == Message(target="#dev", id=7, ms=1000, nick="al", text="hi", tag=tag)


def test_a_message_to_a_person_is_addressed_as_the_person_writes_itself() -> None:
    entry = Entry(log="@bob", id=7, kind="message", target="@Bob", nick="al", text="hi", ms=1000)
    assert entry.event() == Message(target="@Bob", id=7, ms=1000, nick="al", text="hi")


@pytest.mark.parametrize("tag", [None, "t1"])
@pytest.mark.parametrize("text", ["topic", ""])
def test_a_topic(tag: str | None, text: str) -> None:
    entry = Entry(log="#dev", id=7, kind="topic", target="#dev", nick="al", text=text, ms=1000)
    assert entry.event(tag) == TopicSet(room="#dev", id=7, ms=1000, nick="al", text=text, tag=tag)


def test_the_journal_in_memory_is_one() -> None:
    journal: Journal = MemoryJournal()  # for the type checker
    assert isinstance(journal, MemoryJournal)
