"""Writes the contract's files anew: `python -m tests.contract.rewrite`."""

from tests.contract.outline import LIVE, REST, live_lines, rest_lines, write

if __name__ == "__main__":
    write(REST, rest_lines())
    write(LIVE, live_lines())
