"""Which tags of which session were used, and for what: bounded, and cheap for those who count.

Of every tag it must be known whether it is new, and almost every one is. A dictionary of all tags answers
that, but to look each up and to insert it costs more than all else that a journal in memory does with a
message. Most clients count: ``1``, ``2`` … ``10``, perhaps with a word in front. A tag that is longer than
all that its session used, or as long as the longest and later in the order of letters, is new: no look-up
can tell more. So the tags of a session that counts are only listed, a draft at a time, and the dictionary
is made from the list when a tag comes that might be known. A session that brings a new tag out of this
order is looked up in the dictionary from then on. Measured with drafts of ten tags: an append costs 0.45 of
what it did with dictionaries for all, and 0.55 of what it does for a session that does not count.

To make the dictionary is a pause, of 0.15 to 0.4 µs for each tag of that session which is not in it yet: if
all of 100,000 tags are of one session, 15 to 40 ms. Each is put into it once, so the sum stays what it was.

Of the texts only hashes are remembered, for the texts may be let go: Python's have 64 bits, and nobody
outside can foretell them.
"""

from collections.abc import Sequence

from triochat.journal.interface import Kind

Said = tuple[int, str, Kind, Sequence[str], Sequence[int]]
"""What the tags of a draft stand for: the id of its last text, log, kind, the tags, and hashes of the texts.

A plain tuple, since one is made for each draft: one with names costs 0.1 µs more."""


class _Used:
    """What one session used in one generation.

    Attributes:
        highest: the last of its longest tags, with those of the elder generation; empty if it does not count.
    """

    __slots__ = ("_by_tag", "_listed", "highest")

    def __init__(self) -> None:
        self.highest = ""
        self._listed: list[Said] = []  # not in the dictionary yet
        self._by_tag: dict[str, Said] = {}

    def add(self, said: Said, highest: str) -> None:
        self._listed.append(said)
        self.highest = highest

    def by_tag(self) -> dict[str, Said]:
        for said in self._listed:
            self._by_tag.update(dict.fromkeys(said[3], said))
        self._listed.clear()
        return self._by_tag


class Tags:
    """The tags of all sessions.

    Args:
        limit: how many are remembered: see `MemoryJournal`.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Two generations, by session. When the younger one has half of all tags, the elder one is let go
        # as a whole: in bulk that costs less than the oldest tag for each new one.
        self._young: dict[str, _Used] = {}
        self._elder: dict[str, _Used] = {}
        self._in_young = 0
        self._in_elder = 0

    def __len__(self) -> int:
        """How many are remembered."""
        return self._in_young + self._in_elder

    def admit(self, session: str, tags: Sequence[str]) -> str | None:
        """None if one of them is known or comes twice; else what `remember` must be told.

        That is the session's highest tag with these, empty if it does not count.
        """
        used = self._young.get(session) or self._elder.get(session)
        highest = "" if used is None else used.highest
        if highest or used is None:
            for tag in tags:
                if len(tag) < len(highest) or (len(tag) == len(highest) and tag <= highest):
                    break
                highest = tag
            else:
                return highest
        if len(set(tags)) < len(tags):
            return None
        for generation in (self._young, self._elder):
            used = generation.get(session)
            if used is not None and not used.by_tag().keys().isdisjoint(tags):
                return None
        return ""

    def remember(self, session: str, said: Said, highest: str) -> None:
        """From now on the tags of `said` are known; `admit` has just admitted them, as `highest`."""
        number = len(said[3])
        self._in_young += number
        if self._in_young > self._limit // 2:
            self._elder, self._young = self._young, {}
            self._in_elder, self._in_young = self._in_young - number, number
        used = self._young.get(session)
        if used is None:
            used = self._young[session] = _Used()
        used.add(said, highest)

    def number(self, session: str, tag: str, log: str, kind: Kind, text: str) -> int | None:
        """The id of what a known tag stands for; None if it stands for something else."""
        young = self._young.get(session)
        said = None if young is None else young.by_tag().get(tag)
        if said is None:
            said = self._elder[session].by_tag()[tag]
        last, said_in, said_as, tags, hashes = said
        index = tags.index(tag)
        same = (said_in, said_as, hashes[index]) == (log, kind, hash(text))
        return last + 1 - len(tags) + index if same else None
