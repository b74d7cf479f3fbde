"""Log lines: for people on a terminal, or one JSON object a line; on stderr, if that is no chat's."""

import logging
import sys
import time
from typing import Literal

import structlog
from structlog.tracebacks import ExceptionDictTransformer

PAUSE = 5.0
"""Seconds in which a fault of ``accept`` is told once: it is tried again ten times in each of them."""


class _Seldom(logging.Filter):
    """Lets one record pass in each `PAUSE`, without its traceback, which is always the same."""

    def __init__(self) -> None:
        super().__init__()
        self._last = -PAUSE

    def filter(self, record: logging.LogRecord) -> bool:
        if time.monotonic() - self._last < PAUSE:
            return False
        self._last = time.monotonic()
        record.exc_info = None
        return True


def configure_logs(
    style: Literal["console", "json"], level: str, handler: logging.Handler | None = None
) -> None:
    """Send the log lines of this process to `handler`, by default to stderr.

    Those of the standard library's ``logging`` are among them: that is where trio tells of an
    ``accept`` that failed because the process has no descriptors left.

    Tracebacks come without the values of variables: among these are sessions and what people said.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso" if style == "json" else "%H:%M:%S", utc=style == "json"),
    ]
    last: list[structlog.typing.Processor]
    if style == "json":
        tracebacks = ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=handler is None and sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    logging.getLogger("trio.serve_listeners").addFilter(_Seldom())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    if handler is None:
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
