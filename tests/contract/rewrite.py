"""Writes the contract's files, and the Python client's methods, anew: `python -m tests.contract.rewrite`."""

from tests.contract.client_methods import API, files
from tests.contract.outline import LIVE, REST, live_lines, rest_lines, write

if __name__ == "__main__":
    write(REST, rest_lines())
    write(LIVE, live_lines())
    for name, source in files().items():
        (API / name).write_text(source)
