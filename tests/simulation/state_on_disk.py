"""What is left of a program that was killed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class StateOnDisk:
    """The state file of somebody whose program may be killed: it is then what it was at that moment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: bytes | None = None

    def _content(self) -> Mapping[str, Any]:
        content: Mapping[str, Any] = json.loads(self._kept or self.path.read_bytes())
        return content

    def rooms(self) -> Mapping[str, int]:
        """Where the next program goes back to, and behind which id."""
        rooms: Mapping[str, int] = self._content()["rooms"] if self.path.exists() else {}
        return rooms

    def keep(self) -> None:
        """The program is killed now; what it still writes, since here it can't be killed, does not count."""
        self._kept = self.path.read_bytes()

    def owed(self) -> dict[str, str]:
        """Text → room, of what the next program has to send."""
        content = self._content()
        return {
            unsent.get("say", unsent.get("topic")): unsent["to"]
            for unsent in content["unsent"]
            if unsent["to"] in content["rooms"]
        }

    def restore(self) -> None:
        """This is what the next program finds."""
        assert self._kept is not None
        self.path.write_bytes(self._kept)
        self._kept = None
