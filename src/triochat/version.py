"""The version, apart from everything, so that to ask for it imports nothing else."""

__version__ = "0.1.0"
