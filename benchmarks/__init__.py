"""Races between clinfa and its peers: ``python -m benchmarks --help``, `benchmarks/README.md`."""
