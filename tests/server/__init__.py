"""The shell: on a virtual clock and in-memory streams, but for test_sockets.py."""
