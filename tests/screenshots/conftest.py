import importlib.util

# A source distribution has the tests, but not the screenshots.
collect_ignore_glob = [] if importlib.util.find_spec("screenshots") else ["test_*.py"]
