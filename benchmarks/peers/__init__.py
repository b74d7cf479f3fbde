"""The other servers: whole programs, each started by an adapter of benchmarks/adapters.py."""
