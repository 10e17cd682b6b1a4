"""A Chromium that is installed on this machine."""

import shutil
from typing import Final

from loadtests.bench.build import MissingError

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = (
    "--no-sandbox",  # containers give it no namespaces, and it opens nothing but our own pages
    "--disable-features=LocalNetworkAccessChecks",  # a page that a test makes up is no stranger to our server
)


def chromium_path() -> str:
    """Raises MissingError. Blocking."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        raise MissingError("no Chromium is installed")
    return found
