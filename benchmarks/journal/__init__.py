"""Does the journal in a file keep what is promised of it, when it has a million entries? See ``__main__``."""
