"""The command: ``python -m benchmarks.client --help``."""

import sys

from benchmarks.machine import lacking

if __name__ == "__main__":
    if lacks := lacking("urwid"):
        sys.stderr.write(f"{lacks}\n")
        sys.exit(2)
    from benchmarks.client.command import main  # it imports what may be lacking

    sys.exit(main())
