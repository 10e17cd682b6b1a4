"""The contract is what it was: else the files beside this one change, too, and whoever reads the change sees it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.client_methods import API, files
from tests.contract.outline import LIVE, REST, live_lines, rest_lines


@pytest.mark.parametrize(("path", "lines"), [(REST, rest_lines), (LIVE, live_lines)], ids=["rest", "live"])
def test_every_name_and_type_is_as_it_was(path: Path, lines: Callable[[], list[str]]) -> None:
    now, was = lines(), path.read_text().splitlines()
    changed = [f"- {line}" for line in was if line not in now] + [f"+ {line}" for line in now if line not in was]
    assert changed == [], "run `python -m tests.contract.rewrite`, and look at what it changes"
    assert now == was


def test_the_python_client_has_a_method_for_every_endpoint_as_the_document_says() -> None:
    made = files()
    assert {path.name for path in API.glob("*.py")} == made.keys() | {"__init__.py", "calls.py"}
    for name, source in made.items():
        assert (API / name).read_text() == source, f"run `python -m tests.contract.rewrite`: {name}"
