"""What a delivery costs, beside other servers: ``python -m benchmarks``. See benchmarks/README.md."""
