import importlib.util

# A source distribution has the tests, but not the benchmarks.
collect_ignore_glob = [] if importlib.util.find_spec("benchmarks") else ["test_*.py"]
