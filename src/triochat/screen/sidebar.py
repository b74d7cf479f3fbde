"""What stands beside the messages: the rooms and conversations on one side, who is here on the other."""

from collections.abc import Callable, Iterable, Sequence

from triochat.protocol.grammar import fold
from triochat.screen.buffer import Buffer
from triochat.screen.drawing import Row, RowList, ends


def counts(unread: int, mentions: int) -> Row:
    """How much is unread, with an ``@`` in front of how often we are mentioned."""
    row: Row = []
    if mentions:
        row.append(("list.mention", f" @{_few(mentions)}"))
    if unread:
        row.append(("list.unread", f" {_few(unread)}"))
    return row


def look(unread: int, mentions: int) -> str:
    """The style of a name."""
    return "list.mention" if mentions else "list.unread" if unread else "list"


def _few(number: int) -> str:
    return str(number) if number < 1000 else "999+"


class BufferList(RowList):
    """Rooms and conversations, with the number under which a key finds them.

    Args:
        on_switch: is given the name of one that was clicked.
    """

    def __init__(self, on_switch: Callable[[str], None]) -> None:
        super().__init__()
        self._on_switch = on_switch
        self._buffers: Sequence[Buffer] = ()

    def show(self, buffers: Sequence[Buffer], current: Buffer | None) -> None:
        """These, in this order; call it again whenever one of them changed."""
        self._buffers = list(buffers)
        self.chosen = next((n for n, it in enumerate(self._buffers) if it is current), None)
        self.refresh()

    def count(self) -> int:
        """How many there are."""
        return len(self._buffers)

    def row(self, index: int, width: int) -> Row:
        """Number, name, and what is unread."""
        it = self._buffers[index]
        number = str(index + 1) if index < 9 else " "
        left: Row = [("list", f"{number} "), (look(it.unread, it.mentions), it.name)]
        return ends(left, counts(it.unread, it.mentions), width, "list")

    def clicked(self, index: int) -> None:
        """Go there."""
        self._on_switch(self._buffers[index].name)


class MemberList(RowList):
    """Who is here, with a heading that counts them.

    Args:
        style_of: nick → the style in which it is drawn.
        on_pick: is given a nick that was clicked.
    """

    style = "member"

    def __init__(self, style_of: Callable[[str], str], on_pick: Callable[[str], None]) -> None:
        super().__init__()
        self._style_of = style_of
        self._on_pick = on_pick
        self._nicks: list[str] = []

    def show(self, nicks: Iterable[str]) -> None:
        """These people; they are put in order."""
        self._nicks = sorted(nicks, key=fold)
        self.refresh()

    def count(self) -> int:
        """People, and the heading."""
        return len(self._nicks) + 1

    def row(self, index: int, width: int) -> Row:  # noqa: ARG002
        """A nick, or the heading."""
        if not index:
            return [("title", f"{len(self._nicks)} here")]
        nick = self._nicks[index - 1]
        return [(self._style_of(nick), nick)]

    def clicked(self, index: int) -> None:
        """Talk to this person."""
        if index:
            self._on_pick(self._nicks[index - 1])
