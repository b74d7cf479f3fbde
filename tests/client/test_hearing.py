import pytest
import trio
import trio.testing

from tests.client.servers import Script
from triochat.client.errors import ConnectionLost
from triochat.client.hearing import hear
from triochat.protocol import Connection, Role
from triochat.protocol import events as e

Clock = trio.testing.MockClock


def listener() -> tuple[trio.abc.Stream, Connection, Script]:
    ours, theirs = trio.testing.memory_stream_pair()
    connection = Connection(Role.CLIENT)
    connection.send(e.Hello("alice", tag="h"))
    return ours, connection, Script(theirs)


async def test_one_event_after_the_other_and_what_is_not_known_is_passed_over() -> None:
    stream, connection, script = listener()
    await script.say("@h WELCOME alice test", "TYPING #dev bob", "@h OK")
    assert await hear(stream, connection) == e.Welcome("alice", "test", tag="h")
    assert await hear(stream, connection) == e.Ok(tag="h")


async def test_silence_of_any_length_is_waited_for_unless_told_otherwise(autojump_clock: Clock) -> None:
    stream, connection, script = listener()
    with trio.move_on_after(10_000_000) as scope:
        await hear(stream, connection)
    assert scope.cancelled_caught
    with pytest.raises(trio.TooSlowError):
        await hear(stream, connection, silence=30)
    assert trio.current_time() == 10_000_030
    await script.say("BYE")
    assert await hear(stream, connection, silence=30) == e.Bye("")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "closed the connection"), (b"OK what\n", "keep to the protocol"), (b"@h OK", "closed")],
)
async def test_the_end(data: bytes, reason: str) -> None:
    stream, connection, script = listener()
    await script.stream.send_all(data)
    await script.stream.aclose()
    with pytest.raises(ConnectionLost, match=reason):
        await hear(stream, connection)


async def test_a_stream_that_breaks() -> None:
    stream, connection, _ = listener()
    await stream.aclose()
    with pytest.raises(ConnectionLost, match="broke"):
        await hear(stream, connection)
