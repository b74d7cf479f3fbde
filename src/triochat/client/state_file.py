"""What a client keeps in a small file, so that the next one can go on in its place.

A file that can't be understood is left as it is. It is locked as long as we live: two clients with one
session would throw each other out. It holds that session, by which one can speak in our name: so nobody else
may read it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from triochat.client.errors import ClientError
from triochat.client.exchange import WINDOW, Kept
from triochat.client.inbox import Mark
from triochat.client.kept_file import InUse, KeptFile
from triochat.protocol import ProtocolError
from triochat.protocol import events as e
from triochat.protocol.grammar import MAX_ID, is_nick, is_room, is_session, is_tag

FORMAT: Final = 1
MAX_OCTETS: Final = 64 * 1024 * 1024
"""Far more than all that a client may have under way; what is larger is something else."""


class StateError(ClientError):
    """The state file can't be used; the message is a sentence that says why. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is kept.

    Attributes:
        session: the secret by which the server knows us.
        rooms: where we are, and up to which id we have seen it.
        inbox: how far we have seen what was said to us alone; None if that was not noted.
        unsent: messages and topics without an answer, in their order, with their tags.
    """

    session: str
    rooms: Mapping[str, int] = field(default_factory=dict)
    inbox: Mark | None = None
    unsent: tuple[Kept, ...] = ()


class StateFile:
    """A state file, locked until it is closed. A context manager.

    Args:
        path: where it is, or shall be.

    Raises:
        StateError: it is no state file, or somebody else uses it, or it can't be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._file: KeptFile | None = None
        try:
            self._file = KeptFile(self._path)
            self.state = self._load()
        except InUse:
            raise StateError(f"another client uses the state file {self._path}; give each its own") from None
        except OSError as error:
            self.close()
            raise StateError(f"the state file {self._path} can't be used: {error.strerror}") from None
        except BaseException:
            self.close()
            raise

    state: State | None
    """What stood in it; None if there was none."""

    def __enter__(self) -> "StateFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others use it."""
        if self._file is not None:
            self._file.close()

    def save(self, state: State) -> None:
        """Replace what stands in it. It is on the disk when this returns; that takes a while.

        Raises:
            OSError: that is not possible; what stood in it still does.
        """
        content = {
            "triochat-client": FORMAT,
            "session": state.session,
            "rooms": dict(state.rooms),
            "inbox": None if state.inbox is None else asdict(state.inbox),
            "unsent": [_written(request) for request in state.unsent],
        }
        assert self._file is not None
        self._file.replace(f"{json.dumps(content, indent=1)}\n")

    def _load(self) -> State | None:
        assert self._file is not None
        data = self._file.read(MAX_OCTETS)
        if data is None:
            return None
        try:
            content = json.loads(data)
            if content["triochat-client"] > FORMAT:
                raise StateError(
                    f"the state file {self._path} is of a newer triochat; use that one, or another file"
                )
            return _read(content)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, ProtocolError):
            raise StateError(
                f"{self._path} is no state file of a triochat client, or it is damaged;"
                " it was left as it is, give another name"
            ) from None


def _written(request: Kept) -> dict[str, str | None]:
    if isinstance(request, e.Say):
        return {"tag": request.tag, "say": request.text, "to": request.target}
    return {"tag": request.tag, "topic": request.text, "to": request.room}


def _read(content: Any) -> State:  # noqa: ANN401 -- what JSON holds
    rooms = content["rooms"]
    if not is_session(content["session"]):
        raise ValueError("no session")
    unsent = tuple(_unsent(kept) for kept in content["unsent"])
    if len(unsent) > WINDOW or len({request.tag for request in unsent}) < len(unsent):
        raise ValueError("more than there can be")
    for room, seen in rooms.items():
        if not (is_room(room) and _is_number(seen)):
            raise ValueError("no room")
    inbox = content.get("inbox")  # there was none in the files of earlier versions
    return State(
        session=content["session"],
        rooms=rooms,
        inbox=None if inbox is None else _mark(inbox),
        unsent=unsent,
    )


def _mark(kept: Any) -> Mark:  # noqa: ANN401 -- what JSON holds
    mark = Mark(nick=kept["nick"], id=kept["id"], ms=kept["ms"])
    if not (is_nick(mark.nick) and _is_number(mark.id) and _is_number(mark.ms)):
        raise ValueError("no place in an inbox")
    return mark


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_ID


def _unsent(kept: Any) -> Kept:  # noqa: ANN401 -- what JSON holds
    tag, target = kept["tag"], kept["to"]
    if not (isinstance(target, str) and is_tag(tag)):
        raise ValueError("no message")
    if "say" in kept:
        return e.Say(target, kept["say"], tag=tag)
    return e.SetTopic(target, kept["topic"], tag=tag)
