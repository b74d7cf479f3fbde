"""Does the journal in a file keep what is promised of it with a million entries? See ``command.py``."""
