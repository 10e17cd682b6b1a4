"""How many examples each test tries. Holds no tests itself.

In the suite the same few come every time. `make fuzz TIMES=50` tries fifty times as many, other ones each time; what
fails then is told with the words that repeat it (`@reproduce_failure`). No example is kept on disk.
"""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

TIMES: Final = int(os.environ.get("FUZZ_TIMES", "1"))
_AT_ONCE: Final = (Phase.explicit, Phase.generate)
"""A failure at a door is told at once and unshrunk: to shrink one there takes minutes."""


def examples(count: int, *, shrunk: bool = True) -> settings:
    """The settings of a test that tries so many. shrunk: whether a failure is made small before it is told."""
    return settings(
        max_examples=count * TIMES,
        derandomize=TIMES == 1,
        database=None,
        deadline=None,  # an example is as slow as the machine it runs on
        print_blob=True,
        phases=tuple(Phase) if shrunk else _AT_ONCE,
        # A door is stood up once for all examples, and great documents are meant to be great.
        suppress_health_check=list(HealthCheck),
    )
