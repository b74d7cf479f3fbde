"""What a buffer holds, without a terminal and without a network."""

from collections.abc import Callable, Sequence

import pytest

from triochat.screen.buffer import MOST, Buffer, Line, State


def line(number: int | None, text: str = "x", *, state: State = "kept", own: bool = False) -> Line:
    return Line("message", text, number or 0, "bob", number, own, state=state)


def room(*numbers: int) -> Buffer:
    buffer = Buffer("#dev")
    for number in numbers:
        buffer.append(line(number), looked_at=True)
    return buffer


def ids(buffer: Buffer) -> Sequence[int | None]:
    return [one.id for one in buffer.lines]


def test_what_is_not_looked_at_is_unread_from_the_first_on() -> None:
    buffer = room(1)
    second, third = line(2), line(3)
    third.mention = True
    for one in (second, third, line(4, own=True)):
        buffer.append(one, looked_at=False)
    assert (buffer.unread, buffer.mentions, buffer.unread_from) == (2, 1, second)
    buffer.seen()
    assert (buffer.unread, buffer.mentions, buffer.unread_from) == (0, 0, second), (
        "the line stays while one looks"
    )
    buffer.leave()
    assert buffer.unread_from is None


def test_who_comes_and_goes_is_nothing_to_read() -> None:
    buffer = room()
    buffer.append(Line("presence", "bob came in", 0), looked_at=False)
    assert (buffer.unread, buffer.unread_from) == (0, None)


def test_what_is_not_kept_yet_stands_at_the_end_until_it_comes_back() -> None:
    buffer = room(1)
    first, second = line(None, "a", state="pending", own=True), line(None, "b", state="pending", own=True)
    for one in (first, second, line(2)):
        buffer.append(one, looked_at=True)
    assert ids(buffer) == [1, 2, None, None]
    assert buffer.echo("message", "b", 3, 300)
    assert ids(buffer) == [1, 2, 3, None]
    assert (second.state, second.ms) == ("kept", 300), "the time is the server's"
    buffer.append(line(4), looked_at=True)
    assert buffer.echo("message", "a", 5, 500)
    assert ids(buffer) == [1, 2, 3, 4, 5]
    assert not buffer.echo("message", "a", 6, 600), "said from elsewhere"


def test_what_is_acknowledged_waits_for_its_echo_to_know_its_place() -> None:
    buffer = room(1)
    own = line(None, "a", state="pending", own=True)
    buffer.append(own, looked_at=True)
    buffer.keep(own, 3)
    assert (own.state, own.id) == ("kept", 3)
    buffer.append(line(2), looked_at=True)
    assert ids(buffer) == [1, 2, 3]
    assert buffer.echo("message", "a", 3, 3)
    buffer.keep(own, 3)
    buffer.append(line(4), looked_at=True)
    assert ids(buffer) == [1, 2, 3, 4]


def test_the_same_words_are_told_apart_by_their_ids() -> None:
    """The first was acknowledged before its echo came; that is not the echo of the second."""
    buffer = room()
    both = [line(None, "a", state="pending", own=True) for _ in range(2)]
    for one in both:
        buffer.append(one, looked_at=True)
    buffer.keep(both[0], 1)
    assert buffer.echo("message", "a", 1, 10)
    assert buffer.echo("message", "a", 2, 20)
    assert buffer.lines == both
    assert ids(buffer) == [1, 2]


def test_an_entry_is_known_by_its_id_and_its_time() -> None:
    buffer = room(7)
    assert (buffer.has(7, 7), buffer.has(7, 8), buffer.has(8, 7)) == (True, False, False)
    buffer.begin_another_log()
    assert (buffer.has(7, 7), buffer.oldest, buffer.complete) == (False, None, True)


