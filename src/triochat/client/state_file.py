"""What a client keeps in a small file, so that the next one can go on in its place.

A file is never changed, but replaced as a whole: whatever kills us, there is the old one or the new one. A
file that can't be understood is left as it is. Beside it stands a file that ends in ``.lock``, which the
system holds locked as long as we live: two clients with one session would throw each other out. (Windows has
no such locks; there nobody looks.)
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from triochat.client.errors import ClientError
from triochat.client.exchange import WINDOW, Kept
from triochat.client.inbox import Mark
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
        self._lock: int | None = None
        try:
            self._lock = self._locked()
            self.state = self._load()
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
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

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
        temporary = self._beside(".new")
        # It holds the session, by which one can speak in our name: nobody else shall read it. So it is never
        # written into what lies there already, a link or a file with other rights, be it left by a crash.
        temporary.unlink(missing_ok=True)
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(self._path.parent)

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    def _locked(self) -> int | None:
        if sys.platform == "win32":
            return None
        import fcntl

        fd = os.open(self._beside(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise StateError(f"another client uses the state file {self._path}; give each its own") from None
        except OSError:
            os.close(fd)
            raise
        return fd

    def _load(self) -> State | None:
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_OCTETS + 1)
        except FileNotFoundError:
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


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk as well, where the system can do that."""
    if sys.platform == "win32":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
