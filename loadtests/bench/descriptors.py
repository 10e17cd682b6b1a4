"""Thousands of connections need as many file descriptors as the system lets a process have."""

import resource


def many_descriptors() -> int:
    """Raises this process's limit, which its children inherit, as far as it may; the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