def test_while_it_is_detached_what_is_in_no_log_is_shown_all_the_same() -> None:
    buffer = room(1)
    buffer.replace([line(1)], complete=True, attached=False)
    own = line(None, "a", state="pending", own=True)
    notice = Line("error", "that is not possible", 0)
    for one in (own, notice, line(5), Line("presence", "bob came in", 0)):
        buffer.append(one, looked_at=True)
    assert buffer.lines[1:] == [notice, own]
    assert buffer.newer == 1
    buffer.fail(own, "no")
    buffer.attach()
    buffer.append(line(6), looked_at=True)
    buffer.append(line(7), looked_at=True)
    buffer.replace([line(5), line(6)], complete=False, attached=True)
    assert ids(buffer) == [5, 6, 7, None, None]
    assert buffer.lines[-2:] == [notice, own]


def test_what_failed_says_why_and_can_be_let_go() -> None:
    buffer = room(1)
    own = line(None, state="pending", own=True)
    buffer.append(own, looked_at=True)
    buffer.fail(own, "nobody here has the nick carol")
    assert (own.state, own.reason) == ("failed", "nobody here has the nick carol")
    buffer.append(line(2), looked_at=True)
    assert ids(buffer) == [1, 2, None]
    buffer.drop(own)
    buffer.drop(own)
    assert ids(buffer) == [1, 2]


def test_older_ones_come_in_front() -> None:
    buffer = room(4, 5)
    assert (buffer.oldest, buffer.complete) == (4, False)
    buffer.prepend([line(1), line(2), line(3)], complete=True)
    assert (ids(buffer), buffer.oldest, buffer.complete) == ([1, 2, 3, 4, 5], 1, True)
    assert Buffer("#dev").oldest is None


def test_every_change_is_counted() -> None:
    buffer = room(1)
    own = line(None, state="pending", own=True)
    seen = {buffer.version}
    changes: tuple[Callable[[], None], ...] = (
        lambda: buffer.append(own, looked_at=True),
        lambda: buffer.keep(own, 2),
        lambda: buffer.fail(own, "no"),
        lambda: buffer.prepend([], complete=True),
        lambda: buffer.drop(own),
        lambda: buffer.replace([], complete=True, attached=True),
    )
    for change in changes:
        change()
        assert buffer.version not in seen
        seen.add(buffer.version)


def test_a_flood_is_held_as_far_as_it_is_shown() -> None:
    buffer = room(*range(1, 3 * MOST))
    assert MOST <= len(buffer.lines) <= MOST + MOST // 10
    assert buffer.lines[-1].id == 3 * MOST - 1
    assert not buffer.complete, "what is let go of can be read again"


def test_the_unread_line_goes_with_what_is_let_go() -> None:
    buffer = room(1)
    for number in range(2, 2 * MOST):
        buffer.append(line(number), looked_at=False)
    assert buffer.unread_from is None
    assert buffer.unread == 2 * MOST - 2


def test_a_month_of_the_past_lets_go_of_the_newest() -> None:
    buffer = room(*range(20_000, 20_100))
    own = line(None, state="pending", own=True)
    buffer.append(own, looked_at=True)
    for page in range(19_999, 9_999, -100):
        buffer.prepend([line(number) for number in range(page - 99, page + 1)], complete=False)
    assert len(buffer.lines) <= MOST + 1
    assert (buffer.detached, buffer.oldest, buffer.lines[-1]) == (True, 10_000, own), "what is unsent stays"
    buffer.append(line(20_100), looked_at=True)
    assert (buffer.newer, buffer.has(20_100, 20_100)) == (1, False)
    buffer.replace([line(20_099), line(20_100)], complete=False, attached=True)
    assert (ids(buffer), buffer.detached, buffer.newer) == ([20_099, 20_100, None], False, 0)


def test_what_was_not_told_is_as_if_it_had_been_let_go_of() -> None:
    buffer = room(1, 2)
    buffer.break_off()
    buffer.append(line(9), looked_at=True)
    assert (ids(buffer), buffer.detached, buffer.newer) == ([1, 2], True, 1)
    buffer.attach()
    for late in (5, 7, 10):  # the first of these stands in front of the page
        buffer.append(line(late), looked_at=True)
    buffer.replace([line(number) for number in (7, 8, 9)], complete=False, attached=True)
    assert (ids(buffer), buffer.detached) == ([7, 8, 9, 10], False)


