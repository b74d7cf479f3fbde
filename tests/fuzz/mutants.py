"""Parsers that break a promise each: what a check that can fail must find.

Each is the real protocol but for one thing, for as long as its block lasts.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final
from unittest.mock import patch

from triochat.protocol import Connection, RemoteProtocolError, State, connection, escape, framed, text
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_FRAME
from triochat.protocol.lines import LineBuffer
from triochat.protocol.runs import SayRun
from triochat.protocol.sniff import Dialect, sniff

Patch = AbstractContextManager[object]

_NEVER: Final = re.compile("(?!)")

# --- lines ----------------------------------------------------------------------------------------


def forgets_half_a_line() -> Patch:
    """What has no end is lost if the end comes alone."""
    feed = LineBuffer.feed

    def forget(buffer: LineBuffer, data: bytes) -> None:
        if data == b"\n":
            buffer.take_rest()
        feed(buffer, data)

    return patch.object(LineBuffer, "feed", forget)


def keeps_what_is_endless() -> Patch:
    """A line costs as much memory as its peer likes."""
    return patch.object(connection, "MAX_FRAME", 4 * MAX_FRAME)


def is_too_patient() -> Patch:
    """One more than is promised may be malformed."""
    return patch.object(connection, "MAX_MALFORMED", connection.MAX_MALFORMED + 1)


# --- frames ---------------------------------------------------------------------------------------


def _runs(change: Callable[[SayRun], SayRun]) -> Patch:
    parse_says = framed.parse_says

    def parse(block: bytes, start: int) -> SayRun | None:
        run = parse_says(block, start)
        return None if run is None or start + run.octets == len(block) else change(run)

    return patch.object(framed, "parse_says", parse)


def ends_a_run_too_early() -> Patch:
    """The last of what is said fast is lost."""
    return _runs(lambda run: run._replace(texts=run.texts[:-1]) if len(run.texts) > 1 else run)


def ends_a_run_too_late() -> Patch:
    """The first octet behind what is said fast is lost."""
    return _runs(lambda run: run._replace(octets=run.octets + 1))


def decides_nothing() -> Patch:
    """It reads on behind a hello, before it is known what becomes of it."""
    return patch.object(connection, "_DECIDING", None)


def expects_numbers() -> Patch:
    """A word where a number should be is a fault of ours."""
    return patch.object(framed, "_number", int)


def leaves_texts_as_they_are() -> Patch:
    """A newline ends a frame, whatever it stands in."""
    return patch.object(framed, "escape", str)


def lets_everything_by() -> Patch:
    """What acts on a terminal gets there."""
    return patch.object(escape, "FORBIDDEN", _NEVER)


def forgets_tags() -> Patch:
    """Nobody is told which of its frames was wrong."""
    return patch.object(framed, "tag_of", lambda _: None)


def goes_on_at_the_margin() -> Patch:
    """The further lines of a message begin as it likes."""
    return patch.object(text, "CONTINUED", "\n")


def says_what_it_is_told() -> Patch:
    """A sentence may be a prompt."""
    return patch.object(text, "_PROMPT_LINE", _NEVER)


def drops_every_prompt() -> Patch:
    """A client loses the beginning of a frame that begins as a prompt does."""
    drop = Connection._drop_stray_prompt

    def forget(side: Connection, data: bytes) -> None:
        drop(side, data.removeprefix(b"NICK"))

    return patch.object(Connection, "_drop_stray_prompt", forget)


def answers_everybody() -> Patch:
    """A client of 2019 takes for a prompt whatever somebody says."""

    def hear(_: Connection, line: bytes) -> e.Prompt | e.Notice | None:
        return e.Prompt() if line == b"NICK" else e.Notice(text.printable(line.decode())) if line else None

    return patch.object(Connection, "_heard", hear)


# --- lines of text --------------------------------------------------------------------------------


def asks_in_lines() -> Patch:
    """A client of 2019 does not understand the prompt."""
    return patch.object(text, "PROMPT", b"NICK\n")


def believes_every_prefix() -> Patch:
    """The name in front is taken off again and again."""

    def typed(side: Connection, line: bytes) -> e.Request:
        while line.startswith(side._offered + b": "):
            line = line.removeprefix(side._offered + b": ")
        return text.parse(side._decode(line))

    return patch.object(Connection, "_typed", typed)


def speaks_utf_8() -> Patch:
    """A client of 2019 dies of the first letter that is not English."""
    always = property(lambda _: True, lambda _side, _value: None)
    return patch.object(Connection, "_utf8", always, create=True)


def counts_no_tries() -> Patch:
    """Somebody may offer names for ever."""
    return patch.object(connection, "MAX_TRIES", 1000)


def strips_what_is_said() -> Patch:
    """Spaces at the ends of a line are lost."""
    parse = text.parse
    return patch.object(text, "parse", lambda line: parse(line.strip()))


def takes_any_name() -> Patch:
    """A peer that can't be asked again is asked again."""
    return patch.object(text, "likely_nick", str)


