"""Benchmarks: `python -m loadtests.bench SUITE`. What each figure means stands in its module."""