def test_a_page_that_was_asked_for_before_that_is_not_the_newest() -> None:
    buffer = room(1, 2)
    buffer.break_off()
    buffer.attach()
    buffer.break_off()
    buffer.replace([line(8), line(9)], complete=False, attached=True)
    assert buffer.detached
    buffer.attach()
    buffer.replace([line(8), line(9)], complete=False, attached=True)
    assert not buffer.detached


def test_what_a_page_has_is_ours_no_second_time() -> None:
    buffer = room(1)
    acknowledged, unknown = line(None, state="pending", own=True), line(None, state="pending", own=True)
    for one in (acknowledged, unknown):
        buffer.append(one, looked_at=True)
    buffer.keep(acknowledged, 2)
    buffer.break_off()
    buffer.attach()
    buffer.replace([line(1), line(2, own=True), line(3, own=True)], complete=True, attached=True)
    assert ids(buffer) == [1, 2, 3, None]
    buffer.keep(unknown, 3)
    assert ids(buffer) == [1, 2, 3]


def test_an_entry_of_another_log_is_in_front_of_nothing() -> None:
    buffer = room(100, 101)
    assert buffer.begins_behind(99, 99)
    assert not buffer.begins_behind(1, 200)
    assert not buffer.begins_behind(100, 100)
    assert not Buffer("#dev").begins_behind(1, 1)


def test_of_conversations_nothing_can_be_read_again() -> None:
    buffer = Buffer("@bob", complete=True)
    buffer.break_off()
    assert not buffer.detached


@pytest.mark.parametrize(("name", "is_room"), [("#dev", True), ("@bob", False)])
def test_rooms_and_people(name: str, is_room: bool) -> None:
    assert Buffer(name).is_room == is_room


def test_what_we_say_to_one_alone_needs_no_echo_after_echoes_may_have_been_dropped() -> None:
    buffer = Buffer("@bob", complete=True)
    failed, ours = (
        line(None, "failed", state="failed", own=True),
        line(None, "ours", state="pending", own=True),
    )
    buffer.append(failed, looked_at=True)
    buffer.append(ours, looked_at=True)
    buffer.break_off()
    assert not ours.in_log
    buffer.keep(ours, 7)
    buffer.append(line(2), looked_at=True)
    assert [one.text for one in buffer.lines] == ["ours", "x", "failed"]
    assert buffer.echo("message", "ours", 7, 1234)
    assert not buffer.echo("message", "ours", 8, 1235)
    assert (len(buffer.lines), ours.ms) == (3, 1234)


def test_what_was_let_go_of_needs_no_place() -> None:
    buffer = Buffer("@bob", complete=True)
    ours = line(None, "ours", state="pending", own=True)
    buffer.append(ours, looked_at=True)
    for _ in range(MOST + MOST // 10 + 1):
        buffer.append(line(None, state="failed", own=True), looked_at=True)
    buffer.break_off()
    buffer.keep(ours, 7)
    assert ours not in buffer.lines


def test_what_comes_late_gets_the_place_that_it_would_have_had() -> None:
    buffer = Buffer("@bob", complete=True)
    for one in (line(2), line(4), line(None, "pending", state="pending", own=True)):
        buffer.append(one, looked_at=False)
    for number in (3, 1, 5):
        buffer.append(line(number), looked_at=False, late=True)
    assert ids(buffer) == [1, 2, 3, 4, 5, None]
    assert buffer.unread_from is buffer.lines[0]
    assert buffer.unread == 5
    buffer.append(Line("presence", "of a clock that is behind", 0), looked_at=False)
    buffer.append(line(8), looked_at=False)
    for number in (6, 7):
        buffer.append(line(number), looked_at=False, late=True)
    assert [number for number in ids(buffer) if number] == [1, 2, 3, 4, 5, 6, 7, 8]
