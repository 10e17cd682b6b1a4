"""The engine beside a model of it."""
