"""Whose requests are counted together."""

import pytest

from barberpro.handlers.callers import network_of


@pytest.mark.parametrize(
    ("remote", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_an_address_counts_with_those_of_the_same_household(remote: str | None, counted_as: str) -> None:
    assert network_of(remote) == counted_as
