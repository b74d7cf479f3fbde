"""A stream and a sans-IO `Connection`, seen as one event after the other."""

import math

import trio

from triochat.client.errors import ConnectionLost
from triochat.protocol import CLOSED, NEED_DATA, Connection, RemoteProtocolError
from triochat.protocol import events as e


async def hear(
    stream: trio.abc.ReceiveStream, connection: Connection, *, silence: float = math.inf
) -> e.Event:
    """The next thing that the server says.

    A frame that this version does not know is passed over: a newer server may say more.

    Raises:
        ConnectionLost: there will be none.
        trio.TooSlowError: nothing came for `silence` seconds; nothing is lost by that.
    """
    while True:
        try:
            event = connection.next_event()
        except RemoteProtocolError as error:
            if error.code == "unknown-command":
                continue
            raise ConnectionLost("the server does not keep to the protocol") from error
        if event is NEED_DATA:
            try:
                with trio.fail_after(silence):
                    data = bytes(await stream.receive_some())
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                raise ConnectionLost("the connection broke") from None
            connection.receive_data(data)
        elif event is CLOSED:
            raise ConnectionLost("the server closed the connection")
        else:
            assert isinstance(event, e.Event)
            return event
