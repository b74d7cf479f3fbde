"""The console script ``triochat``, and ``python -m triochat``.

Nothing is imported here before Ctrl-C is expected: most of the first half second goes into importing, and who
thinks better of it meanwhile is owed no traceback.
"""

import sys


def main() -> None:
    """Run the command line; see `triochat.cli`."""
    try:
        from triochat.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
