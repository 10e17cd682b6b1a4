"""Running a process as somebody who is not root."""

import os
import subprocess
import sys

import pytest

NOBODY = 65534
DROP = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# The interpreter may be under a closed /root; this lets it be read, and nothing be written.
READ_ANYWHERE = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")


def without_root() -> tuple[str, ...]:
    """Return the command that runs another as a user other than root; empty when we are none ourselves.

    Skips the test when this machine has no way to do so. Blocking.
    """
    if os.geteuid() != 0:
        return ()
    for prefix in (DROP, (*DROP, *READ_ANYWHERE)):
        try:
            tried = subprocess.run(  # noqa: S603 (fixed words)
                [*prefix, sys.executable, "-c", "import barberpro.server.embedded"],
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            pytest.skip("setpriv is not installed, so this interpreter cannot be run as another user")
        if tried.returncode == 0:
            return prefix
    pytest.skip(f"this interpreter cannot be run as another user: {tried.stderr.decode().strip()}")
