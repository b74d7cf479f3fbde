"""Our own inbox: how far we have heard it, and reading on after the hello on a new connection.

The server sends what is said to us alone as it comes, and what came while we were away when we are back. But
what it wrote to a connection and never arrived is delivered, for all it knows. So a client that is back asks
for its inbox, page by page (``HISTORY @me after=id``), and holds meanwhile what comes without being asked
for: that is newer, and would be told in front of what is older.

A server that has forgotten us begins another inbox under our nick, and its ids may go on above ours or begin
at 1 again. It never gives us what was said to somebody else who had the nick; so all of it is new, and only
our cursor means nothing. To find that out we ask for the last message that we have heard once more: either
it comes again, or this is another inbox.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from triochat.client.errors import TRANSIENT, ConnectionLost
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol import framed
from triochat.protocol.grammar import MAX_PAGE, fold

MAX_HELD: Final = MAX_PAGE
"""Messages that are held at most; those behind them are read as another page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place in an inbox.

    Attributes:
        nick: whose inbox, folded.
        id: of the last message in front of this place; 0 at the beginning.
        ms: when that was said, in Unix milliseconds; 0 if it was no longer kept when we came to it.
    """

    nick: str
    id: int = 0
    ms: int = 0


class Inbox:
    """How far we know what was said to us alone.

    Args:
        nick: our nickname.
        seen: where a program in whose place we are had come to; of another nick's inbox it means nothing.

    Attributes:
        heard: up to where we have heard it.
        seen: up to where the program has taken it.
    """

    def __init__(self, nick: str, seen: Mark | None = None) -> None:
        if seen is None or seen.nick != fold(nick):
            seen = Mark(nick=fold(nick))
        self.heard = self.seen = seen

    @property
    def log(self) -> str:
        """How it is called."""
        return f"@{self.heard.nick}"

    def begin(self, nick: str) -> None:
        """It is another one than it was: nothing of it was heard."""
        self.heard = self.seen = Mark(nick=fold(nick))

    def concerns(self, event: object) -> bool:
        """Whether an event belongs in here."""
        return isinstance(event, e.Message | e.Gap) and fold(event.target) == self.log

    def hear(self, event: e.Message | e.Gap) -> bool:
        """Take note of what the server says. Whether it is new."""
        if (mark := self._behind(event)).id <= self.heard.id:
            return False
        self.heard = mark
        return True

    def take(self, event: e.Message | e.Gap) -> bool:
        """The program has taken an event. Whether that changes where another would have to go on."""
        mark = self._behind(event)
        if not self.seen.id < mark.id <= self.heard.id:  # or it is one of the inbox that was ours before
            return False
        self.seen = mark
        return True

    def _behind(self, event: e.Message | e.Gap) -> Mark:
        if isinstance(event, e.Gap):
            return Mark(nick=self.heard.nick, id=event.last)
        return Mark(nick=self.heard.nick, id=event.id, ms=event.ms)


class InboxReading:
    """Reads what is behind the last message that was heard, to the end, once.

    Args:
        inbox: how far we are.
        tags: to mark the requests.
        send: writes a request.
        tell: gets what is new, in its order.

    Attributes:
        ended: all is told; what comes now comes live.
    """

    def __init__(
        self, inbox: Inbox, tags: Tags, send: Callable[[bytes], None], tell: Callable[[e.Event], None]
    ) -> None:
        self.ended = False
        self._inbox = inbox
        self._tags = tags
        self._send = send
        self._tell = tell
        self._held: list[e.Message | e.Gap] = []
        self._overflowed = False
        self._doubtful = inbox.heard.id > 0  # whether it is the inbox of which we have heard so much
        self._ask(max(0, inbox.heard.id - 1))

    def _ask(self, after: int) -> None:
        self._after = after
        self._entries = 0
        self._tag = self._tags.next()
        request = e.ReadHistory(self._inbox.log, limit=MAX_PAGE, after=after, tag=self._tag)
        self._send(framed.build(request))

    def hold(self, event: e.Event) -> bool:
        """Keep an event without a tag until its turn comes. Whether it has to wait for that."""
        if self.ended or not self._inbox.concerns(event):
            return False
        assert isinstance(event, e.Message | e.Gap)
        if len(self._held) < MAX_HELD:
            self._held.append(event)
        else:
            self._overflowed = True
        return True

    def hear(self, event: e.Event) -> bool:
        """Take note of an event with a tag. Whether it belongs to an answer to us.

        Raises:
            ConnectionLost: it does not work now; another connection has to be tried.
        """
        if self.ended or event.tag != self._tag:
            return False
        match event:
            case e.Message() | e.Gap() if self._inbox.concerns(event):
                self._entries += 1
                if self._doubtful:
                    self._compare(event)
                else:
                    self._pass_on(event)
            case e.Ok():
                self._turn_page()
            case e.Failure(code=code, sentence=sentence):
                if code in TRANSIENT:
                    raise ConnectionLost(sentence)
                self._tell(e.Failure(code, sentence))
                self._end()
            case _:
                pass
        return True

    def _compare(self, event: e.Message | e.Gap) -> None:
        """The first entry: is it the one that we have heard last?"""
        heard = self._inbox.heard
        if (
            isinstance(event, e.Message)
            and event.id <= heard.id
            and (event.id, event.ms) != (heard.id, heard.ms)
        ):
            self._begin_anew()
        else:  # it is, or it is no longer kept, or the server counts on though it has forgotten us
            self._doubtful = False
            self._pass_on(event)

    def _begin_anew(self) -> None:
        self._doubtful = False
        self._inbox.begin(self._inbox.heard.nick)
        self._ask(0)  # under another tag: what is left of the other answer is dropped

    def _turn_page(self) -> None:
        if self._doubtful:
            self._begin_anew()
        elif self._overflowed or (self._entries >= MAX_PAGE and self._inbox.heard.id > self._after):
            if self._overflowed:
                self._held.clear()
                self._overflowed = False
            self._ask(self._inbox.heard.id)
        else:
            self._end()

    def _end(self) -> None:
        self.ended = True
        for event in self._held:
            self._pass_on(event)
        self._held.clear()

    def _pass_on(self, event: e.Message | e.Gap) -> None:
        """Tell what is new of it."""
        heard = self._inbox.heard.id
        if isinstance(event, e.Gap) and event.first <= heard < event.last:
            event = replace(event, first=heard + 1)
        if self._inbox.hear(event):
            self._tell(event)
