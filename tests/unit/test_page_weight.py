"""How much a page brings: with all it loads of ours, in the largest of its languages, it is below 100 kB as sent."""

import gzip
import re
from pathlib import Path
from typing import Final

import pytest

import barberpro.clients

_WEB: Final = Path(barberpro.clients.__file__).parent / "web"
_PARTS: Final = re.compile(r"""["'(](?:/static/|\./)([a-z0-9.-]+\.(?:js|css|svg|png|webmanifest))["')]""")
_TEXTS: Final = re.compile(r"""texts\("([a-z]+)\"""")
_SHELL: Final = re.compile(
    r"""pages: \{(?P<pages>[^}]+)\},\s+parts: "(?P<parts>[^"]+)",\s+texts: \[(?P<texts>[^]]+)\]"""
)
_SHARED: Final = re.compile(r'const SHARED = "([^"]+)"')
_MOST: Final = 100_000


def _loaded(name: str, known: set[str]) -> set[str]:
    """The names of what it names, and of what that names, with itself."""
    if name in known:
        return known
    known.add(name)
    if not name.endswith("png"):
        for part in _PARTS.findall((_WEB / name).read_text()):
            _loaded(part, known)
    return known


def _largest(page: str) -> int:
    return max(_sent(path.name) for path in _WEB.glob(f"{page}.??.json"))


def _sent(name: str) -> int:
    """Bytes. What is sent is packed, as handlers/parts.py does it."""
    return len(gzip.compress((_WEB / name).read_bytes()))


@pytest.mark.parametrize("page", sorted(path.name for path in _WEB.glob("*.html")))
def test_a_page_is_light_and_names_nothing_that_is_not_there(page: str) -> None:
    parts = _loaded(page, set())
    spoken = {name for part in parts if part.endswith("js") for name in _TEXTS.findall((_WEB / part).read_text())}
    words = sum(map(_largest, spoken | {"common"} if spoken else ()))
    assert sum(map(_sent, parts)) + words < _MOST


def test_a_service_worker_keeps_for_each_kind_of_page_all_that_it_loads_and_nothing_else() -> None:
    worker = (_WEB / "sw.js").read_text()
    shared = _SHARED.search(worker)
    assert shared is not None
    shells = list(_SHELL.finditer(worker))
    assert len(shells) == worker.count("parts: ")
    for shell in shells:
        pages = set(re.findall(r'"([a-z]+\.html)"', shell["pages"]))
        loaded = {part for page in pages for part in _loaded(page, set())}
        assert pages | {*shared[1].split(), *shell["parts"].split()} == loaded
        spoken = {name for part in loaded if part.endswith("js") for name in _TEXTS.findall((_WEB / part).read_text())}
        assert set(re.findall(r'"(\w+)"', shell["texts"])) == spoken | {"common"}
