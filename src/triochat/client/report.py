"""How a command of the client stands: what it says on the standard error, and its exit code."""

from typing import Final

from triochat.client.printer import Printer

FAILED: Final = 1
"""The exit code if it was not done, or not all of it."""


class Report:
    """See the module.

    Args:
        printer: what a sentence is said through.

    Attributes:
        exit_code: 0; `FAILED`; 128 and the number of the signal that ends it.
    """

    def __init__(self, printer: Printer) -> None:
        self.exit_code = 0
        self._printer = printer

    @property
    def signalled(self) -> bool:
        """Whether a signal ends it."""
        return self.exit_code > 128

    async def tell(self, sentence: str) -> None:
        """Say something on the standard error."""
        await self._printer.complain(sentence)

    async def fail(self, sentence: str) -> None:
        """Say what went wrong, and have the exit code say so too."""
        if not self.signalled:
            self.exit_code = FAILED
        await self.tell(sentence)
