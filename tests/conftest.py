"""What holds for all tests."""

import pytest
from hypothesis import settings

# The same examples each time, and no clock: a busy machine must not fail a test, nor luck let one pass.
# To search for new examples: pytest --hypothesis-profile=default
settings.register_profile("triochat", derandomize=True, deadline=None)
settings.load_profile("triochat")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the longest test goes on."""
    parser.addoption(
        "--kills",
        type=int,
        default=10,
        help="how often tests/crashes kills the server, and clients, which must lose nothing",
    )
