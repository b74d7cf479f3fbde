"""``triochat export``, ``import`` and ``backup`` as programs: standard streams, sentences, exit codes.

None of them needs an event loop: each does one thing, from one end to the other, and nobody waits for it.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, Literal

from triochat.archive.lines import MAX_LINE, BadLine, item_of, line_of
from triochat.archive.transcript import Transcript
from triochat.config import ConfigError, moment
from triochat.journal.backup import NoBackup, back_up
from triochat.journal.interface import JournalUnusable
from triochat.journal.restore import Restoration, Unfit, open_restoration
from triochat.journal.snapshot import Item, Snapshot, open_snapshot

Format = Literal["jsonl", "text"]

STDIN: Final = 0
STDOUT: Final = 1
CHUNK: Final = 65536
"""Characters that are written at once."""
BROKEN_PIPE: Final = 128 + 13
"""The exit code of a program that SIGPIPE has ended, by which a shell knows that nobody read on."""


class _ArchiveError(Exception):
    """It can't be done; the message is a sentence."""


def run_export(path: Path, rooms: Sequence[str], since: str | None, form: Format, *, private: bool) -> int:
    """Write what the journal in the file `path` keeps to the standard output, in UTF-8.

    Args:
        path: of the file; a server may run meanwhile.
        rooms: only these, and ``@nick`` for what was said to somebody alone; empty: all rooms.
        since: leave out what was said before this date or time, in the form of ISO 8601.
        form: JSON lines, or text for people.
        private: with all rooms, also all that was said to somebody alone.

    Returns:
        The exit code: 0; 1 after a sentence on stderr; 141 if nobody reads the output to its end.

    Raises:
        ConfigError: what is asked for makes no sense.
    """
    if rooms and private:
        raise ConfigError("room and private exclude each other: to name one person's messages, write @nick")
    since_ms = None if since is None else moment(since)
    write = _transcribe if form == "text" else _write_lines
    try:
        with open_snapshot(path) as snapshot:
            names = [_known(name, snapshot) for name in rooms]
            write(snapshot.items(names or None, inboxes=private, since=since_ms))
    except BrokenPipeError:
        return BROKEN_PIPE
    except (JournalUnusable, _ArchiveError) as error:
        return _fail(error)
    return 0


def run_import(source: Path, path: Path) -> int:
    """Fill the new journal in the file `path` from JSON lines, all or nothing.

    Args:
        source: of the lines; ``-`` for the standard input.
        path: of the journal.

    Returns:
        The exit code: 0 after a line on stdout that says how much it was; 1 after a sentence on stderr.
    """
    try:
        with _open_lines(source) as lines, open_restoration(path) as restoration:
            _fill(restoration, lines, source)
    except (JournalUnusable, _ArchiveError) as error:
        return _fail(error)
    with suppress(BrokenPipeError, _ArchiveError):  # it is done, whether somebody hears of it or not
        _write(f"imported {restoration.entries} entries into {path}\n".encode(errors="surrogateescape"))
    return 0


def run_backup(path: Path, target: Path) -> int:
    """Copy the journal in the file `path` to the new file `target`; a server may run meanwhile.

    When the copy is complete Ctrl-C comes too late, from then on to the end of the process: who is told that
    there is no back-up finds none.

    Returns:
        The exit code: 0; 1 after a sentence on stderr.
    """
    try:
        back_up(path, target, at_last=_ignore_ctrl_c)
    except (JournalUnusable, NoBackup) as error:
        return _fail(error)
    return 0


def _ignore_ctrl_c() -> None:
    # Not SIG_IGN: Python complains of a signal that came just before that and has no handler any more.
    signal.signal(signal.SIGINT, lambda *_: None)


def _fail(error: Exception) -> int:
    sys.stderr.write(f"triochat: {error}\n")
    return 1


# --- export ---------------------------------------------------------------------------------------


def _known(name: str, snapshot: Snapshot) -> str:
    """The name in the form in which the journal has it."""
    folded = name.lower()
    if folded in snapshot.logs:
        return folded
    if folded.startswith("@"):
        raise _ArchiveError(f"no message to {name[1:]!a} alone is kept in {snapshot.path}")
    hint = "" if folded.startswith("#") else "; the name of a room begins with '#'"
    raise _ArchiveError(f"there is no room {name!a} in {snapshot.path}{hint}")


def _write_lines(items: Iterator[Item]) -> None:
    _write_all(map(line_of, items))


def _transcribe(items: Iterator[Item]) -> None:
    transcript = Transcript()
    _write_all(f"{line}\n" for item in items for line in transcript.tell(item))


def _write_all(lines: Iterator[str]) -> None:
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= CHUNK:
            _write("".join(waiting).encode())
            waiting.clear()
            size = 0
    _write("".join(waiting).encode())


def _write(data: bytes) -> None:
    """Write to the standard output, past Python's buffer: what can't be written must not come up again."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(STDOUT, view) :]
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _ArchiveError(
            f"the standard output can't be written ({error.strerror}); what is there is not complete"
        ) from None


# --- import ---------------------------------------------------------------------------------------


@contextmanager
def _open_lines(source: Path) -> Iterator[BinaryIO]:
    try:
        with open(STDIN, "rb", closefd=False) if str(source) == "-" else source.open("rb") as lines:
            yield lines
    except OSError as error:
        raise _ArchiveError(
            f"{_name(source)} can't be read ({error.strerror}); nothing was imported"
        ) from None


def _name(source: Path) -> str:
    return "the standard input" if str(source) == "-" else str(source)


def _fill(restoration: Restoration, lines: BinaryIO, source: Path) -> None:
    number = 0
    try:
        while line := lines.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise BadLine(f"it is longer than {MAX_LINE} octets")
            if not line.isspace():
                restoration.add(item_of(line))
    except (BadLine, Unfit) as error:
        raise _ArchiveError(f"line {number} of {_name(source)}: {error}; nothing was imported") from None
