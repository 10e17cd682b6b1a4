"""The suites by name. A suite is a list of benchmarks, run one after the other on the same stores."""

from collections.abc import Awaitable, Callable
from typing import Final

from loadtests.bench.find import find
from loadtests.bench.i1 import i1
from loadtests.bench.lighthouse import l1
from loadtests.bench.p1 import p1
from loadtests.bench.p2 import p2
from loadtests.bench.p3 import p3
from loadtests.bench.p4 import p4
from loadtests.bench.p6 import p6
from loadtests.bench.p7 import p7
from loadtests.bench.p8 import p8
from loadtests.bench.plan import Plan
from loadtests.bench.r1 import r1
from loadtests.bench.report import Figure
from loadtests.bench.soak import soak
from loadtests.bench.stalled import stalled
from loadtests.bench.w1 import w1
from loadtests.bench.waits import waits
from loadtests.bench.y1 import y1

Benchmark = Callable[[Plan], Awaitable[list[Figure]]]

SUITES: Final[dict[str, tuple[Benchmark, ...]]] = {
    "engine": (p1, p2, p8),
    "commands": (p4, p6),
    "delivery": (p3,),
    "memory": (p7,),
    "stalled": (stalled,),
    "waits": (waits,),
    "restart": (r1,),
    "year": (y1,),
    "pages": (w1,),
    "lighthouse": (l1,),
    "soak": (soak,),
    "find": (find,),
    "import": (i1,),
}
STORELESS: Final = frozenset({"waits"})
"""Suites of pure code: no stores are started for them, and their plan's stores stand for none."""
ROUNDS: Final = {"delivery": 5}
"""Where three are too few: a delivery's cost is a small difference of two measured ones."""
