"""Where a key's slot is, and where a node of a cluster is."""

import pytest
from redis.asyncio import Redis

from barberpro.storage import primaries as module
from barberpro.storage.cluster import SLOTS, Address, ClusterMap, slot_of, url_at
from barberpro.storage.primaries import Primaries


@pytest.mark.parametrize(
    ("key", "slot"),
    [
        ("123456789", 12739),  # the example of the cluster's specification: 0x31C3
        ("bp:{123456789}:epoch", 12739),
        ("{123456789}{other}", 12739),
    ],
)
def test_a_key_has_the_slot_of_what_stands_in_its_first_braces(key: str, slot: int) -> None:
    assert slot_of(key) == slot


def test_empty_and_open_braces_mean_nothing() -> None:
    assert len({slot_of(key) for key in ("{}a", "{}b", "{c", "{d", "}{e")}) == 5


def test_a_slot_that_is_nobodys_has_no_owner() -> None:
    found = ClusterMap(True, 3, [(0, 99, ("a", 1)), (200, 299, ("b", 2))], frozenset({("a", 1), ("b", 2)}))
    assert [found.owner(slot) for slot in (0, 99, 100, 200, 300)] == [("a", 1), ("a", 1), None, ("b", 2), None]


@pytest.mark.parametrize(
    ("url", "address", "other"),
    [
        ("redis://a:7000", ("b", 7001), "redis://b:7001"),
        ("rediss://me:s%40ret@a:7000/0?timeout=3", ("b", 7001), "rediss://me:s%40ret@b:7001?timeout=3"),
        ("redis://:secret@a", ("fd00::1", 7001), "redis://:secret@[fd00::1]:7001"),
        ("unix:///run/valkey.sock?db=0", ("b", 7001), "redis://b:7001?db=0"),
    ],
)
def test_another_node_is_reached_with_the_same_credentials(url: str, address: tuple[str, int], other: str) -> None:
    assert url_at(url, address) == other


NODES = frozenset({("a", 1), ("b", 2), ("c", 3)})


def map_of(owner: Address, *, sound: bool, epoch: int) -> ClusterMap:
    return ClusterMap(sound, epoch, [(0, SLOTS - 1, owner)], NODES)


async def test_a_node_that_was_cut_off_is_not_believed_however_many_elections_it_has_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its epoch rises with each of them, and in its map it still owns what is another's by now."""
    told = {
        "a": map_of(("a", 1), sound=False, epoch=99),
        "b": map_of(("b", 2), sound=True, epoch=7),
        "c": map_of(("a", 1), sound=True, epoch=6),
    }

    async def ask(client: Redis) -> ClusterMap:
        return told[client.connection_pool.connection_kwargs["host"]]

    monkeypatch.setattr(module, "ask", ask)
    primaries = Primaries("redis://a:1", 4, 1.0)
    await primaries.look()
    await primaries.look()
    assert [primaries.of(shard).connection_pool.connection_kwargs["host"] for shard in range(4)] == ["b"] * 4
    await primaries.aclose()
