"""What holds for all tests."""

from hypothesis import settings

# The same examples each time, and no clock: a busy machine must not fail a test, nor luck let one pass.
# To search for new examples: pytest --hypothesis-profile=default
settings.register_profile("triochat", derandomize=True, deadline=None)
settings.load_profile("triochat")
