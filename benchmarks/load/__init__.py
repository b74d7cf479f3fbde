"""The load generator, in C and, where there is no compiler, in Python."""
