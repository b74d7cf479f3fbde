"""Programs and servers to run, as in tests/process."""

from tests.process.conftest import home, run, serve

__all__ = ["home", "run", "serve"]
