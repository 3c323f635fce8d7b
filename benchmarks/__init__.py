"""How long the work takes, beside the peers: ``python -m benchmarks`` measures, and writes RESULTS.md."""
