"""What a worker is told, how long a dead one's place stays empty, and that nobody's end is hurried by another's."""

import asyncio
import json
from ipaddress import ip_network
from itertools import accumulate, repeat
from pathlib import Path

import pytest

from barberpro.server import supervisor
from barberpro.server.embedded import StoreUrls
from barberpro.server.settings import Settings
from barberpro.server.supervisor import (
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    WorkerRefusedError,
    pause_after,
    settings_line,
    supervise,
)

URLS = StoreUrls("postgresql://db", "redis://cache")


@pytest.fixture
def two_workers() -> Settings:
    """Read here, for a loop may not wait for `.env`."""
    return Settings(workers=2, metrics_port=9100, keys_dir=Path("/keys"))


def test_workers_that_die_at_once_come_back_ever_more_slowly_up_to_a_bound() -> None:
    pauses = list(accumulate(repeat(0.5, 8), lambda last, lived: pause_after(lived, last), initial=0.0))[1:]
    assert pauses[:4] == [SHORTEST_PAUSE, 2.0, 4.0, 8.0]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_worker_that_has_worked_for_long_is_followed_soon() -> None:
    assert pause_after(3600.0, LONGEST_PAUSE) == SHORTEST_PAUSE


def test_a_worker_uses_the_supervisors_stores_and_settings_whatever_env_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("BARBERPRO_EMBEDDED=data\nBARBERPRO_PORT=1\nBARBERPRO_WORKERS=2\n")
    settings = Settings(port=8001, cors_origins=("a", "b"), trusted_proxies=(ip_network("10.0.0.0/8"),))
    line = settings_line(settings, StoreUrls("postgresql://db", "redis://cache"), 0)
    monkeypatch.setenv("DATABASE_URL", "postgresql://other")
    monkeypatch.setenv("BARBERPRO_REDIS_URL", "redis://other")
    told = Settings(**json.loads(line))
    assert (told.embedded, told.database_url, told.redis_url) == (None, "postgresql://db", "redis://cache")
    assert (told.port, told.workers, told.cors_origins) == (8001, 1, ("a", "b"))
    assert told.trusted_proxies == settings.trusted_proxies
    assert told.keys_dir == tmp_path / "data" / "keys"


async def test_the_supervisor_waits_for_a_worker_that_says_goodbye_for_longer_than_the_others(
    two_workers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    ended: list[int] = []
    all_begun, says_goodbye, said = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def worker(_line: bytes) -> tuple[int, str]:
        number = len(begun)
        begun.append(number)
        if number == 1:
            all_begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            if number == 1:
                says_goodbye.set()
                await said.wait()
            ended.append(number)
        raise AssertionError("nothing ends it but a cancellation")

    monkeypatch.setattr(supervisor, "_run_worker", worker)
    supervision = asyncio.create_task(supervise(two_workers, URLS))
    await all_begun.wait()
    supervision.cancel()
    await says_goodbye.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert (supervision.done(), ended) == (False, [0])
    said.set()
    with pytest.raises(asyncio.CancelledError):
        await supervision
    assert ended == [0, 1]


async def test_a_worker_that_never_will_work_ends_them_all_in_its_own_words(
    two_workers: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def worker(line: bytes) -> tuple[int, str]:
        if json.loads(line)["metrics_port"] == 9100:
            return supervisor.REFUSED, "the port is taken"
        return await asyncio.Event().wait(), ""

    monkeypatch.setattr(supervisor, "_run_worker", worker)
    with pytest.raises(WorkerRefusedError, match="the port is taken"):
        await supervise(two_workers, URLS)
