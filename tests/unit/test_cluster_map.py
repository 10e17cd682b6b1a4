"""Where a key's slot is, and where a node of a cluster is."""

import pytest

from barberpro.storage.cluster import ClusterMap, slot_of, url_at


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
