"""What was measured on: enough to judge figures by, and nothing that tells whose machine it is."""

import importlib.util
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

NEEDED = ("trio", "structlog", "cyclopts", "platformdirs")
"""What the server of this checkout imports: the dependencies of pyproject.toml."""


def lacking(*more: str) -> str | None:
    """One sentence if this Python can't run the server of this checkout, or lacks `more`; else None."""
    lacks = [name for name in (*NEEDED, *more) if importlib.util.find_spec(name) is None]
    if not lacks:
        return None
    return (
        f"benchmarks: {sys.executable} has no {', '.join(lacks)}, which must be there; install this"
        ' checkout, with "pip install .", and start it with the Python that has it'
    )


def describe() -> dict[str, str]:
    """Processor, memory, system, interpreter, and how busy it was."""
    described = {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    with suppress(OSError):
        described["load before"] = f"{os.getloadavg()[0]:.2f}"
    return described


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                return f"{int(line.split()[1]) / 1024 / 1024:.1f} GiB"
    return "unknown"