def _requests(change: Callable[[e.Request], e.Request]) -> Patch:
    parse = text.parse
    return patch.object(text, "parse", lambda line: change(parse(line)))


def joins_elsewhere() -> Patch:
    """Whatever room somebody wants to enter, it is the same."""
    return _requests(lambda heard: e.Join("#elsewhere") if isinstance(heard, e.Join) else heard)


def tells_somebody_else() -> Patch:
    """What is said to one person alone is told another."""
    return _requests(
        lambda heard: e.Say("@mallory", heard.text) if isinstance(heard, e.Say) and heard.target else heard
    )


def refuses_commands() -> Patch:
    """Nothing can be done but talk."""

    def refuse(heard: e.Request) -> e.Request:
        if isinstance(heard, e.Say | e.Blank):
            return heard
        raise RemoteProtocolError("unknown-command", "There is no such command.")

    return _requests(refuse)


# --- the first octets -----------------------------------------------------------------------------


def never_waits() -> Patch:
    """Silence means nothing, so a client of 2019 is read by lines."""
    return patch.object(connection, "sniff", lambda first, **_: sniff(first))


def decides_by_the_first_word() -> Patch:
    """Whoever says NICK speaks in frames."""

    def decide(first: bytes, *, silent: bool) -> Dialect | None:
        return Dialect.FRAMED if first.startswith(b"NICK ") else sniff(first, silent=silent)

    return patch.object(connection, "sniff", decide)


def joins_what_is_read() -> Patch:
    """Two messages of a client of 2019 are one."""
    return patch.object(Connection, "_take", lambda side, data: side._lines.feed(data))


def wants_the_timer_again() -> Patch:
    """A shell would be woken for ever by somebody who is silent."""
    wants = property(lambda side: side._state is State.SNIFFING)
    return patch.object(Connection, "wants_timer", wants)


MUTANTS: Final[dict[str, dict[str, Callable[[], Patch]]]] = {
    target: {mutant.__name__: mutant for mutant in mutants}
    for target, mutants in {
        "framed": (
            forgets_half_a_line,
            keeps_what_is_endless,
            is_too_patient,
            ends_a_run_too_early,
            ends_a_run_too_late,
            decides_nothing,
            expects_numbers,
            leaves_texts_as_they_are,
            lets_everything_by,
            forgets_tags,
            goes_on_at_the_margin,
        ),
        "text": (
            forgets_half_a_line,
            keeps_what_is_endless,
            is_too_patient,
            lets_everything_by,
            asks_in_lines,
            believes_every_prefix,
            speaks_utf_8,
            counts_no_tries,
            strips_what_is_said,
            joins_elsewhere,
            tells_somebody_else,
            refuses_commands,
        ),
        "client": (
            forgets_half_a_line,
            keeps_what_is_endless,
            is_too_patient,
            expects_numbers,
            leaves_texts_as_they_are,
            lets_everything_by,
            goes_on_at_the_margin,
            says_what_it_is_told,
            drops_every_prompt,
            answers_everybody,
        ),
        "sniffing": (
            forgets_half_a_line,
            keeps_what_is_endless,
            ends_a_run_too_late,
            asks_in_lines,
            takes_any_name,
            never_waits,
            decides_by_the_first_word,
            joins_what_is_read,
            wants_the_timer_again,
        ),
    }.items()
}
"""By the name of the target that must find it, and by its own."""
