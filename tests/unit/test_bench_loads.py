"""The benchmarks' loads and counts: arrivals wait for nobody, and an update is told from its sequence number."""

import asyncio

import pytest

from barberpro.protocol.frames import text_frame
from loadtests.bench.floor import Floor, Step
from loadtests.bench.loop import open_load
from loadtests.bench.p6 import Deliveries, Watcher
from loadtests.bench.sockets import Way

QUEUES_FIRST = 7


async def test_an_open_load_goes_on_while_nothing_is_answered() -> None:
    under_way, enough = 0, asyncio.Event()

    async def run(_step: Step) -> tuple[str, str]:
        nonlocal under_way
        under_way += 1
        if under_way == 20:
            enough.set()
        await enough.wait()
        return "bk_1", "waiting"

    floor = Floor(shops=1, barbers=2, length=100, customers=100_000)
    tally = await open_load(floor, run, 1000.0, 0.0, 0.5, dict)
    assert under_way >= 20
    assert len(tally.late) >= 20
    # The first has waited for the twentieth, which arrived some of those thousandths of a second later.
    assert max(tally.latencies) > 0.002


async def test_an_open_load_that_outruns_the_floor_tells_what_it_could_not_send() -> None:
    answers = asyncio.Event()

    async def run(_step: Step) -> tuple[str, str]:
        await answers.wait()
        return "bk_1", "waiting"

    asyncio.get_running_loop().call_later(0.5, answers.set)  # after the measured time
    tally = await open_load(Floor(shops=1, barbers=2, length=9, customers=10), run, 1000.0, 0.0, 0.3, dict)
    assert tally.unsent > 0


async def test_an_open_load_tells_what_went_wrong_in_a_step() -> None:
    async def run(_step: Step) -> tuple[str, str]:
        raise ConnectionError("the server hung up")

    with pytest.raises(ConnectionError, match="hung up"):
        await open_load(Floor(shops=1, barbers=2, length=100, customers=1000), run, 1000.0, 0.0, 0.1, dict)


@pytest.fixture
def deliveries() -> Deliveries:
    return Deliveries({"c1": 0.0})


@pytest.fixture
async def watcher(deliveries: Deliveries) -> Watcher:
    return Watcher(Way("plain", 1), "token", QUEUES_FIRST, deliveries)


def update(seq: int, command: str = "c1") -> bytes:
    cause = b'{"type":"join","commandId":"%b"}' % command.encode()
    return text_frame(b'{"event":"queue_updated","epoch":1,"seq":%d,"cause":%b,"waiting":[]}' % (seq, cause))


async def test_updates_in_a_row_are_all_delivered(watcher: Watcher, deliveries: Deliveries) -> None:
    watcher.data_received(update(8) + update(9) + update(10))
    assert deliveries.by_second.total() == 3
    assert deliveries.conflated == 0
    assert watcher.seq == 10


async def test_what_a_newer_state_replaced_is_conflated_and_not_delivered(
    watcher: Watcher, deliveries: Deliveries
) -> None:
    watcher.data_received(update(8) + update(12))
    assert deliveries.by_second.total() == 2
    assert deliveries.conflated == 3


async def test_a_state_that_is_shown_again_is_no_update(watcher: Watcher, deliveries: Deliveries) -> None:
    watcher.data_received(update(8) + update(8) + update(QUEUES_FIRST))
    assert deliveries.by_second.total() == 1


async def test_an_update_without_a_command_of_ours_counts_but_has_no_latency(
    watcher: Watcher, deliveries: Deliveries
) -> None:
    watcher.data_received(update(8, "c1") + update(9, "somebody else's"))
    assert deliveries.by_second.total() == 2
    assert len(deliveries.latencies) == 1
