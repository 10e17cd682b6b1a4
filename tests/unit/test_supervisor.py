"""What a worker is told, and how long a dead one's place stays empty."""

import json
from ipaddress import ip_network
from itertools import accumulate, repeat
from pathlib import Path

import pytest

from barberpro.server.embedded import StoreUrls
from barberpro.server.settings import Settings
from barberpro.server.supervisor import LONGEST_PAUSE, SHORTEST_PAUSE, pause_after, settings_line


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
