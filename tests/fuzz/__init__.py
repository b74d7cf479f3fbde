"""Whatever comes over the wire: parsers held against their promises by inputs that nobody wrote.

See docs/fuzzing.md.
"""
