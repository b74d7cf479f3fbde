"""``python -m triochat``."""

from triochat.cli import main

main()
