"""What the workbench costs, each figure against a peer in the same run: `make bench`, or `python -m tests.benchmarks`."""
