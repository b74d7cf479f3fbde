"""A framed client: requests that return their answers, and what happens as an asynchronous iterator.

This is what a program talks to; how requests and answers find each other, and what is done when the
connection is lost, is in `triochat.client.conversation`.
"""

from collections.abc import AsyncIterator

from triochat.client.answers import EnteredRoom, entered, entries, kept_id, nicks
from triochat.client.conversation import Conversation
from triochat.client.exchange import Receipt
from triochat.client.happenings import Entry, Happening, Happenings
from triochat.client.statistics import ChatStatistics
from triochat.client.tags import Tags
from triochat.protocol import events as e
from triochat.protocol.grammar import DEFAULT_PAGE, fold


class ChatClient:
    """A name in a chat, and the connection to it. Comes from `open_client`.

    Any number of tasks may use one client. Requests are carried out in the order in which they were
    made. A request that is cancelled may have been carried out all the same; its answer is dropped.

    If the connection is lost, it is made again, for as long as it takes; requests wait meanwhile, and
    are answered when it is back. A message that was sent before, and of which it is not known whether it
    arrived, is kept once. A deadline of one's own (``with trio.fail_after(5):``) ends the waiting.

    All requests raise `Refused` if the server does not do it, `ConnectionLost` if we have left or the
    connection is not made again, and `triochat.protocol.LocalProtocolError` if the protocol has no way to
    say it, e.g. a text that is too long. Case does not matter in the names of rooms.

    Iterating yields what happens, in the order of each room: `Message`, `TopicSet`, `Joined`, `Left` and
    `Renamed` of `triochat.protocol.events`, our own messages among them; `RoomState`, that is, who is there,
    where a room is entered; `Gap` where something is no longer kept; `Failure` where the server complains of
    no request in particular; `Disconnected` and `Reconnected`; and `Lagged` where the program did not keep
    up. What was missed while there was no connection comes behind `Reconnected`: each entry of a room's log
    once, with neither hole nor repeat, and `Joined` and `Left` for everybody who is there now and was not, or
    the other way round. The iteration ends when we have left; it raises `ConnectionLost` if the connection is
    lost and not made again.

    When the ``async with`` block of `open_client` ends, however it does, we have left: no task, in the block
    or outside it, waits for this client any more.
    """

    def __init__(self, conversation: Conversation, tags: Tags) -> None:
        self._conversation = conversation
        self._tags = tags

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self._conversation.nick

    @property
    def server(self) -> str:
        """What the server calls itself."""
        return self._conversation.server

    @property
    def connected(self) -> bool:
        """Whether there is a connection, and we are back in all rooms."""
        return self._conversation.connected

    @property
    def joined(self) -> tuple[str, ...]:
        """The rooms that we are in."""
        return tuple(self._conversation.memberships)

    @property
    def inbox(self) -> int:
        """The id of the last message to us alone that iterating has yielded; 0 if none was under our nick.

        Where `Lagged` comes, ``await chat.history("@" + chat.nick, after=chat.inbox)`` reads what was dropped
        of these.
        """
        return self._conversation.memberships.inbox.seen.id

    def __aiter__(self) -> AsyncIterator[Happening]:
        return Happenings(self._conversation.events)

    def statistics(self) -> ChatStatistics:
        """How it stands."""
        talk = self._conversation
        return ChatStatistics(
            unanswered=len(talk.pending),
            unsent=len(talk.pending) if talk.link is None else len(talk.link),
            unkept=talk.unkept,
            unseen=len(talk.events),
        )

    # --- requests -------------------------------------------------------------------------------

    async def join(self, room: str, after: int | None = None) -> EnteredRoom:
        """Enter a room; with `after`, also get every entry behind that id (0: from the first).

        Those are in the answer alone, topics and all; iterating goes on behind its `last`.
        """
        room = fold(room)
        return entered(room, await self._conversation.ask(e.Join(room, after, tag=self._tags.next())))

    async def part(self, room: str, reason: str = "") -> None:
        """Leave a room."""
        await self._conversation.ask(e.Part(fold(room), reason, tag=self._tags.next()))

    async def say(self, target: str, text: str) -> int:
        """Send a message to a room (``#dev``) or to one person (``@bob``).

        Returns:
            Its id, once the server has it in its journal.
        """
        return kept_id(await self._conversation.ask(e.Say(_target(target), text, tag=self._tags.next())))

    async def submit(self, target: str, text: str) -> Receipt:
        """Send a message, and do not wait until it is kept.

        Messages that are submitted one after the other are kept in that order. This waits only while
        256 requests have no answer yet.
        """
        return Receipt(await self._conversation.submit(e.Say(_target(target), text, tag=self._tags.next())))

    async def topic(self, room: str) -> str:
        """The topic of a room; empty if it has none."""
        answer = await self._conversation.ask(e.GetTopic(fold(room), tag=self._tags.next()))
        return next((topic.text for topic in answer if isinstance(topic, e.TopicSet)), "")

    async def set_topic(self, room: str, text: str) -> int:
        """Set the topic of a room; an empty text clears it. Returns the id of the entry."""
        return kept_id(await self._conversation.ask(e.SetTopic(fold(room), text, tag=self._tags.next())))

    async def names(self, room: str) -> tuple[str, ...]:
        """Who is in a room."""
        return nicks(await self._conversation.ask(e.ListNames(fold(room), tag=self._tags.next())))

    async def rooms(self) -> tuple[e.RoomInfo, ...]:
        """Which rooms there are."""
        answer = await self._conversation.ask(e.ListRooms(tag=self._tags.next()))
        return tuple(info for info in answer if isinstance(info, e.RoomInfo))

    async def history(
        self,
        target: str,
        before: int | None = None,
        limit: int = DEFAULT_PAGE,
        *,
        after: int | None = None,
    ) -> tuple[Entry, ...]:
        """A page of a log, oldest entry first.

        Args:
            target: a room, or our own inbox: ``"@" + chat.nick``.
            before: an id; the page is the last one in front of it.
            limit: how many entries, 1 to 1000.
            after: an id; the page is the first one behind it. Not together with `before`. Without either
                the page is the last one of all.

        Returns:
            At most `limit` entries. In front of them may be a `Gap` that names those which the page would
            have if they were still kept.
        """
        tag = self._tags.next()
        request = e.ReadHistory(_target(target), before, limit, after, tag=tag)
        return entries(await self._conversation.ask(request))

    async def search(self, room: str, words: str, limit: int = DEFAULT_PAGE) -> tuple[Entry, ...]:
        """Up to `limit` entries of a room that hold all of `words`, newest first."""
        return entries(
            await self._conversation.ask(e.Search(fold(room), words, limit, tag=self._tags.next()))
        )

    async def rename(self, nick: str) -> None:
        """Take another nickname.

        If somebody else has ours when the connection comes back, which a `Failure` with the code
        ``nick-in-use`` tells, this is how to come back all the same.
        """
        await self._conversation.rename(nick)

    async def ping(self) -> None:
        """Ask the server whether it is there, and wait for its answer."""
        await self._conversation.ask(e.Ping(tag=self._tags.next()))

    async def quit(self, reason: str = "") -> None:
        """Leave: the server answers what was asked before, says good-bye, and iterating ends.

        Leaving the ``async with`` block does this, so it is for giving a reason, or for ending the
        iteration of another task. Waits for the good-bye for a second at most, and not at all while there
        is no connection.
        """
        await self._conversation.quit(reason)


def _target(target: str) -> str:
    return target if target.startswith("@") else fold(target)
