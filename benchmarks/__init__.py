"""Time vaeviz and its alternatives. ``python -m benchmarks`` measures, and writes RESULTS.md."""
