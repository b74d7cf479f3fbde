"""What is told of a fault when the terminal is given back: where it was, in no more lines than can be seen.

A fault comes out of a nursery for each part of the program that it ends, in a group within a group, and
Python tells the way through all of them: a hundred lines, on a terminal of 24. Here each fault is told by
itself, with the frames of what is ours, and the one in which it was raised. ``python -X dev -m triochat``
tells everything.
"""

import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

from triochat.protocol.escape import clean

SENTENCE: Final = "triochat: a fault in the program itself; python -X dev -m triochat tells all of it"
"""What stands below."""
Hook: TypeAlias = Callable[[type[BaseException], BaseException, TracebackType | None], object]

_FOREIGN: Final = tuple(
    Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib", "stdlib", "platstdlib")
)
_OURS: Final = Path(__file__).resolve().parent.parent


class Report:
    """What `sys.excepthook` is as soon as there is a screen.

    Args:
        otherwise: is told of what is no fault.
    """

    def __init__(self, otherwise: Hook) -> None:
        self._otherwise = otherwise

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None, /
    ) -> None:
        """Tell of an exception that nobody has caught."""
        if sys.flags.dev_mode or not isinstance(error, Exception):
            self._otherwise(kind, error, trace)
        elif sys.stderr is not None:
            sys.stderr.write("\n".join((*told(error), SENTENCE, "")))


def told(error: BaseException) -> Iterator[str]:
    """The lines that tell of this exception, or of each one in a group."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from told(one)
        return
    summary = traceback.TracebackException.from_exception(error)
    part: traceback.TracebackException | None = summary
    while part is not None:
        last = part.stack[-1:]
        part.stack = traceback.StackSummary.from_list([*filter(_is_ours, part.stack[:-1]), *last])
        part = part.__cause__ or part.__context__
    yield from map(clean, "".join(summary.format()).rstrip("\n").split("\n"))


def _is_ours(frame: traceback.FrameSummary) -> bool:
    """Whether it is of triochat, or of what has called it: of no library."""
    path = Path(frame.filename).resolve()
    foreign = frame.filename.startswith("<") or any(path.is_relative_to(folder) for folder in _FOREIGN)
    return path.is_relative_to(_OURS) or not foreign
