"""The journal's file, taken out, brought in and backed up: ``triochat export``, ``import`` and ``backup``."""
