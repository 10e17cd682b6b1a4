"""The long run: what grows while customers come and go."""

from loadtests.bench.soak.run import soak

__all__ = ["soak"]
