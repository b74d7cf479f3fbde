"""What the command line itself prints: help, scripts, and a sentence if a command can't be run.

All of it goes past Python's buffer, in which what can't be written would come up again when the program ends,
as a traceback and with another exit code.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import cyclopts

from triochat.config import ConfigError
from triochat.null_device import discard
from triochat.usage import columns

FAILED = 1
"""The exit code if a setting makes no sense, or nothing can be printed."""
NO_USAGE = 2
"""The exit code if there is no such flag, or its value is not of the right kind."""
BROKEN_PIPE = 128 + 13
"""The exit code of a program that SIGPIPE has ended, by which a shell knows that nobody read on."""


class OutputFailedError(Exception):
    """The standard output can't be written; the text says why."""


class App(cyclopts.App):
    """One whose help may be more than a full disk takes. Those of its commands are made of this class too."""

    def help_print(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 -- as they come
        """Print the help, as wide as the terminal.

        Raises:
            OutputFailedError: that is not possible.
        """
        console = options.get("console") or self.console
        console.width = columns()
        with _output(), console.capture() as page:  # which writes too, though nothing
            super().help_print(*arguments, **{**options, "console": console})
        write("".join(f"{line.rstrip()}\n" for line in page.get().splitlines()))


def exit_code_of(app: Callable[[], int]) -> int:
    """Run what the arguments ask for; what keeps it from being run is a sentence on the standard error."""
    try:
        return app()
    except ConfigError as error:
        _complain(str(error))
    except cyclopts.UnusedCliTokensError as error:
        _complain(f"there is nothing that {' '.join(map(repr, error.unused_tokens or ()))} could mean here")
        return NO_USAGE
    except cyclopts.CycloptsError as error:
        sentence, too_many, _ = str(error).removesuffix(".").partition(" Available commands:")
        if too_many and not sentence.endswith("?"):
            sentence = f"{sentence.removesuffix('.')}; triochat --help lists them"
        _complain(sentence[:1].lower() + sentence[1:])
        return NO_USAGE
    except OutputFailedError as error:
        _complain(f"the standard output can't be written ({error})")
    return FAILED


def write(text: str) -> None:
    """Write to the standard output. Ends the program quietly if nobody reads it.

    Raises:
        OutputFailedError: that is not possible.
    """
    data = text.encode()
    with _output():
        while data:
            data = data[os.write(1, data) :]


@contextmanager
def _output() -> Iterator[None]:
    """What is done to write to the standard output."""
    if sys.stdout is None:  # it was closed when we were started; by now it may be anything
        raise OutputFailedError(os.strerror(errno.EBADF))
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        discard(sys.stdout)
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        discard(sys.stdout)
        raise OutputFailedError(error.strerror) from None


def _complain(sentence: str) -> None:
    """Say something on the standard error. If that can't be written, the exit code has to do."""
    if sys.stderr is None:
        return
    line = f"triochat: {sentence}".replace("\n", " ")
    with suppress(OSError):
        os.write(2, f"{line}\n".encode(sys.stderr.encoding, "backslashreplace"))
