"""The console script ``triochat``, and ``python -m triochat``.

Nothing is imported here before Ctrl-C is expected: most of the first half second goes into importing, and who
thinks better of it meanwhile is owed no traceback. Who asks for the help or the version need not wait for it.
"""

import sys


def main() -> None:
    """Run the command line; see `triochat.cli`."""
    try:
        from triochat.usage import quick_answer

        if answer := quick_answer(sys.argv[1:]):
            import os

            # Past Python's buffer: of what nobody reads, nothing is left to be said when the program ends.
            try:
                os.write(1, answer.encode("ascii"))
            except OSError:
                sys.exit(1)
            return
        from triochat.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
