import pytest
import trio
import trio.testing

from tests.client.servers import unused_address
from triochat.client.dial import CONNECT_TIMEOUT, dial


async def test_a_connection() -> None:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, await dial("127.0.0.1", listener.socket.getsockname()[1]) as stream:
        await stream.send_all(b"x")


async def test_nobody_there() -> None:
    with pytest.raises(OSError, match="connect"):
        await dial(*await unused_address())


async def test_what_is_no_name_of_a_host() -> None:
    with pytest.raises(OSError, match="name of a host"):
        await dial("a..b", 1)


async def test_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    async def silence(*_: object) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(trio, "open_tcp_stream", silence)
    start = trio.current_time()
    with pytest.raises(TimeoutError, match="30 seconds"):
        await dial("192.0.2.1", 1)
    assert trio.current_time() - start == CONNECT_TIMEOUT
